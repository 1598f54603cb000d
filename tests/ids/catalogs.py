"""Catalogues whose keys and texts are as awkward as a configuration allows."""

from __future__ import annotations

from typing import Any

from reconciler.model.diagnostics import Position
from reconciler.model.ids import IdCatalog, IdEntry, Section

DESCRIPTIONS = (
    'quotes " and """ and \'\'\' and `',
    "closes */ and ?> and --> and */ again",
    "two\nlines\r\nand\u2028more\u2029of\x85them",
    "a ${variable} {$variable} $variable %s {0} #{x}",
    "ends with a backslash \\",
    "\\u0022 \\N{BULLET} \\x41",
    "@deprecated {@link x} @param",
    "turned \u202e around and \x00 \x1b[31m",
    "go:build ignore\n//go:generate rm",
    "\u65e5\u672c\u8a9e \U0001f600",
    "",
)
"""What stands in descriptions."""
KEYS = (
    "class", "def", "None", "import", "type", "func", "package", "interface", "function", "this", "self", "list",
    "var", "static", "return", "constructor", "prototype", "toString", "length", "name", "id", "data", "made",
    "__proto__", "__init__", "__dict__", "__get", "__construct", "_private", "90_days", "1", "a-b", "x" * 80, "echo",
    "True", "yield", "await", "default", "enum", "match", "readonly", "never", "err", "nil", "string", "printf",
)  # fmt: skip
"""Keys that mean something in a language; no two of them have one name in any."""
OPTIONS = (
    "A+",
    "A-",
    "a",
    "",
    " ",
    "\u65e5\u672c",
    "Gr\u00f6\u00dfe",
    "*/",
    '"',
    "${x}",
    "?>",
    "\\",
    "1.5",
    "x\ny",
    "-1",
)
"""Texts of options: several of them have nothing that could be a name."""


def hostile(environments: tuple[str, ...] = ("demo", "eu-west"), *, partial: bool = False) -> IdCatalog:
    """Return a catalogue of every awkward key, with every awkward text, nested and not."""
    tags = tuple(_entry("tags", key, "Tag", number, environments) for number, key in enumerate(KEYS))
    options = tuple(
        IdEntry(text, f"fields.pick.options.{text}", f"field.pick.options.{text}", "FieldOption", text,
              {name: {"id": str(number), "value": text} for name in environments}, (), None, False)
        for number, text in enumerate(OPTIONS)
    )  # fmt: skip
    fields = (
        _entry("fields", "pick", "ContactField", 900, environments, (Section("options", "FieldOption", options),)),
        _entry("fields", "only_here", "ContactField", 901, environments[:1] if partial else environments),
        _entry("fields", "pick_options", "ContactField", 902, environments),
    )
    stages = tuple(_entry("pipelines.sales.stages", key, "Stage", 70 + n, environments) for n, key in enumerate(KEYS))
    pipelines = (_entry("pipelines", "sales", "Pipeline", 7, environments, (Section("stages", "Stage", stages),)),)
    named = {name: {"id": "5", "string_id": "news"} if name == "demo" else {"id": "6"} for name in environments}
    news = IdEntry("news", "lists.news", "list.news", "ContactList", "", named)  # one account does not say its name
    sections = (
        Section("lists", "ContactList", (news,)),
        Section("tags", "Tag", tags),
        Section("fields", "ContactField", fields),
        Section("pipelines", "Pipeline", pipelines),
    )
    return IdCatalog(environments, sections)


def _entry(
    section: str,
    key: str,
    noun: str,
    number: int,
    environments: tuple[str, ...],
    sections: tuple[Section, ...] = (),
) -> IdEntry:
    doc = DESCRIPTIONS[number % len(DESCRIPTIONS)]
    values = {name: {"id": f"{number}{at}", "name": f"{doc}{key}"} for at, name in enumerate(environments)}
    return IdEntry(key, f"{section}.{key}", f"{section}.{key}", noun, doc, values, sections, Position("a.yaml", number))


def expected(catalog: IdCatalog, environment: str) -> dict[str, Any]:
    """Return the values of an environment, by path."""
    return {path: dict(values) for path, values in catalog.data(environment).items()}

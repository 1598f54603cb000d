"""Ids as a Python module: an attribute for each key, checked by any type checker. Python 3.9 and later."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from reconciler.model.ids import IdCatalog, IdEntry, Section
from reconciler.render.code.lines import VARIABLE, CodeNames, about, comment, head
from reconciler.render.code.naming import Types, plain, quoted

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
TAKEN = ("Account", "Environment", "Final", "Literal", "Mapping", "Dict", "Optional")


def name_of(key: str) -> str:
    """Return a key as an attribute: no keyword, no digit first, nothing that Python treats as its own."""
    name = plain(key)
    if not name or name[0].isdigit():
        return f"_{name}"
    if name.startswith("__"):
        return f"k{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def literal(text: str) -> str:
    """Return a text as a literal."""
    return quoted(text, ESCAPES, lambda code: f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def render(catalog: IdCatalog, _: str) -> str:
    """Return the module."""
    shape = CodeNames(catalog, name_of, "Python", Types(TAKEN))
    lines = [
        *(f"# {line}" for line in head(catalog, "python")),
        "# ruff: noqa",
        '"""' + about(catalog),
        "",
        f"`account()` chooses the account by the environment variable {VARIABLE}, or by its argument.",
        '"""',
        "from __future__ import annotations",
        "",
        "import os",
        "from collections.abc import Mapping",
        "from typing import Dict, Final, Literal, Optional",
        "",
        f"Environment = Literal[{', '.join(map(literal, catalog.environments))}]",
        "_Data = Mapping[str, Mapping[str, str]]",
        "",
    ]
    for noun in catalog.attributes:
        lines += _record(shape, noun)
    for section in catalog.sections:
        lines += _group(shape, "", section)
    lines += [*_account(shape), *_data(catalog), *_chooser(catalog)]
    return "\n".join(lines) + "\n"


def _record(shape: CodeNames, noun: str) -> Iterator[str]:
    attributes = shape.catalog.attributes[noun]
    ordered = sorted(attributes, key=lambda name: attributes[name])
    types = {name: "Optional[str]" if attributes[name] else "str" for name in attributes}
    given = [f"{name}: {types[name]}{' = None' if attributes[name] else ''}" for name in ordered]
    yield "\n" + f"class {shape.records[noun]}:"
    yield f"    def __init__(self, {', '.join(given)}) -> None:"
    for name in attributes:
        yield f"        self.{name}: Final = {name}"
    yield ""


def _group(shape: CodeNames, path: str, section: Section) -> Iterator[str]:
    for entry in section.entries:
        yield from _whole(shape, entry)
    yield "\n" + f"class {shape.groups[path, section.name]}:"
    yield "    def __init__(self, data: _Data) -> None:"
    for entry in section.entries:
        kind, known = shape.type_of(entry), literal(entry.path)
        constructor = f"{kind}(data)" if entry.sections else f"{kind}(**data[{known}])"
        name = shape.members[entry.path]
        if shape.catalog.optional(entry):
            yield f"        self.{name}: Final[Optional[{kind}]] = {constructor} if {known} in data else None"
        else:
            yield f"        self.{name}: Final = {constructor}"
        yield f"        {literal(comment(entry))}"
    yield ""


def _whole(shape: CodeNames, entry: IdEntry) -> Iterator[str]:
    """The type of an entry in which something is nested."""
    for section in entry.sections:
        yield from _group(shape, entry.path, section)
    if entry.sections:
        yield "\n" + f"class {shape.type_of(entry)}({shape.records[entry.noun]}):"
        yield "    def __init__(self, data: _Data) -> None:"
        yield f"        super().__init__(**data[{literal(entry.path)}])"
        for section in entry.sections:
            yield f"        self.{section.name}: Final = {shape.groups[entry.path, section.name]}(data)"
        yield ""


def _account(shape: CodeNames) -> Iterator[str]:
    yield "\n" + "class Account:"
    yield '    """Everything that one account holds of it."""'
    yield ""
    yield "    def __init__(self, environment: Environment, data: _Data) -> None:"
    yield "        self.environment: Final[Environment] = environment"
    for section in shape.catalog.sections:
        yield f"        self.{section.name}: Final = {shape.groups['', section.name]}(data)"
    yield ""


def _data(catalog: IdCatalog) -> Iterator[str]:
    yield "\n" + "_DATA: Final[Mapping[Environment, _Data]] = {"
    for environment in catalog.environments:
        yield f"    {literal(environment)}: {{"
        for path, values in catalog.data(environment).items():
            row = ", ".join(f"{literal(name)}: {literal(value)}" for name, value in values.items())
            yield f"        {literal(path)}: {{{row}}},"
        yield "    },"
    yield "}"
    yield "ACCOUNTS: Final[Dict[Environment, Account]] = {name: Account(name, data) for name, data in _DATA.items()}"


def _chooser(catalog: IdCatalog) -> list[str]:
    known = ", ".join(catalog.environments)
    alone = f" or {literal(catalog.environments[0])}" if len(catalog.environments) == 1 else ""
    return [
        "",
        "",
        "def account(environment: Optional[str] = None) -> Account:",
        '    """Return the ids of an account: of this environment, else of the one in',
        f'    {VARIABLE}. Raises LookupError."""',
        f"    chosen = environment or os.environ.get({literal(VARIABLE)}){alone}",
        "    for name, found in ACCOUNTS.items():",
        "        if name == chosen:",
        "            return found",
        f'    raise LookupError(f"no account {{chosen!r}}: give one of {known}, or set {VARIABLE}")',
    ]

"""Ids as a PHP file: a read-only property for each key. PHP 8.1 and later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.model.ids import IdCatalog, IdEntry, Section
from reconciler.render.code.lines import VARIABLE, CodeNames, about, comment, head
from reconciler.render.code.naming import Types, plain, quoted

ESCAPES = {'"': '\\"', "\\": "\\\\", "$": "\\$", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
TAKEN = tuple(
    """account keyed abstract and array as bool break callable case catch class clone const continue declare default do
    echo else elseif empty enddeclare endfor endforeach endif endswitch endwhile enum eval exit extends false final
    finally float fn for foreach function global goto if implements include instanceof insteadof int interface isset
    iterable list match mixed namespace never new null object or parent print private protected public readonly require
    return self static string switch throw trait true try unset use var void while xor yield""".split()
)


def name_of(key: str) -> str:
    """Return a key as a property: reserved words may be one, `$this` may not."""
    name = plain(key)
    return f"_{name}" if not name or name[0].isdigit() or name == "this" else name


def literal(text: str) -> str:
    """Return a text as a literal; no variable in it is one."""
    return quoted(text, ESCAPES, lambda code: f"\\u{{{code:x}}}")


def render(catalog: IdCatalog, _: str) -> str:
    """Return the file."""
    shape = CodeNames(catalog, name_of, "PHP", Types(TAKEN))
    lines = [
        "<?php",
        *(f"// {line}" for line in head(catalog, "php")),
        "",
        "declare(strict_types=1);",
        "",
        f"/** {about(catalog)} */",
        "namespace ActiveCampaign\\Ids;",
        "",
        "/** A key that there is not is an error, not a null. */",
        "trait Keyed",
        "{",
        "    public function __get(string $name): never",
        "    {",
        '        throw new \\OutOfBoundsException(static::class . " has no {$name}");',
        "    }",
        "}",
        "",
    ]
    for noun, attributes in catalog.attributes.items():
        given = [
            f"public readonly {'?' if attributes[name] else ''}string ${name}{' = null' if attributes[name] else ''}"
            for name in sorted(attributes, key=lambda name: attributes[name])
        ]
        lines += [f"class {shape.records[noun]}", "{", "    use Keyed;", ""]
        lines += [f"    public function __construct({', '.join(given)})", "    {", "    }", "}", ""]
    for section in catalog.sections:
        lines += _group(shape, "", section)
    return "\n".join([*lines, *_account(catalog, shape)]) + "\n"


def _doc(entry: IdEntry) -> str:
    """What closes a comment, or begins a tag of one, is only text."""
    return re.sub(r"(^|[\s{(])@", r"\1\\@", comment(entry).replace("*/", "* /").replace("?>", "? >"))


CONSTRUCT = (
    "    /** @param array<string, array<string, string>> $data */",
    "    public function __construct(array $data)",
    "    {",
)


def _group(shape: CodeNames, path: str, section: Section) -> Iterator[str]:
    for entry in section.entries:
        yield from _whole(shape, entry)
    yield from (f"final class {shape.groups[path, section.name]}", "{", "    use Keyed;", "")
    for entry in section.entries:
        gone = "?" if shape.catalog.optional(entry) else ""
        yield f"    /** {_doc(entry)} */"
        yield f"    public readonly {gone}{shape.type_of(entry)} ${shape.members[entry.path]};"
    yield ""
    yield from CONSTRUCT
    for entry in section.entries:
        known = literal(entry.path)
        constructor = f"new {shape.type_of(entry)}({'$data' if entry.sections else f'...$data[{known}]'})"
        if shape.catalog.optional(entry):
            constructor = f"isset($data[{known}]) ? {constructor} : null"
        yield f"        $this->{shape.members[entry.path]} = {constructor};"
    yield from ("    }", "}", "")


def _whole(shape: CodeNames, entry: IdEntry) -> Iterator[str]:
    """The type of an entry in which something is nested."""
    if not entry.sections:
        return
    for section in entry.sections:
        yield from _group(shape, entry.path, section)
    yield from (f"final class {shape.type_of(entry)} extends {shape.records[entry.noun]}", "{")
    for section in entry.sections:
        yield f"    public readonly {shape.groups[entry.path, section.name]} ${section.name};"
    yield ""
    yield from CONSTRUCT
    yield f"        parent::__construct(...$data[{literal(entry.path)}]);"
    for section in entry.sections:
        yield f"        $this->{section.name} = new {shape.groups[entry.path, section.name]}($data);"
    yield from ("    }", "}", "")


def _account(catalog: IdCatalog, shape: CodeNames) -> Iterator[str]:
    yield from ("/** Everything that one account holds of it. */", "final class Account", "{", "    use Keyed;", "")
    yield "    private const DATA = ["
    for environment in catalog.environments:
        yield f"        {literal(environment)} => ["
        for path, values in catalog.data(environment).items():
            row = ", ".join(f"{literal(name)} => {literal(value)}" for name, value in values.items())
            yield f"            {literal(path)} => [{row}],"
        yield "        ],"
    yield from ("    ];", "", "    public readonly string $environment;")
    for section in catalog.sections:
        yield f"    public readonly {shape.groups['', section.name]} ${section.name};"
    yield ""
    yield f"    /** The ids of an account: of this environment, else of the one in {VARIABLE}. */"
    yield "    public function __construct(?string $environment = null)"
    yield "    {"
    alone = f" ?: {literal(catalog.environments[0])}" if len(catalog.environments) == 1 else ""
    yield f'        $chosen = ($environment ?: getenv("{VARIABLE}")){alone};'
    known = literal(f": give one of {', '.join(catalog.environments)}, or set {VARIABLE}")
    yield "        if (!isset(self::DATA[$chosen])) {"
    yield f'            throw new \\OutOfBoundsException("no account " . $chosen . {known});'
    yield "        }"
    yield "        $data = self::DATA[$chosen];"
    yield "        $this->environment = $chosen;"
    for section in catalog.sections:
        yield f"        $this->{section.name} = new {shape.groups['', section.name]}($data);"
    yield from ("    }", "}")

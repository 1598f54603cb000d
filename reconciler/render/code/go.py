"""Ids as a Go file: an exported field for each key."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.ids import IdCatalog, IdEntry, Section
from reconciler.render.code.lines import VARIABLE, CodeNames, about, comment, head
from reconciler.render.code.naming import Types, camel, quoted

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
TAKEN = ("Account", "For", "rows", "string", "error", "bool", "nil", "true", "false", "map", "os", "fmt", "data")


def name_of(key: str) -> str:
    """Return a key as an exported field."""
    name = camel(key)
    return name if name[:1].isalpha() else f"N{name}"


def literal(text: str) -> str:
    """Return a text as a literal."""
    return quoted(text, ESCAPES, lambda code: f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def render(catalog: IdCatalog, package: str) -> str:
    """Return the file."""
    shape = CodeNames(catalog, name_of, "Go", Types(TAKEN))
    lines = [
        f"// {head(catalog, 'go')[0]}",
        "",
        f"// {head(catalog, 'go')[1]}",
        "",
        f"// Package {package} holds what its generator knows. {about(catalog)}",
        f"package {package}",
        "",
        "import (",
        '\t"fmt"',
        '\t"os"',
        ")",
        "",
        "type rows map[string]map[string]string",
        "",
    ]
    for noun, attributes in catalog.attributes.items():
        lines += [f"// {shape.records[noun]} is how the API knows one; what an account does not have is empty."]
        lines += [f"type {shape.records[noun]} struct {{"]
        lines += [*(f"\t{attribute_of(name)} string" for name in attributes), "}", "", *_maker(shape, noun)]
    for section in catalog.sections:
        lines += _group(shape, "", section)
    return "\n".join([*lines, *_account(shape), *_data(catalog), *_chooser(catalog)]) + "\n"


def attribute_of(name: str) -> str:
    """Return an attribute as a field, in Go's spelling: `ID`, `StringID`."""
    return f"{camel(name.removesuffix('id'))}ID" if name == "id" or name.endswith("_id") else camel(name)


def _maker(shape: CodeNames, noun: str) -> Iterator[str]:
    name = shape.records[noun]
    yield f"func make{name}(row map[string]string) {name} {{"
    fields = ", ".join(
        f"{attribute_of(attribute)}: row[{literal(attribute)}]" for attribute in shape.catalog.attributes[noun]
    )
    yield f"\treturn {name}{{{fields}}}"
    yield "}"
    yield ""


def _group(shape: CodeNames, path: str, section: Section) -> Iterator[str]:
    for entry in section.entries:
        yield from _whole(shape, entry)
    name = shape.groups[path, section.name]
    yield f"// {name} holds the keys of one section."
    yield f"type {name} struct {{"
    for entry in section.entries:
        yield f"\t// {comment(entry)}"
        pointer = "*" if shape.catalog.optional(entry) else ""
        yield f"\t{shape.members[entry.path]} {pointer}{shape.type_of(entry)}"
    yield "}"
    yield ""
    yield f"func make{name}(data rows) (made {name}) {{"
    for entry in section.entries:
        known = literal(entry.path)
        value = f"make{shape.type_of(entry)}({'data' if entry.sections else f'data[{known}]'})"
        if shape.catalog.optional(entry):
            yield f"\tif _, found := data[{known}]; found {{"
            yield f"\t\tvalue := {value}"
            yield f"\t\tmade.{shape.members[entry.path]} = &value"
            yield "\t}"
        else:
            yield f"\tmade.{shape.members[entry.path]} = {value}"
    yield "\treturn made"
    yield "}"
    yield ""


def _whole(shape: CodeNames, entry: IdEntry) -> Iterator[str]:
    """The type of an entry in which something is nested."""
    if not entry.sections:
        return
    for section in entry.sections:
        yield from _group(shape, entry.path, section)
    name, record = shape.type_of(entry), shape.records[entry.noun]
    yield f"// {name} is {entry.address}."
    yield f"type {name} struct {{"
    yield f"\t{record}"
    for section in entry.sections:
        yield f"\t{camel(section.name)} {shape.groups[entry.path, section.name]}"
    yield "}"
    yield ""
    yield f"func make{name}(data rows) (made {name}) {{"
    yield f"\tmade.{record} = make{record}(data[{literal(entry.path)}])"
    for section in entry.sections:
        yield f"\tmade.{camel(section.name)} = make{shape.groups[entry.path, section.name]}(data)"
    yield "\treturn made"
    yield "}"
    yield ""


def _account(shape: CodeNames) -> Iterator[str]:
    yield "// Account is everything that one account holds of it."
    yield "type Account struct {"
    yield "\tEnvironment string"
    for section in shape.catalog.sections:
        yield f"\t{camel(section.name)} {shape.groups['', section.name]}"
    yield "}"
    yield ""
    yield "func makeAccount(environment string, data rows) (made Account) {"
    yield "\tmade.Environment = environment"
    for section in shape.catalog.sections:
        yield f"\tmade.{camel(section.name)} = make{shape.groups['', section.name]}(data)"
    yield "\treturn made"
    yield "}"
    yield ""


def _data(catalog: IdCatalog) -> Iterator[str]:
    yield "var accounts = map[string]rows{"
    for environment in catalog.environments:
        yield f"\t{literal(environment)}: {{"
        for path, values in catalog.data(environment).items():
            row = ", ".join(f"{literal(name)}: {literal(value)}" for name, value in values.items())
            yield f"\t\t{literal(path)}: {{{row}}},"
        yield "\t},"
    yield "}"
    yield ""


def _chooser(catalog: IdCatalog) -> list[str]:
    known = ", ".join(catalog.environments)
    alone = (
        ['\tif environment == "" {', f"\t\tenvironment = {literal(catalog.environments[0])}", "\t}"]
        if len(catalog.environments) == 1
        else []
    )
    return [
        f"// For returns the ids of an account: of this environment, else of the one in {VARIABLE}.",
        "func For(environment string) (Account, error) {",
        '\tif environment == "" {',
        f'\t\tenvironment = os.Getenv("{VARIABLE}")',
        "\t}",
        *alone,
        "\tdata, found := accounts[environment]",
        "\tif !found {",
        f"\t\tknown := {literal(known)}",
        f'\t\treturn Account{{}}, fmt.Errorf("no account %q: give one of %s, or set {VARIABLE}", environment, known)',
        "\t}",
        "\treturn makeAccount(environment, data), nil",
        "}",
    ]

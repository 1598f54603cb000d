"""Ids as a TypeScript module: a property for each key, under the key itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.model.ids import IdCatalog, IdEntry, Section
from reconciler.render.code.lines import VARIABLE, CodeNames, about, comment, head
from reconciler.render.code.naming import Types, quoted

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
TAKEN = ("Account", "Environment", "Record", "Readonly", "Error")


def literal(text: str) -> str:
    """Return a text as a literal."""
    return quoted(text, ESCAPES, lambda code: f"\\u{{{code:x}}}")


def member(key: str, *, value: bool = False) -> str:
    """Return a key as the name of a property; in a value, `__proto__` would not be one."""
    if value and key == "__proto__":
        return f"[{literal(key)}]"
    return key if re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", key) else literal(key)


def render(catalog: IdCatalog, _: str) -> str:
    """Return the module."""
    shape = CodeNames(catalog, lambda key: key, "TypeScript", Types(TAKEN))
    environments = [literal(name) for name in catalog.environments]
    lines = [
        *(f"// {line}" for line in head(catalog, "typescript")),
        "/* eslint-disable */",
        f"/** {about(catalog)} */",
        f"export const environments = [{', '.join(environments)}] as const;",
        "export type Environment = (typeof environments)[number];",
        "",
    ]
    for noun, attributes in catalog.attributes.items():
        lines.append(f"export interface {shape.records[noun]} {{")
        lines += [f"  readonly {name}{'?' if gone else ''}: string;" for name, gone in attributes.items()]
        lines += ["}", ""]
    lines += ["/** Everything that one account holds of it. */", "export interface Account {"]
    lines += ["  readonly environment: Environment;", *_types(shape, catalog.sections, "  "), "}", ""]
    lines.append("export const accounts: { readonly [Name in Environment]: Account } = {")
    for environment in catalog.environments:
        lines.append(f"  {member(environment, value=True)}: {{")
        lines.append(f"    environment: {literal(environment)},")
        lines += [*_values(catalog.sections, environment, "    "), "  },"]
    lines += ["};", "", *_chooser(catalog)]
    return "\n".join(lines) + "\n"


def _doc(entry: IdEntry) -> str:
    """What closes a comment, or begins a tag of one, is only text."""
    return re.sub(r"(^|[\s{(])@", r"\1\\@", comment(entry).replace("*/", "*\\/"))


def _types(shape: CodeNames, sections: Sequence[Section], indent: str) -> Iterator[str]:
    for section in sections:
        yield f"{indent}readonly {section.name}: {{"
        for entry in section.entries:
            gone = " | null" if shape.catalog.optional(entry) else ""
            yield f"{indent}  /** {_doc(entry)} */"
            if entry.sections:
                yield f"{indent}  readonly {member(entry.key)}: ({shape.records[entry.noun]} & {{"
                yield from _types(shape, entry.sections, f"{indent}    ")
                yield f"{indent}  }}){gone};"
            else:
                yield f"{indent}  readonly {member(entry.key)}: {shape.records[entry.noun]}{gone};"
        yield f"{indent}}};"


def _values(sections: Sequence[Section], environment: str, indent: str) -> Iterator[str]:
    for section in sections:
        yield f"{indent}{section.name}: {{"
        for entry in section.entries:
            name = member(entry.key, value=True)
            if environment not in entry.values:
                yield f"{indent}  {name}: null,"
                continue
            row = ", ".join(f"{key}: {literal(value)}" for key, value in entry.values[environment].items())
            if entry.sections:
                yield f"{indent}  {name}: {{"
                yield f"{indent}    {row},"
                yield from _values(entry.sections, environment, f"{indent}    ")
                yield f"{indent}  }},"
            else:
                yield f"{indent}  {name}: {{ {row} }},"
        yield f"{indent}}},"


def _chooser(catalog: IdCatalog) -> list[str]:
    known = ", ".join(catalog.environments)
    alone = f" || {literal(catalog.environments[0])}" if len(catalog.environments) == 1 else ""
    return [
        f"/** The ids of an account: of this environment, else of the one in {VARIABLE}. */",
        "export function account(environment?: string): Account {",
        "  const running = globalThis as unknown as {",
        "    process?: { env?: { [name: string]: string | undefined } };",
        "  };",
        f'  const chosen = environment || running.process?.env?.["{VARIABLE}"]{alone};',
        "  for (const name of environments) {",
        "    if (name === chosen) return accounts[name];",
        "  }",
        f"  throw new Error(`no account ${{JSON.stringify(chosen)}}: give one of {known}, or set {VARIABLE}`);",
        "}",
    ]

"""Ids as environment variables. Programs read such files in dialects that agree only on plain words: a value that is
none (a name with blanks or quotes) is left out, and the line that would have been there says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reconciler.model.ids import IdCatalog, IdEntry, Section, clash
from reconciler.render.code.lines import about, comment, head
from reconciler.render.code.naming import names, plain

PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+")


def name_of(key: str) -> str:
    """Return a key as a part of a variable's name."""
    return plain(key).upper()


def render(catalog: IdCatalog, _: str) -> str:
    """Return the file. With several environments, each name begins with that of its environment."""
    lines = [*(f"# {line}" for line in head(catalog, "dotenv")), f"# {about(catalog)}"]
    taken: dict[str, IdEntry] = {}
    for environment in catalog.environments:
        several = len(catalog.environments) > 1
        for entry, name in _named(catalog.sections, f"{name_of(environment)}_AC" if several else "AC"):
            if environment in entry.values:
                lines.append(f"# {comment(entry)}")
                lines += _values(entry, name, environment, taken)
    return "\n".join(lines) + "\n"


def _named(sections: Sequence[Section], before: str) -> Iterator[tuple[IdEntry, str]]:
    for section in sections:
        members = names(section.entries, name_of, "dotenv")
        for entry in section.entries:
            name = f"{before}_{section.name.upper()}_{members[entry.path]}"
            yield entry, name
            yield from _named(entry.sections, name)


def _values(entry: IdEntry, name: str, environment: str, taken: dict[str, IdEntry]) -> Iterator[str]:
    for attribute, value in entry.values[environment].items():
        variable = f"{name}_{attribute.upper()}"
        if variable in taken:
            raise clash([taken[variable], entry], variable, "dotenv")
        taken[variable] = entry
        yield f"{variable}={value}" if PLAIN.fullmatch(value) else f"# {variable} is not a plain word"

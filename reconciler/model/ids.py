"""The ids of accounts by the keys of a configuration: what generated code is made from. Each value is known by
environment, because ids differ per account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.model.errors import ConfigError
from reconciler.model.records import mutable, record

Language = Literal["python", "typescript", "go", "php", "json", "dotenv"]
Values = Mapping[str, str]
"""What one account says of one entry: `{"id": "12", "perstag": "PLAN_TIER"}`."""


@record
class IdPart:
    """Something inside an object that code names as well: an option, a field of a custom object. A value that only a
    look at the account tells is None.
    """

    key: str
    values: Mapping[str, str | None]
    description: str = ""
    groups: tuple[PartGroup, ...] = ()


@record
class PartGroup:
    """Parts of one sort: `name` is what they are called in code (`options`), `noun` the type of one."""

    name: str
    noun: str
    parts: tuple[IdPart, ...] = ()


@record
class IdEntry:
    """One key, with its values by environment. `address` is that of the object; `at` is where it is declared. The key
    of a part is a text of the account: `named` is False, and code that cannot have it as a name gets another one.
    """

    key: str
    path: str
    address: str
    noun: str
    doc: str
    values: Mapping[str, Values]
    sections: tuple[Section, ...] = ()
    at: Position | None = None
    named: bool = True


@record
class Section:
    """The entries of one name: `tags`, the `stages` of a pipeline, the `options` of a field."""

    name: str
    noun: str
    entries: tuple[IdEntry, ...]


@mutable
class IdCatalog:
    """All entries of a project, and the environments that their values come from. `attributes` are those that the
    entries of a noun have, `id` first.
    """

    environments: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    unnamed: tuple[str, ...] = ()

    def entries(self) -> Iterator[IdEntry]:
        """Yield every entry, what is nested behind what it is nested in."""
        yield from _entries(self.sections)

    @cached_property
    def attributes(self) -> Mapping[str, Mapping[str, bool]]:
        """Return the attributes of each noun, and whether one may be missing."""
        rows: dict[str, list[Values]] = {}
        for entry in self.entries():
            rows.setdefault(entry.noun, []).extend(entry.values.values())
        return {noun: _attributes(values) for noun, values in rows.items()}

    def optional(self, entry: IdEntry) -> bool:
        """Return whether an environment has no such object."""
        return len(entry.values) < len(self.environments)

    def data(self, environment: str) -> dict[str, Values]:
        """Return the values of one environment, by path."""
        return {entry.path: entry.values[environment] for entry in self.entries() if environment in entry.values}

    @cached_property
    def digest(self) -> str:
        """What changes when an id (or a name by which the API knows the object) does, and only then."""
        known = json.dumps({name: self.data(name) for name in self.environments}, sort_keys=True)
        return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _entries(sections: Sequence[Section]) -> Iterator[IdEntry]:
    for section in sections:
        for entry in section.entries:
            yield entry
            yield from _entries(entry.sections)


def _attributes(rows: Sequence[Values]) -> dict[str, bool]:
    names = dict.fromkeys(name for row in rows for name in row)
    ordered = sorted(names, key=lambda name: name != "id")
    return {name: any(name not in row for row in rows) for name in ordered}


def clash(entries: Sequence[IdEntry], name: str, language: str) -> ConfigError:
    """Return the error of keys that code could not tell apart, with the place of each."""
    places = " and ".join(f"{entry.address} ({entry.at})" if entry.at else entry.address for entry in entries)
    return ConfigError(
        [
            Diagnostic(
                f"{places} would both be called `{name}` in {language}",
                entries[-1].at,
                "give one of them another key, with a `moved` block so that its object stays",
                code="same-name",
            )
        ]
    )

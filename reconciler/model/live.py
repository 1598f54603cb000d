"""What a read of the account gives: the listings to ask for, their rows by table, what could not be read, and the
objects that follow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from reconciler.model.empty import NOTHING
from reconciler.model.facts import Facts
from reconciler.model.http import NoPath, shown
from reconciler.model.identity import Grammar, obeys
from reconciler.model.values import Json, Value

Row = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Collection:
    """A listing of the API. `key` is the array's name in the answer; `sides` names arrays that come along with it.

    `table` names the result (default: `key`). `fallback` is tried where the path does not exist (404). `identity`
    names the property that tells rows apart. A listing whose rows are one per account (settings) has `single` true.
    An `optional` one adds to the rows of others and is hardly documented: where it cannot be read in any known form,
    what it would tell is unknown, and nothing else is. `alias` is what older deployments call the array.
    `feeds` names the attributes, or the settings, that a listing beside the one with the objects tells: where it cannot
    be read, they are not known of those objects (`Snapshot.unread`).
    `paging` says how pages are asked for: `limit` and `offset`, `page` and `page_size`, or not at all. Ids are numbers,
    unless `ids` says otherwise (section 1.4).
    """

    path: str
    key: str
    sides: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    table: str = ""
    fallback: Collection | None = None
    identity: str = "id"
    single: bool = False
    optional: bool = False
    alias: str = ""
    paging: Literal["offset", "page", "none"] = "offset"
    ids: Grammar = "number"
    feeds: tuple[str, ...] = field(default=(), compare=False)
    tells: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    """What each row of a listing of memberships says, each under one of these names: of which objects it is one."""
    of: str = field(default="", compare=False)
    """The id of the object that it is about, where it is about one alone."""
    elsewhere: tuple[str, str] | None = None
    """A fact of the account, and what it says where the fallback is the listing: that is read first then."""

    @property
    def name(self) -> str:
        """The name of the table it fills."""
        return self.table or self.key

    def names(self, identity: str) -> bool:
        """Return whether an object of it, or of one of its fallbacks, may have this id."""
        return obeys(identity, self.ids) or (self.fallback is not None and self.fallback.names(identity))

    def known(self, facts: Facts) -> Collection:
        """Return the listing as it is where the facts say so; the other path is still tried where they are wrong."""
        if self.fallback is None or self.elsewhere is None or not facts.says(*self.elsewhere):
            return self
        return replace(self.fallback, optional=self.optional, feeds=self.feeds, fallback=replace(self, fallback=None))

    @property
    def paths(self) -> tuple[str, ...]:
        """Where it may be read: the path, and those of its fallbacks."""
        return (self.path, *(self.fallback.paths if self.fallback is not None else ()))


class Unknown(NamedTuple):
    """A listing that could not be read: forbidden or incomplete. Never the same as empty."""

    reason: str
    forbidden: bool = True
    hint: str = ""
    """Which permission may be missing, where that is why."""
    general: str = ""
    """The reason in words that fit any listing, so that it can be said once of many; "" where it is one of this alone.
    """


STRANGE = (ArithmeticError, AttributeError, LookupError, NoPath, RecursionError, TypeError, ValueError)
"""How rows fail that are not of a type that was seen there before."""


def odd(path: str, error: Exception, row: Row | None = None) -> Unknown:
    """Return what is known of a kind with a row that is not of the types that its decoder expects."""
    where = f" of the row {shown(row.get('id'))}" if row is not None else ""
    if isinstance(error, KeyError):
        missing = error.args[0] if error.args else ""
        which = f"the row {shown(row.get('id'))}" if row is not None else "a row"
        return Unknown(f"GET {path}: {which} has no `{missing}`, which is documented to be there")
    message = re.sub(r"\s+", " ", shown(str(error)))
    return Unknown(
        f"GET {path}: something{where} is not of the type that is documented ({type(error).__name__}: {message})"
    )


class Tables(NamedTuple):
    """The rows that a refresh read, by table name, and the tables that could not be read."""

    rows: Mapping[str, Sequence[Row]] = NOTHING
    unknown: Mapping[str, Unknown] = NOTHING

    def get(self, name: str) -> Sequence[Row]:
        """Return the rows of a table; empty when it was not asked for."""
        return self.rows.get(name, ())

    def merged(self, other: Tables) -> Tables:
        """Return both together; `other` wins."""
        kept = {name: rows for name, rows in self.rows.items() if name not in other.unknown}
        rows = {**kept, **other.rows}
        unknown = {name: why for name, why in {**self.unknown, **other.unknown}.items() if name not in other.rows}
        return Tables(rows, unknown)


class Live(NamedTuple):
    """One object as the account holds it, in normal form. References are `RemoteId`. An attribute that the account
    did not return is absent from `attrs`. `created` is the creation stamp where the API has one. `builtin` objects
    came with the account: they can be looked up, never managed.
    """

    kind: str
    id: str
    attrs: Mapping[str, Value]
    created: str = ""
    row: Row = NOTHING
    builtin: bool = False
    odd: Mapping[str, str] = NOTHING
    """Properties of the row that are of no type that was seen there before, with the attribute that is read of each,
    `""` for the object as a whole. They are not in `attrs`: what they mean is not known, and never taken for empty.
    """

    @property
    def sound(self) -> Live:
        """The object without its odd properties."""
        return self._replace(row={name: value for name, value in self.row.items() if name not in self.odd}, odd={})

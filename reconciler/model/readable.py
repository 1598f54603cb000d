"""How a kind is read: rows of the API's listings into objects with attributes in normal form."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from reconciler.model.codecs import Ids
from reconciler.model.declared import Declared
from reconciler.model.live import STRANGE, Collection, Live, Row, Tables
from reconciler.model.spec import (
    Nested,
    Once,
    WriteOnly,
)
from reconciler.model.values import Json, Reference, RemoteId, Value

NOTHING_ODD: Mapping[str, str] = MappingProxyType({})
"""Of the rows whose properties are all of the types that were seen there before."""


class Readable(Declared):
    """A kind as it is read from the account."""

    @cached_property
    def _decoders(self) -> tuple[tuple[str, str, Callable[[Json], Value]], ...]:
        return tuple(
            (name, attribute.read, attribute.codec.decode)
            for name, attribute in self.attributes.items()
            if attribute.read is not None and not attribute.has(WriteOnly, Once)
        )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Return the listings to read, given the names of the attributes that are declared for this kind."""
        return self.reading.collections

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Return further listings that depend on what the first ones answered."""
        return ()

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """Return what begins the names of the listings that each object of a kind with these attributes costs to read
        this kind, before its id. `asked` are the tables that were asked for, `unread` those that could not be read.
        """
        return ()

    def claims(self, row: Row, tables: Tables) -> bool:
        """Return whether the row is something a user may manage (built-ins and internal rows are not)."""
        return True

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Return the attributes of a row in normal form; properties that the row lacks stay absent."""
        return {name: decode(row[read]) for name, read, decode in self._decoders if read in row}

    @cached_property
    def _encoders(self) -> tuple[tuple[str, str, Callable[[Value, Ids], Json]], ...]:
        return tuple(
            (name, attribute.read or "", attribute.codec.encode)
            for name, attribute in self.attributes.items()
            if attribute.api is not None
        )

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """Return, by attribute, what the row holds of it and what a write of the decoded value would send: where they
        differ, decoding lost something. `""` stands for the object as a whole. What the server computes is in neither.
        """
        return {
            name: (live.row[read], encode(live.attrs[name], _remote))
            for name, read, encode in self._encoders
            if name in live.attrs and read in live.row
        }

    def lives(self, tables: Tables) -> list[Live]:
        """Return the live objects in the order of the listing, built-in ones included and marked."""
        primary = self.reading.collections[0]
        lives = []
        for row in self.rows(tables):
            attrs, odd = self._decoded(row, tables)
            created = str(row.get(self.reading.created) or "")
            lives.append(
                Live(self.name, str(row[primary.identity]), attrs, created, row, not self.claims(row, tables), odd)
            )
        return lives

    def _decoded(self, row: Row, tables: Tables) -> tuple[dict[str, Value], Mapping[str, str]]:
        """Return the attributes of a row, and its odd properties (see `Live.odd`): those that no decoder takes."""
        try:
            return self.decode(row, tables), NOTHING_ODD
        except STRANGE:
            odd = {read: name for name, read, decode in self._decoders if read in row and _fails(decode, row[read])}
        properties = [read for read in row if read != self.reading.collections[0].identity]
        rest = [read for read in properties if read not in odd]
        for more in ((), *((read,) for read in rest)):  # what a kind reads in ways of its own fails one by one
            attrs = self._decoded_without({*odd, *more}, row, tables)
            if attrs is not None:
                odd |= self._attributes_of(more)
                return {name: value for name, value in attrs.items() if name not in odd.values()}, odd
        return {}, self._attributes_of(properties)

    def _decoded_without(self, reads: Container[str], row: Row, tables: Tables) -> dict[str, Value] | None:
        """Return the attributes of a row without these properties; None where no decoder takes the rest."""
        try:
            return self.decode({name: value for name, value in row.items() if name not in reads}, tables)
        except STRANGE:
            return None

    def _attributes_of(self, reads: Iterable[str]) -> dict[str, str]:
        return {read: self._attribute_of(read) for read in reads}

    def _attribute_of(self, read: str) -> str:
        """Return the attribute that a property is read for, `""` where it is none alone."""
        own = next((name for name, attribute in self.attributes.items() if read in (attribute.read, f"_{name}")), "")
        return self.reading.parts.get(read, own)

    def growth(self, identity: str, name: str, before: Value, after: Value) -> Mapping[str, int]:
        """Return by how many rows a change of an attribute lets the listings of single objects grow, by table; a table
        of an object that is still to be made is called by its address. `identity` is the changed object's, likewise.
        """
        return {}

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Return the rows of the listing, with what other tables say of them joined in under names that begin with
        `_`.
        """
        return tables.get(self.reading.collections[0].name)

    def unreadable(self, tables: Tables) -> str:
        """Return why nothing can be said about this kind, or "" when its listing was read."""
        why = tables.unknown.get(self.reading.collections[0].name)
        return why.reason if why else ""

    def nesting(self, child: str) -> Nested | None:
        """Return the mark by which the objects of another kind are nested in those of this one."""
        return next((mark for mark in self.marked(Nested).values() if mark.kind == child), None)


def _fails(decode: Callable[[Json], Value], raw: Json) -> bool:
    try:
        decode(raw)
    except STRANGE:
        return True
    return False


def _remote(reference: Reference) -> str:
    """Return the id of a live reference."""
    return reference.id if isinstance(reference, RemoteId) else str(reference)

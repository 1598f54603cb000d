"""All kinds, each loaded when it is first asked for, and what is asked of those that are not in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from reconciler.model.facts import Facts
from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import RefTo


class Outline(NamedTuple):
    """What is asked of every kind, in use or not: it follows from the kind, and is kept beside it (`make generate`)."""

    module: str
    """The last part of the name of its module."""
    section: str = ""
    """Its part of a configuration; "" where it has none of its own, or is not managed."""
    nested: str = ""
    """The kind in whose objects it is declared; "" for none."""
    label: str = ""
    """The attribute with the name of an object."""
    later: tuple[tuple[str, ...], ...] = ()
    """For each attribute that may refer to kinds that come later: which these are."""
    listing: str = ""
    """The path of the listing of its objects; "" where it has none."""
    paths: tuple[str, ...] = ()
    """Where it may be read, in whole or in part."""


def outline_of(kind: Kind) -> Outline:
    """Return what is asked of a kind, in use or not."""
    own = kind.reading.collections
    listings = (*own, *kind.needs(frozenset(kind.attributes)))
    return Outline(
        type(kind).__module__.rpartition(".")[2],
        kind.section if kind.abilities.managed else "",
        kind.nested,
        kind.identity.name_attribute,
        tuple(mark.every for mark in kind.marked(RefTo).values() if mark.later),
        own[0].path if own else "",
        tuple(dict.fromkeys(path for collection in listings for path in collection.paths)),
    )


class Catalog(Mapping[str, Kind]):
    """The kinds of these outlines, in their order, as they are on an account of which `facts` are known."""

    def __init__(self, known: Mapping[str, Outline], load: Callable[[str], Kind], facts: Facts | None = None) -> None:
        self.known = known
        self._load, self._facts = load, facts
        self._loaded: dict[str, Kind] = {}

    def __getitem__(self, name: str) -> Kind:
        try:
            return self._loaded[name]
        except KeyError:
            return self._loaded.setdefault(name, self._made(name))

    def _made(self, name: str) -> Kind:
        kind = self._load(self.known[name].module)
        if outline_of(kind) != self.known[name]:
            raise RuntimeError(f"what is kept of the kind {name} is no longer what it says: run `make generate`")
        return kind.informed(self._facts) if self._facts is not None else kind

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def informed(self, facts: Facts) -> Catalog:
        """Return the kinds as they are on an account of which these facts are known."""
        return Catalog(self.known, self._load, facts)


def outlines(kinds: Kinds) -> Mapping[str, Outline]:
    """Return what is asked of every kind, in the order of the kinds; loads none that is not."""
    return kinds.known if isinstance(kinds, Catalog) else {name: outline_of(kind) for name, kind in kinds.items()}


def informed(kinds: Kinds, facts: Facts) -> Kinds:
    """Return the kinds as they are on an account of which these facts are known."""
    if isinstance(kinds, Catalog):
        return kinds.informed(facts)
    return {name: kind.informed(facts) for name, kind in kinds.items()}

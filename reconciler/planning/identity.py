"""Which live object is which declared one: by bound id with its natural key verified, else by natural key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Live
from reconciler.model.records import mutable
from reconciler.model.state import Binding, Intent
from reconciler.model.values import Lookup, Ref, RemoteId, Value

NEVER = "0000-00-00"
"""A stamp that was never set (section 1.4 of the API page)."""


class NotFound(LookupError):
    """A look-up of a live object found none, or several."""


@mutable
class Resolver:
    """Turns references into remote ids, as far as they are known."""

    ids: dict[str, str] = field(default_factory=dict)
    lives: Mapping[str, Iterable[Live]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    looked_up: dict[Lookup, RemoteId] = field(default_factory=dict)
    gone: dict[Lookup, RemoteId] = field(default_factory=dict)
    """Look-ups by id of objects that the account lacks, and whose ids its own objects still hold."""

    def __call__(self, leaf: Value) -> Value:
        """Return the `RemoteId` of a reference; a declared one without an id stays as it is. Raises NotFound for
        look-ups.
        """
        if isinstance(leaf, values.Ref):
            identity = self.ids.get(leaf.address)
            return leaf if identity is None else RemoteId(leaf.kind, identity)
        if isinstance(leaf, Lookup):
            if leaf not in self.looked_up:
                self.looked_up[leaf] = self._look_up(leaf)
            return self.looked_up[leaf]
        return leaf

    def _look_up(self, lookup: Lookup) -> RemoteId:
        by = self.labels.get(lookup.kind, "name") if lookup.by == "name" else lookup.by
        wanted = lookup.value.casefold() if by == "email" else lookup.value
        hits = []
        for live in self.lives.get(lookup.kind, ()):
            value = live.id if by == "id" else live.attrs.get(by)
            if value is not None and (str(value).casefold() if by == "email" else str(value)) == wanted:
                hits.append(live.id)
        if len(hits) == 1:
            return RemoteId(lookup.kind, hits[0])
        if not hits:
            raise NotFound(f"the account has no {lookup.kind} with {lookup.by} `{lookup.value}`")
        raise NotFound(
            f"{len(hits)} objects of kind {lookup.kind} have {lookup.by} `{lookup.value}` "
            f"(ids {', '.join(hits)}); use {{id: ...}}"
        )


def resolve(value: Value, resolver: Resolver) -> Value:
    """Return the value with every reference that has an id replaced by it. Raises NotFound."""
    return values.transform(value, resolver)


def comparable(value: Value, resolver: Resolver) -> Value:
    """Return the value as it is compared with what the account holds: a look-up by id is that id, whether the object
    still exists or not; any other look-up that finds nothing stays as it is.
    """

    def leaf(value: Value) -> Value:
        try:
            return resolver(value)
        except NotFound:
            return RemoteId(value.kind, value.value) if isinstance(value, Lookup) and value.by == "id" else value

    return values.transform(value, leaf)


class Match(NamedTuple):
    """The live object of a declared resource. `how` says by what it was recognised."""

    live: Live
    how: str


class AmbiguousMatch(NamedTuple):
    """Several live objects fit one resource."""

    address: str
    lives: tuple[Live, ...]
    key: NaturalKey


def same_birth(stamp: str, other: str) -> bool | None:
    """Compare two creation stamps as instants; None where either is missing or unreadable as a date, or where only one
    says its zone: accounts answer the same stamp with and without (section 1.4 of the API page).
    """
    if not stamp or not other or stamp.startswith(NEVER) or other.startswith(NEVER):
        return None
    if stamp == other:
        return True
    try:
        born, known = datetime.fromisoformat(stamp), datetime.fromisoformat(other)
    except ValueError:
        return None
    return born == known if (born.tzinfo is None) == (known.tzinfo is None) else None


def bound(
    kind: Kind,
    resource: Mapping[str, Value] | None,
    binding: Binding,
    by_id: Mapping[str, Live],
    taken: Callable[[NaturalKey], bool],
) -> Live | None:
    """Return the live object a binding names, or None where its id is gone or belongs to another object now.

    Ids can be reused after deletes (section 1.10 of the API page). The natural key decides; where it differs from
    both the last known and the declared one, the creation stamp does; without a stamp it is a rename, unless
    another object carries the key.
    """
    live = by_id.get(binding.id)
    if live is None or live.builtin:
        return None
    keys = set(kind.natural_keys(live.attrs))
    known = _key(binding.natural_key)
    wanted = set(kind.natural_keys(resource)) if resource is not None else set()
    if not known or known in keys or keys & wanted:
        return live
    born = same_birth(binding.created, live.created)
    if born is not None:
        return live if born else None
    return None if taken(known) or any(taken(key) for key in wanted) else live


def named_by(kind: Kind, binding: Binding, live: Live, resolver: Resolver) -> bool:
    """Return whether an object has the name under which it was bound; a name within something that was made along with
    it says that by its address.
    """
    key, keys = _key(binding.natural_key), kind.natural_keys(live.attrs)
    if key in keys or not any(isinstance(part, Ref) for part in key):
        return key in keys
    return tuple(comparable(part, resolver) for part in key) in keys


def _key(stored: Iterable[Value]) -> NaturalKey:
    return tuple([item if item.__class__ in values.SCALARS else values.decode(item) for item in stored])


def stored_key(key: NaturalKey) -> list[Value]:
    """Return a natural key as it is written into the state."""
    return [values.encode(item) for item in key]


class Index(Mapping[NaturalKey, Sequence[Live]]):
    """Live objects by each of their natural keys, and by those that only settle a lost create; made when it is asked:
    where all objects are bound, nothing is looked for by its name.
    """

    def __init__(self, kind: Kind, lives: Sequence[Live]) -> None:
        self._kind, self._lives = kind, lives

    @cached_property
    def _by_key(self) -> Mapping[NaturalKey, Sequence[Live]]:
        index: dict[NaturalKey, list[Live]] = {}
        for live in self._lives:
            for key in (*self._kind.natural_keys(live.attrs), *self._kind.settling_keys(live.attrs)):
                index.setdefault(key, []).append(live)
        return index

    def __getitem__(self, key: NaturalKey) -> Sequence[Live]:
        return self._by_key[key]

    def __iter__(self) -> Iterator[NaturalKey]:
        return iter(self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)


def recognise(
    kind: Kind,
    resource: Resource,
    attrs: Mapping[str, Value],
    index: Index,
    taken: set[str],
    intent: Intent | None,
    tier: int,
) -> Match | AmbiguousMatch | None:
    """Return the one live object that carries the natural key of a tier (0 is the best) and that is not taken."""
    keys = (*kind.natural_keys(attrs), *(kind.settling_keys(attrs) if intent is not None else ()))
    for key in keys[tier : tier + 1]:
        hits = [live for live in index.get(key, ()) if live.id not in taken and not live.builtin]
        if intent is not None:
            hits = [live for live in hits if live.id not in intent.known]
        if len(hits) == 1:
            return Match(hits[0], "create whose answer was lost" if intent is not None else "natural key")
        if hits:
            return AmbiguousMatch(resource.address, tuple(hits), key)
    return None

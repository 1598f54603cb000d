"""Which object of one account is which one of another: by what is bound, by names, and by what both say. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reconciler.deriving.export import placed
from reconciler.deriving.exported import Exported
from reconciler.model import values
from reconciler.model.desired import Import
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.live import Live
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.identity import Index, NotFound, Resolver


def paired(
    exported: Iterable[Exported], target: Snapshot, kinds: Kinds, known: Mapping[str, Binding]
) -> tuple[tuple[Import, ...], tuple[str, ...], Mapping[str, str]]:
    """Return which object of the target each of several namesakes is, in the order of their ids or, within something
    else, of their places there; what was guessed; and by address the id of everything that the target has.

    Accounts hold pipelines of one title and tags of one name (section 4 of the API page), boards with two stages of one
    title; a copy holds as many. What is recognised by a better key is not a namesake of what is left.
    """
    exported = list(exported)
    pairing = _Pairing(kinds, known, exported, target)
    # First what has no namesake: by what those have to do with it, namesakes are told apart.
    for alone in (True, False):
        for name, ones in _by_kind(exported).items():
            lives = [live for live in target.lives.get(name, ()) if not live.builtin]
            tiers = max((len(kinds[name].natural_keys(live.attrs)) for live in lives), default=0)
            for tier in range(1 if alone else tiers):
                pairing.pair(name, ones, lives, tier, alone=alone)
    return tuple(pairing.pins), tuple(pairing.guessed), pairing.partners


def _guess(twins: Sequence[Exported], theirs: Sequence[Live], pairs: Sequence[tuple[Exported, Live]]) -> str:
    """Return which of the namesakes there were taken for which of these."""
    ids = ", ".join(live.id for live in theirs)
    there = f"1 object there has its name (id {ids})" if len(theirs) == 1 else ""
    there = there or f"{len(theirs)} objects there have its name (ids {ids})"
    taken = ", ".join(f"{live.id} was taken for {twin.resource.address}" for twin, live in pairs)
    return f"{twins[0].resource.address}: {there}; {taken}"


class _Pairing:
    """Which objects of two accounts are each other's; `partners` by address."""

    def __init__(
        self, kinds: Kinds, known: Mapping[str, Binding], exported: Sequence[Exported], target: Snapshot
    ) -> None:
        self._kinds = kinds
        labels = {name: kind.identity.name_attribute for name, kind in kinds.items()}
        self._resolver = Resolver(lives=target.lives, labels=labels)
        self._inside = {
            "here": _titles((entry.live for entry in exported), kinds),
            "there": _titles((live for lives in target.lives.values() for live in lives), kinds),
        }
        self._addresses = {RemoteId(entry.resource.kind, entry.live.id): entry.resource.address for entry in exported}
        self._held = {(binding.kind, binding.id) for binding in known.values()}
        self.partners = {address: binding.id for address, binding in known.items()}
        self.pins: list[Import] = []
        self.guessed: list[str] = []

    def pair(self, name: str, ones: Iterable[Exported], lives: Iterable[Live], tier: int, *, alone: bool) -> None:
        """Pair what has no partner yet by its natural key of this tier; `alone`, only what has no namesake."""
        kind = self._kinds[name]
        there = Index(kind, [live for live in lives if (name, live.id) not in self._held])
        place = placed if kind.nested else _age
        for key, twins in self._without_partner(ones, kind, tier).items():
            theirs = sorted(there.get(key, ()), key=place)
            if alone and (len(twins) > 1 or len(theirs) > 1):
                continue
            pairs = self._alike(kind, sorted(twins, key=lambda twin: place(twin.live)), theirs)
            self.partners |= {twin.resource.address: live.id for twin, live in pairs}
            self._held |= {(name, live.id) for _, live in pairs}
            if len(twins) < 2 > len(theirs) or not theirs:
                continue
            self.pins += [Import(twin.resource.address, live.id) for twin, live in pairs]
            if len(theirs) != len(twins):
                self.guessed.append(_guess(twins, theirs, pairs))

    def _without_partner(self, ones: Iterable[Exported], kind: Kind, tier: int) -> dict[NaturalKey, list[Exported]]:
        """Return the objects that have no partner yet, by their natural key of this tier."""
        twins: dict[NaturalKey, list[Exported]] = defaultdict(list)
        for entry in ones:
            keys = self._keys_there(entry, kind)
            if entry.resource.address not in self.partners and len(keys) > tier:
                twins[keys[tier]].append(entry)
        return twins

    def _alike(self, kind: Kind, mine: list[Exported], theirs: list[Live]) -> list[tuple[Exported, Live]]:
        """Return pairs of namesakes: those with the most alike first, and among equals by their places. What stands in
        something else is told apart by its place.
        """
        if kind.nested or len(mine) < 2 > len(theirs) or len(mine) * len(theirs) > MOST_PAIRS:
            return list(zip(mine, theirs, strict=False))
        likeness = {
            (place, other): self._likeness(kind, exported, live)
            for place, exported in enumerate(mine)
            for other, live in enumerate(theirs)
        }
        pairs, taken = {}, set()
        for place, other in sorted(likeness, key=lambda pair: (-likeness[pair], *pair)):
            if place not in pairs and other not in taken:
                pairs[place] = other
                taken.add(other)
        return [(mine[place], theirs[pairs[place]]) for place in sorted(pairs)]

    def _likeness(self, kind: Kind, exported: Exported, live: Live) -> int:
        """Return how much alike two objects are in what can be carried over: attributes, and what stands in them."""
        own, other = RemoteId(kind.name, exported.live.id), RemoteId(kind.name, live.id)
        inside = self._inside["here"].get(own, []) == self._inside["there"].get(other, [])
        attributes = {**exported.live.attrs, **exported.resource.attrs}
        return inside + sum(
            attribute.normal(self._there(attributes[name])) == attribute.normal(self._known(live.attrs[name]))
            for name, attribute in kind.attributes.items()
            if name in exported.live.attrs and name in live.attrs and name not in exported.dropped
        )

    def _there(self, value: Value) -> Value:
        """Return a value with each reference as that of the other account: without an id where it has no partner yet,
        and without those that mean nothing there.
        """

        def other(value: Value) -> Value:
            if isinstance(value, Ref | RemoteId):  # an id, where something else lists this object (see `Roster`)
                address = value.address if isinstance(value, Ref) else self._addresses.get(value)
                return RemoteId(value.kind, self.partners.get(address, "")) if address is not None else None
            try:
                return self._resolver(value) if isinstance(value, Lookup) else value
            except NotFound:
                return None

        there = values.transform(value, other)
        return [item for item in there if item is not None] if isinstance(there, list) else there

    def _known(self, value: Value) -> Value:
        """Return a value of the other account with each reference to what is not a partner yet without its id."""

        def known(value: Value) -> Value:
            if isinstance(value, RemoteId) and (value.kind, value.id) not in self._held:
                return RemoteId(value.kind, "")
            return value

        return values.transform(value, known)

    def _keys_there(self, entry: Exported, kind: Kind) -> tuple[NaturalKey, ...]:
        """Return by what an object is recognised in the target: within what its parent is there."""
        attrs = entry.live.attrs
        nesting = self._kinds[kind.nested].nesting(kind.name) if kind.nested else None
        if nesting is not None:
            parent = self.partners.get(entry.resource.parent or "")
            if parent is None:
                return ()
            attrs = {**attrs, nesting.parent: RemoteId(kind.nested, parent)}
        return tuple(kind.natural_keys(attrs))


def _by_kind(exported: Iterable[Exported]) -> dict[str, list[Exported]]:
    """Return them by kind; what others stand in comes before those, as in an export."""
    grouped: dict[str, list[Exported]] = defaultdict(list)
    for entry in exported:
        grouped[entry.resource.kind].append(entry)
    return grouped


MOST_PAIRS = 2_500
"""Beyond this, namesakes are paired by their places alone."""


def _titles(lives: Iterable[Live], kinds: Kinds) -> dict[RemoteId, list[str]]:
    """Return the names of what stands in each object."""
    titles: dict[RemoteId, list[str]] = defaultdict(list)
    for live in lives:
        kind = kinds[live.kind]
        nesting = kinds[kind.nested].nesting(kind.name) if kind.nested else None
        owner = live.attrs.get(nesting.parent) if nesting is not None else None
        if isinstance(owner, RemoteId):
            titles[owner].append(str(live.attrs.get(kind.identity.name_attribute)))
    return {owner: sorted(names) for owner, names in titles.items()}


def _age(live: Live) -> tuple[int, int, str]:
    return 0, len(live.id), live.id

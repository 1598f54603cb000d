"""One account as the configuration of another: what can be carried over, what cannot, and ids inside texts. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.deriving.export import Exported, export_comparable, placed, refused
from reconciler.model import values
from reconciler.model.address import join, key_of, kind_of
from reconciler.model.demands import Names
from reconciler.model.desired import Desired, Import, Resource
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Attribute, Default, Immutable, Nested, Once, RefTo, WriteOnly
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.diff import beside
from reconciler.planning.identity import NotFound, Resolver, by_key
from reconciler.planning.rosters import roster_of

Missing = Callable[[Value], str]
"""Tells why a reference means nothing in the other account, "" where it does."""
ELSEWHERE = "_elsewhere"
"""Put behind the key of an object of the target that nothing in the source corresponds to."""


@dataclass(frozen=True, slots=True)
class Portable:
    """What of an account can be declared for another one, and what is left out, with the reason."""

    desired: Desired
    left_out: tuple[str, ...] = ()


def portable(
    exported: Iterable[Exported],
    target: Snapshot,
    kinds: Kinds,
    known: Mapping[str, Binding] | None = None,
    barred: Mapping[str, str] | None = None,
) -> Portable:
    """Return the exported resources without what the target cannot know: look-ups of objects that it does not hold, and
    ids, which mean other objects there. An object that cannot be without one is left out, with what needs it.

    `known` are the bindings of the target's state, `barred` what the target said that it would not take, with the
    reasons: what it holds already stays a reference.
    """
    exported = list(exported)
    pins, guessed, there = paired(exported, target, kinds, known or {})
    resolver = Resolver(lives=target.lives, labels={name: kind.identity.name_attribute for name, kind in kinds.items()})
    carrying = _Carrying(kinds, {entry.resource.address: entry.resource for entry in exported}, list(guessed))
    carrying.leave(lambda reference: _missing(reference, resolver))
    names = Names(kinds, (entry.resource for entry in exported if entry.resource.address in there))
    carrying.leave_refused(names, there, barred or {})
    while carrying.fresh:
        gone, carrying.fresh = carrying.fresh, set()
        carrying.leave(_left(gone))
    pins = tuple(pin for pin in pins if pin.target in carrying.resources)
    carrying.left_out += [
        f"{address} stays as it is there: {why}, so that the other account would refuse the change"
        for address, why in (barred or {}).items()
        if address in there
    ]
    return Portable(Desired(carrying.resources, imports=pins), tuple(carrying.left_out))


def _left(gone: set[str]) -> Missing:
    return lambda ref: f"{ref.address} is left out" if isinstance(ref, Ref) and ref.address in gone else ""


@dataclass
class _Carrying:
    """What is carried over so far. `fresh` are the addresses that were dropped, and that others may still refer to."""

    kinds: Kinds
    resources: dict[str, Resource]
    left_out: list[str]
    fresh: set[str] = field(default_factory=set)

    def leave_refused(self, names: Names, there: Container[str], barred: Mapping[str, str]) -> None:
        """Leave out what the other account would refuse to make. Accounts hold what could not be made today: what is
        `there` stays.
        """
        for address, resource in list(self.resources.items()):
            kind = self.kinds[resource.kind]
            why = " and ".join([*refused(resource, kind, names), *([barred[address]] if address in barred else [])])
            if address not in there and kind.given(resource.attrs):
                self.drop(address, "it comes with an account, and the other one shows none")
            elif address not in there and why:
                self.drop(address, f"{why}, so that the other account would refuse it")
            else:
                names.held(resource)

    def drop(self, address: str, why: str) -> None:
        """Leave a resource out."""
        self.left_out.append(f"{address} is left out: {why}")
        self.fresh.add(address)
        del self.resources[address]

    def leave(self, missing: Missing) -> None:
        """Leave out every reference for which there is a reason, and every object that cannot be without one."""
        for address, resource in list(self.resources.items()):
            parent = Ref(kind_of(resource.parent), key_of(resource.parent)) if resource.parent else None
            if parent is not None and (why := missing(parent)):
                self.drop(address, f"it stands in {resource.parent}, and {why}")
                continue
            attrs, needed = self._attrs(resource, missing)
            if needed:
                self.drop(address, "it cannot be without that")
            elif attrs != resource.attrs:
                self.resources[address] = replace(resource, attrs=attrs)

    def _attrs(self, resource: Resource, missing: Missing) -> tuple[dict[str, Value], bool]:
        """Return the attributes without such references, and whether the object cannot be without one of them."""
        attrs: dict[str, Value] = {}
        needed = False
        for name, value in resource.attrs.items():
            gone = {reference: why for reference in values.references(value) if (why := missing(reference))}
            if not gone:
                attrs[name] = value
                continue
            self.left_out += [f"{resource.address}.{name}: {why}" for why in gone.values()]
            if isinstance(value, list) and all(reference in value for reference in gone):
                attrs[name] = [item for item in value if item not in gone]
            else:  # a condition without what it asks for would ask for less
                needed |= not isinstance(value, Ref | Lookup) or _needed(self.kinds[resource.kind], name)
        return attrs, needed


def _needed(kind: Kind, name: str) -> bool:
    """Return whether an object is another one without this attribute: it is required, or part of its identity."""
    attribute = kind.attributes[name]
    return attribute.required or attribute.has(Immutable)


def _missing(reference: Value, resolver: Resolver) -> str:
    """Return why a reference of one account means nothing in another; "" where it does."""
    if not isinstance(reference, Lookup):
        return ""
    if reference.by == "id":
        return f"{reference} is an id of this account: the object is gone, or its name is not its own"
    try:
        resolver(reference)
    except NotFound:
        return f"the other account has no {reference}"
    return ""


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
        there = by_key(kind, [live for live in lives if (name, live.id) not in self._held])
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


def listing(seen: Snapshot, kinds: Kinds) -> frozenset[RemoteId]:
    """Return the objects of an account that list their members themselves (see `Roster`)."""
    rosters = {name: roster[0] for name, kind in kinds.items() if (roster := roster_of(kind)) is not None}
    return frozenset(
        RemoteId(name, live.id)
        for name, roster in rosters.items()
        for live in seen.lives.get(name, ())
        if roster in live.attrs and not live.builtin
    )


def only_there(
    exported: Exported, there: Live, kind: Kind, listing: frozenset[RemoteId] = frozenset()
) -> dict[tuple[str, ...], bool]:
    """Return what only the other account's object has, as paths of names, and whether this account shows an empty value
    in its place. A plan leaves it alone, for nothing declares it: a comparison of two accounts names it.
    What is in something of `listing` is told there.
    """
    paths: dict[tuple[str, ...], bool] = {}
    for name, value in kind.declare(there.attrs).items():
        attribute, mine = kind.attributes[name], exported.live.attrs.get(name)
        if name in exported.resource.attrs:
            paths |= dict.fromkeys(
                ((name, *path) for path in beside(attribute, exported.resource.attrs[name], value)), True
            )
        elif isinstance(value, RemoteId) and value in listing:
            continue
        elif values.is_empty_or_off(mine) and not _goes_without_saying(exported, kind, attribute, value):
            paths[name,] = name in exported.live.attrs
    return paths


def _goes_without_saying(entry: Exported, kind: Kind, attribute: Attribute, value: Value) -> bool:
    default = attribute.mark(Default)
    return (
        values.is_empty_or_off(value)
        or attribute.name in entry.dropped
        or attribute.has(Nested, WriteOnly, Once)
        or (default is not None and default.value == value)
        or (bool(kind.nested) and (link := attribute.mark(RefTo)) is not None and link.kind == kind.nested)
    )


def unseen(resource: Resource, there: Live, kind: Kind) -> list[str]:
    """Return the declared attributes of which the other account tells nothing, because a listing of its own could not
    be read: whether they differ is not known.
    """
    return [
        name
        for name in resource.attrs
        if name not in there.attrs
        and (kind.attributes[name].api is None or kind.attributes[name].has(RefTo))
        and not kind.attributes[name].has(Nested, WriteOnly, Once)
    ]


def unmatched(
    plan: Plan,
    target: Snapshot,
    kinds: Kinds,
    taken: Iterable[str],
    known: Mapping[str, Binding] | None = None,
) -> dict[str, Binding]:
    """Return bindings for the objects of the target that the plan does not know: planned with them, they go. Those that
    are `known` keep their addresses.
    """
    bound = {(kind_of(address), identity) for address, identity in plan.ids.items()}
    bound |= {(change.kind, change.live.id) for change in plan.changes if change.live is not None}
    used = set(taken)
    bindings: dict[str, Binding] = {}
    for entry in export_comparable(target, kinds, known or {})[0]:
        if (entry.resource.kind, entry.live.id) in bound or kinds[entry.resource.kind].given(entry.live.attrs):
            continue
        key = entry.resource.key
        while join(entry.resource.kind, key) in used:
            key += ELSEWHERE
        needs = sorted({ref.address for ref in values.references(dict(entry.resource.attrs)) if isinstance(ref, Ref)})
        bindings[join(entry.resource.kind, key)] = Binding(id=entry.live.id, kind=entry.resource.kind, depends_on=needs)
    return bindings


def inverted(plan: Plan) -> Plan:
    """Return the differences seen from the other side: what is only here is only there."""
    turned = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE}
    changes = tuple(
        replace(
            change,
            action=turned.get(change.action, change.action),
            attributes=tuple(_turned(item) for item in change.attributes),
            desired={item.name: item.before for item in change.attributes},
        )
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def _turned(item: AttributeChange) -> AttributeChange:
    places = (item.places[1], item.places[0]) if item.places is not None else None
    return replace(item, before=item.after, after=item.before, places=places)


# --- ids inside texts ------------------------------------------------------------------------------------------------


def mentioning(exported: Iterable[Exported], kinds: Kinds) -> dict[str, list[str]]:
    """Return the addresses whose texts hold ids of exported objects, with the addresses that they mean."""
    return {
        address: [meant for addresses in by_name.values() for meant in addresses]
        for address, by_name in mentions(exported, kinds).items()
    }


def mentions(
    exported: Iterable[Exported], kinds: Kinds, lives: Mapping[str, Iterable[Live]] | None = None
) -> dict[str, dict[str, list[str]]]:
    """Return the addresses whose texts hold ids of exported objects: by attribute, the addresses that they mean.

    Given all live objects, those that are not exported too: `list id 7`.
    """
    exported = list(exported)
    names = {(kind, live.id): f"{kind} id {live.id}" for kind, ones in (lives or {}).items() for live in ones}
    names |= {(entry.resource.kind, entry.live.id): entry.resource.address for entry in exported}
    named: dict[str, dict[str, list[str]]] = {}
    for entry in exported:
        for name, value in entry.resource.attrs.items():
            meant = _Meant(names)
            _translated({name: value}, kinds, meant)
            if meant.addresses:
                named.setdefault(entry.resource.address, {})[name] = list(dict.fromkeys(meant.addresses))
    return named


class _Meant:
    """Replaces nothing, and notes which addresses the ids stand for."""

    def __init__(self, names: Mapping[tuple[str, str], str]) -> None:
        self._names = names
        self.addresses: list[str] = []

    def __call__(self, kind: str, identity: str) -> str:
        address = self._names.get((kind, identity))
        if address is not None:
            self.addresses.append(address)
        return identity


def translated(
    resource: Resource, kinds: Kinds, source: Mapping[tuple[str, str], str], target: Mapping[str, str]
) -> Resource:
    """Return the resource with ids inside its texts replaced: (kind, id) of the source -> address -> id of the target.

    An id is one where its place says so: `list=7`, `listid=7`, `field[7]` in a URL, a form or a link.
    """

    def other(kind: str, identity: str) -> str:
        return target.get(source.get((kind, identity), ""), identity)

    return replace(resource, attrs=_translated(resource.attrs, kinds, other))


def _translated(attrs: Mapping[str, Value], kinds: Kinds, other: Callable[[str, str], str]) -> dict[str, Value]:
    pattern, owners = _mentions(kinds)

    def leaf(value: Value) -> Value:
        if not isinstance(value, str) or not any(letter.isdigit() for letter in value):
            return value
        return pattern.sub(lambda match: _swap(match, owners, other), value)

    return {name: values.transform(value, leaf) for name, value in attrs.items()}


def _swap(match: re.Match[str], owners: Mapping[str, str], other: Callable[[str, str], str]) -> str:
    kind = owners[match.group("name").lower()]
    return f"{match.group('head')}{other(kind, match.group('id'))}{match.group('tail')}"


def _mentions(kinds: Kinds) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return what finds ids in texts: the names that kinds say they go by, as a parameter or as an index."""
    owners = {
        word: kind.name for kind in kinds.values() for word in (*kind.identity.id_parameters.links, f"{kind.name}_id")
    }
    names = "|".join(sorted(map(re.escape, owners), key=lambda owner: (-len(owner), owner)))
    parameter = rf"(?P<head>(?<![A-Za-z0-9_])(?P<name>{names})(?:\[\])?(?:=|%3D))(?P<id>[0-9]+)(?P<tail>(?![0-9]))"
    return re.compile(parameter, re.IGNORECASE), owners

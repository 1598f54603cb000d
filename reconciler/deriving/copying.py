"""One account as the configuration of another: what can be carried over, and what cannot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import field

from reconciler.deriving.export import export_comparable, refused
from reconciler.deriving.exported import Exported
from reconciler.deriving.pairing import paired
from reconciler.model import values
from reconciler.model.address import join, key_of, kind_of
from reconciler.model.demands import TakenNames
from reconciler.model.desired import Desired, Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Plan
from reconciler.model.records import mutable, record
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Attribute, Default, Immutable, Nested, Once, RefTo, WriteOnly
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.diff import beside
from reconciler.planning.identity import NotFound, Resolver
from reconciler.planning.rosters import roster_of

MissingText = Callable[[Value], str]
"""Tells why a reference means nothing in the other account, "" where it does."""
ELSEWHERE = "_elsewhere"
"""Put behind the key of an object of the target that nothing in the source corresponds to."""


@record
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
    held = carrying.resources.keys() | (known or {}).keys()
    carrying.leave(lambda reference: _missing(reference, resolver) or _unread(reference, held))
    names = TakenNames(kinds, (entry.resource for entry in exported if entry.resource.address in there))
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


def _left(gone: set[str]) -> MissingText:
    return lambda ref: f"{ref.address} is left out" if isinstance(ref, Ref) and ref.address in gone else ""


@mutable
class _Carrying:
    """What is carried over so far. `fresh` are the addresses that were dropped, and that others may still refer to."""

    kinds: Kinds
    resources: dict[str, Resource]
    left_out: list[str]
    fresh: set[str] = field(default_factory=set)

    def leave_refused(self, names: TakenNames, there: Container[str], barred: Mapping[str, str]) -> None:
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

    def leave(self, missing: MissingText) -> None:
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
                self.resources[address] = resource._replace(attrs=attrs)

    def _attrs(self, resource: Resource, missing: MissingText) -> tuple[dict[str, Value], bool]:
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


def _unread(reference: Value, held: Container[str]) -> str:
    """Return why a reference means nothing that the state of this account knows, and its listings do not show."""
    unread = isinstance(reference, Ref) and reference.address not in held
    return f"{reference} is in the state of this account, and was not read there" if unread else ""


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
        change._replace(
            action=turned.get(change.action, change.action),
            attributes=tuple(_turned(item) for item in change.attributes),
            desired={item.name: item.before for item in change.attributes},
        )
        for change in plan.changes
    )
    return plan._replace(changes=changes)


def _turned(item: AttributeChange) -> AttributeChange:
    places = (item.places[1], item.places[0]) if item.places is not None else None
    return item._replace(before=item.after, after=item.before, places=places)


# --- ids inside texts ------------------------------------------------------------------------------------------------

"""Memberships that can be said in two places: by the list of what has the members (a roster, see `Roster`), or by an
attribute of the member, the short form. One fact is said in one of the two. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping

from reconciler.model import values
from reconciler.model.catalog import outlines
from reconciler.model.desired import Desired, Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.spec import Attribute, Ensure, RefTo, Roster
from reconciler.model.values import Ref, RemoteId, Value, items_of


def roster_of(kind: Kind) -> tuple[str, str] | None:
    """Return the attribute of a kind that is a roster, and its short form; None for most kinds."""
    return next(((name, mark.short) for name, mark in kind.marked(Roster).items()), None)


def rosters_of(kinds: Kinds) -> dict[str, tuple[str, str]]:
    """Return the rosters and their short forms, by the kinds that have one."""
    return {name: roster for name, kind in kinds.items() if (roster := roster_of(kind)) is not None}


def _declared(desired: Desired, kinds: Kinds) -> Kinds:
    """Return the kinds of which something is declared."""
    return {name: kinds[name] for name in dict.fromkeys(resource.kind for resource in desired.resources.values())}


def members_of(kind: Kind) -> tuple[str, ...]:
    """Return the kinds of the members that the roster of a kind may have."""
    marks = [attribute.mark(RefTo) for attribute in kind.attributes.values() if attribute.has(Roster)]
    return tuple(name for mark in marks if mark is not None for name in mark.every)


def knots(kinds: Kinds) -> list[tuple[str, ...]]:
    """Return the names of the kinds in their order, those together that may refer to each other: they are planned
    resource by resource. A knot stands where its last kind stands.
    """
    tied: dict[str, set[str]] = {}
    for name, outline in outlines(kinds).items():
        for others in outline.later:
            together = {name, *others} & set(kinds)
            tied.update(dict.fromkeys(together, together))
    last = {name: [member for member in kinds if member in group][-1] for name, group in tied.items()}
    return [
        tuple(other for other in kinds if last.get(other, other) == name)
        for name in kinds
        if last.get(name, name) == name
    ]


def spoken(desired: Desired, kinds: Kinds) -> Desired:
    """Return the configuration with `elsewhere` filled in: of a member, the short form that a roster says already (only
    an undo says both: the member leaves all others); of a roster, the members that say it themselves, or of which it is
    the floor.
    """
    rosters = rosters_of(_declared(desired, kinds))
    holders = [resource for resource in desired.resources.values() if resource.kind in rosters]
    if not holders:
        return desired
    elsewhere: dict[str, set[str]] = defaultdict(set)
    shorts = {name: short for name, (_, short) in rosters.items()}
    for holder in holders:
        listing, short = rosters[holder.kind]
        for leaf in values.references(holder.attrs.get(listing)):
            if isinstance(leaf, Ref):
                elsewhere[leaf.address].add(short)
    for member in desired.resources.values():
        for name, value in member.attrs.items():
            if isinstance(value, Ref) and name == shorts.get(value.kind) and name not in elsewhere[member.address]:
                elsewhere[value.address].add(member.address)
    for holder in holders:
        elsewhere[holder.address] |= set(_floored(holder, desired, kinds, elsewhere))
    return desired._replace(resources={**desired.resources, **_with(elsewhere, desired.resources)})


def _floored(holder: Resource, desired: Desired, kinds: Kinds, elsewhere: Mapping[str, set[str]]) -> Iterable[str]:
    """Return the members that must be somewhere, and are in the account's own object where nothing says another place:
    they stay in it, whatever its roster says of them no more.
    """
    kind = kinds[holder.kind]
    listing, short = roster_of(kind) or ("", "")
    mark = kind.attributes[listing].mark(RefTo)
    member = mark.chosen(holder.attrs.get(mark.by)).kind if mark is not None else ""
    if not kind.given(holder.attrs) or member not in kinds or not kinds[member].attributes[short].has(Ensure):
        return []
    return [
        resource.address
        for resource in desired.resources.values()
        if resource.kind == member and short not in resource.attrs and short not in elsewhere.get(resource.address, ())
    ]


def _with(elsewhere: Mapping[str, set[str]], resources: Mapping[str, Resource]) -> dict[str, Resource]:
    """Return those of the resources of which something is said elsewhere, with what that is."""
    return {
        address: resources[address]._replace(elsewhere=tuple(sorted({*resources[address].elsewhere, *more})))
        for address, more in elsewhere.items()
        if address in resources and more
    }


def still(resource: Resource | None, applied: Value) -> Value:
    """Return the entries of a roster that were applied, without those that say it themselves now."""
    if resource is None or not resource.elsewhere or not isinstance(applied, list):
        return applied
    return [
        reference
        for reference in applied
        if not (isinstance(reference, Ref) and reference.address in resource.elsewhere)
    ]


def only_declared(attribute: Attribute, value: Value, declared: Value, new: Container[str] = ()) -> Value:
    """Return a value as it is to be declared: of a roster the entries that are declared already, and what is new."""
    if not attribute.has(Roster) or not isinstance(value, list):
        return value
    entries = declared if isinstance(declared, list) else []
    return [
        reference
        for reference in value
        if reference in entries or (isinstance(reference, Ref) and reference.address in new)
    ]


def with_own(mine: Desired, theirs: Desired, kinds: Kinds, gone: Container[str] = ()) -> Desired:
    """Return a configuration that comes from elsewhere with the entries of rosters that only the files here know of,
    without those whose declarations are `gone`.
    """
    changed = {}
    for address, resource in mine.resources.items():
        roster, there = roster_of(kinds[resource.kind]), theirs.resources.get(address)
        entries, own = (
            side.attrs.get(roster[0]) if roster and side is not None else None for side in (resource, there)
        )
        if roster is None or not isinstance(entries, list) or not isinstance(own, list):
            continue
        more = [leaf for leaf in own if isinstance(leaf, Ref) and leaf.address not in mine.resources]
        more = [leaf for leaf in more if leaf.address not in gone]
        if more:
            changed[address] = resource._replace(
                attrs={**resource.attrs, roster[0]: values.inserted(entries, more, own)}
            )
    return mine._replace(resources={**mine.resources, **changed}) if changed else mine


def leaving(kind: Kind, live: Live, desired: Value, applied: Value) -> Iterable[RemoteId]:
    """Return the members that a roster lets go of."""
    roster = roster_of(kind)
    if roster is None or roster[0] not in live.attrs:
        return []
    seen, stays = kind.seen(roster[0], desired, live, applied), {*items_of(desired)}
    return [member for member in items_of(seen) if isinstance(member, RemoteId) and member not in stays]

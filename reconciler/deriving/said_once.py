"""Each membership in one place of an export: in the roster of what has the members, or at the member. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.deriving.exported import Exported
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.snapshot import Snapshot
from reconciler.model.values import Lookup, Ref, RemoteId, Value, items_of
from reconciler.planning.rosters import members_of, rosters_of


def _called(kind: Kind, live: Live) -> str:
    return f"{kind.title.lower()} `{live.attrs.get(kind.identity.name_attribute) or live.id}`"


def said_once(
    exported: Iterable[Exported], snapshot: Snapshot, kinds: Kinds, declared: Mapping[str, Resource]
) -> list[Exported]:
    """Return the resources with each membership in one place: in the roster of what has the members, for it says their
    order; by the member itself where it is `declared` so, or where that object is declared without its roster.
    """
    by_address = {entry.resource.address: entry for entry in exported}
    listing: dict[str, set[Value]] = defaultdict(set)
    rosters = rosters_of(kinds)
    for address, entry in by_address.items():
        name, short = rosters.get(entry.resource.kind, ("", ""))
        there = declared.get(address)
        listed = there is not None and name in there.attrs
        if name in entry.resource.attrs or (listed and name in entry.live.attrs):  # an empty list is one too
            items = items_of(entry.resource.attrs.get(name)) if there is None or listed else ()
            entries = [leaf for leaf in items if not _short(leaf, short, declared)]
            by_address[address] = _with_roster(entry, name, entries, empty=listed)
            for leaf in filter(lambda leaf: isinstance(leaf, Ref), entries):
                listing[str(leaf)].add(RemoteId(entry.resource.kind, entry.live.id))
    shorts = {member: short for name, (_, short) in rosters.items() for member in members_of(kinds[name])}
    called = _all_called(rosters, snapshot, kinds)
    return [
        _with_short(entry, kinds, shorts.get(entry.resource.kind, ""), listing.get(address, set()), called)
        for address, entry in by_address.items()
    ]


def _all_called(names: Iterable[str], snapshot: Snapshot, kinds: Kinds) -> dict[Value, str]:
    """Return what the objects of these kinds are called."""
    return {
        RemoteId(name, live.id): _called(kinds[name], live) for name in names for live in snapshot.lives.get(name, ())
    }


def _short(entry: Value, short: str, declared: Mapping[str, Resource]) -> bool:
    there = declared.get(entry.address) if isinstance(entry, Ref) else None
    return there is not None and short in there.attrs


def _with_roster(entry: Exported, name: str, entries: list[Value], *, empty: bool) -> Exported:
    """Return an object with these entries; those that only an id tells are gone, or not to be told from others."""
    lost = [entry for entry in entries if isinstance(entry, Lookup) and entry.by == "id"]
    kept = [entry for entry in entries if entry not in lost]
    attrs = {key: value for key, value in entry.resource.attrs.items() if key != name}
    attrs |= {name: kept} if kept or empty else {}
    partly = dict(entry.partly)
    if lost:
        partly[name] = f"`{name}` holds {', '.join(map(str, lost))} too, which nothing can declare; it stays there"
    return replace(entry, resource=entry.resource._replace(attrs=attrs), partly=partly)


def _with_short(entry: Exported, kinds: Kinds, name: str, holders: set[Value], called: Mapping[Value, str]) -> Exported:
    """Return a member without what a roster says, and with a line where it is a member of more than is declared."""
    kind, declared = kinds[entry.resource.kind], set(holders)
    if name not in entry.live.attrs or (name not in entry.resource.attrs and not holders):
        return entry
    attrs = {key: value for key, value in entry.resource.attrs.items() if key != name or not holders}
    if not holders:
        declared.add(entry.live.attrs[name])
    rest, others = kind.without(entry.live, declared), []
    while rest.attrs[name] is not None and rest.attrs[name] not in others:
        others.append(rest.attrs[name])
        rest = kind.without(rest, {*declared, *others})
    partly = dict(entry.partly)
    if others:
        listed = " and ".join(called.get(other, str(other)) for other in others)
        partly[name] = f"it is in {listed} too; nothing declares that, and it stays so"
    return replace(entry, resource=entry.resource._replace(attrs=attrs), partly=partly)

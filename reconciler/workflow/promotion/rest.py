"""What a promotion leaves alone: the objects that only the target holds, and memberships."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from reconciler.config.reading.loading import Loaded
from reconciler.config.writing.rewriting import Refusal
from reconciler.deriving.copying import unmatched
from reconciler.deriving.memberships import AccountSide, Files, left_members
from reconciler.deriving.promoting import addresses_of, names_of
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.plan import Action
from reconciler.model.values import Ref, items_of
from reconciler.planning.rosters import roster_of
from reconciler.workflow.promotion.sides import ThreeSides


def only_in_target(sides: ThreeSides) -> list[str]:
    """Name the objects that only the target holds: nothing is removed by a promotion."""
    known = sides.other.state.resources
    addresses = {*unmatched(sides.made, sides.other.seen, sides.kinds, sides.wanted, known)}
    addresses |= {change.address for change in sides.made.changes if change.action is Action.DELETE}
    reported = {row.address for row in sides.rows} | {line.partition(":")[0] for line in sides.left_out}
    by_reason: dict[tuple[str, str], list[str]] = defaultdict(list)
    for address in sorted(addresses - reported):
        if sides.covers(address):
            by_reason[kind_of(address), _why_only_there(sides, kind_of(address))].append(address)
    there = [f"{', '.join(addresses)}: {why}" for (_, why), addresses in by_reason.items()]
    return [*there, *(f"{sides.other.name}: {line}" for line in sides.other.undeclarable)]


def _why_only_there(sides: ThreeSides, kind: str) -> str:
    why = sides.one.eyes.why if sides.one.eyes is not None else ""
    if why and sides.kinds[kind].reading.filtered:
        return f"{sides.one.name} does not show it, which proves nothing: {why}"
    return f"only {sides.other.name} holds it, and a promotion removes nothing"


def memberships_left(sides: ThreeSides, after: Loaded, refused: Sequence[Refusal]) -> list[str]:
    """Return the memberships that will differ once the files are applied, unless a row says so already."""
    waits = {(row.address, row.name) for row in sides.rows if row.status != "here"}
    waits |= {(refusal.address, refusal.name) for refusal in refused}
    files = Files(after.desired.resources, sides.other.state.resources)
    gone = sides.gone if sides.choice.prune else ()
    return [
        left.sentence
        for left in left_members(sides.kinds, _source(sides), _target(sides), files, gone)
        if not waits.intersection(left.places) and any(sides.covers(address) for address, _ in left.places)
    ]


def _source(sides: ThreeSides) -> AccountSide:
    lives = {entry.resource.address: entry.live for entry in sides.one.exported}
    addresses = {(live.kind, live.id): address for address, live in lives.items()}
    return AccountSide(sides.one.name, lives, names_of(sides.one.seen, sides.kinds, addresses))


def _target(sides: ThreeSides) -> AccountSide:
    by_id = {(kind, live.id): live for kind, lives in sides.other.seen.lives.items() for live in lives}
    addresses, bound = addresses_of(sides.made.ids), sides.other.state.resources
    for address, binding in unmatched(sides.made, sides.other.seen, sides.kinds, sides.wanted, bound).items():
        addresses.setdefault((binding.kind, binding.id), address)
    lives = {address: by_id[key] for key, address in addresses.items() if key in by_id}
    return AccountSide(sides.other.name, lives, names_of(sides.other.seen, sides.kinds, addresses))


def listing_declared(sides: ThreeSides, resource: Resource, fresh: Collection[str]) -> Resource:
    """Return a resource with those members in its roster that the target's files declare, or will (`fresh`): only
    what is declared counts there.
    """
    roster = (roster_of(sides.kinds[resource.kind]) or ("", ""))[0]
    if roster not in resource.attrs:
        return resource
    declared = sides.theirs.desired.resources.keys() | set(fresh)
    entries = items_of(resource.attrs[roster])
    kept = [entry for entry in entries if not isinstance(entry, Ref) or entry.address in declared]
    return resource._replace(attrs={**resource.attrs, roster: kept})

"""Reading what a plan needs the cheapest way: pages, or single objects where nothing has to be found by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.engine.refresh import BoundIds, Refreshed, refresh
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds
from reconciler.model.snapshot import snapshot
from reconciler.model.state import State
from reconciler.planning.identity import same_birth


async def read(
    remote: Remote,
    kinds: Kinds,
    reads: Mapping[str, frozenset[str]],
    desired: Desired,
    state: State,
    intents: Iterable[str] = (),
) -> Refreshed:
    """Read what the kinds need. Where a single object is not surely the one that the state means, its kind is read in
    full: another object may carry its name.
    """
    bound = bound_of(kinds, reads, desired, state, intents)
    refreshed = await refresh(remote, kinds, reads, bound)
    doubtful = {
        name: reads[name]
        for name in bound
        if _partial(refreshed, kinds, name) and not _sure(refreshed, kinds, name, state)
    }
    if not doubtful:
        return refreshed
    again = await refresh(remote, kinds, doubtful)
    return refreshed._replace(tables=refreshed.tables.merged(again.tables), costs={**refreshed.costs, **again.costs})


def bound_of(
    kinds: Kinds, reads: Mapping[str, frozenset[str]], desired: Desired, state: State, intents: Iterable[str] = ()
) -> dict[str, BoundIds]:
    """Return the bound objects of each kind with a listing of its own. They are all that matter where all declared ones
    are bound, nothing looks one up, moves or imports one, and no create of one is open.
    """
    searched = {kind_of(address) for address in intents}
    searched |= {kind_of(address) for address in desired.resources if address not in state.resources}
    searched |= {kind_of(block.target) for block in desired.moved} | {
        kind_of(block.target) for block in desired.imports
    }
    searched |= {
        reference.kind
        for resource in desired.resources.values()
        for reference in values.references(resource.attrs)
        if isinstance(reference, values.Lookup)
    }
    ids: dict[str, set[str]] = {}
    for binding in state.resources.values():
        ids.setdefault(binding.kind, set()).add(binding.id)
    return {
        name: BoundIds(
            frozenset(ids[name]), kinds[name].wrapper if kinds[name].reading.singly and name not in searched else ""
        )
        for name in reads
        if name in ids and not kinds[name].nested
    }


def again(refreshed: Refreshed, kinds: Kinds, names: Iterable[str]) -> dict[str, BoundIds]:
    """Return how to read these kinds again after an apply: singly, where they were read so before."""
    return {
        name: BoundIds(
            refreshed.costs[kinds[name].reading.collections[0].name].singles, kinds[name].wrapper, again=True
        )
        for name in names
        if _partial(refreshed, kinds, name)
    }


def _partial(refreshed: Refreshed, kinds: Kinds, name: str) -> bool:
    cost = refreshed.costs.get(kinds[name].reading.collections[0].name)
    return bool(cost and cost.singles)


def _sure(refreshed: Refreshed, kinds: Kinds, name: str, state: State) -> bool:
    """Return whether every bound object carries its known name, or was born when the state says."""
    kind = kinds[name]
    lives = {live.id: live for live in snapshot(kinds, {name: frozenset()}, refreshed.tables).lives.get(name, ())}
    for binding in state.resources.values():
        if binding.kind != name:
            continue
        live = lives.get(binding.id)
        known = tuple(values.decode(item) for item in binding.natural_key)
        if live is None or not (known in kind.natural_keys(live.attrs) or same_birth(binding.created, live.created)):
            return False
    return True

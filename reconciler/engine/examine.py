"""A closer look at planned changes: the server's dry run, the events it offers, and what a delete would lose. Reads
only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property
from typing import Any

from reconciler.engine.drive import BOUND, ODD, drive
from reconciler.engine.gather import gather
from reconciler.engine.remotes import Shared
from reconciler.model import values
from reconciler.model.address import Address, by_identity
from reconciler.model.errors import AuthError, RemoteError, concerns_all
from reconciler.model.http import Flow, Remote, Request, Response
from reconciler.model.kind import Kind, Kinds
from reconciler.model.plan import DESTROYS, WRITES, Action, Change, Op, Plan, parent_of, parents, write_of
from reconciler.model.values import RemoteId
from reconciler.model.write import Finding, Impact

LOSSY = (*DESTROYS, Action.UPDATE)


async def inquired(
    plan: Plan,
    remote: Remote,
    kinds: Kinds,
    *,
    secret: Callable[[str], str],
    known: dict[str, tuple[Finding, ...]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Plan:
    """Return the plan with what the account says about its writes. `known` is what it said of them before, by address;
    it is filled, so that a plan that leaves something out asks nothing twice.
    """
    shared = Shared(remote)

    async def look(change: Change) -> Change:
        if change.action in WRITES and change.address not in known:
            op: Op = "create" if change.action is Action.CREATE else "update"
            try:
                flow = kinds[change.kind].examine(write_of(change, op, plan.identify, secret=secret))
                known[change.address] = tuple(await drive(flow, shared, sleep=sleep))
            except (AuthError, RemoteError) as error:
                if concerns_all(error):
                    raise
                known[change.address] = (Finding(f"could not be checked beforehand: {error.message}", "warning"),)
        return change._replace(findings=(*change.findings, *known.get(change.address, ())))

    return plan._replace(changes=tuple(await gather(look(change) for change in plan.changes)))


def barred(plan: Plan) -> dict[str, str]:
    """Return the writes that the account, or what is known of it, does not allow, each with the reason."""
    reasons = {
        change.address: "; ".join(
            f"{finding.message}{f' ({finding.hint})' if finding.hint else ''}"
            for finding in change.findings
            if finding.severity == "error"
        )
        for change in plan.changes
        if change.action in WRITES
    }
    return {address: why for address, why in reasons.items() if why}


async def examine(
    plan: Plan,
    remote: Remote,
    kinds: Kinds,
    *,
    secret: Callable[[str], str],
    impact: bool = True,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Plan:
    """Return the plan with measured impacts. One that the account refuses to count is reported as unmeasured."""
    shared, to_destroy, managed = Shared(remote), plan.to_destroy, Managed(plan)

    async def look(change: Change) -> Change:
        kind, impacts = kinds[change.kind], list[Impact]()
        lossy = change.action in LOSSY and not parent_of(change, kinds, to_destroy)
        uncounted = False
        if lossy and change.live is not None:
            measure = kind.impact(write_of(change, loss_of(change), plan.identify, secret=secret))
            uncounted = not impact and asks(measure)
            try:
                measured = await drive(measure, shared, sleep=sleep) if impact else []
                impacts += managed.owned(measured, RemoteId(change.kind, change.live.id))
            except (AuthError, RemoteError) as error:
                if concerns_all(error):
                    raise
                impacts.append(Impact(None, "records", detail=error.message))
        return change._replace(impacts=(*impacts, *change.impacts), uncounted=uncounted)

    changes = await gather(look(change) for change in plan.changes)
    changes = _with_counting(changes, kinds, plan, shared, impact=impact)
    return plan._replace(changes=tuple(changes))


class Managed:
    """The managed objects of a plan, looked up by what the account calls them: a plan has many losses."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    @cached_property
    def _going(self) -> Set[tuple[str, str]]:
        return self._plan.to_destroy

    @cached_property
    def _addresses(self) -> Mapping[tuple[str, str], Address]:
        return by_identity(self._plan.ids)

    @cached_property
    def _elsewhere(self) -> Mapping[RemoteId, Set[Address]]:
        """What this plan points elsewhere, by what it pointed to."""
        pointed: dict[RemoteId, set[Address]] = {}
        for change in self._plan.changes:
            for item in change.attributes:
                for reference in values.references(item.before):
                    if isinstance(reference, RemoteId):
                        pointed.setdefault(reference, set()).add(change.address)
        return pointed

    def owned(self, impacts: Iterable[Impact], loses: RemoteId) -> list[Impact]:
        """Return impacts of an object with managed ones by their addresses, apart from those that are not managed: only
        these ask for approval. What goes in the same plan, or is pointed elsewhere by it, is named there.
        """
        return [part for impact in impacts for part in (self._parts(impact, loses) if impact.of else (impact,))]

    def _parts(self, impact: Impact, loses: RemoteId) -> list[Impact]:
        """Return what an impact says of managed objects, and what it says of others."""
        elsewhere = self._elsewhere.get(loses, frozenset())
        managed = {identity: self._addresses.get((impact.of, identity)) for identity in impact.ids}
        staying = {
            identity
            for identity, address in managed.items()
            if (impact.of, identity) not in self._going and address not in elsewhere
        }
        ours = tuple(
            address for identity in impact.ids if identity in staying and (address := managed[identity]) is not None
        )
        others = tuple(
            name
            for identity, name in zip(impact.ids, impact.objects, strict=False)
            if identity in staying and managed[identity] is None
        )
        impacts = [replace(impact, count=len(ours), effect="along", objects=ours)] if ours else []
        return impacts + ([replace(impact, count=len(others), objects=others)] if others else [])


def asks(flow: Flow[list[Impact]]) -> bool:
    """Return whether a flow that measures has a question for the account; a change that touches no records has none."""
    return next(flow, None) is not None


def loss_of(change: Change) -> Op:
    """Return the operation of a change that takes something away: replacing is deleting first."""
    return "update" if change.action is Action.UPDATE else "delete"


def _with_counting(
    changes: Sequence[Change], kinds: Kinds, plan: Plan, shared: Shared, *, impact: bool
) -> list[Change]:
    """Add what an apply will ask to list again what goes along, and to measure each impact again: what holds for the
    account now, asked once more. A child is measured with its parent and on its own.
    """
    counted: dict[str, Change] = {}
    listing: dict[str, list[str]] = {}
    for change in changes:
        if change.action not in LOSSY or change.live is None:
            counted[change.address] = change
            continue
        write = write_of(change, loss_of(change), plan.identify)._replace(recounting=True)
        if write.destroying:
            listing[change.address] = _asked(kinds[change.kind], kinds[change.kind].unmatched(write), shared)
        if not impact or waived(change.impacts):
            counted[change.address] = change
            continue
        asked = _asked(kinds[change.kind], kinds[change.kind].impact(write), shared)
        counted[change.address] = change._replace(counting=tuple(asked))
    for address, parent in parents(changes, kinds, plan.to_destroy).items():
        change, holder = counted[address], counted[parent.address]
        if change.counting:
            whole = () if waived(holder.impacts) else (*holder.counting, *change.counting)
            counted[address] = change._replace(counting=whole)
    for address, first in listing.items():
        if first:
            counted[address] = counted[address]._replace(counting=(*first, *counted[address].counting))
    return list(counted.values())


def _asked(kind: Kind, flow: Flow[list[Any]], shared: Shared) -> list[str]:
    """Run a measurement on the answers that the account gave, or as the kind predicts them; return its requests."""
    asked: list[str] = []
    answer = Response(200, {})
    try:
        item = next(flow)
        for serial in range(BOUND):
            if isinstance(item, Request):
                asked.append(str(item))
                answer = shared.answered(item) or kind.predict(item, serial)._replace(foretold=True)
            item = flow.send(answer)
    except (StopIteration, AuthError, RemoteError, *ODD):
        pass
    return asked


def waived(impacts: Iterable[Impact]) -> bool:
    """Return whether nothing is known of what a change loses: a user who approved that approved any number."""
    counts = [impact.count for impact in impacts if impact.effect == "lost"]
    return bool(counts) and all(count is None for count in counts)

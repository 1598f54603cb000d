"""Looking at the account again during an apply, and planning some addresses once more against what it says now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from reconciler.engine.refresh import refresh
from reconciler.model.address import kind_of
from reconciler.model.errors import Unexpected
from reconciler.model.http import Remote
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.records import mutable
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.planning.planner import plan
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.observation.reading import again
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.planned import Planned


@mutable
class Replanning:
    """What the account holds by now, as far as it was read again; the rest is as the plan saw it."""

    session: Session
    planned: Planned
    book: StateTransaction
    remote: Remote

    def __post_init__(self) -> None:
        self.tables = self.planned.refreshed.tables

    async def look(self, names: Collection[str]) -> Snapshot:
        """Read the listings of these kinds again. Raises Unexpected where one cannot be read now."""
        kinds = self.session.kinds
        reads = {name: self.planned.reads[name] for name in kinds if name in names and name in self.planned.reads}
        fresh = await refresh(self.remote, kinds, reads, again(self.planned.refreshed, kinds, reads))
        unread = snapshot(kinds, reads, fresh.tables).unknown
        if unread:
            raise Unexpected("; ".join(f"{kind} cannot be read now: {why}" for kind, why in unread.items()))
        self.tables = self.tables.merged(fresh.tables)
        return snapshot(kinds, self.planned.reads, self.tables)

    def replan(self, seen: Snapshot, addresses: frozenset[str]) -> Plan:
        """Plan these addresses once more, against what the account says now."""
        now = replace(
            self.planned.inputs,
            state=self.book.state(),
            snapshot=seen,
            intents=self.book.intents(),
            only=addresses,
            in_flight=frozenset(),
        )
        return plan(now)

    async def settle(self, address: str) -> Change | None:
        """Return what is left to do for an address after the answer to one of its writes was lost."""
        plan = self.replan(await self.look({kind_of(address)}), frozenset([address]))
        change = next((change for change in plan.changes if change.address == address), None)
        return None if change is None or change.action is Action.MANUAL else change

    async def gone(self, kind: str, identity: str) -> bool:
        """Return whether an object is not in its listing any more; False where the account does not list them."""
        seen = (await self.look({kind})).lives.get(kind)
        return seen is not None and all(live.id != identity for live in seen)

    async def late(self, addresses: frozenset[str]) -> dict[str, Change]:
        """Return what is left to do for those of these creates that are there by now."""
        plan = self.replan(await self.look({kind_of(address) for address in addresses}), addresses)
        return {
            change.address: change
            for change in plan.changes
            if change.live is not None and change.action is not Action.MANUAL
        }

"""What a plan cost, and what its apply will cost at the environment's rate: each step's flow is run against the answers
that its kind predicts, and its requests are written down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from math import ceil
from typing import NamedTuple

from reconciler.model.document import Forecast
from reconciler.model.http import MARGIN, PAGE, Bound, Flow, Pause, Request, Response
from reconciler.model.kind import Kind, Kinds
from reconciler.model.plan import COUNTED, Action, Change, Plan, Step, flow_of, write_of
from reconciler.model.records import mutable
from reconciler.model.values import Reference, RemoteId

BOUND = 10_000
"""No flow sends more requests than this; one that does is wrong."""


@mutable
class _Predicted:
    """Ids that do not exist yet, as far as the plan can tell."""

    ids: dict[str, str]
    spares: dict[str, list[str]] = field(default_factory=dict)
    serial: int = 0

    def id(self, reference: Reference) -> str:
        if isinstance(reference, RemoteId):
            return reference.id
        return self.ids.get(str(reference), f"<{reference}>")


def with_requests(plan: Plan, kinds: Kinds) -> Plan:
    """Return the plan with the requests that each step is expected to send."""
    changes = {change.address: change for change in plan.changes}
    predicted = _Predicted(dict(plan.ids), {change.address: list(change.spares) for change in plan.changes})
    steps = tuple(
        step._replace(requests=_requests(step, changes[step.address], kinds, predicted)) for step in plan.steps
    )
    return plan._replace(steps=steps)


def _requests(step: Step, change: Change, kinds: Kinds, predicted: _Predicted) -> tuple[str, ...]:
    kind = kinds[change.kind]
    spare = None
    if step.op == "create" and change.spare is not None and change.resource is not None and change.resource.parent:
        free = predicted.spares.get(change.resource.parent, [])
        spare = free[change.spare] if change.spare < len(free) else None
        if spare is not None:
            predicted.spares.setdefault(f"taken:{change.resource.parent}", []).append(spare)
    taken = predicted.spares.get(f"taken:{step.address}", [])
    left = tuple(spare for spare in predicted.spares.get(step.address, ()) if spare not in taken)
    flow = flow_of(kind, step.op, write_of(change, step.op, predicted.id, spare=spare), left)
    counting = change.counting if step.op in COUNTED else ()
    # Once everything is moved away, one page says that nothing is left.
    later = tuple(dict.fromkeys(counting)) if change.evacuates else counting
    return tuple(_drive(flow, kind, step.address, predicted, counting, later))


def _drive(flow: Flow[None], kind: Kind, address: str, predicted: _Predicted, *counting: tuple[str, ...]) -> list[str]:
    """Run a flow to its end on predicted answers. What can take something away is counted right before, for the first
    time and later.
    """
    sent: list[str] = []
    answer = Response(200, {}, foretold=True)
    try:
        item = next(flow)
        for _ in range(BOUND):
            if isinstance(item, Bound):
                predicted.ids[address] = item.id
                if item.spares:
                    predicted.spares[address] = list(item.spares)
            elif isinstance(item, Request):
                predicted.serial += 1
                if item.overwrites:
                    sent += counting[0]
                    counting = counting[1:] or counting
                sent.append(str(item))
                answer = kind.predict(item, predicted.serial)._replace(foretold=True)
            elif isinstance(item, Pause):
                pass
            item = flow.send(answer)
    except StopIteration:
        pass
    return sent


class ListingCost(NamedTuple):
    """What one listing cost: its path, the requests that it takes to read it again as it is, rows, whether it says its
    total, the rows of a page, whether it could be read at all. Of a `fixed` one, further rows cost nothing.
    """

    path: str
    requests: int
    rows: int
    total: bool
    page: int = PAGE
    known: bool = True
    fixed: bool = False

    def pages(self, more: int) -> int:
        """Return the requests that reading it again takes once it has so many more rows."""
        if self.fixed or not self.known:
            return self.requests
        return self.requests + self._pages(self.rows + more) - self._pages(self.rows)

    def _pages(self, rows: int) -> int:
        return max(1, ceil(rows / self.page)) if self.total else max(0, rows) // self.page + 1


class Spent(NamedTuple):
    """What the plan cost: requests in all, each listing by table name, and which tables each kind asked for."""

    requests: int
    costs: Mapping[str, ListingCost]
    asked: Mapping[str, Sequence[str]]


def forecast(plan: Plan, spent: Spent, kinds: Kinds, rate: float | None) -> Forecast:
    """Return the forecast of the apply, beside what the plan itself has spent."""
    sent = [request for step in plan.steps for request in step.requests]
    looks = sum(request.startswith("GET ") for request in sent)
    writes = len(sent) - looks
    back = _read_back(plan, spent, kinds, sent) if sent else 0
    requests = writes + looks + back
    return Forecast(
        plan_requests=spent.requests,
        apply_reads=looks + back,
        apply_writes=writes,
        rate=rate,
        seconds=round(requests * MARGIN / rate, 1) if rate else 0.0,
    )


def _read_back(plan: Plan, spent: Spent, kinds: Kinds, sent: list[str]) -> int:
    """Return the requests of the bulk read-back: the listings of every kind that is written to, with their rows after
    the apply. Rows grow and shrink with the creates and deletes of their path.
    """
    tables: dict[str, int] = {}
    grown, shared = _shifts(plan, kinds), Counter(cost.path for cost in spent.costs.values())
    written = _written(plan, kinds)
    for name in (name for name in kinds if name in written):
        asked = spent.asked.get(name, ())
        for table, cost in ((table, spent.costs[table]) for table in asked if table in spent.costs):
            more = grown[table] if shared[cost.path] > 1 else 0 if cost.fixed else _growth(cost.path, sent)
            tables[table] = cost.pages(more)
        for change in plan.changes:
            # Who reads one listing for each object of another kind has read the listing of that kind before.
            if {collection.name for collection in kinds[change.kind].reading.collections} & set(asked):
                tables = _each_object(tables, change, grown, kinds[name], spent, asked)
    return sum(tables.values())


def _written(plan: Plan, kinds: Kinds) -> set[str]:
    """Return the kinds that are written to, but for updates that need not be read back."""
    kind_of = {change.address: change.kind for change in plan.changes if not change.takes(kinds[change.kind])}
    addresses = (step.address for step in plan.steps if step.op not in ("forget", "move", "bind"))
    return {kind_of[address] for address in addresses if address in kind_of}


def _each_object(
    tables: dict[str, int], change: Change, grown: Counter[str], kind: Kind, spent: Spent, asked: Sequence[str]
) -> dict[str, int]:
    """Return the pages by table with those of an object that comes or goes, where each has a listing of its own."""
    attrs = change.desired if change.live is None else change.live.attrs
    unread = {table for table, cost in spent.costs.items() if not cost.known}
    own = kind.reads_each(change.kind, attrs, asked, unread)
    if change.action is Action.CREATE:
        return tables | {f"{name}{change.address}": _new(name, change.address, grown, spent) for name in own}
    if change.action is Action.DELETE and change.live is not None:
        gone = {f"{name}{change.live.id}" for name in own}
        return {table: pages for table, pages in tables.items() if table not in gone}
    return tables


def _new(name: str, address: str, grown: Counter[str], spent: Spent) -> int:
    """Return the requests of the listing of a new object; where none of its kind could be read, it cannot either."""
    others = [cost for table, cost in spent.costs.items() if table.startswith(name)]
    if others and not any(cost.known for cost in others):
        return others[0].requests
    return grown[f"{name}{address}"] // PAGE + 1


def _shifts(plan: Plan, kinds: Kinds) -> Counter[str]:
    """Return by how many rows the listings of single objects grow, which are several at one path."""
    shifts: Counter[str] = Counter()
    for change in plan.changes:
        identity = change.live.id if change.live is not None else change.address
        for item in change.attributes:
            for table, rows in kinds[change.kind].growth(identity, item.name, item.before, item.after).items():
                shifts[table] += rows
    return shifts


def _growth(path: str, sent: list[str]) -> int:
    """Return how many rows a listing gains by these requests: creates at its path less deletes of one of its rows."""
    created = sum(request == f"POST {path}" for request in sent)
    gone = sum(request.startswith(f"DELETE {path}/") and request.count("/") == path.count("/") + 1 for request in sent)
    return created - gone

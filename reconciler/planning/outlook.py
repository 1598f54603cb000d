"""Forecast: what the plan cost, and what its apply will cost at the environment's rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from reconciler.model.document import Forecast
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Plan

PAGE = 100
MARGIN = 1.02
"""Requests are spaced 2 % wider than the rate says, see the pacer."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What one listing cost: its path, rows, and whether it says its total. `fixed` is what reading it again takes
    whatever changes (0: it depends on the rows).
    """

    path: str
    rows: int
    total: bool
    fixed: int = 0


@dataclass(frozen=True)
class Spent:
    """What the plan cost: requests in all, each listing by table name, and which tables each kind asked for."""

    requests: int
    costs: Mapping[str, Listing]
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
    kind_of = {change.address: change.kind for change in plan.changes}
    written = {kind_of[step.address] for step in plan.steps if step.op not in ("forget", "move", "bind")}
    for name in (name for name in kinds if name in written):
        for table in spent.asked.get(name, ()):
            cost = spent.costs.get(table)
            if cost is None:
                continue
            if cost.fixed:
                tables[table] = cost.fixed
                continue
            rows = cost.rows + (grown[table] if shared[cost.path] > 1 else _growth(cost.path, sent))
            tables[table] = max(1, ceil(rows / PAGE)) if cost.total else max(0, rows) // PAGE + 1
        for change in plan.changes:
            # Who reads one listing for each object of another kind has read the listing of that kind before.
            if not {one.name for one in kinds[change.kind].reading.collections} & set(spent.asked.get(name, ())):
                continue
            attrs = change.desired if change.live is None else change.live.attrs
            if kinds[name].reads_each(change.kind, attrs, spent.asked.get(name, ())):
                if change.action is Action.CREATE:
                    more = sum(rows for table, rows in grown.items() if table.endswith(f":{change.address}"))
                    tables[f"new:{change.address}"] = more // PAGE + 1
                elif change.action is Action.DELETE and change.live is not None:
                    tables = {
                        table: pages for table, pages in tables.items() if not table.endswith(f":{change.live.id}")
                    }
    return sum(tables.values())


def _shifts(plan: Plan, kinds: Kinds) -> Counter[str]:
    """Return by how many rows the listings of single objects grow, which are several at one path."""
    found: Counter[str] = Counter()
    for change in plan.changes:
        identity = change.live.id if change.live is not None else change.address
        for item in change.attributes:
            for table, rows in kinds[change.kind].growth(identity, item.name, item.before, item.after).items():
                found[table] += rows
    return found


def _growth(path: str, sent: list[str]) -> int:
    """Return how many rows a listing gains by these requests: creates at its path less deletes of one of its rows."""
    created = sum(request == f"POST {path}" for request in sent)
    gone = sum(request.startswith(f"DELETE {path}/") and request.count("/") == path.count("/") + 1 for request in sent)
    return created - gone

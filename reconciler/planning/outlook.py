"""Forecast: what the plan cost, and what its apply will cost at the environment's rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import ceil

from reconciler.model.document import Forecast
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Plan

PAGE = 100
MARGIN = 1.02
"""Requests are spaced 2 % wider than the rate says, see the pacer."""


def forecast(
    plan: Plan,
    costs: Mapping[str, tuple[int, int, bool]],
    kinds: Kinds,
    reads: Mapping[str, frozenset[str]],
    rate: float | None,
    spent: int,
) -> Forecast:
    """Return the forecast. `costs` are (requests, rows, has a total) by table; `spent` the requests of the plan
    itself.
    """
    sent = [request for step in plan.steps for request in step.requests]
    looks = sum(request.startswith("GET ") for request in sent)
    writes = len(sent) - looks
    back = _read_back(plan, costs, kinds, reads) if plan.steps else 0
    requests = writes + looks + back
    return Forecast(
        plan_requests=spent,
        apply_reads=looks + back,
        apply_writes=writes,
        rate=rate,
        seconds=round(requests * MARGIN / rate, 1) if rate else 0.0,
    )


def _read_back(
    plan: Plan, costs: Mapping[str, tuple[int, int, bool]], kinds: Kinds, reads: Mapping[str, frozenset[str]]
) -> int:
    """Return the requests of the bulk read-back: the listings of every kind that is written to, with their rows
    after the apply.
    """
    grown: Counter[str] = Counter()
    for change in plan.changes:
        grown[change.kind] += {Action.CREATE: 1, Action.DELETE: -1}.get(change.action, 0)
    tables: dict[str, int] = {}
    for name in plan.reads:
        for place, collection in enumerate(kinds[name].needs(reads.get(name, frozenset()))):
            requests, rows, total = costs.get(collection.name, (1, 0, True))
            after = rows + (
                grown[name]
                if place == 0 and kinds[name].collections[0].name == collection.name and not kinds[name].nested
                else 0
            )
            pages = max(1, ceil(after / PAGE)) if total else after // PAGE + 1
            tables[collection.name] = max(tables.get(collection.name, 0), pages)
        for table, (requests, _, _) in costs.items():
            if ":" in table and table.partition(":")[0] in _follow_ups(kinds, name):
                tables[table] = requests
    return sum(tables.values())


def _follow_ups(kinds: Kinds, name: str) -> tuple[str, ...]:
    return kinds[name].follow_ups

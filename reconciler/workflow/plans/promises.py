"""What a plan promised when a user approved it: numbers, evacuations and the order of its steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from reconciler.model.document import ChangeView, PlanDocument, too_early
from reconciler.model.plan import Change, Plan
from reconciler.model.write import Impact
from reconciler.workflow.plans.planned import Planned

PromisedStep = tuple[str, str]
NAMELESS = "something that the account does not show"


def bound(plan: Plan, document: PlanDocument) -> Plan:
    """Return a plan that was made again, with the numbers of the document in place of any of its own."""
    shown = {change.address: change for change in document.changes}
    return plan._replace(changes=tuple(_bound(change, shown.get(change.address)) for change in plan.changes))


def _bound(change: Change, shown: ChangeView | None) -> Change:
    if shown is None:
        return change._replace(impacts=(), counting=())
    return change._replace(impacts=tuple(impact.impact() for impact in shown.impacts), counting=tuple(shown.counting))


def broken(document: PlanDocument, plan: Plan, besides: Collection[str] = ()) -> dict[str, str]:
    """Return the changes of a document that cannot be carried out as it promises, with the reasons."""
    now = {change.address: change for change in plan.changes}
    nodes: dict[str, list[str]] = {}
    for step in plan.steps:
        nodes.setdefault(step.address, []).append(step.op)
    late = _out_of_order(document, plan)
    reasons: dict[str, str] = {}
    for change in document.changes:
        if change.address in besides or change.address not in now:
            continue
        if why := too_early(document, change) or _unkept(document, change, now[change.address], plan):
            reasons[change.address] = why
        elif change.address in late:
            reasons[change.address] = f"it would not wait for {late[change.address]}, as planned"
        elif [step.op for step in document.steps if step.address == change.address] != nodes.get(change.address, []):
            reasons[change.address] = "it would take other steps than planned"
    return reasons


def more_along(document: PlanDocument, plan: Plan) -> dict[str, str]:
    """Return the changes with which something goes that was not in the plan: it was not what a user approved."""
    now = {change.address: change for change in plan.changes}
    added: dict[str, str] = {}
    for planned in document.changes:
        more = _beyond(planned, now[planned.address].impacts) if planned.address in now else []
        if more:
            added[planned.address] = f"more would go with it than was planned: {', '.join(more)}"
    return added


def _beyond(planned: ChangeView, going: Iterable[Impact]) -> list[str]:
    """Return the names of what goes along beyond what the plan named; of what it could not count, anything may go."""
    shown = {(view.noun, name) for view in planned.impacts for name in view.objects}
    uncounted = {view.noun for view in planned.impacts if view.count is None}
    more: list[str] = []
    for impact in going:
        if impact.effect in ("along", "unmanaged") and impact.noun not in uncounted:
            names = impact.objects if impact.count is not None else ("",)
            more += [name or NAMELESS for name in names if (impact.noun, name) not in shown]
    return more


def _unkept(document: PlanDocument, change: ChangeView, now: Change, plan: Plan) -> str:
    for what, target in change.evacuates.items():
        promise = f"`{what}: {target}` was promised"
        if now.evacuates.get(what) != target:
            return f"{promise}, and is not possible any more: nothing is moved, and what it holds would be lost"
        if document.ids.get(target) != plan.ids.get(target):
            return f"{promise}, and {target} is another object now"
    more = sorted(set(now.evacuates) - set(change.evacuates))
    return f"`{', '.join(more)}` was not planned" if more else ""


def _out_of_order(document: PlanDocument, plan: Plan) -> dict[str, str]:
    """Return the addresses of steps that waited for another address in the document and do not any more."""
    promised = _waits((step.number, (step.address, step.op), step.waits) for step in document.steps)
    waits = _waits((step.number, (step.address, step.op), step.waits) for step in plan.steps)
    reasons: dict[str, str] = {}
    for node, needs in promised.items():
        if node not in waits:
            continue
        reached = _reached(node, waits)
        for other in needs:
            if other in waits and other not in reached:
                reasons[node[0]] = other[0]
    return reasons


def _waits(steps: Iterable[tuple[int, PromisedStep, Iterable[int]]]) -> dict[PromisedStep, set[PromisedStep]]:
    rows = list(steps)
    nodes = {number: node for number, node, _ in rows}
    return {node: {nodes[number] for number in waits if number in nodes} for _, node, waits in rows}


def _reached(start: PromisedStep, waits: dict[PromisedStep, set[PromisedStep]]) -> set[PromisedStep]:
    seen: set[PromisedStep] = set()
    stack = list(waits[start])
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += waits.get(node, ())
    return seen


def as_shown(planned: Planned, document: PlanDocument) -> Planned:
    """Return a plan that was made again with the numbers, verdicts and forecast that a user approved."""
    shown = {change.address: change for change in document.changes}
    changes = [
        change.model_copy(update={"impacts": shown[change.address].impacts, "counting": shown[change.address].counting})
        if change.address in shown
        else change
        for change in planned.document.changes
    ]
    update = {
        "changes": changes,
        "options": document.options,
        "guards": document.guards,
        "forecast": document.forecast,
        "digest": document.digest,
    }
    shown_as = planned.document.model_copy(update=update)
    return planned._replace(plan=bound(planned.plan, document), document=shown_as, promise=document)

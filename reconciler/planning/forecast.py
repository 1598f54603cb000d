"""What a plan will cost: each step's flow is run against the answers that its kind predicts, and its requests are
written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.model.http import Bound, Flow, Pause, Request, Response
from reconciler.model.kind import Kind, Kinds
from reconciler.model.plan import COUNTED, Change, Plan, Step, flow_of, write_of
from reconciler.model.values import Reference, RemoteId

BOUND = 10_000
"""No flow sends more requests than this; one that does is wrong."""


@dataclass
class _Outlook:
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
    outlook = _Outlook(dict(plan.ids), {change.address: list(change.spares) for change in plan.changes})
    steps = tuple(replace(step, requests=_requests(step, changes[step.address], kinds, outlook)) for step in plan.steps)
    return replace(plan, steps=steps)


def _requests(step: Step, change: Change, kinds: Kinds, outlook: _Outlook) -> tuple[str, ...]:
    kind = kinds[change.kind]
    spare = None
    if step.op == "create" and change.spare is not None and change.resource is not None and change.resource.parent:
        free = outlook.spares.get(change.resource.parent, [])
        spare = free[change.spare] if change.spare < len(free) else None
        if spare is not None:
            outlook.spares.setdefault(f"taken:{change.resource.parent}", []).append(spare)
    taken = outlook.spares.get(f"taken:{step.address}", [])
    left = tuple(one for one in outlook.spares.get(step.address, ()) if one not in taken)
    flow = flow_of(kind, step.op, write_of(change, step.op, outlook.id, spare=spare), left)
    counting = change.counting if step.op in COUNTED else ()
    # Once everything is moved away, one page says that nothing is left.
    later = tuple(dict.fromkeys(counting)) if change.evacuates else counting
    return tuple(_drive(flow, kind, step.address, outlook, counting, later))


def _drive(flow: Flow[None], kind: Kind, address: str, outlook: _Outlook, *counting: tuple[str, ...]) -> list[str]:
    """Run a flow to its end on predicted answers. What can take something away is counted right before, for the first
    time and later.
    """
    sent: list[str] = []
    answer = Response(200, {}, foretold=True)
    try:
        item = next(flow)
        for _ in range(BOUND):
            if isinstance(item, Bound):
                outlook.ids[address] = item.id
                if item.spares:
                    outlook.spares[address] = list(item.spares)
            elif isinstance(item, Request):
                outlook.serial += 1
                if item.overwrites:
                    sent += counting[0]
                    counting = counting[1:] or counting
                sent.append(str(item))
                answer = replace(kind.predict(item, outlook.serial), foretold=True)
            elif isinstance(item, Pause):
                pass
            item = flow.send(answer)
    except StopIteration:
        pass
    return sent

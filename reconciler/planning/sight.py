"""What the absence of an object proves: nothing, where the account may only not show it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.kind import Kind
from reconciler.model.plan import Action, Plan
from reconciler.planning.context import Inputs


def unproven(inputs: Inputs, kind: Kind, address: str, shown: Callable[[str], bool]) -> str:
    """Return why an object that is not shown may exist; "" where it does not. `shown` tells it of others.

    The parts of an object that is shown are shown with it. Where nobody knows whose key it is, an object is doubted
    that the state knows, for it was there once; one that nobody ever saw is not.
    """
    if inputs.eyes is None or not inputs.eyes.why or not kind.reading.filtered or shown(kind.parent_of(address)):
        return ""
    never = not inputs.eyes.strict and inputs.eyes.sees == "unknown"
    if never and address not in inputs.state.resources and address not in inputs.intents:
        return ""
    return f"the account shows no such {kind.title.lower()}, which proves nothing: {inputs.eyes.why}"


def concludes(made: Plan, inputs: Inputs) -> bool:
    """Return whether a plan acts on the absence of something that permissions may hide."""
    absent = {
        change.address: change.kind
        for change in made.changes
        if change.live is None and change.action in (Action.CREATE, Action.FORGET, Action.DELETE)
    }
    absent |= {address: one.kind for address, one in inputs.intents.items() if address not in made.ids}
    return any(
        inputs.kinds[kind].reading.filtered and inputs.kinds[kind].parent_of(address) not in made.ids
        for address, kind in absent.items()
        if kind in inputs.kinds
    )

"""Where the changes of some accounts differ from those of more accounts: what a person has to look at of thousands.
Pure, but for the plans that are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.fleet import Group

COMPARED = 20
"""Groups that are compared, the largest first."""
LARGEST = 5
"""Groups that others are compared with."""

PlanOf = Callable[[str], PlanDocument | None]
"""Returns the plan of an account, where there is one."""


def compared(groups: Sequence[Group], plan_of: PlanOf) -> list[Group]:
    """Return groups, the largest first, each with where it differs from the larger one that it is most like."""
    shown = [
        _unlike(group, _most_like(group, groups[: min(at, LARGEST)]), plan_of)
        for at, group in enumerate(groups[:COMPARED])
    ]
    return [*shown, *groups[COMPARED:]]


def _most_like(group: Group, larger: Sequence[Group]) -> Group | None:
    """Return the first group that has most of the same lines, and at least half of those that either has."""
    own = set(group.changes)
    likeness = [(len(own.intersection(other.changes)), other) for other in larger]
    same, best = max(likeness, key=lambda row: row[0], default=(0, None))
    return best if best is not None and 2 * same >= max(len(own), len(best.changes)) else None


def _unlike(group: Group, other: Group | None, plan_of: PlanOf) -> Group:
    if other is None:
        return group
    differs = [f"also {line}" for line in group.changes if line not in other.changes]
    differs += [f"not {line}" for line in other.changes if line not in group.changes]
    own, others = plan_of(group.accounts[0]), plan_of(other.accounts[0])
    if own is not None and others is not None:
        differs += _otherwise(own, others)
    return group.model_copy(update={"like": other.digest, "differs": differs}) if differs else group


def _otherwise(plan: PlanDocument, other: PlanDocument) -> Iterator[str]:
    """Yield what happens to the same object in both, with other values, or at another cost."""
    known = {(change.address, change.action): change for change in other.changes}
    for change in plan.changes:
        twin = known.get((change.address, change.action))
        names = _differing(change, twin) if twin is not None else []
        if names:
            yield f"otherwise {change.action} {change.address} ({', '.join(names)})"


def _differing(change: ChangeView, twin: ChangeView) -> list[str]:
    """Return the attributes whose values differ, and the records that are concerned, with how many there are."""
    values = [{item.name: (item.before, item.after) for item in side.attributes} for side in (change, twin)]
    names = [name for name in dict.fromkeys([*values[0], *values[1]]) if values[0].get(name) != values[1].get(name)]
    costs = [{impact.noun: (impact.count, impact.at_most) for impact in side.impacts} for side in (change, twin)]
    for noun, (count, at_most) in costs[0].items():
        if costs[1].get(noun) != (count, at_most):
            amount = "an unknown number of" if count is None else f"{'up to ' if at_most else ''}{count:,}"
            names.append(f"{amount} {noun}")
    return names + [f"no {noun}" for noun in costs[1] if noun not in costs[0]]

"""Guards: what stops a plan unless somebody says yes to exactly that. Pure; each verdict goes into the plan
document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.document import GuardView
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import Guards
from reconciler.planning.planner import Inputs

SMALL = 10
"""Kinds with fewer objects are not held to the percentage."""


def judge(plan: Plan, inputs: Inputs, limits: Guards, allow: Iterable[str]) -> list[GuardView]:
    """Return the verdict of every guard that has something to say. `allow` holds what was said yes to, e.g.
    `max_deletes=7`.
    """
    doomed = [change for change in plan.changes if change.action in (Action.DELETE, Action.REPLACE)]
    tripped = [*_protected(doomed), *_counts(doomed, limits), *_records(doomed, plan, limits), *_findings(plan)]
    if not inputs.tearing_down:
        tripped += [*_shares(doomed, inputs, limits), *_lists(doomed, inputs, limits), *_emptied(doomed, inputs)]
    said = set(allow)
    return [
        guard.model_copy(update={"verdict": "overridden"})
        if guard.override and guard.override.removeprefix("--allow ") in said
        else guard
        for guard in tripped
    ]


def _guard(name: str, message: str, changes: Iterable[Change], override: str = "") -> GuardView:
    return GuardView(
        name=name,
        verdict="tripped",
        message=message,
        addresses=sorted(change.address for change in changes),
        override=f"--allow {override}" if override else "",
    )


def _protected(doomed: list[Change]) -> list[GuardView]:
    """`prevent_destroy` is kept in the state, so that it outlives its block."""
    held = [
        change
        for change in doomed
        if (change.binding is not None and change.binding.prevent_destroy)
        or (change.resource is not None and change.resource.lifecycle.prevent_destroy)
    ]
    return [
        _guard(
            "prevent_destroy",
            f"{change.address} is protected by `lifecycle: {{prevent_destroy: true}}`",
            [change],
            f"prevent_destroy={change.address}",
        )
        for change in held
    ]


def _counts(doomed: list[Change], limits: Guards) -> list[GuardView]:
    if limits.max_deletes is None or len(doomed) <= limits.max_deletes:
        return []
    return [
        _guard(
            "max_deletes",
            f"{len(doomed)} objects would be destroyed; the limit is {limits.max_deletes}",
            doomed,
            f"max_deletes={len(doomed)}",
        )
    ]


def _shares(doomed: list[Change], inputs: Inputs, limits: Guards) -> list[GuardView]:
    found = []
    managed = Counter(binding.kind for binding in inputs.state.resources.values())
    for kind, count in sorted(Counter(change.kind for change in doomed).items()):
        if managed[kind] >= SMALL and count * 100 > limits.max_delete_percent * managed[kind]:
            limit = f"the limit is {limits.max_delete_percent} %"
            message = f"{count} of {managed[kind]} objects of kind {kind} would be destroyed; {limit}"
            found.append(
                _guard(
                    "max_delete_percent",
                    message,
                    [one for one in doomed if one.kind == kind],
                    f"max_delete_percent={kind}:{count}",
                )
            )
    return found


def _records(doomed: list[Change], plan: Plan, limits: Guards) -> list[GuardView]:
    losing = [change for change in plan.changes if any(impact.count for impact in change.impacts)]
    lost = sum(impact.count or 0 for change in losing for impact in change.impacts)
    if lost > limits.max_records_lost:
        message = f"{lost:,} customer records are at risk; the limit is {limits.max_records_lost:,}"
        return [_guard("max_records_lost", message, losing, f"max_records_lost={lost}")]
    unmeasured = [change for change in doomed if any(impact.count is None for impact in change.impacts)]
    if unmeasured:
        return [
            _guard(
                "max_records_lost",
                "the account does not say how many records would be lost",
                unmeasured,
                "max_records_lost=unknown",
            )
        ]
    return []


def _lists(doomed: list[Change], inputs: Inputs, limits: Guards) -> list[GuardView]:
    """Contacts that are only on a list go with it: the most destructive call of the API (section 2.13 of the API
    page).
    """
    lists = [change for change in doomed if inputs.kinds[change.kind].guarded]
    if not lists or limits.allow_list_deletes:
        return []
    return [
        _guard(
            "list_deletes",
            f"{change.address} would be deleted, and with it every contact that is only on it",
            [change],
            f"list_deletes={change.address}",
        )
        for change in lists
    ]


def _emptied(doomed: list[Change], inputs: Inputs) -> list[GuardView]:
    if inputs.desired.resources or not inputs.state.resources or not doomed or inputs.only is not None:
        return []
    message = f"the configuration is empty and the state is not: all {len(doomed)} managed objects would be destroyed"
    return [_guard("empty_configuration", message, doomed, "empty_configuration")]


def _findings(plan: Plan) -> list[GuardView]:
    """What the account itself says about a change is no matter of opinion: it cannot be overridden."""
    found = []
    for change in plan.changes:
        for finding in change.findings:
            if finding.severity == "error":
                hint = f" ({finding.hint})" if finding.hint else ""
                found.append(_guard("account_check", f"{change.address}: {finding.message}{hint}", [change]))
    return found


def tripped(guards: Iterable[GuardView]) -> list[GuardView]:
    """Return the guards that stop the plan."""
    return [guard for guard in guards if guard.verdict == "tripped"]

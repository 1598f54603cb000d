"""Guards: what stops a plan unless somebody says yes to exactly that. Pure; each verdict goes into the plan
document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.document import GuardView
from reconciler.model.plan import DESTROYS, Change, Plan
from reconciler.model.project import Guards
from reconciler.planning.renames import suspected
from reconciler.planning.work import Inputs

SMALL = 10
"""Kinds with fewer objects are not held to the percentage."""


def judge(
    plan: Plan,
    inputs: Inputs,
    limits: Guards,
    allow: Iterable[str],
    *,
    counted: bool = True,
    requests: int = 0,
    most: int | None = None,
) -> list[GuardView]:
    """Return the verdict of every guard that has something to say. `allow` holds what was said yes to on the command
    line, e.g. `max_deletes=7`; the project file says yes in `limits.allow`. `requests` is what plan and apply take,
    `most` how many they may. Without `counted`, nobody asked the account what would be lost (--no-impact).
    """
    doomed = [change for change in plan.changes if change.action in DESTROYS]
    tripped = [*_protected(doomed), *_counts(doomed, inputs, limits), *_records(doomed, plan, limits), *_findings(plan)]
    tripped += _cost(requests, most if most is not None else limits.max_requests)
    if not inputs.tearing_down:
        tripped += [*_shares(doomed, inputs, limits), *_lists(doomed, inputs, limits), *_emptied(doomed, inputs)]
        tripped += _renames(plan, inputs)
    judged = [answered(guard, allow, limits.allow) for guard in tripped]
    return judged if counted else [*judged, *_uncounted(doomed)]


def answered(guard: GuardView, allow: Iterable[str], standing: Iterable[str]) -> GuardView:
    """Return a tripped guard as overridden where somebody said yes to exactly this."""
    said = guard.override.removeprefix("--allow ")
    for by, yes in (("command line", allow), ("project file", standing)):
        if said and said in set(yes):
            return guard.model_copy(update={"verdict": "overridden", "by": by})
    return guard


def idle(guards: Iterable[GuardView], allow: Iterable[str]) -> list[str]:
    """Return a warning for each yes that no guard asked for: most likely it is misspelt or out of date."""
    asked = {guard.override.removeprefix("--allow ") for guard in guards}
    return [f"--allow {one} says yes to nothing that this plan does" for one in allow if one not in asked]


def _guard(name: str, message: str, changes: Iterable[Change], override: str = "", remedy: str = "") -> GuardView:
    return GuardView(
        remedy=remedy,
        name=name,
        verdict="tripped",
        message=message,
        addresses=sorted(change.address for change in changes),
        override=override if override.startswith("--") or not override else f"--allow {override}",
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


def _counts(doomed: list[Change], inputs: Inputs, limits: Guards) -> list[GuardView]:
    """Who asks for the end of everything is held to a limit only where the project file sets one."""
    if limits.max_deletes is None or len(doomed) <= limits.max_deletes:
        return []
    if inputs.tearing_down and "max_deletes" not in limits.model_fields_set:
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


def _uncounted(doomed: list[Change]) -> list[GuardView]:
    """Who does not want to know what is lost has said yes to it: recorded like any other yes."""
    message = "records at risk were not counted (--no-impact)"
    guard = _guard("max_records_lost", message, doomed, "--no-impact")
    return [guard.model_copy(update={"verdict": "overridden", "by": "command line"})] if doomed else []


def _cost(requests: int, most: int | None) -> list[GuardView]:
    if most is None or requests <= most:
        return []
    message = f"this plan and its apply take {requests:,} requests; the limit is {most:,}"
    return [_guard("max_requests", message, (), f"max_requests={requests}")]


def _renames(plan: Plan, inputs: Inputs) -> list[GuardView]:
    """A rename planned as delete and create would lose what hangs on the object."""
    changes = {change.address: change for change in plan.changes}
    return [
        _guard(
            "suspected_rename",
            f"{pair.source} would be destroyed and {pair.target} created, and they look alike "
            f"({pair.likeness:.0%}): a rename keeps the object and all that hangs on it",
            [changes[pair.source], changes[pair.target]],
            f"suspected_rename={pair.source}:{pair.target}",
            f"moved: [{{from: {pair.source}, to: {pair.target}}}]",
        )
        for pair in suspected(plan.changes, inputs.kinds, plan.ids)
    ]


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

"""Guards over a finished plan document: what limits of somewhere else say about it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.address import kind_of
from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.kind import Kinds
from reconciler.model.project import Guards
from reconciler.planning.guards import SMALL, answered


def held_to(document: PlanDocument, limits: Guards, kinds: Kinds) -> PlanDocument:
    """Return the document with the verdicts that it has under these limits; its digest stays what it was.

    What a project file of its own said yes to counts only as far as these limits say so too. What was said yes to on
    the command line stays: it stands in the document, for whoever approves it to see.
    """
    allow = document.options.get("allow", ())
    kept = [
        answered(guard.model_copy(update={"verdict": "tripped", "by": ""}), allow, limits.allow)
        if guard.by == "project file"
        else guard
        for guard in document.guards
    ]
    known = {(guard.name, guard.override) for guard in kept}
    found = [answered(guard, allow, limits.allow) for guard in _broken(document, limits, kinds)]
    added = [guard for guard in found if (guard.name, guard.override) not in known]
    return document.model_copy(update={"guards": [*kept, *added]})


def _broken(document: PlanDocument, limits: Guards, kinds: Kinds) -> Iterable[GuardView]:
    doomed = [change for change in document.changes if change.action in ("delete", "replace")]
    tearing_down = bool(document.options.get("destroy"))
    most = limits.max_deletes
    if tearing_down and "max_deletes" not in limits.model_fields_set:
        most = None
    if most is not None and len(doomed) > most:
        yield _guard(
            "max_deletes",
            f"{len(doomed)} objects would be destroyed; the limit is {most}",
            doomed,
            f"max_deletes={len(doomed)}",
        )
    lost = document.summary.records_at_risk
    if lost > limits.max_records_lost:
        losing = [change for change in document.changes if any(impact.count for impact in change.impacts)]
        message = f"{lost:,} customer records are at risk; the limit is {limits.max_records_lost:,}"
        yield _guard("max_records_lost", message, losing, f"max_records_lost={lost}")
    requests = document.forecast.plan_requests + document.forecast.apply_requests
    if limits.max_requests is not None and requests > limits.max_requests:
        message = f"this plan and its apply take {requests:,} requests; the limit is {limits.max_requests:,}"
        yield _guard("max_requests", message, (), f"max_requests={requests}")
    if not tearing_down:
        yield from _shares(document, doomed, limits)
        yield from _lists(doomed, limits, kinds)


def _shares(document: PlanDocument, doomed: list[ChangeView], limits: Guards) -> Iterable[GuardView]:
    managed = Counter(kind_of(address) for address in document.ids)
    for kind, count in sorted(Counter(change.kind for change in doomed).items()):
        if managed[kind] >= SMALL and count * 100 > limits.max_delete_percent * managed[kind]:
            limit = f"the limit is {limits.max_delete_percent} %"
            message = f"{count} of {managed[kind]} objects of kind {kind} would be destroyed; {limit}"
            yield _guard(
                "max_delete_percent",
                message,
                [one for one in doomed if one.kind == kind],
                f"max_delete_percent={kind}:{count}",
            )


def _lists(doomed: list[ChangeView], limits: Guards, kinds: Kinds) -> Iterable[GuardView]:
    if limits.allow_list_deletes:
        return
    for change in doomed:
        if change.kind in kinds and kinds[change.kind].guarded:
            message = f"{change.address} would be deleted, and with it every contact that is only on it"
            yield _guard("list_deletes", message, [change], f"list_deletes={change.address}")


def _guard(name: str, message: str, changes: Iterable[ChangeView], override: str) -> GuardView:
    return GuardView(
        name=name,
        verdict="tripped",
        message=message,
        addresses=sorted(change.address for change in changes),
        override=f"--allow {override}",
    )

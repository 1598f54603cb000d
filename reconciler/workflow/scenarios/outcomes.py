"""What came of a command in a test, and what a test expects, in one form: the members of `Expect`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model import values
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.plan import Change
from reconciler.model.scenario import Changed, Expect, Requests
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.workflow.plans.planned import Planned

OutcomeMembers = dict[str, Any]
NAMES = ("guards", "policies", "skipped", "problems")
"""Members whose order says nothing."""
OWN = ("policy ", "rule ")
"""How the names of verdicts begin that are the project's own."""


def outcome_of(planned: Planned) -> OutcomeMembers:
    """Return what came of a plan."""
    document = planned.document
    broken = [
        guard.name for guard in document.guards if guard.verdict in ("tripped", "warned") and guard.name.startswith(OWN)
    ]
    numbered = sorted(document.steps, key=lambda step: step.number)
    changes = {change.address: change for change in planned.plan.changes}
    shown = [change for change in document.changes if change.action != "none"]
    return {
        "exit_code": _code(document),
        "changes": {
            change.address: {"action": change.action, "values": _values(changes.get(change.address), change)}
            for change in shown
        },
        "lost": _records_by(document, "lost"),
        "moved": _records_by(document, "moved"),
        "guards": sorted({guard.name for guard in document.tripped if not guard.name.startswith(OWN)}),
        "policies": sorted({name.partition(" ")[2] for name in broken}),
        "order": list(dict.fromkeys(step.address for step in numbered)),
        "requests": {"plan": planned.requests, "apply": document.forecast.apply_requests if document.steps else 0},
        "skipped": sorted(skip.address for skip in document.skipped),
        "problems": [],
        "settled": not document.changes,
    }


def _code(document: PlanDocument) -> int:
    """Return the exit code of `plan --detailed-exitcode`."""
    if document.tripped or any(skip.refused for skip in document.skipped):
        return 7
    if document.skipped:
        return 4 if any(skip.forbidden for skip in document.skipped) else 5
    return 2 if document.steps or document.changes else 0


def _records_by(document: PlanDocument, effect: str) -> dict[str, Any]:
    counted: dict[str, Any] = {}
    for change in document.changes:
        counts = [impact.count for impact in change.impacts if impact.effect == effect]
        total = sum(count or 0 for count in counts)
        if None in counts or total:
            counted[change.address] = "unknown" if None in counts else total
    return counted


def _values(change: Change | None, view: ChangeView) -> dict[str, Any]:
    """Return what attributes are to be, as people write them; of a delete, what is moved away first, and where to."""
    if view.action in ("delete", "forget") or change is None:
        return dict(view.evacuates)
    desired = change.desired
    return {
        item.name: plainly(desired[item.name] if values.carries_secret(desired.get(item.name)) else item.after)
        for item in change.attributes
    }


def plainly(value: Value) -> Any:
    """Return a value as a file of tests says it: references as addresses, secrets as `${secret.NAME}`."""

    def leaf(value: Value) -> Value:
        if isinstance(value, Ref | Lookup | RemoteId):
            return str(value)
        return values.show_secrets(value) if isinstance(value, str) else value

    return values.transform(value, leaf)


def expected_of(expect: Expect) -> OutcomeMembers:
    """Return what is expected, by member, in the form of an outcome; lists of names in order."""
    expected: OutcomeMembers = {}
    for name in Expect.model_fields:
        value = getattr(expect, name)
        if name not in expect.model_fields_set or value is None:
            continue
        if name == "changes":
            expected[name] = {address: _change_of(entry) for address, entry in value.items()}
        elif isinstance(value, Requests):
            expected[name] = value.model_dump(exclude_none=True)
        else:
            expected[name] = sorted(value) if name in NAMES else value
    return expected


def _change_of(change: str | Changed) -> Any:
    if isinstance(change, str):
        return change
    return {"action": change.action, "values": change.values} if change.values else change.action


def seen(outcome: OutcomeMembers, expected: OutcomeMembers) -> OutcomeMembers:
    """Return what came of it as far as anything is expected of it."""
    return {name: _seen(name, entry, outcome.get(name)) for name, entry in expected.items()}


def _seen(name: str, expected: Any, actual: Any) -> Any:
    if name == "changes":
        return {address: _as_asked(entry, expected.get(address)) for address, entry in (actual or {}).items()}
    if name == "order":
        return [address for address in actual or [] if address in expected]
    if name == "requests":
        return {item: (actual or {}).get(item) for item in expected}
    return actual if actual is not None else type(expected)() if isinstance(expected, list | dict) else None


def _as_asked(change: Mapping[str, Any], expected: Any) -> Any:
    """Return a change as its expectation says it: only its action, or with the values that are asked for."""
    if not isinstance(expected, dict):
        return change["action"]
    listed = {name: value for name, value in change["values"].items() if name in expected["values"]}
    return {"action": change["action"], "values": listed}


def written(outcome: OutcomeMembers, expected: OutcomeMembers) -> OutcomeMembers:
    """Return what a test would have to expect so that it passes: changes with all their values, but where the test says
    only actions.
    """
    reduced = seen(outcome, expected)
    if "changes" in expected and outcome.get("changes"):
        brief = {address for address, entry in expected["changes"].items() if isinstance(entry, str)}
        every = bool(brief) and len(brief) == len(expected["changes"])
        reduced["changes"] = {
            address: entry["action"] if every or address in brief or not entry["values"] else dict(entry)
            for address, entry in outcome["changes"].items()
        }
    return reduced

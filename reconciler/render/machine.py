"""Views for programs: the plan document itself, problems, tables of verdicts and events as JSON."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from reconciler.model.diagnostics import Diagnostic
from reconciler.model.document import PlanDocument
from reconciler.model.events import Event
from reconciler.model.summary import ApplySummary
from reconciler.render.annotations import (
    below,
    diagnostics_github,
    diagnostics_gitlab,
    diagnostics_sarif,
    plan_github,
    plan_gitlab,
    plan_sarif,
)
from reconciler.render.junit import plan_junit
from reconciler.render.quoting import to_json

__all__ = [
    "applied_json",
    "below",
    "diagnostics_github",
    "diagnostics_gitlab",
    "diagnostics_json",
    "diagnostics_sarif",
    "event_json",
    "heartbeat_json",
    "plan_github",
    "plan_gitlab",
    "plan_json",
    "plan_junit",
    "plan_sarif",
]


def plan_json(document: PlanDocument) -> str:
    """Return the plan document as JSON, complete, in the order of its members; ends with a newline."""
    return to_json(document.model_dump(mode="json"))


def diagnostics_json(problems: Sequence[Diagnostic]) -> str:
    """Return problems as a JSON object: `valid`, the counts, and the list. Lines and columns count from 1."""
    counted = Counter(problem.severity for problem in problems)
    content = {
        "valid": counted["error"] == 0,
        "error_count": counted["error"],
        "warning_count": counted["warning"],
        "note_count": counted["note"],
        "diagnostics": [_problem(problem) for problem in problems],
    }
    return to_json(content)


def _problem(problem: Diagnostic) -> dict[str, Any]:
    at = problem.at
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": at.file if at else None,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "length": problem.length,
        "excerpt": problem.excerpt,
    }


def applied_json(summary: ApplySummary) -> str:
    """Return the outcome of an apply as JSON on several lines."""
    content = {
        "complete": summary.complete,
        "added": summary.added,
        "changed": summary.changed,
        "destroyed": summary.destroyed,
        "switched_off": summary.switched_off,
        "adopted": summary.adopted,
        "failed": [{"address": address, "message": message, "hint": hint} for address, message, hint in summary.failed],
        "refused": list(summary.refused),
        "skipped": [{"address": address, "cause": cause} for address, cause in summary.skipped],
        "notes": list(summary.notes),
        "requests": summary.requests,
        "forecast": summary.forecast,
        "seconds": round(summary.seconds, 3),
        "archive": summary.archive or None,
        "archived": summary.archived,
    }
    return to_json(content)


def event_json(event: Event, *, elapsed: float) -> str:
    """Return one event as one line of JSON that ends with a newline. `elapsed` is seconds since the run began."""
    content = {"event": type(event).__name__.lower(), "elapsed": round(elapsed, 3), **dataclasses.asdict(event)}
    return to_json(content, indent=None)


def heartbeat_json(*, elapsed: float, over: int, total: int) -> str:
    """Return what an event stream carries in a long wait, so that it is not taken for a dead process."""
    return to_json({"event": "heartbeat", "elapsed": round(elapsed, 3), "over": over, "total": total}, indent=None)

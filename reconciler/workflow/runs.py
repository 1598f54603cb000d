"""The verbs of `runs`: what was applied when, by whom, and what is left of a run that died."""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import PlanError
from reconciler.model.run import RunRecord, so_far
from reconciler.workflow.session import Session, open_book

LATEST = "latest"


def rows(session: Session) -> list[dict[str, Any]]:
    """Return one row for each kept run, newest first."""
    store = session.store
    found = [run for name in reversed(store.run_names()) if (run := store.run(name)) is not None]
    return [
        {
            "run": run.name,
            "operation": run.operation,
            "result": run.result,
            "started": run.started,
            "ended": run.ended,
            "owner": run.owner,
            **{name: run.summary.get(name, 0) for name in ("added", "changed", "destroyed", "failed", "skipped")},
            "requests": run.requests,
            "overrides": run.overrides,
        }
        for run in found
    ]


def show(session: Session, name: str) -> RunRecord:
    """Return a run by its name, the beginning of it, or `latest`; what a dead run did comes from the journal."""
    run = session.store.run(_named(session, name))
    if run is None:
        raise PlanError(f"the record of the run {name} is gone", hint="`reconciler runs list` shows the kept ones")
    if run.result != "open":
        return run
    return so_far(run, open_book(session).records)


def _named(session: Session, name: str) -> str:
    names = list(session.store.run_names())
    hits = (
        names[-1:]
        if name == LATEST
        else [one for one in names if one == name] or [one for one in names if one.startswith(name)]
    )
    if len(hits) == 1:
        return hits[0]
    problem = "fits several runs" if hits else "is no kept run"
    raise PlanError(f"`{name}` {problem}", hint="`reconciler runs list` shows their names")


def unfinished(session: Session) -> tuple[str, list[str]]:
    """Return the last run and the addresses that it left undone; ("", []) where nothing was left."""
    names = session.store.run_names()
    for name in reversed(names):
        run = show(session, name)
        if not run.steps:
            continue
        left = [step.address for step in run.steps if step.result not in ("done",)]
        known = set(session.load().desired.resources) | set(open_book(session).state().resources)
        left = [address for address in left if address in known]
        return (run.name, left) if run.result != "complete" and left else ("", [])
    return "", []

"""The verbs of `runs`: what was applied when, by whom, and what is left of a run that died."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.model.errors import PlanError
from reconciler.model.run import RunRecord, RunStep
from reconciler.model.state import Record, open_intents
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
    records = [record for record in open_book(session).records if record.run == run.name]
    return run.model_copy(update={"steps": [_so_far(step, records) for step in run.steps]})


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


def _so_far(step: RunStep, records: Iterable[Record]) -> RunStep:
    """Return a step of a dead run with what the journal says of it."""
    mine = [record for record in records if step.address in (record.address, record.target)]
    if not mine:
        return step
    last = mine[-1]
    if step.address in open_intents(mine):
        return step.model_copy(update={"message": "sent, or about to be; the next apply looks it up by name"})
    if last.op == "failed":
        return step.model_copy(update={"result": "failed"})
    if last.binding is not None and last.binding.incomplete:
        return step.model_copy(update={"id": last.binding.id, "message": "begun; the next apply finishes it"})
    identity = last.binding.id if last.binding is not None else step.id
    return step.model_copy(update={"result": "done", "id": identity})


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

"""The verbs of `runs`: what was applied when, by whom, and what is left of a run that died."""

from __future__ import annotations

from typing import Any

from reconciler.model.errors import PlanError
from reconciler.model.ports import LockInfo
from reconciler.model.run import RunRecord, so_far
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.opening.session import Session

LATEST = "latest"


def rows(session: Session) -> list[dict[str, Any]]:
    """Return one row for each kept run, newest first."""
    book, running = open_book(session), live(session)
    kept = [run for name in reversed(book.store.run_names()) if (run := book.store.run(name)) is not None]
    gone = None if running else book.unrecorded()
    runs = sorted([*kept, *([gone] if gone is not None else [])], key=lambda run: run.name, reverse=True)
    newest = next((run.name for run in runs if run.result == "open"), "")
    return [
        {
            "run": run.name,
            "operation": run.operation,
            "result": _result(run, running if run.name == newest else None),
            "started": run.started,
            "ended": run.ended,
            "owner": run.owner,
            **{name: run.summary.get(name, 0) for name in ("added", "changed", "destroyed", "failed", "skipped")},
            "requests": run.requests,
            "overrides": run.overrides,
        }
        for run in runs
    ]


def _result(run: RunRecord, running: LockInfo | None) -> str:
    return run.result if run.result != "open" else "running" if running is not None else "interrupted"


def live(session: Session) -> LockInfo | None:
    """Return who holds the lock of the state, if that is another process; asked only where a record is open."""
    if session.state_url in session.held:
        return None
    for name in reversed(session.store.run_names()):
        run = session.store.run(name)
        if run is not None and (run.steps or run.result == "open"):
            return session.store.holder() if run.result == "open" else None
    return None


def show(session: Session, name: str) -> RunRecord:
    """Return a run by its name, the beginning or the end of it, or `latest`. What a run did that died, or still runs,
    comes from the journal, or where that is gone from the state that it wrote; it stays `open` until a run closes
    the record.
    """
    book = open_book(session)
    run = _kept(book, name)
    if run.result != "open":
        return run
    if book.live is not None:
        return so_far(run, session.store.journal())
    if any(record.run == run.name for record in book.records):
        return so_far(run, book.records)
    return book.last_word(run).model_copy(update={"result": "open"})


def _kept(book: StateTransaction, name: str) -> RunRecord:
    gone = book.unrecorded() if book.live is None else None
    names = sorted([*book.store.run_names(), *([gone.name] if gone is not None else [])])
    full_name = _named(names, name)
    run = gone if gone is not None and full_name == gone.name else book.store.run(full_name)
    if run is None:
        raise PlanError(f"the record of the run {name} is gone", hint="`reconciler runs list` shows the kept ones")
    return run


def _named(names: list[str], name: str) -> str:
    hits = (
        names[-1:]
        if name == LATEST
        else [known for known in names if known == name]
        or [known for known in names if known.startswith(name)]
        or [known for known in names if known.endswith(name)]
    )
    if len(hits) == 1:
        return hits[0]
    if hits:
        some = ", ".join(hits[-3:])
        raise PlanError(f"`{name}` fits {len(hits)} runs", hint=f"write more of it; the newest are {some}")
    raise PlanError(f"`{name}` is not a kept run", hint="`reconciler runs list` shows their names")


def close(session: Session) -> list[str]:
    """Finish the records of runs that died, and fold what their journal says into the state; return their names."""
    book = open_book(session)
    names = book.close_runs()
    if book.records:
        book.begin()
        book.close(account=session.identity)
    return names


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

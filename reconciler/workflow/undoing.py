"""The verb `undo`: an ordinary plan of a run's inverse."""

from __future__ import annotations

from reconciler.model.errors import PlanError
from reconciler.model.renaming import Renaming
from reconciler.model.run import RunRecord
from reconciler.planning.undo import Inverse, inverse
from reconciler.workflow import runs
from reconciler.workflow.session import Session, open_book


def inverse_of(session: Session, name: str | None, *, undone: bool = False) -> Inverse:
    """Return the inverse of a run; without a name, of the last one that did something. Raises PlanError, unless
    `undone`, also where there is nothing left of it.
    """
    run = runs.show(session, name) if name else _last(session)
    run = as_called_now(session, run)
    found = inverse(run, open_book(session).state(), session.kinds)
    if not found.addresses and not found.lost and not undone:
        raise PlanError(f"the run {run.name} did nothing that could be undone")
    return found


def _last(session: Session) -> RunRecord:
    for name in reversed(session.store.run_names()):
        run = runs.show(session, name)
        if any(step.begun for step in run.steps):
            return run
    raise PlanError("there is no run to undo", hint="`reconciler runs list` shows the kept ones")


def as_called_now(session: Session, run: RunRecord) -> RunRecord:
    """Return a run as if it had been about the addresses of today: what was renamed since is followed."""
    for name in session.store.run_names():
        later = runs.show(session, name) if name > run.name else None
        if later is not None and later.moves:
            run = Renaming(later.moves).run(run)
    return run

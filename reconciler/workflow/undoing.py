"""The verb `undo`: an ordinary plan of a run's inverse."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.reading.places import nesting
from reconciler.config.writing.dumping import children_of, content_of
from reconciler.config.writing.emitting import document
from reconciler.deriving.redaction import Hiding
from reconciler.deriving.undo import Inverse, inverse
from reconciler.model.address import key_of
from reconciler.model.desired import Desired
from reconciler.model.errors import PlanError, Refused
from reconciler.model.run import RunRecord, renamed_run
from reconciler.model.spec import Lifecycle
from reconciler.model.state import Renaming
from reconciler.workflow import runs
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.session import Session

UNDO = "undo "
"""What the operation of an undo begins with; the name of the run that it undoes follows."""


def inverse_of(session: Session, name: str | None, *, undone: bool = False) -> Inverse:
    """Return the inverse of a run; without a name, of the last one that did something, and where that is an undo that
    did not come to its end, the same inverse once more. So it is where that one was about a part of it, or a part was
    refused. An undo of all is undone by its name only: without one, the inverse says `by` whom its run is undone.

    Raises PlanError, unless `undone`, also where there is nothing left of it; Refused where a newer run has no finished
    record, for it would be passed over.
    """
    run, last = (runs.show(session, name), None) if name else _last(session)
    run = as_called_now(session, run)
    resumed = last is not None or _begun(session, run)
    inverted = replace(inverse(run, open_book(session).state(), session.kinds), resumed=resumed)
    if last is not None and last.result == "complete" and not _left(session, inverted):
        return Inverse(run.name, Desired(), frozenset(), by=last.name)
    if not (inverted.addresses or inverted.lost or undone or resumed):
        raise PlanError(f"the run {run.name} did nothing that could be undone")
    return inverted


def asked_for_anyway(session: Session, inverse: Inverse) -> list[str]:
    """Return, for what an undo makes again and the files do not declare, the blocks to write: without them the next
    apply deletes it again. Values that may be secret stand for variables or secrets to be set.
    """
    files = session.load().desired
    declared = files.resources
    known = {*declared, *open_book(session).state().resources, *(block.target for block in inverse.desired.moved)}
    hiding = Hiding(session.kinds, redactor=session.redactor)
    lacking = {
        address: hiding.resource(resource)._replace(lifecycle=Lifecycle())
        for address, resource in inverse.desired.resources.items()
        if address in inverse.addresses and address not in known
    }
    children = children_of(lacking.values())
    asked = [f"`{block.address}` ({block.at})" for block in files.removed if block.address in lacking]
    blocks = [f"# and no longer remove {', '.join(asked)}"] if asked else []
    for root in (resource for resource in lacking.values() if resource.parent not in lacking):
        content = {root.key.rpartition(".")[2]: content_of(root, children, session.kinds, {})}
        kind = session.kinds[root.kind]
        if root.parent is not None:
            owner = session.kinds[kind.nested]
            content = {key_of(root.parent): {nesting(owner, root.kind): content}}
            kind = owner
        blocks.append(document({kind.section: content}))
    return blocks


def _left(session: Session, inverse: Inverse) -> set[str]:
    """Return the addresses of which an inverse asks something and that none of the newest runs, which are undos of the
    same run, was about.
    """
    asked = {
        address
        for address in inverse.addresses
        if (resource := inverse.desired.resources.get(address)) is None
        or resource.attrs.keys() - {*resource.lifecycle.ignore_changes}
    }
    for name in reversed(session.store.run_names()):
        newest = session.store.run(name)
        if newest is not None and newest.steps:
            if newest.operation != f"{UNDO}{inverse.run}":
                break
            asked -= {address for step in newest.steps for address in (step.address, step.moved_from)}
    return asked


def _begun(session: Session, run: RunRecord) -> bool:
    """Return whether the newest run is an undo of this one that did not come to its end."""
    for name in reversed(session.store.run_names()):
        newest = session.store.run(name)
        if newest is not None and newest.steps:
            return newest.operation == f"{UNDO}{run.name}" and newest.result != "complete"
    return False


def _last(session: Session) -> tuple[RunRecord, RunRecord | None]:
    """Return the run that a bare `undo` is about, and the undo of it that came last, if one did."""
    book = open_book(session)
    gone = book.unrecorded()
    if gone is not None:
        raise _passed_over(gone.name, "has no record")
    for name in reversed(session.store.run_names()):
        run = session.store.run(name)
        if run is None or not (run.steps or run.result == "failed"):
            continue
        if not run.steps:
            raise PlanError(
                f"nothing tells what the last run, {run.name}, did: {'; '.join(run.notes)}",
                hint="to undo an earlier one anyway, name it: `reconciler runs list`",
            )
        journaled = any(record.run == run.name for record in book.records)
        if run.operation.startswith(UNDO):
            return runs.show(session, run.operation.removeprefix(UNDO)), run if journaled else runs.show(session, name)
        if run.result == "open" and not journaled:
            raise _passed_over(run.name, "died before its record was finished")
        record = runs.show(session, name)
        if any(step.begun for step in record.steps):
            return record, None
    raise PlanError("there is no run to undo", hint="`reconciler runs list` shows the kept ones")


def as_called_now(session: Session, run: RunRecord) -> RunRecord:
    """Return a run as if it had been about the addresses of today: what was renamed since is followed, but
    for what an undo of it renamed back.
    """
    for name in session.store.run_names():
        later = runs.show(session, name) if name > run.name else None
        if later is not None and later.moves and later.operation != f"{UNDO}{run.name}":
            run = renamed_run(run, Renaming(later.moves))
    return run


def _passed_over(name: str, why: str) -> Refused:
    return Refused(
        f"the last run, {name}, {why}: an undo would pass it over; nothing was changed",
        hint="`reconciler runs resume` finishes the record; `reconciler undo` is then about that run",
    )

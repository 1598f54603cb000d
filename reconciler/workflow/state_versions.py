"""The verbs of `state` that move states between places and times: pull, push, history, restore, migrate, rekey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reconciler import __version__
from reconciler.model.errors import PlanError, StateDamaged, StateError, WrongInput
from reconciler.model.kind import fits
from reconciler.model.ports import Store, Version
from reconciler.model.run import RunRecord
from reconciler.model.state import State
from reconciler.store.formats import dump_state, parse_state
from reconciler.workflow.apply.run_records import run_name
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.opening.locking import lock_info
from reconciler.workflow.opening.session import Session

PATIENCE = 10.0
"""Seconds to wait for the lock."""


def pull(session: Session) -> str:
    """Return the state as JSON, with what an open journal adds. Raises StateError where there is none."""
    book = open_book(session)
    if book.stored is None:
        raise StateError(f"there is no state at {session.store.where} yet", hint="`apply` or `export` makes one")
    return dump_state(book.state().model_copy(update={"intents": book.intents()})).decode()


def push(session: Session, content: bytes, *, force: bool = False) -> int:
    """Write a state over the present one and return its serial. Raises WrongInput for what is not a state, and
    StateError for another lineage, another account, or an older serial; `force` passes over lineage and serial.
    """
    try:
        given = parse_state(content, "that is pushed", fits=fits(session.kinds))
    except StateDamaged as error:
        raise WrongInput(error.message, hint=error.hint) from error
    if given.account and given.account != session.identity:
        raise StateError(
            f"the given state belongs to {given.account}, not to {session.identity}", hint="nothing was written"
        )
    with locked(session, "state push", timeout=PATIENCE, closing=False):
        book = _folded(session)
        now = book.stored
        if now is not None and not force:
            hint = "nothing was written; --force writes it anyway"
            if given.lineage != now.lineage:
                raise StateError(
                    f"the given state has another lineage than the one at {session.store.where}", hint=hint
                )
            if given.serial < now.serial:
                raise StateError(f"the given state is older (serial {given.serial}) than {now.serial}", hint=hint)
        return _put(session, book, given, "state push")


def _folded(session: Session) -> StateTransaction:
    """Return the state, with what an interrupted run left in the journal written into it: no version may lack that."""
    book = open_book(session)
    if book.records:
        book.close_runs()
        book.close()
    return book


def _put(session: Session, book: StateTransaction, given: State, operation: str) -> int:
    """Make the given state the next version, on record as a run."""
    before = book.stored
    serial = max(given.serial, before.serial if before is not None else 0) + 1
    stamp = session.runtime.stamp()
    state = given.model_copy(update={"serial": serial, "updated": stamp})
    book.store.write(state, expected_serial=before.serial if before is not None else None, folds=True)
    book.store.clear_journal()
    record(session, operation, f"serial {given.serial} became {serial}")
    return serial


def history(session: Session) -> list[dict[str, Any]]:
    """Return one row for each version, the present one last; one that is damaged says so."""
    rows = [asdict(version) | {"current": False} for version in session.store.history()]
    try:
        now = session.store.read()
    except StateDamaged as error:
        return [*rows, {"serial": None, "updated": "", "resources": None, "problem": error.message, "current": True}]
    if now is not None:
        present = Version(now.serial, now.updated, len(now.resources))
        rows.append(asdict(present) | {"current": True})
    return rows


def restore(session: Session, serial: int) -> int:
    """Make an earlier version the present one, under a new serial, which is returned. The account is not touched.

    A present state that is damaged is replaced, and kept beside as it is. One that cannot be read for another reason
    (a newer format, another key, a backend that is unreachable) is left alone.
    """
    store = session.store
    wanted = store.version(serial)
    if wanted is None:
        kept = ", ".join(str(version.serial) for version in store.history()) or "none"
        raise PlanError(f"serial {serial} is not kept", hint=f"kept are: {kept}")
    if not _damaged(store):
        with locked(session, "state restore", timeout=PATIENCE, closing=False):
            return _put(session, _folded(session), wanted, "state restore")
    info = lock_info(session, "state restore")
    now = store.rescue(wanted.model_copy(update={"updated": session.runtime.stamp()}), info, PATIENCE)
    record(session, "state restore", f"serial {serial} became {now}, over a damaged state")
    return now


def _damaged(store: Store) -> bool:
    try:
        store.read()
    except StateDamaged:
        return True
    return False


def migrate(session: Session, url: str) -> int:
    """Copy state, history and run records to another place that has none yet; returns how many versions. The old
    place stays as it is. What a copy left there that was truncated is resumed.
    """
    target = session.store_at(url)
    with locked(session, "state migrate", timeout=PATIENCE, closing=False) as lock:
        if _folded(session).stored is None:
            raise StateError(f"there is no state at {session.store.where}", hint="nothing was copied")
        present = target.read()
        if present is not None and not _truncated(session.store, target, present):
            raise StateError(f"there is a state at {target.where} already", hint="nothing was copied")
        with target.lock(lock.info, timeout=PATIENCE):
            count = _copy(session.store, target)
    target.close()
    return count


def _truncated(source: Store, target: Store, present: State) -> bool:
    """Return whether a target holds what a copy wrote that was truncated: a version of the source, and not yet all."""
    now = source.read()
    same = now if now is not None and now.serial == present.serial else source.version(present.serial)
    locks = {"fence": 0, "folded": 0}
    if same is None or same.model_copy(update=locks) != present.model_copy(update=locks):
        return False
    return same is not now or not set(source.run_names()) <= set(target.run_names())


def _copy(source: Store, target: Store) -> int:
    versions = [source.version(version.serial) for version in source.history() if not version.problem]
    present = target.read()
    before = present.serial if present is not None else None
    count = 0
    for state in [*versions, source.read()]:
        if state is not None and (before is None or state.serial > before):
            target.write(state, expected_serial=before)
            before, count = state.serial, count + 1
    for name in source.run_names():
        run = source.run(name)
        if run is not None:
            target.save_run(run)
    return count


def rekey(session: Session) -> int:
    """Write every document again for the recipients in the project file; returns how many."""
    with locked(session, "state rekey", timeout=PATIENCE, closing=False):
        _folded(session)
        return session.store.reseal()


def break_lock(session: Session, lock_id: str) -> bool:
    """Break a lock, and put it on record; False when it is not held."""
    holder = session.store.holder()
    who = f"{holder.owner} on {holder.host}, {holder.operation} since {holder.since}" if holder is not None else ""
    return session.store.break_lock(lock_id, lambda: record(session, "lock break", f"lock {lock_id} of {who}"))


def record(session: Session, operation: str, note: str, renamed: Mapping[str, str] | None = None) -> None:
    """Keep a record of an operation that applies no plan. `renamed` are the addresses that it changed, old to new."""
    info = lock_info(session, operation)
    session.store.save_run(
        RunRecord(
            name=run_name(session),
            operation=operation,
            environment=session.settings.name,
            account=session.identity,
            tool_version=__version__,
            owner=info.owner,
            host=info.host,
            job_url=info.job_url,
            started=info.since,
            ended=info.since,
            result="complete",
            notes=[session.redactor.show(note)],
            renamed=dict(renamed or {}),
        )
    )

"""Holding the lock of a state from before the plan to the last write: what is planned is what is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.environment import HeldLock
from reconciler.workflow.opening.locking import lock_info
from reconciler.workflow.opening.session import Session


@contextmanager
def locked(session: Session, operation: str, *, timeout: float = 0.0, closing: bool = True) -> Iterator[HeldLock]:
    """Hold the lock of the session's state; within a command that holds it already, that is the lock.

    With `closing`, the records of runs that died are finished first, by what journal and state say of them. Raises
    LockHeld, StateError.
    """
    url = session.state_url
    if url in session.held:
        yield session.held[url]
        return
    info = lock_info(session, operation)
    with session.store.lock(info, timeout=timeout) as hold:
        session.held[url] = HeldLock(info, hold)
        try:
            if closing and session.store.run_names():
                open_book(session).close_runs()
            yield session.held[url]
        finally:
            del session.held[url]

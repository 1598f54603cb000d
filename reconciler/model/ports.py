"""Ports to the outside that the middle parts share: the state store. (The remote port is in `http`.)"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from reconciler.model.state import Record, State


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds a lock: an id, a person or job, host, process id, start time (ISO 8601, UTC), and what for."""

    id: str
    owner: str
    host: str
    pid: int
    since: str
    operation: str
    job_url: str = ""


class Store(Protocol):
    """Where one environment's state lives. Every method raises StateError with a message for the user; nothing is
    overwritten on error.
    """

    @property
    def where(self) -> str:
        """A name for messages, without secrets."""
        ...

    def read(self) -> State | None:
        """Return the state as last written, without the journal; None when there is none yet."""
        ...

    def write(self, state: State, *, expected_serial: int | None) -> None:
        """Replace the state atomically if its serial is still `expected_serial` (None: there must be none yet)."""
        ...

    def append(self, record: Record) -> None:
        """Add one record to the journal; durable when it returns."""
        ...

    def journal(self) -> Sequence[Record]:
        """Return the records of the open journal; empty when the last run ended cleanly."""
        ...

    def clear_journal(self) -> None:
        """Drop the journal; called after its records were folded into a written state."""
        ...

    def lock(self, info: LockInfo, *, timeout: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lock; raises LockHeld naming the holder when `timeout` seconds did not free it."""
        ...

    def holder(self) -> LockInfo | None:
        """Return who holds the lock now."""
        ...

    def break_lock(self, lock_id: str) -> bool:
        """Remove the lock with this id; False when it is not held under that id."""
        ...

"""Ports to the outside that the middle parts share: the state store. (The remote port is in `http`.)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from reconciler.model.http import Request, Response
from reconciler.model.records import record
from reconciler.model.state import Record, State

if TYPE_CHECKING:
    from reconciler.model.run import RunRecord

AT_ONCE = -1.0
"""The timeout of a lock that is taken now or not at all: the caller waits, and tries again."""
Moment = Literal["asked", "sent", "answered", "stopped"]
"""When a request is wanted and waits for its turn, each time that it goes over the wire, and when it is over: answered
(or failed), or stopped by an interrupt or by what went wrong beside it.
"""


class Watch(Protocol):
    """Watches what runs wait for: connections to accounts, their requests, and pauses. Nothing is decided by it."""

    def connected(self, name: str, kinds: Mapping[str, str], rate: float | None) -> None:
        """An environment is about to be read: kind by path of its listing, and requests per second (None: no limit)."""
        ...

    def expecting(self, name: str, kinds: Iterable[str], most: int = 0) -> None:
        """These kinds of an environment are going to be read, or so many requests sent `most`; said before, once for
        each time that they are.
        """
        ...

    def request(self, moment: Moment, request: Request, answer: Response | None = None, account: str = "") -> None:
        """A request to an environment (default: the one connected last) was wanted, sent or is over; without an answer
        where it failed, or was stopped.
        """
        ...

    def waiting(self, reason: str, seconds: float) -> None:
        """The run waits for so long at most."""
        ...


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds a lock: an id, a person or job, host, process id, start time (ISO 8601, UTC), and what for.

    `process` tells processes of one machine apart, so that a dead holder is recognised. `expires` (ISO 8601, UTC)
    is when the lease ends unless its holder renews it, by the holder's clock, "" for a lock without a lease. `fence`
    is its generation, `lease` how long it lasts in seconds, `beat` how often it was renewed.
    """

    id: str
    owner: str
    host: str
    pid: int
    since: str
    operation: str
    job_url: str = ""
    process: str = ""
    expires: str = ""
    fence: int = 0
    lease: float = 0.0
    beat: int = 0

    @property
    def who(self) -> str:
        """The holder for messages, e.g. `ann on laptop (process 4711)`."""
        return f"{self.owner} on {self.host}" + (f" (process {self.pid})" if self.pid else "")


@record
class Version:
    """One earlier state: its serial, when it was written (ISO 8601, UTC; "" where unknown), how many resources.

    `problem` says why it cannot be read, "" where it can.
    """

    serial: int
    updated: str
    resources: int | None
    problem: str = ""


class Hold(Protocol):
    """A lock that is held."""

    @property
    def fence(self) -> int:
        """The generation of the lock; rises with every holder."""
        ...

    def check(self, seconds: float = 0.0) -> None:
        """Raise StateError when another process took the lock, or may take it within so many seconds."""
        ...


class Store(Protocol):
    """Where one environment's state lives. Every method raises StateError with a message for the user; nothing is
    overwritten on error.
    """

    @property
    def where(self) -> str:
        """A name for messages, without secrets."""
        ...

    @property
    def coalesces(self) -> bool:
        """Whether records that are not urgent wait to be written together, because each write is a round trip."""
        ...

    def read(self) -> State | None:
        """Return the state as last written, without the journal; None when there is none yet."""
        ...

    def write(self, state: State, *, expected_serial: int | None, folds: bool = False) -> None:
        """Replace the state atomically if its serial is still `expected_serial` (None: there must be none yet).

        With `folds` the journal is in it: records of this lock holder and earlier ones count no more.
        """
        ...

    def append(self, records: Sequence[Record], *, urgent: bool = True) -> None:
        """Add records to the journal; urgent ones are durable when it returns, others within moments."""
        ...

    def journal(self) -> Sequence[Record]:
        """Return the records of the open journal; empty when the last run ended cleanly."""
        ...

    def clear_journal(self) -> None:
        """Drop the journal; called after its records were folded into a written state."""
        ...

    def lock(self, info: LockInfo, *, timeout: float = 0.0) -> AbstractContextManager[Hold]:
        """Hold the lock; raises LockHeld naming the holder when `timeout` seconds did not free it. With `AT_ONCE`
        nothing is waited for, and what was seen of the lock counts for the next try.
        """
        ...

    def holder(self) -> LockInfo | None:
        """Return who holds the lock now."""
        ...

    def break_lock(self, lock_id: str, note: Callable[[], None] = lambda: None) -> bool:
        """Remove the lock with this id, and call `note`, which may write a run record; False when it is not held under
        that id.
        """
        ...

    def history(self) -> Sequence[Version]:
        """Return the kept earlier versions, oldest first."""
        ...

    def version(self, serial: int) -> State | None:
        """Return an earlier version, or None where it is not kept."""
        ...

    def rescue(self, state: State, info: LockInfo, timeout: float) -> int:
        """Write a state over one that is damaged, which is kept beside; returns the new serial."""
        ...

    def save_run(self, run: RunRecord) -> None:
        """Write a run record, over an earlier one of that name."""
        ...

    def run_names(self) -> Sequence[str]:
        """Return the names of the kept run records, oldest first."""
        ...

    def run(self, name: str) -> RunRecord | None:
        """Return a run record, or None."""
        ...

    def reseal(self) -> int:
        """Write every document again for the recipients of now; returns how many."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...

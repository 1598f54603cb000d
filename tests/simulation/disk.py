"""The shelf that survives processes: documents and logs in memory, compared and set like those of every backend."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.ports import LockInfo
from reconciler.store.lease import Clock, LeaseLock
from reconciler.store.shelf import Conflict, Held
from tests.simulation.scheduler import Process

BEATS = 4.0
"""How often a lease is renewed before it ends."""
LEASE = 60.0


@dataclass
class Disk:
    """Documents and logs by name."""

    documents: dict[str, bytes] = field(default_factory=dict)
    logs: dict[str, list[bytes]] = field(default_factory=dict)
    watch: Callable[[str, bytes | None, bytes], None] = lambda name, before, after: None


@dataclass
class DiskShelf:
    """Implements `store.shelf.Shelf`. `boundary` is told of each write before and after it; either may be the end."""

    disk: Disk
    process: Process
    boundary: Callable[[str], None]
    pause: float = 0.0
    where: str = "disk"
    quiet: bool = False
    busy: bool = False

    @contextlib.contextmanager
    def _write(self) -> Iterator[None]:
        self.process.alive()
        self.busy = True
        try:
            if not self.quiet:
                self.boundary("before a write to the disk")
            yield
            if not self.quiet:
                self.boundary("after a write to the disk")
        finally:
            self.busy = False

    def get(self, name: str) -> Held | None:
        """Return a document."""
        self.process.alive()
        content = self.disk.documents.get(name, b"".join(self.disk.logs.get(name, ())) or None)
        return None if content is None else Held(content, _tag(content))

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write a document that still has the tag."""
        with self._write():
            held = self.get(name)
            if (held.tag if held is not None else None) != tag:
                raise Conflict(name)
            self.disk.watch(name, self.disk.documents.get(name), content)
            self.disk.documents[name] = content
        return _tag(content)

    def remove(self, name: str) -> None:
        """Remove a document."""
        with self._write():
            self.disk.documents.pop(name, None)
            self.disk.logs.pop(name, None)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        self.process.alive()
        return sorted(name for name in (*self.disk.documents, *self.disk.logs) if name.startswith(f"{folder}/"))

    def append(self, name: str, line: bytes) -> bool:
        """Add a line, where writes are cheap."""
        if self.pause:
            return False
        with self._write():
            self.disk.logs.setdefault(name, []).append(line + b"\n")
        return True

    def batch(self) -> contextlib.AbstractContextManager[None]:
        """Every write is made at once."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing is open."""


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class BeatingLock:
    """The lock of every shelf, whose renewals are events of the simulation: a frozen process makes none."""

    def __init__(self, shelf: DiskShelf, clock: Clock) -> None:
        self._shelf = shelf
        self._inner = LeaseLock(shelf, clock)

    def acquire(self, info: LockInfo, timeout: float) -> Any:
        """Take the lock, and begin to renew it."""
        lease = self._inner.acquire(info, timeout)
        beating = Beating(lease, self._shelf)
        beating.later()
        return beating

    def holder(self) -> LockInfo | None:
        """Return who holds it."""
        return self._inner.holder()

    def break_lock(self, lock_id: str, note: Callable[[], None]) -> bool:
        """Take it away."""
        return self._inner.break_lock(lock_id, note)


class Beating:
    """A lease that is renewed until it is let go or its process is dead."""

    def __init__(self, lease: Any, shelf: DiskShelf) -> None:
        self._lease, self._shelf, self._over = lease, shelf, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lease, name)

    def later(self) -> None:
        """Renew in a quarter of the lease."""
        scheduler = self._shelf.process.scheduler
        scheduler.event(scheduler.now + LEASE / BEATS, self._beat)

    def _beat(self) -> None:
        process = self._shelf.process
        if self._over or process.dead or process.over:
            return
        if process.frozen_until > process.scheduler.now:
            process.scheduler.event(process.frozen_until, self._beat)
            return
        if self._shelf.busy:  # it woke up in the middle of a write
            process.scheduler.event(process.scheduler.now + 0.001, self._beat)
            return
        self._shelf.quiet = True
        try:
            self._lease.renew()
        finally:
            self._shelf.quiet = False
        self.later()

    def release(self) -> None:
        """Let go."""
        self._over = True
        self._lease.release()

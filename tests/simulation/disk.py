"""The shelf that survives processes of the simulation, and the lock on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.model.ports import LockInfo
from reconciler.store import Clock
from reconciler.store.blobs import Blob
from reconciler.store.lease import LeaseLock
from tests.simulation.scheduler import Process
from tests.world import blobs

BEATS = 4.0
"""How often a lease is renewed before it ends."""
LEASE = 60.0


@dataclass
class Disk(blobs.Disk):
    """Whoever watches is told of each document that is written."""

    watch: Callable[[str, bytes | None, bytes], None] = lambda name, before, after: None


@dataclass
class DiskBlobStore(blobs.MemoryBlobStore):
    """`boundary` is told of each write before and after it; either may be the end."""

    disk: Disk
    process: Process
    boundary: Callable[[str], None]
    pause: float = 0.0
    where: str = "disk"
    quiet: bool = False
    busy: bool = False

    @contextlib.contextmanager
    def write(self) -> Iterator[None]:
        """Let the process die or freeze before and after."""
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

    def get(self, name: str) -> Blob | None:
        """Return a document."""
        self.process.alive()
        return super().get(name)

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write a document that still has the tag when its turn comes."""
        with self.write():
            self.held(name, tag)
            self.disk.watch(name, self.disk.documents.get(name), content)
            return self.kept(name, content)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        self.process.alive()
        return super().names(folder)

    def append(self, name: str, line: bytes, *, durable: bool = True) -> bool:
        """Add a line, where writes are cheap."""
        return not self.pause and super().append(name, line, durable=durable)


class BeatingLock:
    """The lock of every shelf, whose renewals are events of the simulation: a frozen process makes none."""

    def __init__(self, shelf: DiskBlobStore, clock: Clock) -> None:
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

    def __init__(self, lease: Any, shelf: DiskBlobStore) -> None:
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

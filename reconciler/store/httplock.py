"""The lock that an http backend's server keeps: no lease, for the protocol cannot renew one; it lasts until unlocked.

The lock's id goes along with every write, so the server itself refuses a holder whose lock was broken. The account
does not, so the holder asks again and again whose the lock is: who tries to take it is told (`LOCK`), and stops when it
was told nothing for a lease. Whether a lock was given back or broken is written into the bundle; after one that was not
given back, the next holder waits for a lease before it begins.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reconciler import __version__
from reconciler.model.documents import read_json
from reconciler.model.errors import StateError
from reconciler.model.ports import AT_ONCE, LockInfo
from reconciler.model.waits import Waits
from reconciler.store.blobs import Conflict
from reconciler.store.blobs import replace as overwrite
from reconciler.store.http import HttpBlobStore
from reconciler.store.lease import NAME, dump, freed, given_back, held_by, lease_of, lost, parse, stamp
from reconciler.store.options import Clock
from reconciler.store.wire import Wire, WireAnswer

GLANCES = 6
"""So often a lock is asked for again while another process only looks at it."""
FREE, TAKEN = (200, 201, 204), (409, 423)
PROBE = "probe"
"""Under which id the server is asked who holds the lock: held for a moment, unless its process dies in it."""


def probing(clock: Clock, since: str = "") -> LockInfo:
    """Return in whose name the server is asked who holds the lock; it tells whether that process lives."""
    return LockInfo(PROBE, "reconciler", socket.gethostname(), os.getpid(), since, "lock list", process=clock.process())


class HttpLock:
    """The lock of one address. `tell(reason, seconds)` is told of waits that were not asked for."""

    def __init__(
        self,
        blobs: HttpBlobStore,
        wire: Wire,
        clock: Clock,
        waits: Waits | None = None,
        tell: Callable[[str, float], None] | None = None,
    ) -> None:
        self._blobs, self._wire, self._clock, self._waits = blobs, wire, clock, waits or Waits()
        self._tell = tell or (lambda reason, seconds: None)
        self._before: tuple[LockInfo | None, float] | None = None
        """A lock that was not given back, and since when it was seen, by tries that wait for nothing."""

    def acquire(self, info: LockInfo, timeout: float) -> HttpHold:
        """Take the lock. That of a dead process of this machine is broken. With `AT_ONCE` the caller waits, and tries
        again. Raises LockHeld.
        """
        mine = replace(info, process=self._clock.process(), fence=1, lease=self._waits.lease)
        deadline = self._clock.steady() + max(timeout, 0.0)
        broken, looked = False, 0
        while True:
            answer = self._wire.lock(document(mine, self._wire.where))
            if answer.status in FREE:
                return self._begin(mine, patient=timeout != AT_ONCE)
            holder = self._holder(answer)
            if not broken and self._clock.dead(holder.process):
                broken = True
                self._wire.unlock(document(holder, self._wire.where))
                continue
            left = deadline - self._clock.steady()
            if (
                holder.id == PROBE and looked < GLANCES and timeout != AT_ONCE
            ):  # a process only looks: it is free again in a moment
                looked += 1
                left = max(left, self._waits.poll)
            if left <= 0:
                raise held_by(holder, self._wire.where)
            self._clock.sleep(min(self._waits.poll, left))

    def _begin(self, mine: LockInfo, *, patient: bool = True) -> HttpHold:
        """Return the lock that the server gave us, once no other process writes under it any more."""
        self._blobs.lock_id, self._blobs.refused = mine.id, False
        hold = HttpHold(self._blobs, self._wire, self._clock, self._waits, mine)
        try:
            blob = self._blobs.get(NAME)
            before = parse(blob.content) if blob is not None else None
            hold.seamless = blob is None or (before is not None and given_back(before))
            if not hold.seamless and not (before is not None and self._clock.dead(before.process)):
                self._outlast(before, patient=patient)
            hold.raise_fence((before.fence if before is not None else 0) + 1)
        except BaseException:
            hold.unlock()
            raise
        return hold

    def _outlast(self, before: LockInfo | None, *, patient: bool) -> None:
        """Wait until a run that did not give its lock back has surely stopped. Raises LockHeld where it has not, and
        the caller waits.
        """
        seconds = lease_of(before, self._waits.lease)
        if not patient:
            if self._before is None or self._before[0] != before:
                self._before = before, self._clock.steady()
            if self._clock.steady() < self._before[1] + seconds:
                raise held_by(before, self._wire.where)
            return
        self._tell(
            f"the lock of {self._wire.where} was not given back: until the run that held it has surely stopped", seconds
        )
        deadline = self._clock.steady() + seconds
        while (left := deadline - self._clock.steady()) > 0:
            self._clock.sleep(min(self._waits.lease / 4, left))

    def _holder(self, answer: WireAnswer) -> LockInfo:
        """Return who holds the lock according to a refusal. Raises StateError where the server refused otherwise."""
        if answer.status in TAKEN:
            return _parse(answer.body)
        if answer.status in (404, 405, 501):
            raise StateError(
                f"{self._wire.where} has no lock ({self._wire.lock_method} answered {answer.status})",
                hint="without one, two runs would overwrite each other: use a server that locks, and set "
                "TF_HTTP_LOCK_ADDRESS, TF_HTTP_LOCK_METHOD, TF_HTTP_UNLOCK_ADDRESS, TF_HTTP_UNLOCK_METHOD if its are "
                "not the usual ones",
            )
        raise StateError(
            f"{self._wire.where} refused the lock ({answer.status})", hint="check the URL and the credentials"
        )

    def holder(self) -> LockInfo | None:
        """Return who holds the lock. The protocol cannot be asked: a lock that succeeds is given back at once."""
        probe = document(self._probe(), self._wire.where)
        answer = self._wire.lock(probe)
        if answer.status in FREE:
            self._wire.unlock(probe)
            return None
        return self._holder(answer)

    def _probe(self) -> LockInfo:
        return probing(self._clock, stamp(self._clock.wall()))

    def break_lock(self, lock_id: str, note: Callable[[], None]) -> bool:
        """Unlock in the holder's name; then, where no other process was faster, call `note` under a lock of its own."""
        holder = self.holder()
        if holder is None or not lock_id or holder.id != lock_id:
            return False
        if self._wire.unlock(document(holder, self._wire.where)).status not in FREE:
            return False
        mine = replace(self._probe(), id=f"break-{lock_id}", operation="lock break")
        if self._wire.lock(document(mine, self._wire.where)).status in FREE:
            self._blobs.lock_id = mine.id
            try:
                note()
            finally:
                self._blobs.lock_id = ""
                self._wire.unlock(document(mine, self._wire.where))
        return True


class HttpHold:
    """A lock that the server keeps for us. `seamless`: whether the one before was given back."""

    def __init__(self, blobs: HttpBlobStore, wire: Wire, clock: Clock, waits: Waits, info: LockInfo) -> None:
        self._blobs, self._wire, self._clock, self._waits, self._info = blobs, wire, clock, waits, info
        self._proven = self._asked = float("-inf")
        self._lost = False
        self.seamless = False

    @property
    def fence(self) -> int:
        """The generation: one more than that of the holder before, and than the state's."""
        return self._info.fence

    def raise_fence(self, fence: int) -> None:
        """Take a higher generation, and write down that the lock is held."""
        self._info = replace(self._info, fence=fence)
        self._write(self._info)

    def _write(self, info: LockInfo) -> None:
        try:
            overwrite(self._blobs, NAME, dump(info))
        except Conflict:
            raise lost(self._wire.where) from None

    def check(self, seconds: float = 0.0) -> None:
        """Raise StateError unless the server said within a lease, less `seconds`, that the lock is ours. It is asked
        again when it was not for `look` seconds.
        """
        if self._clock.steady() - self._asked >= self._waits.look:
            self._ask()
        until = self._proven + self._waits.lease - self._waits.margin
        if self._lost or self._blobs.refused or self._clock.steady() + seconds > until:
            raise lost(self._wire.where)

    def _ask(self) -> None:
        """Try to take the lock once more: the refusal names its holder. A server that names none proves as much as it
        can; one that is unreachable for a moment says nothing.
        """
        self._asked = self._clock.steady()
        try:
            probe = document(probing(self._clock, self._info.since), self._wire.where)
            answer = self._wire.lock(probe)
            if answer.status in FREE:
                self._lost = True
                self._wire.unlock(probe)
        except StateError:
            return
        if answer.status in TAKEN:
            if _parse(answer.body).id in ("", self._info.id):
                self._proven = self._asked
            else:
                self._lost = True

    def release(self) -> None:
        """Give the lock back, and unlock; a server that is unreachable keeps the lock until it is broken."""
        try:
            if not self._lost and not self._blobs.refused:
                self._write(freed(self._info.fence))
        except StateError:
            return
        finally:
            self.unlock()

    def unlock(self) -> None:
        """Unlock; never raises."""
        try:
            self._wire.unlock(document(self._info, self._wire.where))
        except StateError:
            return
        finally:
            self._blobs.lock_id = ""


def document(info: LockInfo, where: str) -> bytes:
    """Return a lock as Terraform writes it: all seven members, for GitLab wants them all."""
    more = {"operation": info.operation, "job_url": info.job_url, "process": info.process, "pid": info.pid}
    return json.dumps(
        {
            "ID": info.id,
            "Operation": info.operation or "unknown",
            "Info": json.dumps(more),
            "Who": f"{info.owner}@{info.host}",
            "Version": __version__,
            "Created": info.since or "1970-01-01T00:00:00Z",
            "Path": where,
        }
    ).encode()


def _parse(body: bytes) -> LockInfo:
    """Return the holder in the server's words; what it does not say stays empty."""
    data = _map(body)
    more = _map(data.get("Info"))
    owner, _, host = str(data.get("Who", "another user")).partition("@")
    return LockInfo(
        str(data.get("ID", "")),
        owner or "another user",
        host,
        int(more.get("pid") or 0),
        str(data.get("Created", "an unknown time")),
        str(data.get("Operation", "something")),
        str(more.get("job_url", "")),
        str(more.get("process", "")),
    )


def _map(text: Any) -> dict[str, Any]:
    try:
        content = read_json(text or "{}")
    except (ValueError, TypeError):
        return {}
    return content if isinstance(content, dict) else {}

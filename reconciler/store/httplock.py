"""The lock that an http backend's server keeps: no lease, for the protocol cannot renew one; it lasts until unlocked.

The lock's id goes along with every write, so the server itself refuses a holder whose lock was broken.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from reconciler import __version__
from reconciler.model.errors import StateError
from reconciler.model.ports import LockInfo
from reconciler.store.http import HttpShelf
from reconciler.store.lease import POLL, Clock, held_by
from reconciler.store.process import identity, is_dead
from reconciler.store.wire import Answer, Wire

FREE, TAKEN = (200, 201, 204), (409, 423)


class HttpLock:
    """The lock of one address."""

    def __init__(self, shelf: HttpShelf, wire: Wire, clock: Clock) -> None:
        self._shelf, self._wire, self._clock = shelf, wire, clock

    def acquire(self, info: LockInfo, timeout: float) -> HttpHold:
        """Take the lock. That of a dead process of this machine is broken. Raises LockHeld."""
        mine = replace(info, process=identity(), fence=1)
        deadline = self._clock.steady() + max(timeout, 0.0)
        broken = False
        while True:
            answer = self._wire.lock(document(mine, self._wire.where))
            if answer.status in FREE:
                self._shelf.lock_id = mine.id
                return HttpHold(self._shelf, self._wire, mine)
            holder = self._holder(answer)
            if not broken and is_dead(holder.process):
                broken = True
                self.break_lock(holder.id)
                continue
            left = deadline - self._clock.steady()
            if left <= 0:
                raise held_by(holder, self._wire.where)
            self._clock.sleep(min(POLL, left))

    def _holder(self, answer: Answer) -> LockInfo:
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
        probe = LockInfo("probe", "reconciler", "", 0, "", "lock list")
        answer = self._wire.lock(document(probe, self._wire.where))
        if answer.status in FREE:
            self._wire.unlock(document(probe, self._wire.where))
            return None
        return self._holder(answer)

    def break_lock(self, lock_id: str) -> bool:
        """Unlock in the holder's name."""
        holder = self.holder()
        if holder is None or not lock_id or holder.id != lock_id:
            return False
        return self._wire.unlock(document(holder, self._wire.where)).status in FREE


class HttpHold:
    """A lock that the server keeps for us. Nobody can tell whether the one before was given back or broken."""

    seamless = False

    def __init__(self, shelf: HttpShelf, wire: Wire, info: LockInfo) -> None:
        self._shelf, self._wire, self._info = shelf, wire, info

    @property
    def fence(self) -> int:
        """The generation: one more than the state's."""
        return self._info.fence

    def raise_fence(self, fence: int) -> None:
        """Take a higher generation; the server does not know of it."""
        self._info = replace(self._info, fence=fence)

    def check(self) -> None:
        """The server checks with every write."""

    def release(self) -> None:
        """Unlock; a server that is away keeps the lock until somebody breaks it."""
        try:
            self._wire.unlock(document(replace(self._info, fence=1), self._wire.where))
        except StateError:
            return
        finally:
            self._shelf.lock_id = ""


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
    owner, _, host = str(data.get("Who", "somebody")).partition("@")
    return LockInfo(
        str(data.get("ID", "")),
        owner or "somebody",
        host,
        int(more.get("pid") or 0),
        str(data.get("Created", "an unknown time")),
        str(data.get("Operation", "something")),
        str(more.get("job_url", "")),
        str(more.get("process", "")),
    )


def _map(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}

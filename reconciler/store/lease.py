"""A lock as a document: an owner, a lease that its holder renews, and a generation that rises with every holder.

It needs nothing from a backend but a compare-and-set, so every shelf has the same lock.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace

from reconciler.model.errors import LockHeld, StateError
from reconciler.model.ports import LockInfo
from reconciler.store.process import identity, is_dead
from reconciler.store.shelf import Conflict, Shelf, put_once

NAME, BROKEN = "lock", "broken"
LEASE = 60.0
"""Seconds that a lock lasts without being renewed."""
LOOK = 3.0
"""Seconds that a holder goes on without having seen its lock."""
POLL = 0.5
"""Seconds between two looks at a lock that somebody holds."""


def _steady() -> float:
    """Seconds that go on while the machine or the process sleeps, and do not follow the wall clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True)
class Clock:
    """Time as a lock sees it: the wall clock (seconds since 1970), a steady one, and a way to wait; and which process
    this is, and whether another one is surely dead.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = _steady
    sleep: Callable[[float], None] = time.sleep
    beat: bool = True
    """Whether a thread renews the lease; tests renew by hand."""
    process: Callable[[], str] = identity
    dead: Callable[[str], bool] = is_dead


class LeaseLock:
    """The lock of one state. `lease` is in seconds."""

    def __init__(self, shelf: Shelf, clock: Clock, lease: float = LEASE) -> None:
        self._shelf, self._clock, self._lease = shelf, clock, lease

    def acquire(self, info: LockInfo, timeout: float) -> Lease:
        """Take the lock, waiting up to `timeout` seconds. Raises LockHeld, which names the holder."""
        deadline = self._clock.steady() + max(timeout, 0.0)
        contested = 0
        while True:
            held = self._shelf.get(NAME)
            holder = parse(held.content) if held is not None else None
            if holder is None or self._free(holder):
                started = self._clock.steady()
                mine = replace(
                    info,
                    process=self._clock.process(),
                    fence=(holder.fence if holder is not None else 0) + 1,
                    expires=self._stamp(self._lease),
                )
                try:
                    tag = put_once(self._shelf, NAME, dump(mine), held.tag if held is not None else None)
                except Conflict:
                    holder, contested = None, contested + 1
                    if contested < 5:
                        continue
                else:
                    return Lease(
                        self._shelf, self._clock, self._lease, mine, tag, started, seamless=_given_back(holder)
                    )
            left = deadline - self._clock.steady()
            if left <= 0:
                raise held_by(holder, self._shelf.where)
            self._clock.sleep(min(POLL, left))

    def holder(self) -> LockInfo | None:
        """Return who holds the lock; a lease that has ended holds nothing."""
        held = self._shelf.get(NAME)
        info = parse(held.content) if held is not None else None
        return None if info is None or self._free(info) else info

    def break_lock(self, lock_id: str) -> bool:
        """End the lease of this id; its holder finds out before its next write."""
        held = self._shelf.get(NAME)
        info = parse(held.content) if held is not None else None
        if held is None or info is None or not lock_id or info.id != lock_id:
            return False
        try:
            put_once(self._shelf, NAME, dump(_freed(info.fence + 1, BROKEN)), held.tag)
        except Conflict:
            return False
        return True

    def _free(self, info: LockInfo) -> bool:
        return not info.id or self._clock.dead(info.process) or _expired(info, self._clock.wall())

    def _stamp(self, seconds: float) -> str:
        return stamp(self._clock.wall() + seconds)


class Lease:
    """A lock that is held: renewed by a thread, lost when it could not be renewed in time or somebody broke it."""

    def __init__(
        self, shelf: Shelf, clock: Clock, lease: float, info: LockInfo, tag: str, started: float, *, seamless: bool
    ) -> None:
        self._shelf, self._clock, self._lease = shelf, clock, lease
        self._info, self._tag, self._until = info, tag, started + lease
        self._seen = started
        self.seamless = seamless
        self._lost = False
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="lease", daemon=True) if clock.beat else None
        if self._thread is not None:
            self._thread.start()

    @property
    def fence(self) -> int:
        """The generation of this lock."""
        return self._info.fence

    def raise_fence(self, fence: int) -> None:
        """Take a higher generation: the state knows of holders that this lock does not."""
        with self._turn:
            self._info = replace(self._info, fence=fence)
            self._put()
        self.check()

    def check(self) -> None:
        """Raise StateError unless the lock is still ours; it may have been broken in the last `LOOK` seconds."""
        if self._clock.steady() - self._seen >= LOOK:
            self._look()
        if self._lost or self._clock.steady() >= self._until:
            raise lost(self._shelf.where)

    def _look(self) -> None:
        """See whether the lock was broken. A backend that is away for a moment says nothing: the lease still lasts."""
        with self._turn, contextlib.suppress(StateError):
            self._seen = self._clock.steady()
            held = self._shelf.get(NAME)
            found = parse(held.content) if held is not None else None
            if found is None or (found.id, found.fence) != (self._info.id, self._info.fence):
                self._lost = True

    def renew(self) -> None:
        """Begin the lease anew. A lock that somebody else took is lost for good."""
        with self._turn:
            if not self._lost and not self._over.is_set():
                self._put()

    def _put(self) -> None:
        started = self._clock.steady()
        if started >= self._until:
            self._lost = True
            return
        info = replace(self._info, expires=stamp(self._clock.wall() + self._lease))
        try:
            self._tag = put_once(self._shelf, NAME, dump(info), self._tag)
        except Conflict:
            self._lost = True
        else:
            self._info, self._until, self._seen = info, started + self._lease, started

    def _beats(self) -> None:
        while not self._over.wait(self._lease / 4):
            try:
                self.renew()
            except StateError:
                continue  # the backend may be back before the lease ends; `check` knows when it has

    def release(self) -> None:
        """Let go. What somebody else holds by now is left alone; a backend that is away lets the lease run out."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
        with self._turn:
            if self._lost:
                return
            try:
                put_once(self._shelf, NAME, dump(_freed(self._info.fence)), self._tag)
            except (Conflict, StateError):
                self._lost = True


def _freed(fence: int, how: str = "") -> LockInfo:
    return LockInfo(id="", owner="", host="", pid=0, since="", operation=how, fence=fence)


def _given_back(holder: LockInfo | None) -> bool:
    """Tell whether the holder before surely writes no more."""
    return holder is None or (not holder.id and holder.operation != BROKEN)


def _expired(info: LockInfo, now: float) -> bool:
    try:
        return bool(info.expires) and datetime.datetime.fromisoformat(info.expires).timestamp() < now
    except ValueError:
        return False


def stamp(seconds: float) -> str:
    """Return a time (seconds since 1970) in ISO 8601, UTC."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def dump(info: LockInfo) -> bytes:
    """Return a lock as JSON."""
    return (json.dumps(asdict(info), indent=2) + "\n").encode()


def parse(content: bytes) -> LockInfo | None:
    """Return the lock of a document; None where it says nothing, as a lock file of an earlier version does."""
    try:
        data = json.loads(content)
        return LockInfo(**{one.name: data[one.name] for one in fields(LockInfo) if one.name in data})
    except (ValueError, TypeError):
        return None


def lost(where: str) -> StateError:
    """Return the error of a holder that is none any more."""
    return StateError(
        f"the lock of {where} was lost: its lease ended or it was broken",
        hint="nothing more is written; what was recorded is kept, run the command again",
    )


def held_by(holder: LockInfo | None, where: str) -> LockHeld:
    """Return the error that names the holder."""
    if holder is None:
        return LockHeld(f"the state {where} is locked by somebody", hint="try again, or give --lock-timeout SECONDS")
    who = f"{holder.owner} on {holder.host}" + (f" (process {holder.pid})" if holder.pid else "")
    job = f", {holder.job_url}" if holder.job_url else ""
    until = f"; its lease ends at {holder.expires} unless it is renewed" if holder.expires else ""
    return LockHeld(
        f"the state {where} is locked by {who} for {holder.operation} since {holder.since}{job}{until}",
        hint="wait for it to end, give --lock-timeout SECONDS, or, when that run is surely dead: "
        f"reconciler lock break {holder.id}",
    )

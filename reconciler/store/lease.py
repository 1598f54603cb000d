"""A lock as a document: an owner, a lease that its holder renews, and a generation that rises with every holder.

It needs nothing from a backend but a compare-and-set, so every shelf has the same lock. No clock is compared with
another one: a process that finds a lock watches it, and takes it over when it did not change for its lease on the
watcher's own steady clock. Its holder counts the lease from before its last renewal, on its own steady clock, so it
stops first.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, fields, replace

from reconciler.model.documents import MOST, read_json
from reconciler.model.errors import LockHeld, StateError
from reconciler.model.ports import AT_ONCE, LockInfo
from reconciler.model.waits import Waits
from reconciler.store.blobs import Blob, BlobStore, Conflict, put_once
from reconciler.store.options import Clock

NAME, BROKEN = "lock", "broken"
TYPES: dict[str, type[int] | type[float]] = {"pid": int, "fence": int, "beat": int, "lease": float}
"""Members of the document that are not texts."""
LONGEST = 600.0
"""Seconds that a lock is watched at most, whatever it says its lease is."""


class LockWatch:
    """One lock as a process sees it that waits for it: since when it has not changed, on the steady clock."""

    def __init__(self, lease: float) -> None:
        self._lease = lease
        self._tag, self._since = "", 0.0
        self.changed = False
        self.info: LockInfo | None = None

    def see(self, blob: Blob, now: float) -> None:
        """Take notice of the lock as it was read before `now`."""
        if blob.tag == self._tag:
            return
        self.changed = bool(self._tag)
        self._tag, self._since, self.info = blob.tag, now, parse(blob.content)

    def left(self, now: float) -> float:
        """Return the seconds after which its holder has surely stopped, if it does not change."""
        return self._since + lease_of(self.info, self._lease) - now

    def hopeful(self, wall: float) -> bool:
        """Return whether the lock is worth watching: it seems to have ended, or was broken."""
        if self.info is None or self.info.operation == BROKEN:
            return True
        return not self.changed and _expired(self.info, wall)


class LeaseLock:
    """The lock of one state. `tell(reason, seconds)` is told of waits that were not asked for."""

    def __init__(
        self,
        blobs: BlobStore,
        clock: Clock,
        waits: Waits | None = None,
        tell: Callable[[str, float], None] | None = None,
    ) -> None:
        self._blobs, self._clock, self._waits = blobs, clock, waits or Waits()
        self._tell = tell or (lambda reason, seconds: None)
        self._seen = LockWatch(self._waits.lease)

    def acquire(self, info: LockInfo, timeout: float) -> Lease:
        """Take the lock, waiting up to `timeout` seconds; longer only for one that seems to have ended, or was broken:
        its holder may be about to write, so it is watched for one lease. With `AT_ONCE` the caller waits, and tries
        again: the lock is watched from try to try. Raises LockHeld, which names the holder.
        """
        deadline = self._clock.steady() + max(timeout, 0.0)
        watch = LockWatch(self._waits.lease) if timeout != AT_ONCE else self._seen
        contested, reported = 0, False
        while True:
            blob = self._blobs.get(NAME)
            now = self._clock.steady()
            if blob is not None:
                watch.see(blob, now)
            if blob is None or self._free(watch.info) or watch.left(now) <= 0:
                taken = self._take(info, blob)
                if taken is not None:
                    return taken
                contested += 1
                if contested < 5:
                    continue
                raise held_by(None, self._blobs.where)
            left = deadline - now
            if timeout != AT_ONCE and watch.hopeful(self._clock.wall()):
                left = max(left, watch.left(now))
                if not reported:
                    self._tell(f"the lock of {self._blobs.where} {why_watched(watch.info)}", watch.left(now))
                    reported = True
            if left <= 0:
                raise held_by(watch.info, self._blobs.where)
            self._clock.sleep(min(self._waits.poll, left))

    def _take(self, info: LockInfo, blob: Blob | None) -> Lease | None:
        """Write the lock as ours; None where another process was faster."""
        holder = parse(blob.content) if blob is not None else None
        started = self._clock.steady()
        mine = replace(
            info,
            process=self._clock.process(),
            fence=(holder.fence if holder is not None else 0) + 1,
            expires=stamp(self._clock.wall() + self._waits.lease),
            lease=self._waits.lease,
            beat=0,
        )
        try:
            tag = put_once(self._blobs, NAME, dump(mine), blob.tag if blob is not None else None)
        except Conflict:
            return None
        seamless = blob is None or (holder is not None and given_back(holder))
        return Lease(self._blobs, self._clock, self._waits, mine, tag, started, seamless=seamless)

    def holder(self) -> LockInfo | None:
        """Return who holds the lock; one whose lease seems to have ended may hold it anyway."""
        blob = self._blobs.get(NAME)
        info = parse(blob.content) if blob is not None else None
        return None if info is None or not info.id or self._free(info) else info

    def break_lock(self, lock_id: str, note: Callable[[], None]) -> bool:
        """End the lease of this id; its holder finds out before its next write. Then call `note`."""
        blob = self._blobs.get(NAME)
        info = parse(blob.content) if blob is not None else None
        if blob is None or info is None or not lock_id or info.id != lock_id:
            return False
        try:
            put_once(self._blobs, NAME, dump(_broken(info)), blob.tag)
        except Conflict:
            return False
        note()
        return True

    def _free(self, info: LockInfo | None) -> bool:
        return info is not None and (given_back(info) or self._clock.dead(info.process))


class Lease:
    """A lock that is held: renewed by a thread, lost when it could not be renewed in time or was broken."""

    def __init__(
        self, blobs: BlobStore, clock: Clock, waits: Waits, info: LockInfo, tag: str, started: float, *, seamless: bool
    ) -> None:
        self._blobs, self._clock, self._waits = blobs, clock, waits
        self._info, self._tag, self._until = info, tag, started + waits.lease
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

    def check(self, seconds: float = 0.0) -> None:
        """Raise StateError unless the lock is still ours, and is for so many seconds more; one that is not is renewed
        first. It may have been broken in the last `look` seconds: a process that takes a broken lock waits for longer.
        """
        if self._clock.steady() - self._seen >= self._waits.look:
            self._look()
        if self._left() < seconds:
            with contextlib.suppress(StateError):
                self.renew()
        if self._lost or self._left() < seconds:
            raise lost(self._blobs.where)

    def _left(self) -> float:
        return self._until - self._waits.margin - self._clock.steady()

    def _look(self) -> None:
        """See whether the lock was broken. A backend that is unreachable for a moment says nothing: the lease still
        lasts.
        """
        with self._turn, contextlib.suppress(StateError):
            self._seen = self._clock.steady()
            blob = self._blobs.get(NAME)
            lock = parse(blob.content) if blob is not None else None
            if lock is None or (lock.id, lock.fence) != (self._info.id, self._info.fence):
                self._lost = True

    def renew(self) -> None:
        """Begin the lease again. A lock that another process took is lost for good."""
        with self._turn:
            if not self._lost and not self._over.is_set():
                self._put()

    def _put(self) -> None:
        started = self._clock.steady()
        if started >= self._until:
            self._lost = True
            return
        # What is written twice in one second, or after the wall clock was set back, has to look like a change too.
        expires = stamp(self._clock.wall() + self._waits.lease)
        info = replace(self._info, expires=expires, beat=self._info.beat + 1)
        try:
            self._tag = put_once(self._blobs, NAME, dump(info), self._tag)
        except Conflict:
            self._lost = True
        else:
            self._info, self._until, self._seen = info, started + self._waits.lease, started

    def _beats(self) -> None:
        pause = self._waits.lease / 4
        while not self._over.wait(pause):
            try:
                self.renew()
                pause = self._waits.lease / 4
            except StateError:
                pause = self._waits.lease / 30  # the backend may be back before the lease ends

    def release(self) -> None:
        """Let go: nothing of ours is on its way any more. What another process holds by now is left alone, what was
        broken is said to be given back; a backend that is unreachable lets the lease run out.
        """
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
        with self._turn, contextlib.suppress(Conflict, StateError):
            try:
                put_once(self._blobs, NAME, dump(freed(self._info.fence)), self._tag)
                return
            except Conflict:
                self._lost = True
            blob = self._blobs.get(NAME)
            if blob is not None and blob.content == dump(_broken(self._info)):
                put_once(self._blobs, NAME, dump(freed(self._info.fence + 1)), blob.tag)


def freed(fence: int) -> LockInfo:
    """Return the lock that is free."""
    return LockInfo(id="", owner="", host="", pid=0, since="", operation="", fence=fence)


def _broken(info: LockInfo) -> LockInfo:
    """Return what is left of a lock that was broken: whose it was, as far as one can tell whether that one is dead."""
    return replace(freed(info.fence + 1), operation=BROKEN, process=info.process, lease=info.lease)


def given_back(holder: LockInfo) -> bool:
    """Return whether the holder before surely writes no more."""
    return not holder.id and holder.operation != BROKEN


def why_watched(info: LockInfo | None) -> str:
    """Return why a lock is watched."""
    if info is None:
        return "cannot be read: it is watched until its holder has surely stopped"
    if info.operation == BROKEN:
        return "was broken: it is watched until the run that held it has surely stopped"
    return (
        f"seems to have ended at {info.expires}, but clocks may differ: it is watched until its holder, {info.owner} "
        f"on {info.host}, has surely stopped"
    )


def _expired(info: LockInfo, now: float) -> bool:
    try:
        return bool(info.expires) and datetime.datetime.fromisoformat(info.expires).timestamp() < now
    except ValueError:
        return False


def lease_of(info: LockInfo | None, otherwise: float) -> float:
    """Return how long a lock lasts, in seconds; what is not a sensible number says nothing."""
    lease = info.lease if info is not None else 0.0
    return lease if 0 < lease <= LONGEST else otherwise


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
        data = read_json(content)
        known = {field.name: data[field.name] for field in fields(LockInfo) if field.name in data}
        return LockInfo(**known) if all(_typed(name, value) for name, value in known.items()) else None
    except (ValueError, TypeError):
        return None


def _typed(name: str, value: object) -> bool:
    if name in TYPES:
        wanted = (int, float) if TYPES[name] is float else int
        return isinstance(value, wanted) and not isinstance(value, bool) and 0 <= value <= MOST
    return isinstance(value, str)


def lost(where: str) -> StateError:
    """Return the error of a holder that is none any more."""
    return StateError(
        f"the lock of {where} was lost: it was broken, or could not be renewed before its lease ended",
        hint="nothing more is written; what was recorded is kept, run the command again",
    )


def held_by(holder: LockInfo | None, where: str) -> LockHeld:
    """Return the error that names the holder."""
    if holder is None:
        return LockHeld(
            f"the state {where} is locked by another process", hint="try again, or give --lock-timeout SECONDS"
        )
    job = f", {holder.job_url}" if holder.job_url else ""
    until = f"; its lease ends at {holder.expires} unless it is renewed" if holder.expires else ""
    return LockHeld(
        f"the state {where} is locked by {holder.who} for {holder.operation} since {holder.since}{job}{until}",
        hint="wait for it to end, give --lock-timeout SECONDS, or, when that run is surely dead: "
        f"reconciler lock break {holder.id}",
    )

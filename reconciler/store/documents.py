"""The store: state, journal, lock, history and run records as documents on a shelf. One for all backends."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.model.documents import is_readable, outermost, read_document, written
from reconciler.model.errors import StateDamaged, StateError
from reconciler.model.garbage import give_back
from reconciler.model.identity import Fits
from reconciler.model.ports import Hold, LockInfo, Version
from reconciler.model.state import Record, State
from reconciler.model.waits import Waits
from reconciler.store.blobs import STATE, Blob, BlobStore, Conflict, put_once, replace
from reconciler.store.encryption import Seal
from reconciler.store.formats import dump_state, first_of, parse_state
from reconciler.store.journal import Journal
from reconciler.store.lease import LeaseLock, lost
from reconciler.store.locks import Locks, TakenLock
from reconciler.store.options import KEEP, Clock

if TYPE_CHECKING:
    from reconciler.model.run import RunRecord

RUNS = 100
"""Run records that are kept."""
HISTORY, RUN_FOLDER, UNREADABLE = "history", "runs", "unreadable"
NUMBERED = re.compile(r"/([0-9]+)(?:\.json)?$")
"""How the name of a kept version ends; other files in its folder are none of ours."""


class DocumentStore:
    """Implements `model.ports.Store`. `keep` is how many earlier versions of the state stay."""

    def __init__(
        self,
        blobs: BlobStore,
        *,
        seal: Seal | None = None,
        keep: int = KEEP,
        locks: Locks | None = None,
        clock: Clock | None = None,
        waits: Waits | None = None,
        tell: Callable[[str, float], None] | None = None,
        fits: Fits | None = None,
    ) -> None:
        self._blobs = blobs
        self._seal = seal or Seal()
        self._keep = keep
        self._fits = fits
        self._parsed: tuple[bytes, State] | None = None  # the last one, by the digest of its file
        clock = clock or Clock()
        self._locks: Locks = locks or LeaseLock(blobs, clock, waits, tell)
        self._held: TakenLock | None = None
        self._journal = Journal(blobs, self._seal, clock.steady, fits)

    @property
    def where(self) -> str:
        """The shelf's name."""
        return self._blobs.where

    @property
    def coalesces(self) -> bool:
        """Whether writes are round trips."""
        return self._blobs.pause > 0

    # --- state -----------------------------------------------------------------------------------------------------

    def read(self) -> State | None:
        """Return the state, or None where there is none."""
        blob = self._blobs.get(STATE)
        return None if blob is None else self._parse(blob.content)

    def write(self, state: State, *, expected_serial: int | None, folds: bool = False) -> None:
        """Replace the state, keeping the version before in the history."""
        self._check_lock()
        self._seal.check()
        blob = self._blobs.get(STATE)
        before = self._parse(blob.content) if blob is not None else None
        last, folded = (before.fence, before.folded) if before is not None else (0, 0)
        mine = self._held.fence if self._held is not None else 0
        if self._held is not None and last > mine:
            raise lost(self.where)
        if (before.serial if before is not None else None) != expected_serial:
            raise self._moved_on(before, expected_serial)
        fences = {"fence": max(last, mine), "folded": max(folded, mine if folds else 0)}
        with self._blobs.batch():
            if blob is not None and before is not None:
                self._keep_version(before.serial, blob)
            self._put_state(state.model_copy(update=fences), blob, expected_serial)
            for serial in self._serials(HISTORY)[: -self._keep or None]:
                self._blobs.remove(_version(serial))

    def _keep_version(self, serial: int, blob: Blob) -> None:
        if self._keep:
            with contextlib.suppress(Conflict):
                self._blobs.put(_version(serial), blob.content, None)

    def _put_state(self, state: State, before: Blob | None, expected: int | None) -> None:
        try:
            content = self._seal.close(dump_state(state))
            put_once(self._blobs, STATE, content, before.tag if before is not None else None)
            give_back(len(content))
        except Conflict:
            raise self._moved_on(self.read(), expected) from None

    def _moved_on(self, now: State | None, expected: int | None) -> StateError:
        current = f"serial {now.serial}" if now is not None else "none"
        wanted = f"serial {expected}" if expected is not None else "none"
        return StateError(
            f"the state {self.where} was changed by another process (found {current}, expected {wanted})",
            hint="nothing was overwritten; run the command again",
        )

    def _parse(self, content: bytes) -> State:
        mark = hashlib.sha256(content).digest()
        if self._parsed is None or self._parsed[0] != mark:
            self._parsed = (mark, self._fresh(content))
        return self._parsed[1]

    def _fresh(self, content: bytes) -> State:
        serials = self._serials(HISTORY)
        kept = f"; `reconciler state restore {serials[-1]}` brings back the version before" if serials else ""
        hint = f"nothing was changed{kept}"
        return parse_state(self._seal.open(content, f"the state {self.where}"), self.where, hint, self._fits)

    # --- history ---------------------------------------------------------------------------------------------------

    def history(self) -> Sequence[Version]:
        """Return the kept versions before the present one; a damaged one does not hide the others."""
        versions = []
        for serial in self._serials(HISTORY):
            try:
                state = self.version(serial)
            except StateDamaged as error:
                versions.append(Version(serial, "", None, error.message))
            else:
                if state is not None:
                    versions.append(Version(state.serial, state.updated, len(state.resources)))
        return versions

    def _serials(self, folder: str) -> list[int]:
        """Return the serials of the versions in a folder, the newest last."""
        return sorted(int(match[1]) for match in map(NUMBERED.search, self._blobs.names(folder)) if match)

    def version(self, serial: int) -> State | None:
        """Return a kept version."""
        blob = self._blobs.get(_version(serial))
        return None if blob is None else self._earlier(_version(serial), blob.content)

    def _earlier(self, name: str, content: bytes) -> State:
        where = f"{self.where}, {name}"
        return parse_state(self._seal.open(content, f"the state {where}"), where, fits=self._fits)

    def rescue(self, state: State, info: LockInfo, timeout: float) -> int:
        """Write a state over one that is damaged, which is kept beside; returns the new serial."""
        taken = self._locks.acquire(info, timeout)
        try:
            blob = self._blobs.get(STATE)
            if blob is None:
                raise StateError(f"there is no state at {self.where}")
            damaged = max([state.serial, *self._serials(HISTORY), *self._serials(UNREADABLE)]) + 1
            serial = damaged + 1
            with self._blobs.batch():
                replace(self._blobs, f"{UNREADABLE}/{damaged:08d}", blob.content)
                fenced = state.model_copy(update={"serial": serial, "fence": max(state.fence, taken.fence)})
                self._put_state(fenced, blob, None)
            return serial
        finally:
            taken.release()

    # --- journal ---------------------------------------------------------------------------------------------------

    def append(self, records: Sequence[Record], *, urgent: bool = True) -> None:
        """Add records to the journal."""
        self._check_lock()
        self._seal.check()
        self._journal.add(records, self._held.fence if self._held is not None else 0, urgent=urgent)

    def journal(self) -> Sequence[Record]:
        """Return the records that are not in the state yet."""
        state = self.read()
        return self._journal.read(state.folded if state is not None else 0)

    def clear_journal(self) -> None:
        """Drop the journal."""
        self._journal.clear()

    # --- lock ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def lock(self, info: LockInfo, *, timeout: float = 0.0) -> Iterator[Hold]:
        """Hold the lock. Where its holder before did not give it back, the new generation is stamped on the state: that
        holder's write finds another document than it expects.
        """
        taken = self._locks.acquire(info, timeout)
        try:
            self._take_over(taken)
            self._held = taken
            yield taken
            self._journal.flush()
        finally:
            self._held = None
            taken.release()

    def _take_over(self, taken: TakenLock) -> None:
        for _ in range(5):
            blob = self._blobs.get(STATE)
            if blob is None:
                return
            state = self._parse(blob.content)
            if state.fence >= taken.fence:
                taken.raise_fence(state.fence + 1)
            if taken.seamless:
                return
            content = self._seal.close(dump_state(state.model_copy(update={"fence": taken.fence})))
            with contextlib.suppress(Conflict):
                put_once(self._blobs, STATE, content, blob.tag)
                return
        raise StateError(f"the state {self.where} is written by another process without its lock", hint="try again")

    def _check_lock(self) -> None:
        if self._held is not None:
            self._held.check()

    def holder(self) -> LockInfo | None:
        """Return who holds the lock."""
        return self._locks.holder()

    def break_lock(self, lock_id: str, note: Callable[[], None] = lambda: None) -> bool:
        """Take the lock away from its holder."""
        return self._locks.break_lock(lock_id, note)

    # --- runs ------------------------------------------------------------------------------------------------------

    def save_run(self, run: RunRecord) -> None:
        """Write a run record; the oldest ones go."""
        self._check_lock()
        with self._blobs.batch():
            try:
                content = self._seal.close(written(run))
                replace(self._blobs, _run(run.name), content)
            except Conflict:
                raise StateError(f"the record of the run {run.name} is written by another process") from None
            for name in self._blobs.names(RUN_FOLDER)[:-RUNS]:
                self._blobs.remove(name)
        give_back(len(content))

    def run_names(self) -> Sequence[str]:
        """Return the names of the run records."""
        return [name.rpartition("/")[2].removesuffix(".json") for name in self._blobs.names(RUN_FOLDER)]

    def run(self, name: str) -> RunRecord | None:
        """Return a run record."""
        from reconciler.model.run import RUN_FORMAT, RunRecord

        blob = self._blobs.get(_run(name))
        if blob is None:
            return None
        what = f"the record of the run {name}"
        try:
            content = self._seal.open(blob.content, what)
            version = str(outermost(content).get("format_version", RUN_FORMAT))
            if not is_readable(version, RUN_FORMAT):
                raise StateError(
                    f"{what} in {self.where} has format {version}; this program reads {RUN_FORMAT}",
                    hint=f"install a version of reconciler that knows format {version} (the one that wrote it does); "
                    "nothing was changed",
                )
            return read_document(RunRecord, content, self._fits)
        except ValueError as error:
            raise StateError(
                f"{what} in {self.where} is corrupt: {first_of(error)}",
                hint="nothing was changed, and the state is whole: `reconciler state history` shows what the run made",
            ) from error

    # --- keys ------------------------------------------------------------------------------------------------------

    def reseal(self) -> int:
        """Encrypt every document for the recipients of now."""
        names = [STATE, *self._blobs.names(HISTORY), *self._blobs.names(RUN_FOLDER)]
        count = 0
        for name in names:
            blob = self._blobs.get(name)
            if blob is None:
                continue
            opened = self._seal.open(blob.content, f"{self.where} {name}".strip())
            try:
                put_once(self._blobs, name, self._seal.close(opened), blob.tag)
            except Conflict:
                raise StateError(f"{self.where} is being written by another process", hint="try again") from None
            count += 1
        return count

    def close(self) -> None:
        """Let go of connections."""
        self._blobs.close()


def _version(serial: int) -> str:
    return f"{HISTORY}/{serial:08d}.json"


def _run(name: str) -> str:
    return f"{RUN_FOLDER}/{name}.json"

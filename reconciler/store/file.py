"""State in a local file: atomic replace, a backup, an append-only journal, a lock. The default backend."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout
from pydantic import ValidationError

from reconciler.model.errors import LockHeld, StateError
from reconciler.model.ports import LockInfo
from reconciler.model.state import STATE_VERSION, Record, State


class FileStore:
    """Implements `model.ports.Store` on one file and its neighbours: `.backup`, `.journal`, `.lock`, `.lock.info`."""

    def __init__(self, path: Path, environment: str) -> None:
        self._path = path
        self._environment = environment
        self._backup = _beside(path, ".backup")
        self._journal = _beside(path, ".journal")
        self._lock = _beside(path, ".lock")
        self._info = _beside(path, ".lock.info")
        self._open: IO[str] | None = None

    @property
    def where(self) -> str:
        """The path of the state file."""
        return str(self._path)

    def read(self) -> State | None:
        """Return the state, or None where there is no file."""
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"the state {self.where} cannot be read: {error}") from error
        hint = (
            f"nothing was changed. The version before is in {self._backup}"
            if self._backup.exists()
            else "nothing was changed"
        )
        try:
            content = json.loads(text)
        except ValueError as error:
            raise StateError(
                f"the state {self.where} is corrupt: it is cut off or no JSON ({error})", hint=hint
            ) from error
        version = content.get("format_version") if isinstance(content, dict) else None
        if not isinstance(version, int):
            raise StateError(f"{self.where} is not a state of this program", hint=hint)
        if version > STATE_VERSION:
            raise StateError(
                f"the state {self.where} has format {version}; this program knows up to {STATE_VERSION}",
                hint="install the version that wrote it, or a newer one; nothing was changed",
            )
        try:
            return State.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise StateError(f"the state {self.where} is corrupt: {first['msg']} at {place}", hint=hint) from error

    def write(self, state: State, *, expected_serial: int | None) -> None:
        """Replace the file atomically, keeping the version before as a backup."""
        now = self.read()
        found = now.serial if now is not None else None
        if found != expected_serial:
            raise StateError(
                f"the state {self.where} was changed by somebody else (serial {found}, expected {expected_serial})",
                hint="nothing was overwritten; run the command again",
            )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if now is not None:
                _replace(self._backup, self._path.read_text("utf-8"))
            _replace(self._path, state.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise StateError(
                f"the state {self.where} cannot be written: {error.strerror}", hint="the old one is untouched"
            ) from error

    def append(self, record: Record) -> None:
        """Add a line to the journal; it is on disk when this returns."""
        try:
            if self._open is None:
                self._journal.parent.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                self._open = os.fdopen(descriptor, "a", encoding="utf-8")
            self._open.write(record.model_dump_json(exclude_defaults=True) + "\n")
            self._open.flush()
            os.fsync(self._open.fileno())
        except OSError as error:
            raise StateError(
                f"results cannot be recorded in {self._journal}: {error.strerror}",
                hint="no further write is started; what was recorded is kept, run apply again when there is room",
            ) from error

    def journal(self) -> Sequence[Record]:
        """Return the records; a line that a crash cut off at the end is as if it was never written."""
        try:
            lines = self._journal.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise StateError(f"the journal {self._journal} cannot be read: {error}") from error
        records = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(Record.model_validate_json(line))
            except ValidationError as error:
                if number == len(lines):
                    break
                raise StateError(
                    f"the journal {self._journal} is corrupt in line {number}", hint="nothing was changed"
                ) from error
        return records

    def clear_journal(self) -> None:
        """Remove the journal."""
        self._close()
        try:
            self._journal.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(f"the journal {self._journal} cannot be removed: {error.strerror}") from error

    @contextlib.contextmanager
    def lock(self, info: LockInfo, *, timeout: float = 0.0) -> Iterator[None]:
        """Hold the operating system's lock on a file beside the state; it is free as soon as its holder dies."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            held = FileLock(str(self._lock))
            held.acquire(timeout=max(timeout, 0.0))
        except Timeout:
            raise LockHeld(self._who(), hint="wait for it to end, or give --lock-timeout SECONDS") from None
        except OSError as error:
            raise StateError(f"the lock {self._lock} cannot be taken: {error.strerror}") from error
        try:
            _replace(self._info, json.dumps(asdict(info), indent=2) + "\n")
            yield
        finally:
            self._close()
            self._info.unlink(missing_ok=True)
            held.release()

    def _close(self) -> None:
        """Close the journal; the next record opens it again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _who(self) -> str:
        holder = self.holder()
        if holder is None:
            return f"the state {self.where} is locked by somebody"
        return (
            f"the state {self.where} is locked by {holder.owner} on {holder.host} (process {holder.pid}) "
            f"for {holder.operation} since {holder.since}" + (f", {holder.job_url}" if holder.job_url else "")
        )

    def holder(self) -> LockInfo | None:
        """Return what the holder wrote about itself."""
        try:
            return LockInfo(**json.loads(self._info.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def break_lock(self, lock_id: str) -> bool:
        """Remove the lock file of this id; whoever holds it goes on, on a file that nobody sees any more."""
        holder = self.holder()
        if holder is None or holder.id != lock_id:
            return False
        self._info.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)
        return True


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _replace(path: Path, text: str) -> None:
    """Write a file so that there is always the old or the new one, readable by its owner only."""
    new = _beside(path, ".new")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

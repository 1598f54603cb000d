"""State in a local file: atomic replace, a backup, an append-only journal, neighbours for the rest. The default."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.errors import StateError
from reconciler.store.atomic import SUFFIX, sync_folder, write_all, write_file
from reconciler.store.blobs import STATE, Blob, Conflict, NoLogs
from reconciler.store.reading import read_regular

PATIENCE = 10.0
"""Seconds to wait for another process to finish its one write."""


class FileBlobStore(NoLogs):
    """Documents as `PATH`, `PATH.lock`, `PATH.history/...`, readable by their owner only."""

    pause = 0.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self._whole: set[str] = set()

    @property
    def where(self) -> str:
        """The path of the state file."""
        return str(self._path)

    def _place(self, name: str) -> Path:
        return self._path if name == STATE else Path(f"{self._path}.{name}")

    def get(self, name: str) -> Blob | None:
        """Return a file's content."""
        path = self._place(name)
        try:
            content = read_regular(path)
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            if name == STATE:
                raise StateError(
                    f"the state {path} is a folder", hint="name a file: `state: file:state/NAME.json`"
                ) from None
            return None
        except OSError as error:
            raise StateError(f"{path} cannot be read: {error.strerror}", hint="nothing was changed") from error
        return Blob(content, hashlib.sha256(content).hexdigest())

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Replace a file atomically, one process at a time; the state keeps its version before as `PATH.backup`."""
        path = self._place(name)
        with self._writing(path):
            now = self.get(name)
            if (now.tag if now is not None else None) != tag:
                raise Conflict
            if name == STATE and now is not None:
                write_file(self._place("backup"), now.content, mode=0o600)
            write_file(path, content, mode=0o600)
        return hashlib.sha256(content).hexdigest()

    def remove(self, name: str) -> None:
        """Remove a file, and the folder that it leaves empty."""
        path = self._place(name)
        try:
            path.unlink(missing_ok=True)
            if "/" in name:
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
        except IsADirectoryError:
            return
        except OSError as error:
            raise StateError(f"{path} cannot be removed: {error.strerror}") from error

    def names(self, folder: str) -> list[str]:
        """Return the names of a neighbour folder."""
        try:
            names = [path.name for path in self._place(folder).iterdir() if not path.name.endswith(SUFFIX)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StateError(f"{self._place(folder)} cannot be read: {error.strerror}") from error
        return sorted(f"{folder}/{name}" for name in names)

    def append(self, name: str, line: bytes, *, durable: bool = True) -> bool:
        """Add a line; a durable one is on disk when this returns, with all that were added before. A half line at the
        end, from a crash, is truncated first.
        """
        path = self._place(name)
        with self._turn:
            if name in self._whole and _added(path, line, durable=durable):
                return True
            self._whole.discard(name)
        with self._writing(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = _whole(descriptor)
                try:
                    write_all(descriptor, line + b"\n")
                    os.fsync(descriptor)
                except OSError:
                    os.ftruncate(descriptor, size)
                    raise
                if not size:
                    sync_folder(path.parent)
            finally:
                os.close(descriptor)
            self._whole.add(name)
        return True

    @contextlib.contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """One writer at a time, for as long as one write takes; freed by the system when its process dies."""
        from filelock import FileLock, Timeout

        with self._turn:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(str(self._place("busy")), timeout=PATIENCE):
                    yield
            except Timeout:
                raise StateError(
                    f"{self.where} is being written by another process for more than {PATIENCE:.0f} seconds",
                    hint="look for a stopped or hanging reconciler",
                ) from None
            except OSError as error:
                raise StateError(
                    f"{path} cannot be written: {error.strerror}",
                    hint="what was written before is untouched; nothing is written to the account that cannot be "
                    "recorded. Run the command again when this is mended",
                ) from error


def _added(path: Path, line: bytes, *, durable: bool) -> bool:
    """Add a line at the end of a log in one piece; False, and nothing was added, where that cannot be or its last line
    is truncated: the careful way then makes the log, mends it or tells.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError:
        return False
    try:
        size = os.fstat(descriptor).st_size
        if not size or os.pread(descriptor, 1, size - 1) != b"\n" or os.write(descriptor, line + b"\n") <= len(line):
            return False
        if durable:
            try:
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)  # it is written again
                return False
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _whole(descriptor: int) -> int:
    """Truncate after the last line end, and return the size."""
    size = os.fstat(descriptor).st_size
    end = size
    while end and os.pread(descriptor, 1, end - 1) != b"\n":
        end -= 1
    if end != size:
        os.ftruncate(descriptor, end)
    return end

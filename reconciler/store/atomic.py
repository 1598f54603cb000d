"""The one way in which a command writes a file: whole, or not at all.

A process that is killed, or a disk that is full, leaves the old file or the new one, never a part: the content goes to
a file beside it, onto the disk, and takes the name in one step. Nothing else in this program writes files, but for
lines that are added to journals (`tests/store/test_atomic.py` looks for it).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.touched import touched

SUFFIX = ".new"
"""How the names of files that were not finished end."""
LINK = ".link."
"""How the names of links that were not put in place begin."""
LOOKS = 20
"""Times that a pipe is looked at for its reader, in a second."""
ABANDONED = 3600.0
"""Seconds after which such a file is abandoned."""


def write_file(path: Path, content: bytes, *, mode: int | None = None, fresh: bool = False) -> None:
    """Write a file; its folder is made. `mode` is that of the file (default: what it has, otherwise what the umask
    leaves of 0666); `fresh` refuses a file that is there (FileExistsError).

    What a symbolic link points to is written, and the link stays. A device, and a pipe that is read, are written
    as they are. Raises OSError; then the file is as it was.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        status = None
    if status is not None and fresh:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    if status is not None and not stat.S_ISREG(status.st_mode):
        descriptor = _open_special(path)
        with open(descriptor, "wb", buffering=0), _named(path):
            os.set_blocking(descriptor, True)
            write_all(descriptor, content)
        return
    target = Path(os.path.realpath(path))
    touched(str(path))
    if status is None:
        target.parent.mkdir(parents=True, exist_ok=True)
    kept = mode if mode is not None else stat.S_IMODE(status.st_mode) if status is not None else _usual_mode()
    import tempfile  # nothing is written by most plans

    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:200]}.", suffix=SUFFIX, dir=target.parent)
    with _gone_unless_done(name):
        try:
            os.chmod(name, kept)
            with _named(path):
                write_all(descriptor, content)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if fresh:
            os.link(name, target)  # unlike a rename, this fails where another process was faster
            os.unlink(name)
        else:
            os.replace(name, target)
    sync_folder(target.parent)
    _tidy(target)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of a descriptor say which file it is about, as those of paths do."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def link_to(path: Path, target: str) -> None:
    """Let a path be a symbolic link to a target, in one step; what it was is gone. Raises OSError."""
    name = path.parent / f"{LINK}{os.getpid()}{SUFFIX}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)
    os.symlink(target, name)
    with _gone_unless_done(name):
        os.replace(name, path)


@contextlib.contextmanager
def _gone_unless_done(name: str | Path) -> Iterator[None]:
    """Remove a file that was to be put in the place of another one, where that ends with an error."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def move(path: Path, target: Path) -> None:
    """Let a file take the name of another one, in one step. Raises OSError."""
    os.replace(path, target)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of it; a system call may take a part."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Put the names in a folder onto the disk. Some file systems cannot, and need not; nor can it be done in a folder
    that may be written and not read. What was renamed into it stands there anyway.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tidy(target: Path) -> None:
    """Remove what killed processes left of earlier attempts at this file."""
    now, begins = time.time(), f".{target.name[:200]}."
    for name in _unfinished(target.parent, now // ABANDONED):
        if name.startswith(begins):
            left = target.parent / name
            with contextlib.suppress(OSError):
                if now - left.stat().st_mtime > ABANDONED:
                    left.unlink()


@functools.lru_cache(maxsize=64)
def _unfinished(folder: Path, hour: float) -> tuple[str, ...]:
    """Return the names of the files in a folder that were not finished. It is looked at once an hour: what is abandoned
    in this one was there when it began, and a folder may hold the states of thousands of accounts.
    """
    with contextlib.suppress(OSError):
        return tuple(name for name in os.listdir(folder) if name.startswith(".") and name.endswith(SUFFIX))
    return ()


def _open_special(path: Path) -> int:
    """Open a device or pipe for writing. A pipe is given a second to be opened by its reader, then it is ENXIO."""
    for _ in range(LOOKS):
        try:
            return os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            time.sleep(1 / LOOKS)
    return os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))


def _usual_mode() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask

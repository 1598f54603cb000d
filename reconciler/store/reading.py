"""Files that a user named: regular ones, and no more of them than is ever written."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 30
"""Bytes of a file that is read, at most: a snapshot of half a million objects is smaller."""


@functools.cache
def _shown_by_the_kernel() -> frozenset[int]:
    """Return the file systems whose files are views into the system; what is mounted there only counts if it is one."""
    root = os.stat("/").st_dev
    devices = set()
    for folder in ("/proc", "/sys"):
        with contextlib.suppress(OSError):
            devices.add(os.stat(folder).st_dev)
    return frozenset(devices - {root})


def read_regular(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a regular file. Raises OSError for what is none: a pipe would wait for a writer, a device
    has no end, and what the kernel shows as a file (`/proc/self/environ`) is not a document; and for one that is larger
    than anything that is written.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):  # nothing of it can be opened further
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(status.st_mode) or status.st_dev in _shown_by_the_kernel():
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        # As much as it has, not as much as it may have: that is asked of the system in one piece.
        content = stream.read(min(status.st_size, most) + 1)
        while len(content) <= most and (more := stream.read(1 << 20)):
            content += more
    if len(content) > most:
        raise OSError(errno.EFBIG, "it is too large", str(path))
    return content

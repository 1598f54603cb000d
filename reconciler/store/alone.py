"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.errors import ReconcilerError

LOOKS = 100
"""Times that a folder is looked at in which another process writes, in ten seconds."""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time write files of a folder; the system lets go when it dies. The folder itself is what is
    locked: a file for that would stand among the user's. Where a file system cannot, no process waits. Raises
    ReconcilerError where another process writes there for ten seconds.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        for look in range(LOOKS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
                    break
                if look == LOOKS - 1:
                    raise ReconcilerError(
                        f"another command is writing files of {folder}; nothing was written", hint="run it again"
                    ) from None
                time.sleep(0.1)
            else:
                break
        yield
    finally:
        os.close(descriptor)

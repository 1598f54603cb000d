"""The standard streams as a process finds them: closed, full, or read by a process that goes away.

What is printed never decides about what is done: an apply whose reader is gone goes on, and is recorded.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN, errno.EBADF, errno.EIO})
"""How the system says that there is no reader (EIO: a terminal that was closed)."""


class _Sink(io.RawIOBase):
    """A descriptor whose first failing write is the last: what follows is dropped."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, content: object) -> int:
        view = memoryview(content)  # type: ignore[arg-type] # any buffer
        if self.error is None:
            try:
                return os.write(self.descriptor, view)
            except BlockingIOError:
                raise
            except OSError as error:
                self.error = error
        return view.nbytes


def prepare() -> None:
    """Let the three descriptors be open, so that no file of ours becomes standard output, and let no write to them
    fail.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)


def finish(code: int) -> int:
    """Write out what is left and return the exit code: one that says so where output was lost to a full disk."""
    lost = None
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        sink = getattr(getattr(stream, "buffer", None), "raw", None)
        if isinstance(sink, _Sink) and sink.error is not None and sink.error.errno not in GONE:
            lost = sink.error
    if lost is None:
        return code
    sys.stderr.write(f"error: what was printed is not complete: {lost.strerror}; what was done is\n")
    sys.stderr.flush()
    return code or 1


def _lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    errors = stream.errors if stream is not None else "replace"
    sink = _Sink(descriptor)
    line = descriptor == 2 or sink.isatty()
    return io.TextIOWrapper(io.BufferedWriter(sink), encoding, errors, line_buffering=line)

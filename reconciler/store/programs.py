"""Running other programs: Git, the program of a vault, the process that evaluates expressions. Each has an end: in
time, in what it prints, and by an interrupt of ours, which ends it with everything that it started.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SLICE = 0.1
"""Seconds after which an interrupt is seen at the latest."""
_CHUNK = 1 << 16
_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")
monotonic = time.monotonic


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a program: its exit code, what it printed, and whether it was `late` or printed too much (`loud`);
    `code` is negative then.
    """

    code: int
    printed: bytes
    errors: bytes = b""
    late: bool = False
    loud: bool = False


def run_program(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    seconds: float,
    *,
    most: int,
    given: bytes = b"",
    errors: bool = False,
) -> Ran:
    """Run a program without a shell and without a terminal, and return what it printed, to standard error only where
    `errors` are asked for: `most` bytes of each, in so many `seconds`.

    Raises OSError where it cannot be run, and KeyboardInterrupt after it was ended by one of the signals that end us:
    an event loop would see them only when it goes on.
    """
    with _interrupts() as asked:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if errors else subprocess.DEVNULL,
            start_new_session=True,
        )
        with process:
            try:
                ran = _Reading(process, monotonic() + seconds, most, memoryview(given), asked).ran()
            finally:
                if process.poll() is None:
                    with suppress(OSError):
                        os.killpg(process.pid, signal.SIGKILL)
    if asked:
        raise KeyboardInterrupt
    return ran


@dataclass
class _Reading:
    """What is read from a program until it ends, or has to."""

    process: subprocess.Popen[bytes]
    deadline: float
    most: int
    rest: memoryview
    """What is still to be written to it."""
    asked: Sequence[int]
    held: dict[int, bytearray] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """The seconds that it may still take; none where we are asked to end, or it printed too much."""
        return 0.0 if self.asked or self.loud else max(self.deadline - monotonic(), 0.0)

    @property
    def loud(self) -> bool:
        """Whether it printed more than it may."""
        return any(len(held) > self.most for held in self.held.values())

    def ran(self) -> Ran:
        """Read to the end. What it started and left behind is not waited for, though it may hold the pipes open."""
        with selectors.DefaultSelector() as selector:
            for stream in filter(None, (self.process.stdout, self.process.stderr)):
                selector.register(stream, selectors.EVENT_READ, stream)
                self.held[stream.fileno()] = bytearray()
            if self.process.stdin is not None:
                os.set_blocking(self.process.stdin.fileno(), False)
                selector.register(self.process.stdin, selectors.EVENT_WRITE, self.process.stdin)
            while selector.get_map() and self.left:
                ready = selector.select(min(self.left, SLICE))
                if not ready and self.process.poll() is not None:
                    break
                for key, _ in ready:
                    if not self._moved(key.fd):
                        selector.unregister(key.fileobj)
                        key.data.close()
        code = self._code()
        printed, *said = [bytes(held[: self.most]) for held in self.held.values()]
        late = code is None and not self.loud
        return Ran(-signal.SIGKILL if code is None else code, printed, said[0] if said else b"", late, self.loud)

    def _moved(self, descriptor: int) -> bool:
        """Read or write what goes at once, and return whether there is more."""
        if descriptor in self.held:
            chunk = os.read(descriptor, _CHUNK)
            self.held[descriptor] += chunk
            return bool(chunk)
        try:
            self.rest = self.rest[os.write(descriptor, self.rest[:_CHUNK]) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:  # nobody reads it any more
            return False
        return bool(self.rest)

    def _code(self) -> int | None:
        while self.left:
            with suppress(subprocess.TimeoutExpired):
                return self.process.wait(min(self.left, SLICE))
        return None


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Note the signals that end us instead of what is done about them else. Only the main thread gets any."""
    asked: list[int] = []
    numbers = [getattr(signal, name) for name in _ENDINGS if hasattr(signal, name)]
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: kept for number in numbers if callable(kept := signal.getsignal(number))}
    for number in before:
        signal.signal(number, lambda number, frame: asked.append(number))
    try:
        yield asked
    finally:
        for number, kept in before.items():
            signal.signal(number, kept)

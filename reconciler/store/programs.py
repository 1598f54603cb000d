"""Running other programs: Git, the program of a vault, the process that evaluates expressions. Each has an end: in
time, in what it prints, and by an interrupt of ours, which ends it with everything that it started. An `Attendant` is
kept between what it is asked.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path

from reconciler.model.records import mutable, record

SLICE = 0.1
"""Seconds after which an interrupt is seen at the latest."""
_CHUNK = 1 << 16
_ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")
monotonic = time.monotonic


@record
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


@mutable
class Attendant:
    """A program that is started once and asked again and again: a line on its standard input for each request, lines on
    its standard output for the answer. It ends with us, at the end of its input; one that does not answer is ended.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    _process: subprocess.Popen[bytes] | None = None
    _owner: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, given: bytes, lines: int, seconds: float, *, most: int) -> list[bytes]:
        """Return so many lines; fewer where it ends, takes longer than that, or says more than `most` bytes.

        Raises OSError where it cannot be run, and KeyboardInterrupt as `run_program` does.
        """
        with self._lock, _interrupts() as asked:
            answers: list[bytes] = []
            try:
                reading = _Reading(self._running(), monotonic() + seconds, most, memoryview(given + b"\n"), asked)
                answers = [line for line in reading.lines(lines).splitlines(keepends=True) if line.endswith(b"\n")]
            finally:
                if len(answers) != lines:
                    self._end()
        if asked:
            raise KeyboardInterrupt
        return answers

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process: a new one where it has ended, or belongs to the process that we were forked from."""
        process = self._process
        if process is None or self._owner != os.getpid() or process.poll() is not None:
            if process is not None and self._owner == os.getpid():
                self._end()
            process = subprocess.Popen(
                self.command,
                env=dict(self.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._process, self._owner = process, os.getpid()
            atexit.register(self.close)
        return process

    def close(self) -> None:
        """End it; what is asked later starts a new one."""
        with self._lock:
            if self._owner == os.getpid():
                self._end()

    def _end(self) -> None:
        atexit.unregister(self.close)
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            for stream in filter(None, (process.stdin, process.stdout)):
                with suppress(OSError):
                    stream.close()
            process.wait()


@mutable
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
        with self._selector() as selector:
            while selector.get_map() and self.left:
                ready = selector.select(min(self.left, SLICE))
                if not ready and self.process.poll() is not None:
                    break
                for key, _ in ready:
                    if not self._moved(key.fd):
                        selector.unregister(key.fileobj)
                        key.data.close()
        code = self._code()
        printed, *errors = [bytes(held[: self.most]) for held in self.held.values()]
        late = code is None and not self.loud
        return Ran(-signal.SIGKILL if code is None else code, printed, errors[0] if errors else b"", late, self.loud)

    def lines(self, count: int) -> bytes:
        """Read so many lines, and leave the pipes open."""
        with self._selector() as selector:
            (out,) = self.held.values()
            seen = complete = 0
            while complete < count and self.left:
                for key, _ in selector.select(min(self.left, SLICE)):
                    if not self._moved(key.fd):
                        selector.unregister(key.fileobj)
                        if key.fd in self.held:
                            return bytes(out)
                complete, seen = complete + out.count(b"\n", seen), len(out)
        return bytes(out)

    def _selector(self) -> selectors.BaseSelector:
        """Return what waits for the pipes of the program."""
        selector = selectors.DefaultSelector()
        for stream in filter(None, (self.process.stdout, self.process.stderr)):
            selector.register(stream, selectors.EVENT_READ, stream)
            self.held[stream.fileno()] = bytearray()
        if self.process.stdin is not None:
            os.set_blocking(self.process.stdin.fileno(), False)
            selector.register(self.process.stdin, selectors.EVENT_WRITE, self.process.stdin)
        return selector

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
        except BrokenPipeError:  # its reader has gone
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

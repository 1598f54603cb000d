"""Simulated time and the processes that live in it.

A process is a thread that runs only while it holds the baton; it hands the baton on whenever it waits, so that one runs
at a time and the order is that of simulated time. Nothing really waits.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Any, TypeVarTuple

Ts = TypeVarTuple("Ts")
EPOCH = 1_800_000_000.0
"""Seconds since 1970 at which simulated time begins."""


class Killed(BaseException):
    """The process died here; like SIGKILL it is no error that anything could handle."""


class Process:
    """One process: its clocks, its fate, and whether it lives. `wall` is what its wall clock adds to the true time."""

    def __init__(self, scheduler: Scheduler, name: str, wall: float = 0.0, machine: int = 1) -> None:
        self.scheduler, self.name, self.wall, self.machine = scheduler, name, wall, machine
        self.steady_from = 1000.0 + 77.0 * scheduler.started
        scheduler.started += 1
        self.baton = threading.Semaphore(0)
        self.frozen_until = 0.0
        self.dead = self.over = False
        self.waits = 0
        self.problem: BaseException | None = None
        self.interrupt: Callable[[], object] | None = None
        self.at_end: list[Callable[[], None]] = []

    def steady(self) -> float:
        """The steady clock of this process, in seconds from an origin of its own."""
        return self.steady_from + self.scheduler.now

    def wall_time(self) -> float:
        """What this process takes for the time, in seconds since 1970."""
        return EPOCH + self.scheduler.now + self.wall

    def sleep(self, seconds: float) -> None:
        """Wait; the process may be frozen longer, or die."""
        self.scheduler.wait(self, self.scheduler.now + max(0.0, seconds))

    def alive(self) -> None:
        """Raise Killed where the process is dead: whatever it still runs on its way out does nothing."""
        if self.dead:
            raise Killed

    def freeze(self, seconds: float) -> None:
        """Stop for so long at the next wait, as SIGSTOP does; a lease of the process is not renewed meanwhile."""
        self.frozen_until = max(self.frozen_until, self.scheduler.now + seconds)

    def die(self) -> None:
        """Die at once. Only the process itself may call it."""
        self.dead = True
        raise Killed

    def run(self, work: Callable[[], None]) -> None:
        """Do the work of the process to its end."""
        try:
            self.alive()
            work()
        except Killed:
            self.dead = True
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for the process
            self.problem = error
        self.over = True


class Scheduler:
    """The one clock, and everything that is due."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], Process | None]]] = []
        self._numbers = itertools.count()
        self.started = 0
        self.main = Process(self, "")

    def at(self, when: float, action: Callable[[], Process | None]) -> None:
        """Do something at a time; an action may name the process that runs next."""
        heapq.heappush(self._due, (max(when, self.now), next(self._numbers), action))

    def event(self, when: float, action: Callable[[], Any]) -> None:
        """Do something at a time that wakes no process."""

        def act() -> None:
            action()

        self.at(when, act)

    def wait(self, process: Process, until: float) -> None:
        """Let others run until the time has come for this process. Raises Killed."""
        process.alive()
        process.waits += 1
        turn = process.waits

        def wake() -> Process | None:
            if process.waits != turn or process.over:
                return None
            if process.frozen_until > self.now and not process.dead:
                self.at(process.frozen_until, wake)
                return None
            return process

        self.at(until, wake)
        self._hand_on(process)
        process.alive()

    def _hand_on(self, process: Process | None) -> None:
        """Let time go on to the next process; return when `process` has its turn, at once where it is over."""
        while True:
            when, _, action = heapq.heappop(self._due)
            self.now = max(self.now, when)
            following = action()
            if following is not None:
                break
        if following is process:
            return
        following.baton.release()
        if process is not None:
            process.baton.acquire()

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """Start a process; it runs as soon as the caller waits."""

        def body() -> None:
            process.baton.acquire()
            process.run(work)
            for action in process.at_end:
                action()
            self._hand_on(None)

        threading.Thread(target=body, name=process.name, daemon=True).start()
        self.at(self.now, lambda: process)

    def pass_time(self, seconds: float) -> None:
        """Let the world go on for so long, as whoever drives it."""
        self.wait(self.main, self.now + seconds)

    def join(self, *processes: Process) -> None:
        """Wait, as whoever drives the world, until these are over. Raises what one of them did not expect."""
        for process in processes:
            while not process.over:
                process.at_end.append(lambda: self.at(self.now, lambda: self.main))
                self.main.waits += 1
                self._hand_on(self.main)
            if process.problem is not None:
                raise process.problem

    def kill(self, process: Process) -> None:
        """Kill a process that waits, frozen or not."""
        if not process.over:
            process.dead = True
            self.at(self.now, lambda: None if process.over else process)


class _Timers:
    """The selector of a loop in which nothing is ever readable: what it waits for are timers."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError(f"{self._process.name} waits for something that never comes")
        if timeout > 0:
            self._process.sleep(timeout)
        return []


class Loop(asyncio.BaseEventLoop):
    """An event loop of one process in simulated time; signals are kept for whoever sends them."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self._selector = _Timers(process)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._process.steady()

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else wakes this loop."""

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        self._process.interrupt = lambda: callback(*args)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What is left over of a process that died is no news."""
        if not self._process.dead:
            super().call_exception_handler(context)

"""Time for tests: an event loop and a clock in which waiting takes none, they jump to whatever is due next."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from reconciler.store import Clock

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Never blocks for longer than it takes to see that nothing is ready; counts what it skipped, in seconds."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.skipped += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on such a selector."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    @property
    def skipped(self) -> float:
        """The seconds that were not waited for."""
        return self._jumping.skipped

    def time(self) -> float:
        return super().time() + self.skipped


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; sleeps inside take no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)


def jumping_clock() -> Clock:
    """Return a clock for locks whose `sleep` moves it on instead of waiting."""
    skipped = 0.0

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    return Clock(lambda: time.time() + skipped, lambda: time.monotonic() + skipped, sleep)

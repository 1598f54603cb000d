"""Time for tests: an event loop and a clock in which waiting takes none, they jump to whatever is due next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from reconciler.store import Clock
from reconciler.workflow.scenarios.instant import InstantLoop

T = TypeVar("T")


class JumpingLoop(InstantLoop):
    """The event loop of the program's own emulations, whose waiting takes no time, on an infinitely fast machine:
    what a busy one takes to compute is no delay of a request.
    """

    def time(self) -> float:
        """Seconds that were skipped."""
        return self.skipped


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; sleeps inside take no time. As in the program, the runner is kept from writing the
    result out as text.
    """
    kept: list[T] = []

    async def work() -> None:
        kept.append(await coroutine)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(work())
    return kept[0]


def jumping_clock() -> Clock:
    """Return a clock for locks whose `sleep` moves it on instead of waiting."""
    skipped = 0.0

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    return Clock(lambda: time.time() + skipped, lambda: time.monotonic() + skipped, sleep)

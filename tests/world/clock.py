"""Time for tests: an event loop and a clock in which waiting takes none, they jump to whatever is due next."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from reconciler.store import Clock
from reconciler.workflow.opening.runtime import current_runtime, run_async, within
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
    """Run a coroutine to its end, as the program runs a verb; sleeps inside take no time."""
    with within(replace(current_runtime(), loop=JumpingLoop)):
        return run_async(coroutine)


def jumping_clock() -> Clock:
    """Return a clock for locks whose `sleep` moves it on instead of waiting."""
    skipped = 0.0

    def sleep(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds

    return Clock(lambda: time.time() + skipped, lambda: time.monotonic() + skipped, sleep)

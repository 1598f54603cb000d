"""Spacing of requests: the account allows 5 a second, shared with every other integration (section 1.8 of the API
page).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MARGIN = 1.02
"""At exactly the limit, jitter draws 429 answers; 2 % below it does not."""
SLACK = 1e-6
"""Seconds by which clocks may be rounded."""


class Pacer:
    """Lets requests pass one `interval` apart (seconds), in the order in which they ask. A rate of None lets
    everything pass. All connections of a process to one account share one: the limit is the account's.
    """

    def __init__(
        self, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._interval = MARGIN / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0
        self._held = 0.0
        self._passed = -self._interval

    async def wait(self) -> None:
        """Return when the next request may be sent. A slot is reserved before waiting, so that callers queue up; who
        was waiting when the account was held queues up again.
        """
        while True:
            now = self._clock()
            slot = max(now, self._next, self._held)
            self._next = slot + self._interval
            if slot > now:
                await self._sleep(slot - now)
            if self._held <= slot:
                await self._apart(slot)
                return

    async def _apart(self, slot: float) -> None:
        """Keep the distance to the request before where the program woke up late: many slots are due at once then, and
        the account counts when requests come, not when they were meant to.
        """
        turn = max(self._clock(), slot)
        while turn < self._passed + self._interval - SLACK:
            await self._sleep(self._passed + self._interval - turn)
            turn = max(self._clock(), self._passed + self._interval)
        self._passed = turn
        self._next = max(self._next, turn + self._interval)

    def hold(self, seconds: float) -> bool:
        """Let nothing pass for so long: the account said so. Returns whether that is longer than was known."""
        until = self._clock() + seconds
        longer = until > self._held + 0.5
        self._held = max(self._held, until)
        return longer

"""Spacing of requests: the account allows 5 a second, shared with every other integration (section 1.8 of the API
page).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MARGIN = 1.02
"""At exactly the limit, jitter draws 429 answers; 2 % below it does not."""


class Pacer:
    """Lets requests pass one `interval` apart (seconds), in the order in which they ask. A rate of None lets
    everything pass.
    """

    def __init__(
        self, rate: float | None, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._interval = MARGIN / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = 0.0

    async def wait(self) -> None:
        """Return when the next request may be sent; the slot is reserved before waiting, so that callers queue up."""
        now = self._clock()
        slot = max(now, self._next)
        self._next = slot + self._interval
        if slot > now:
            await self._sleep(slot - now)

    def hold(self, seconds: float) -> None:
        """Send nothing for so long: the account said so."""
        self._next = max(self._next, self._clock() + seconds)

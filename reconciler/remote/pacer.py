"""Spacing of requests: the account allows 5 a second, shared with every other integration (section 1.8 of the API
page).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from reconciler.model.http import MARGIN

JITTER = 0.045
"""Seconds by which a request is taken to come later than the fastest do; what takes longer is the account's work."""
STRICT = 5.0
"""Seconds that an answer is waited for, where an account has refused a request for coming too fast, and where many
accounts share a process: a request came at the latest when it was answered, and comes at the earliest when it is sent.
"""
ROUNDED = 0.002
"""Seconds by which clocks and timers may be off."""
SLACK = 1e-6
EARLY = 4
"""Times that a request goes to sleep again because it woke up too early; a clock that stands still is left at that."""
LATEST = 60.0
"""Seconds after which a request that had its turn has surely been sent, or given up."""
REMEMBERED = 64
"""Answers among which the fastest is looked for: ways through a network change."""


class Turn:
    """One request: when it may have come to the account at the latest follows from its answer."""

    __slots__ = ("_pacer", "ended", "passed", "sent")

    def __init__(self, pacer: Pacer, passed: float) -> None:
        self._pacer = pacer
        self.passed = passed
        self.sent: float | None = passed
        self.ended: float | None = None

    def queued(self) -> None:
        """Take note that it still waits for a connection."""
        self.sent = None

    def left(self) -> None:
        """Take note that it is on its way now."""
        if self.sent is None:
            self.sent = max(self._pacer.now(), self.passed)

    def over(self, *, answered: bool = False) -> None:
        """Take note that its answer has begun to come, or that it was given up."""
        self.left()
        if self.sent is not None and self.ended is None:
            self.ended = max(self._pacer.now(), self.sent)
            if answered:
                self._pacer.learn(self.ended - self.sent)


class Pacer:
    """Lets requests pass in the order in which they ask, one `interval` apart (seconds), and no more than the rate
    allows within any second at the account, however late some of them come. A rate of None lets everything pass. All
    connections of a process to one account share one: the limit is the account's. With `other`, another process may
    have talked to the account until now.
    """

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        jitter: float = JITTER,
        other: bool = False,
    ) -> None:
        self.now = clock
        self._interval = MARGIN / rate if rate else 0.0
        self._jitter = jitter
        self._sleep = sleep
        self._held = clock() + self._interval if other else 0.0
        many = max(1, round(rate)) if rate else 0
        self._span = many / rate if rate else 0.0
        self._turns: deque[Turn] = deque(maxlen=many)
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._line: tuple[object, asyncio.Lock] | None = None

    @property
    def paced(self) -> bool:
        """Whether there is a limit."""
        return self._interval > 0

    async def wait(self) -> Turn:
        """Return when the next request may be sent; who sends it says when it left and when it was over."""
        if not self.paced and self._held <= self.now():
            return Turn(self, self.now())
        async with self._queue():
            now, early = self.now(), 0
            while (due := self._due(now)) > now + SLACK:
                before = self.now()
                await self._sleep(due - before)
                early += before < self.now() < due  # woke up early
                now = self.now() if before < self.now() and early < EARLY else max(self.now(), due)
            turn = Turn(self, now)
            self._turns.append(turn)
            return turn

    def _queue(self) -> asyncio.Lock:
        """Return what lets one after the other; a pace outlives the event loop of a plan."""
        loop = asyncio.get_running_loop()
        if self._line is None or self._line[0] is not loop:
            self._line = loop, asyncio.Lock()
        return self._line[1]

    def _due(self, now: float) -> float:
        """Return when the next request may be sent, as far as is known now. Of as many requests as the rate allows in a
        second, the first one must be that long at the account before another one can be there.
        """
        due = max(self._held, self._turns[-1].passed + self._interval if self._turns else 0.0)
        if not self.paced or len(self._turns) < (self._turns.maxlen or 0):
            return due
        first = self._turns[0]
        if first.sent is None:
            return max(due, min(now + self._interval, first.passed + LATEST))
        took = (now if first.ended is None else first.ended) - first.sent
        fastest = min(self._took, default=0.0) if self._jitter < STRICT else 0.0
        late = min(self._jitter, max(0.0, took - fastest))
        return max(due, first.sent + self._span + late + ROUNDED)

    def learn(self, took: float) -> None:
        """Take note of the seconds after which a request was answered, where that is asked for."""
        if self._jitter < STRICT:
            self._took.append(took)

    def hold(self, seconds: float) -> bool:
        """Let nothing pass for so long: the account said so. Returns whether that is longer than was known."""
        self._jitter = STRICT
        until = self.now() + seconds
        longer = until > self._held + 0.5
        self._held = max(self._held, until)
        return longer

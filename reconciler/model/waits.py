"""How long a run waits, and for what, in seconds. One place, so that a test sets all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Waits(NamedTuple):
    """The lock's: `lease` is how long it lasts without being renewed, `look` how long its holder goes on without having
    seen it, `poll` the time between two looks at a lock that is held. The account's: `answer` is how long an
    answer may take, `settling` the pauses before each look for what a write without an answer did, together as long as
    a write may be on its way after its sender gave up (a proxy hands it over, or its sender was killed), `late` how
    long a listing may take to show what was written.
    """

    lease: float = 60.0
    look: float = 3.0
    poll: float = 0.5
    answer: float = 30.0
    settling: tuple[float, ...] = (1.0, 4.0, 35.0)
    late: float = 2.0

    @property
    def margin(self) -> float:
        """How much earlier than it has to a holder stops: its clock may be slower than that of the process that
        watches.
        """
        return self.lease / 30


class Endless(Exception):
    """An answer does not end: it is longer, or takes longer, than any answer may."""


def whole(pieces: Iterable[bytes], *, most: int, seconds: float, clock: Callable[[], float]) -> bytes:
    """Return the pieces of an answer as one, of so many bytes at most, in so many seconds for all of them together.

    Raises Endless. What yields the pieces bounds the wait for each.
    """
    content, until = bytearray(), clock() + seconds
    for piece in pieces:
        content += piece
        if len(content) > most:
            raise Endless(f"the answer has more than {most:,} bytes")
        if clock() > until:
            raise Endless(f"the whole answer takes more than {seconds:g} seconds")
    return bytes(content)

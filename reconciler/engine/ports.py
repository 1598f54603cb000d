"""What the applier needs from outside, and what it returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from typing import Protocol

from reconciler.model.errors import ReconcilerError
from reconciler.model.events import Event
from reconciler.model.http import Remote
from reconciler.model.plan import Change
from reconciler.model.records import record
from reconciler.model.state import Binding, Record
from reconciler.model.waits import Waits
from reconciler.model.write import Write


class Recounting(Protocol):
    """Counts what a change costs right before it is sent. Raises Refused where that is more than was approved."""

    async def __call__(self, change: Change, write: Write, *, unsent: bool = False) -> None:
        """Count once; `unsent` where the request before was the same one and was surely not carried out."""
        ...

    def alone(self, change: Change) -> AbstractAsyncContextManager[None]:
        """Return what is held while a change is counted and sent."""
        ...


@record
class Ports:
    """What the applier needs from outside. `record` makes a journal record durable before it returns; `settle`
    returns the change that is left to do for an address (None: nothing) after looking at the account; `gone(kind, id)`
    looks whether an object is not there any more, and is False where the account does not say;
    `binding(change, id, complete, spares)` makes what the state remembers; `recount` is asked before every request
    that can take something away; `stop` is set to start nothing new.

    `settling` are the seconds before each look for what a write without an answer did: it may still be on its way, so
    that what is not there at the first look is looked for again before anything is sent again. `late` is what is left
    to do for creates of a run that died, which came to light after the plan was made.
    """

    remote: Remote
    record: Callable[[Record], None]
    settle: Callable[[str], Awaitable[Change | None]]
    gone: Callable[[str, str], Awaitable[bool]]
    emit: Callable[[Event], None]
    clock: Callable[[], float]
    secret: Callable[[str], str]
    binding: Callable[[Change, str, bool, list[str]], Binding]
    recount: Recounting
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    settling: Sequence[float] = Waits().settling
    late: Mapping[str, Change] = field(default_factory=dict)


@record
class StepOutcomes:
    """What became of the steps, by number: done, failed with its error, skipped with its cause."""

    done: frozenset[int]
    failed: Mapping[int, ReconcilerError]
    skipped: Mapping[int, str]
    cancelled: bool = False

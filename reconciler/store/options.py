"""What a store is opened with. Light: every session has it, and most commands never open the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple

from reconciler.model.identity import Fits
from reconciler.model.records import record
from reconciler.model.waits import Waits
from reconciler.store.process import identity, is_dead

KEEP = 20
"""Versions of a state that are kept."""


def _steady() -> float:
    """Seconds that go on while the machine or the process sleeps, and do not follow the wall clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clock(NamedTuple):
    """Time as a lock sees it: the wall clock (seconds since 1970), a steady one, and a way to wait; and which process
    this is, and whether another one is surely dead.
    """

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = _steady
    sleep: Callable[[float], None] = time.sleep
    beat: bool = True
    """Whether a thread renews the lease; tests renew manually."""
    process: Callable[[], str] = identity
    dead: Callable[[str], bool] = is_dead


@record
class StoreOptions:
    """What a store is opened with: who may read it, how many versions it keeps, the environment, the clock, how long it
    waits, who is told of long waits (reason, seconds), and what tells whether an id is one of its kind.
    """

    environment: str = "state"
    recipients: Sequence[str] = ()
    history: int = KEEP
    environ: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    waits: Waits = field(default_factory=Waits)
    tell: Callable[[str, float], None] = lambda reason, seconds: None
    fits: Fits | None = None

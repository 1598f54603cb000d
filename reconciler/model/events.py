"""What an apply reports while it runs: a closed set of events."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.address import Address
from reconciler.model.plan import Op


@dataclass(frozen=True, slots=True)
class Started:
    """A step begins."""

    number: int
    address: Address
    op: Op
    total: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is done and recorded. `seconds` is wall time."""

    number: int
    address: Address
    op: Op
    seconds: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step failed; what depends on it will be skipped."""

    number: int
    address: Address
    op: Op
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """A step was not tried, because of `cause`."""

    number: int
    address: Address
    op: Op
    cause: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits, for instance for the account's rate limit. `seconds` is how long at most."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth a line: a settled create, a value the server rewrote."""

    address: Address
    message: str
    severity: str = "info"


Event = Started | Finished | Failed | Skip | Waiting | Noted

"""What an apply reports while it runs: a closed set of events."""

from __future__ import annotations

from reconciler.model.address import Address
from reconciler.model.plan import Op
from reconciler.model.records import record


@record
class Started:
    """A step begins."""

    number: int
    address: Address
    op: Op
    total: int


@record
class Finished:
    """A step is done and recorded. `seconds` is wall time."""

    number: int
    address: Address
    op: Op
    seconds: float
    id: str = ""


@record
class Failed:
    """A step failed; what depends on it will be skipped."""

    number: int
    address: Address
    op: Op
    message: str
    hint: str = ""


@record
class Skip:
    """A step was not tried, because of `cause`."""

    number: int
    address: Address
    op: Op
    cause: str


@record
class Waiting:
    """The run waits, for instance for the account's rate limit. `seconds` is how long at most."""

    reason: str
    seconds: float


@record
class Noted:
    """Something worth a line: a settled create, a value the server rewrote."""

    address: Address
    message: str
    severity: str = "info"


Event = Started | Finished | Failed | Skip | Waiting | Noted

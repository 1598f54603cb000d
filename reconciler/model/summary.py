"""What an apply came to: counts, failures and costs, for the closing lines and the exit code."""

from __future__ import annotations

from reconciler.model.address import Address
from reconciler.model.records import record
from reconciler.model.redaction import Shown


@record
class ApplySummary:
    """The outcome of an apply. A replace counts as one added and one destroyed, as in the plan.

    `failed` holds (address, message, hint), of which `refused` cost more than was approved; `skipped` holds
    (address, cause). `requests` were sent, `forecast` were promised (None: there was no forecast). `seconds` is wall
    time. `archived` customer records are in the folder `archive`.
    """

    added: int = 0
    changed: int = 0
    destroyed: int = 0
    switched_off: int = 0
    adopted: int = 0
    failed: tuple[tuple[Address, str, str], ...] = ()
    refused: tuple[Address, ...] = ()
    skipped: tuple[tuple[Address, str], ...] = ()
    notes: tuple[Shown, ...] = ()
    requests: int = 0
    forecast: int | None = None
    seconds: float = 0.0
    archive: str = ""
    archived: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything that was planned was done."""
        return not self.failed and not self.skipped

"""The verb `coverage`: what of the account is managed. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.config.reading.ignores import live_ignores
from reconciler.deriving.coverage import KindCoverage, cover, percent
from reconciler.workflow.observing import connected
from reconciler.workflow.session import Session


@dataclass(frozen=True)
class Ledger:
    """The coverage of an account, kind by kind."""

    kinds: tuple[KindCoverage, ...]

    @property
    def percent(self) -> float:
        """The share of objects that are managed or deliberately ignored, over all kinds that could be read."""
        return percent(self.kinds)

    @property
    def unknown(self) -> dict[str, str]:
        """Kinds that could not be read, with the reason."""
        return {row.kind: row.unknown for row in self.kinds if row.unknown}

    @property
    def aside(self) -> list[str]:
        """What is not counted by decision, in words."""
        return [line for row in self.kinds for line in row.aside]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each kind, for tables and machines."""
        return [
            {
                "address": row.kind,
                "kind": row.kind,
                "id": None,
                "managed": row.managed,
                "ignored": row.ignored,
                "unmanaged": len(row.unmanaged),
                "percent": round(percent([row]), 1) if not row.unknown else None,
                "unknown": row.unknown or None,
                "aside": row.aside,
                "objects": [{"address": one.address, "id": one.id} for one in row.unmanaged],
            }
            for row in self.kinds
        ]


async def coverage(session: Session) -> Ledger:
    """Read the account and return its coverage. Raises ConfigError for an ignore rule that is past its date."""
    rules = live_ignores(session.project, session.kinds, session.runtime.now().date())
    async with connected(session) as account:
        seen = await account.observe_all()
    bindings = seen.book.state().resources
    return Ledger(tuple(cover(seen.snapshot, session.kinds, bindings, rules, session.redactor)))

"""How far a rollout is, looked for again and again: what has ended is read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from datetime import UTC, datetime
from typing import Protocol

from reconciler.fleet.rollout_store import RolloutStore
from reconciler.fleet.spec import OVER, RolloutSpec, wave_of
from reconciler.model.fleet import JobResult, Standing, WaveStanding
from reconciler.model.records import mutable

BEHIND = 30.0
"""Seconds that the end of a workflow may be on record before others can read it."""


class EndedWorkflow(Protocol):
    """What the engine says of a workflow; `completed_at` is in milliseconds since 1970."""

    workflow_id: str
    completed_at: int | None


@mutable
class Ended:
    """Workflows that have ended, looked for again and again: each is told once, and those that ended long before the
    last look are not read again. The database says when one ended, whichever machine did it.
    """

    known: set[str] = field(default_factory=set)
    _last: int = 0

    @property
    def since(self) -> str | None:
        """When one must have ended, at the earliest, to be new; None: at any time."""
        moment = self._last / 1000 - BEHIND
        return datetime.fromtimestamp(moment, UTC).isoformat() if self._last else None

    def fresh(self, rows: Iterable[EndedWorkflow]) -> list[str]:
        """Return the ids of those that are new."""
        ended = [row for row in rows if row.workflow_id not in self.known]
        self._last = max([self._last, *(row.completed_at or 0 for row in ended)])
        ids = [row.workflow_id for row in ended]
        self.known.update(ids)
        return ids


@mutable
class Look:
    """How far a rollout is, told again and again: what came of an account is read once, and its figures are kept."""

    store: RolloutStore
    spec: RolloutSpec
    _ended: Ended = field(default_factory=Ended)
    _count: Counter[tuple[str, str]] = field(default_factory=Counter)
    _requests: int = 0

    def now(self) -> Standing:
        """Return how far it is now."""
        running = Counter(wave_of(row.workflow_id) for row in self.store.accounts(self.spec.name, ["PENDING"]))
        fresh = self._ended.fresh(self.store.accounts(self.spec.name, OVER, self._ended.since))
        for workflow, result in self.store.results_of(fresh):
            self._add(workflow, result)
        return Standing(
            self.spec.mode,
            tuple(
                WaveStanding(
                    name,
                    len(names),
                    planned=self._count[name, "planned"],
                    todo=self._count[name, "todo"],
                    applied=self._count[name, "applied"],
                    running=running[name],
                    failed=self._count[name, "failed"],
                )
                for name, names in self.spec.members.items()
            ),
            self._requests,
        )

    def _add(self, workflow: str, result: JobResult | None) -> None:
        wave, apply = wave_of(workflow), "/apply/" in workflow
        self._count[wave, "applied" if apply else "planned"] += 1
        if result is not None:
            self._requests += result.requests
            self._count[wave, "failed"] += result.bad
            self._count[wave, "todo"] += not apply and result.outcome == "changes"

"""A rollout as it is on record: what it is about, and the names of its parts."""

from __future__ import annotations

import base64
import zlib
from functools import cached_property
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from reconciler import __version__
from reconciler.model.empty import no_items, no_members
from reconciler.model.errors import StateError
from reconciler.model.fleet import FLEET_FORMAT, Job, JobResult, Wave

VERSION = f"reconciler {__version__}, fleet {FLEET_FORMAT}"
"""The engine's application version: what was begun by one program is not finished by another one unasked."""
PROGRAM = "reconciler-fleet"
"""What the engine calls the program that owns a queue."""
POLL = 0.2
"""Seconds between two looks at a queue."""
CHUNK = 200
"""Results that are read at once."""
MOST_BYTES = 256 * 1024 * 1024
"""Of a plan document."""
OPEN = ["ENQUEUED", "PENDING", "DELAYED"]
OVER = ["SUCCESS", "ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
"""What the engine calls workflows that came to an end."""

AS_DECLARED = ("applied", "same")
"""Outcomes of an account that is as its baseline says."""
DONE = "as declared"
"""What a rollout has on record of the end of a phase: the accounts that are as declared."""
LOSING = "losing"
"""And the production accounts from which the plans of a wave take something away."""


class RolloutSpec(BaseModel):
    """A rollout as it was begun: a run that resumes it uses this, whatever the files say then."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    mode: str
    begun: str = ""
    tool_version: str = __version__
    jobs: dict[str, Job] = Field(default_factory=no_members)
    waves: list[Wave] = Field(default_factory=no_items)
    members: dict[str, list[str]] = Field(default_factory=no_members)
    stop_after: int | None = None
    poll: float = POLL

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The waves with production accounts: they may wait for an approval, whatever they say."""
        waves = self.members.items() if self.mode == "apply" else ()
        return frozenset(wave for wave, names in waves if any(self.jobs[name].production_by for name in names))


def queue_of(name: str) -> str:
    """Return the name of a rollout's queue."""
    return f"accounts-{name}"


class QueueSettings(TypedDict):
    """What the engine takes of a queue, wherever it is made."""

    worker_concurrency: int
    polling_interval_sec: float
    on_conflict: Literal["always_update"]


def queue_settings(concurrency: int) -> QueueSettings:
    """Return how a rollout's queue works for so many accounts at a time; the rollout itself takes one place more."""
    return {
        "worker_concurrency": concurrency + 1,
        "polling_interval_sec": POLL,
        "on_conflict": "always_update",
    }


def rollout_of(queue: str) -> str:
    """Return the name of the rollout that a queue is of; "" of any other queue."""
    return queue.removeprefix("accounts-") if queue.startswith("accounts-") else ""


def job_id(name: str, wave: str, phase: str, account: str = "") -> str:
    """Return the id of an account's part in a rollout; without an account, what all of a wave begin with."""
    return f"{name}/{wave}/{phase}/{account}"


def wave_of(workflow: str) -> str:
    """Return the wave that a `job_id` is of."""
    return workflow.split("/")[1]


def result_of(row: Any, *, whole: bool = False) -> JobResult | None:
    """Return the result of an account's workflow; that of one which broke is a failure, None of one that goes on. The
    plan comes with it only where it is `whole`: thousands of them would fill the memory.
    """
    if row.status == "SUCCESS":
        return JobResult.model_validate(row.output if whole else {**row.output, "document": ""})
    if row.status in ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
        why = (
            f"the job broke ({getattr(row.error, 'name', type(row.error).__name__)})"
            if row.error is not None
            else "the job was given up"
        )
        return JobResult(account=row.workflow_id.rpartition("/")[2], outcome="failed", message=why)
    return None


def packed(document: str) -> str:
    """Return a plan document as it is kept: a tenth of its length, for the engine keeps it twice for each account."""
    return base64.b64encode(zlib.compress(document.encode())).decode()


def unpacked(kept: str) -> str:
    """Return a plan document that was packed, or kept as it is by an earlier program. Raises StateError where it is
    none, or without end.
    """
    if kept.startswith("{"):
        return kept
    stream = zlib.decompressobj()
    try:
        document = stream.decompress(base64.b64decode(kept, validate=True), MOST_BYTES).decode()
    except (ValueError, zlib.error) as error:
        raise StateError("a plan in the fleet's database is damaged", hint="begin a new rollout") from error
    if not stream.eof:
        raise StateError("a plan in the fleet's database is truncated, or too large", hint="begin a new rollout")
    return document

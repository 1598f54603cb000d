"""A rollout as it is on record: what it is about, and the names of its parts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reconciler import __version__
from reconciler.model.fleet import FLEET_FORMAT, Job, JobResult, Wave

VERSION = f"reconciler {__version__}, fleet {FLEET_FORMAT}"
"""The engine's application version: what was begun by one program is not finished by another one unasked."""
POLL = 0.2
"""Seconds between two looks at a queue."""
CHUNK = 200
"""Results that are read at once."""
OPEN = ["ENQUEUED", "PENDING", "DELAYED"]

AS_DECLARED = ("applied", "same")
"""Outcomes of an account that is as its baseline says."""
DONE = "as declared"
"""What a rollout has on record of the end of a phase: the accounts that are as declared."""


class Spec(BaseModel):
    """A rollout as it was begun: a run that resumes it uses this, whatever the files say then."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    mode: str
    begun: str = ""
    tool_version: str = __version__
    jobs: dict[str, Job] = Field(default_factory=dict)
    waves: list[Wave] = Field(default_factory=list)
    members: dict[str, list[str]] = Field(default_factory=dict)
    stop_after: int | None = None
    poll: float = POLL


def queue_of(name: str) -> str:
    """Return the name of a rollout's queue."""
    return f"accounts-{name}"


def job_id(name: str, wave: str, phase: str, account: str = "") -> str:
    """Return the id of an account's part in a rollout; without an account, what all of a wave begin with."""
    return f"{name}/{wave}/{phase}/{account}"


def result_of(row: Any) -> JobResult | None:
    """Return the result of an account's workflow; that of one which broke is a failure, None of one that goes on."""
    if row.status == "SUCCESS":
        return JobResult.model_validate(row.output)
    if row.status in ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
        why = f"the job broke ({type(row.error).__name__})" if row.error is not None else "the job was given up"
        return JobResult(account=row.workflow_id.rpartition("/")[2], outcome="failed", message=why)
    return None

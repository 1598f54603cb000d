"""The record of a run: what an apply was about to do, what it found before, and what came of it.

Values are encoded (`values.encode`) and masked: what is sensitive stands as `MASKED`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.state import Binding

RUN_FORMAT = "1.0"
MASKED = "(sensitive)"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class RunStep(_Part):
    """What a run did to one address."""

    address: str
    kind: str
    action: str = Field(description="Action of the plan: create, update, delete, adopt, forget ...")
    ops: list[str] = Field(default_factory=list, description="Steps of the plan: create, update, bind ...")
    result: Literal["open", "done", "failed", "skipped"] = "open"
    message: str = Field("", description="The error, or why it was skipped.")
    id: str = Field("", description="Remote id.")
    changed: list[str] = Field(default_factory=list, description="Attributes that were written.")
    before: dict[str, Any] | None = Field(None, description="Live attributes before; None: there was no object.")
    binding: Binding | None = Field(None, description="What the state held before; None: it was not managed.")
    parent: str | None = None
    rank: int = 0
    moved_from: str | None = None


class RunRecord(_Part):
    """A run. `result` is `open` while it runs, and stays so when it dies."""

    format_version: str = RUN_FORMAT
    name: str
    operation: str = Field(description="apply, destroy, undo, lock break, state restore ...")
    environment: str = ""
    account: str = ""
    tool_version: str = ""
    owner: str = ""
    host: str = ""
    job_url: str = ""
    started: str = ""
    ended: str = ""
    result: Literal["open", "complete", "partial", "cancelled", "failed"] = "open"
    plan: str = Field("", description="Digest of the plan that was carried out.")
    overrides: list[str] = Field(default_factory=list, description="Guards that were overridden, as typed.")
    serial_before: int = 0
    serial_after: int | None = None
    requests: int = 0
    forecast: int | None = None
    seconds: float = 0.0
    summary: dict[str, int] = Field(default_factory=dict)
    steps: list[RunStep] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    archive: str = Field("", description="Where what was lost was archived.")

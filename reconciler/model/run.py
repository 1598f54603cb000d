"""The record of a run: what an apply was about to do, what it found before, and what came of it.

Values are encoded (`values.encode`) and masked: what is sensitive stands as `conforming.MASKED`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from reconciler.model.documents import Count, Lean
from reconciler.model.empty import no_items, no_members
from reconciler.model.identity import check, check_values
from reconciler.model.redaction import Shown, as_made
from reconciler.model.state import Binding, Record, Renaming, State, open_intents

RUN_FORMAT = "1.0"
Result = Literal["open", "done", "failed", "skipped"]
"""What became of a step."""


class _Part(Lean):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class RunStep(_Part):
    """What a run did to one address."""

    address: str
    kind: str
    action: str = Field(description="Action of the plan: create, update, delete, adopt, forget ...")
    ops: list[str] = Field(default_factory=no_items, description="Steps of the plan: create, update, bind ...")
    result: Result = "open"
    started: bool = Field(False, description="Something was sent to the account for it, or was about to be.")
    message: Shown = Field(Shown(""), description="The error, or why it was skipped.")
    id: str = Field("", description="Remote id.")
    changed: list[str] = Field(default_factory=no_items, description="Attributes that were written.")
    before: dict[str, Any] | None = Field(None, description="Live attributes before; None: there was no object.")
    binding: Binding | None = Field(None, description="What the state held before; None: it was not managed.")
    pointing: list[str] = Field(
        default_factory=no_items, description="What pointed to an object that went, and was not written by the run."
    )
    parent: str | None = None
    rank: Count = 0
    moved_from: str | None = None

    @model_validator(mode="after")
    def _identified(self, info: ValidationInfo) -> Self:
        check(info, [(self.kind, self.id)] if self.id else (), self.before)
        entries = (self.before or {}).items()  # an object may lack what has to be declared
        check_values(info, self.kind, {name: value for name, value in entries if value is not None})
        return self

    @property
    def begun(self) -> bool:
        """Whether the account may have another object than before: also of a create that went half-way."""
        return self.result == "done" or self.unknown or (self.action == "create" and self.id != "")

    @property
    def unknown(self) -> bool:
        """Whether nothing tells if the account took what was sent: the run died before it had an answer."""
        return self.result == "open" and self.started


class RunRecord(_Part):
    """A run. `result` is `open` while it runs, and after its death until the next run takes its journal over."""

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
    overrides: list[Shown] = Field(default_factory=no_items, description="Guards that were overridden, as typed.")
    serial_before: Count = 0
    serial_after: Count | None = None
    requests: Count = 0
    forecast: Count | None = None
    seconds: float = Field(0.0, ge=0)
    summary: dict[str, Count] = Field(default_factory=no_members)
    steps: list[RunStep] = Field(default_factory=no_items)
    notes: list[Shown] = Field(default_factory=no_items)
    archive: str = Field("", description="Where what was lost was archived.")
    renamed: dict[str, str] = Field(
        default_factory=no_members,
        description="Addresses that an operation without a plan changed in the state, old to new.",
    )

    @property
    def moves(self) -> dict[str, str]:
        """The addresses that it changed in the state, old to new."""
        done = {step.moved_from: step.address for step in self.steps if step.moved_from and step.result == "done"}
        return {**self.renamed, **done}


def resulted(step: RunStep, result: Result, message: Shown, identity: str) -> RunStep:
    """Return a step with what came of it."""
    return step.model_copy(update={"result": result, "message": message, "id": identity})


def noted(run: RunRecord, notes: Iterable[Shown]) -> RunRecord:
    """Return a run with these notes, after those that it has."""
    return run.model_copy(update={"notes": [*run.notes, *notes]})


def so_far(run: RunRecord, records: Iterable[Record]) -> RunRecord:
    """Return a run that did not come to its end, with what the journal says of its steps."""
    mine = [record for record in records if record.run == run.name]
    return run.model_copy(update={"steps": [_so_far(step, mine) for step in run.steps]})


def _so_far(step: RunStep, records: Iterable[Record]) -> RunStep:
    mine = [record for record in records if step.address in record.names]
    if not mine:
        return step
    last = mine[-1]
    recorded = step.model_copy(update={"started": any(record.op == "intent" for record in mine)})
    if step.address in open_intents(mine):
        return recorded.model_copy(update={"message": "sent, or about to be; the next apply looks it up by name"})
    if last.op == "intent":
        return recorded.model_copy(update={"message": "sent, or about to be; the next plan shows whether it was taken"})
    if last.op == "failed":
        return recorded.model_copy(update={"result": "failed"})
    if last.binding is not None and last.binding.incomplete:
        return recorded.model_copy(update={"id": last.binding.id, "message": "begun; the next apply finishes it"})
    identity = last.binding.id if last.binding is not None else step.id
    return recorded.model_copy(update={"result": "done", "id": identity})


def interrupted(run: RunRecord, records: Iterable[Record]) -> RunRecord:
    """Return the last word on a run that died, made of the journal before it is folded: afterwards it is unknown."""
    return _last_word(so_far(run, records), "it was interrupted; this is what its journal said")


def settled(run: RunRecord, after: State | None) -> RunRecord:
    """Return the last word on a run of which no journal is left: what the state says that it wrote; None: it wrote
    none, so it sent nothing.
    """
    if after is None:
        return _last_word(run, "it died before its first step")
    recorded = run.model_copy(
        update={"steps": [_as_recorded(step, run.name, after) for step in run.steps], "serial_after": after.serial}
    )
    return _last_word(recorded, "it died before its record was finished; this is what the state says of it")


def _as_recorded(step: RunStep, run: str, after: State) -> RunStep:
    """Return a step as the state after the run shows it. Of an update or a delete that it does not show it is
    unknown whether the account took it; a create that may have been executed is among the open ones.
    """
    if step.address in after.intents:
        return step.model_copy(
            update={"started": True, "message": "sent, or about to be; the next apply looks it up by name"}
        )
    binding = after.resources.get(step.address)
    if binding is None and step.action in ("delete", "forget"):
        return step.model_copy(update={"result": "done"})
    if binding is None and step.action in ("create", "adopt"):
        return step.model_copy(update={"result": "failed", "message": "the state does not know it"})
    if binding is not None and binding.incomplete:
        return step.model_copy(update={"id": binding.id, "message": "begun; the next apply finishes it"})
    if binding is not None and (binding.run == run or step.action in ("create", "adopt", "move")):
        return step.model_copy(update={"result": "done", "id": binding.id})
    return step.model_copy(
        update={"started": True, "message": "the state does not show it; the next plan shows whether it was taken"}
    )


def reconstructed(name: str, plan: str, before: State | None, after: State) -> RunRecord:
    """Return a record in place of one that is gone: what differs between the versions of the state around the run."""
    record = RunRecord(name=name, operation="apply", account=after.account, plan=plan, serial_after=after.serial)
    note = "its record is gone"
    if before is None:
        note += ", and so is the version of the state before it: nothing tells what it did"
        return noted(record.model_copy(update={"result": "failed", "serial_before": after.serial}), [as_made(note)])
    steps = []
    for address in sorted({*before.resources, *after.resources}):
        old, new = before.resources.get(address), after.resources.get(address)
        if old is not None and new is not None and (old.applied, old.id) == (new.applied, new.id):
            continue
        binding = new or old
        assert binding is not None
        was, now = (old.applied if old is not None else {}), (new.applied if new is not None else {})
        steps.append(
            RunStep(
                address=address,
                kind=binding.kind,
                action="create" if old is None else "delete" if new is None else "update",
                result="done",
                id=binding.id,
                changed=sorted(name for name in {*was, *now} if was.get(name) != now.get(name)),
                before=None if old is None else dict(was),
                binding=old,
            )
        )
    run = record.model_copy(update={"steps": steps, "serial_before": before.serial})
    return _last_word(run, f"{note}; this is what the versions of the state before and after it say")


def _last_word(run: RunRecord, note: str) -> RunRecord:
    done = [step for step in run.steps if step.result == "done"]
    summary = {
        word: sum(step.action == action for step in done)
        for word, action in (("added", "create"), ("changed", "update"), ("destroyed", "delete"))
    }
    result = "complete" if len(done) == len(run.steps) else "partial"
    return noted(run.model_copy(update={"result": result, "summary": summary}), [as_made(note)])


def renamed_run(run: RunRecord, renaming: Renaming) -> RunRecord:
    """Return the record of an earlier run as if it had been about the new addresses."""
    steps = [
        step.model_copy(
            update={
                "address": renaming.address(step.address),
                "parent": renaming.address(step.parent) if step.parent else step.parent,
                "before": renaming.values(step.before) if step.before is not None else None,
                "binding": renaming.binding(step.binding) if step.binding is not None else None,
                "pointing": [renaming.address(address) for address in step.pointing],
            }
        )
        for step in run.steps
    ]
    return run.model_copy(update={"steps": steps})

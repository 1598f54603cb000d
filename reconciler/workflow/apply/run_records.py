"""The record of an apply, written before its first write and at its end; and what is said when recording fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from reconciler import __version__
from reconciler.engine.ports import StepOutcomes
from reconciler.engine.verify import Verified
from reconciler.model.address import abridged, kind_of
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.errors import ApplyInterrupted, Refused, StateError
from reconciler.model.events import Event, Failed, Finished, Skip, Started
from reconciler.model.kind import Kinds
from reconciler.model.plan import Plan
from reconciler.model.ports import LockInfo
from reconciler.model.records import mutable
from reconciler.model.redaction import Shown, as_made, redactor
from reconciler.model.run import Result, RunRecord, RunStep, noted, resulted
from reconciler.model.state import State
from reconciler.model.summary import ApplySummary
from reconciler.workflow.opening.session import Session

T = TypeVar("T")


def run_name(session: Session) -> str:
    """Return a name for a run. Names sort in the order of the runs, also where two begin in one second or the clock was
    set back: the last one is what `undo` is about.
    """
    now = session.runtime.stamp()
    last = max(session.store.run_names(), default="")[: len(now)]
    if last >= now:
        now = (datetime.fromisoformat(last) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
    return f"{now}-{session.runtime.token()[:6]}"


def begun(
    name: str,
    info: LockInfo,
    document: PlanDocument,
    state: State,
    open_creates: Container[str],
    pointing: Mapping[str, list[str]],
    archive: str = "",
) -> RunRecord:
    """Return the record of a run that is about to write: every change with what was there before. What is found of
    open creates is on record as created: it was not an object of another run. `pointing` is what points to what goes.
    """
    ops: dict[str, list[str]] = {}
    for step in document.steps:
        ops.setdefault(step.address, []).append(step.op)
    overridden = [guard.override for guard in document.guards if guard.verdict == "overridden" and guard.override]
    return RunRecord(
        name=name,
        operation=info.operation,
        environment=document.environment,
        account=document.account,
        tool_version=__version__,
        owner=info.owner,
        host=info.host,
        job_url=info.job_url,
        started=info.since,
        plan=document.digest,
        overrides=sorted(map(redactor().show, {*overridden, *map(str, document.options.get("allow", ()))})),
        serial_before=state.serial,
        forecast=document.forecast.apply_requests,
        archive=archive,
        steps=[
            _step(change, ops[change.address], state, open_creates).model_copy(
                update={"pointing": pointing.get(change.address, [])}
            )
            for change in document.changes
            if change.address in ops
        ],
    )


def _step(change: ChangeView, ops: list[str], state: State, open_creates: Container[str]) -> RunStep:
    created = change.action == "adopt" and change.address in open_creates
    existed = change.fingerprint is not None and not created
    return RunStep(
        address=change.address,
        kind=change.kind,
        action="create" if created else change.action,
        ops=ops,
        id=change.id or "",
        changed=sorted(item.name for item in change.attributes),
        before=dict(change.found) if existed else None,
        binding=state.resources.get(change.moved_from or change.address),
        parent=change.parent,
        rank=change.rank,
        moved_from=change.moved_from,
    )


def ended(
    run: RunRecord,
    steps: Mapping[int, str],
    outcome: StepOutcomes,
    summary: ApplySummary,
    state: State,
    session: Session,
) -> RunRecord:
    """Return the record at the end of the run. `steps` are the addresses of step numbers."""
    show = session.redactor.show
    results: dict[str, tuple[Result, Shown]] = {}
    for number, address in steps.items():
        if number in outcome.failed:
            results[address] = ("failed", show(outcome.failed[number].message))
        elif number in outcome.skipped and (address not in results or results[address][0] != "failed"):
            results[address] = ("skipped", show(outcome.skipped[number]))
        elif number in outcome.done:
            results.setdefault(address, ("done", as_made("")))
    for address, message, _ in summary.failed:
        results[address] = ("failed", show(message))
    result = "cancelled" if outcome.cancelled else "complete" if summary.complete else "partial"
    record = run.model_copy(
        update={
            "ended": session.runtime.stamp(),
            "result": result,
            "serial_after": state.serial,
            "requests": summary.requests,
            "seconds": round(summary.seconds, 3),
            "summary": {
                "added": summary.added,
                "changed": summary.changed,
                "destroyed": summary.destroyed,
                **({"switched_off": summary.switched_off} if summary.switched_off else {}),
                "adopted": summary.adopted,
                "failed": len(summary.failed),
                "skipped": len(summary.skipped),
            },
            "steps": [_with_result(step, results, state) for step in run.steps],
        }
    )
    return noted(record, summary.notes)


def _with_result(step: RunStep, results: Mapping[str, tuple[Result, Shown]], state: State) -> RunStep:
    result, message = results.get(step.address, ("open", as_made("")))
    binding = state.resources.get(step.address)
    identity = binding.id if binding is not None else step.id
    return resulted(step, result, message, identity)


@mutable
class Tally:
    """What became of the steps so far, from the events, for the message of a run that can record no more."""

    started: dict[int, str] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)

    def count(self, event: Event) -> None:
        """Take notice of an event."""
        if isinstance(event, Started):
            self.started[event.number] = event.address
        elif isinstance(event, Finished | Failed):
            self.finished.add(event.number)
        elif isinstance(event, Skip):
            self.skipped.append(event.address)

    def explain(self, error: StateError, *, late: bool) -> StateError:
        """Return the error with what is settled and what is not, as one of a part that was done where any step had
        begun. `late`: results are recorded some seconds later.
        """
        if not self.started:
            return error
        open_ = [address for number, address in self.started.items() if number not in self.finished]
        lines = [f"settled and recorded: {len(self.finished)} steps"]
        if late:
            lines = [
                f"settled: {len(self.finished)} steps; the next apply looks up what of the last seconds is not recorded"
            ]
        if open_:
            lines.append(f"sent, or about to be, and not recorded: {_names(open_)}; the next apply looks them up")
        if self.skipped:
            lines.append(f"not started: {_names(self.skipped)}")
        return ApplyInterrupted("\n  ".join([f"the apply stopped: {error.message}", *lines]), hint=error.hint)


def _names(addresses: list[str]) -> str:
    return abridged(list(dict.fromkeys(addresses)))


def summary(plan: Plan, outcome: StepOutcomes, verified: Verified, kinds: Kinds, **more: Any) -> ApplySummary:
    """Return what an apply did, what became of it when it was read back, and what it took (`more`)."""
    actions = {change.address: change for change in plan.changes}
    vain = {address for address, *_ in verified.problems}
    done = [
        step
        for step in plan.steps
        if step.number in outcome.done and not (step.op == "update" and step.address in vain)
    ]
    ops = Counter(step.op for step in done)
    off = sum(step.op == "delete" and bool(kinds[kind_of(step.address)].texts.removal_effect) for step in done)
    errors, skipped = _by_address(plan, outcome.failed), _by_address(plan, outcome.skipped)
    failed = [(address, error.message, error.hint) for address, error in errors]
    return ApplySummary(
        added=ops["create"],
        changed=ops["update"],
        destroyed=ops["delete"] - off,
        switched_off=off,
        adopted=sum(step.op in ("bind", "update") and actions[step.address].adopts for step in done),
        failed=(*failed, *verified.problems),
        refused=(*(address for address, error in errors if isinstance(error, Refused)), *verified.refused),
        skipped=tuple(skipped),
        **more,
    )


def _by_address(plan: Plan, results: Mapping[int, T]) -> list[tuple[str, T]]:
    """Return the results of steps, by their numbers, with the addresses of the steps in order."""
    return [(step.address, results[step.number]) for step in plan.steps if step.number in results]


def operation_of(options: Mapping[str, Any]) -> str:
    """Return what the plan is for, in a word or two."""
    if options.get("undo"):
        return f"undo {options['undo']}"
    return "destroy" if options.get("destroy") else "apply"

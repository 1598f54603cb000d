"""The verb `apply`: run a plan under the lock, read back what was written, and record it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from reconciler.engine import apply as applier
from reconciler.engine.ports import Ports, StepOutcomes
from reconciler.engine.recount import Recount
from reconciler.engine.verify import Verified, doubtful, touched, verify
from reconciler.model.errors import StateError
from reconciler.model.events import Event, Finished, Noted, Waiting
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.ports import LockInfo
from reconciler.model.redaction import Shown
from reconciler.model.state import Going, Record, went
from reconciler.model.summary import ApplySummary
from reconciler.planning.bindings import binding_of
from reconciler.planning.effects import pointing
from reconciler.workflow.apply import run_records
from reconciler.workflow.apply.archiving import Archive, Archived, archive_losses
from reconciler.workflow.apply.contradictions import FactWatch
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.apply.reading_back import ReadBack
from reconciler.workflow.apply.replanning import Replanning
from reconciler.workflow.apply.run_records import operation_of, run_name
from reconciler.workflow.apply.takeover import check_same_state, take_over
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.promises import bound
from reconciler.workflow.rules.judging import counts_of, judged, let_pass

APPLIED_PLANS = 50
"""How many digests of applied plans the state remembers."""


async def apply_plan(
    session: Session,
    planned: Planned,
    hooks: Hooks,
    *,
    lock_timeout: float = 0.0,
    archive: Archive | None = None,
    strict: bool = False,
    last: bool = False,
) -> ApplySummary:
    """Apply a plan. Raises Refused (guards), StalePlan (the state moved on), LockHeld, StateError. The plan is judged
    again under the lock, by what the state knows then.

    With `archive`, the customer records that it takes away are written to files first; when that fails, nothing is
    applied. With `strict`, everything that the plan costs is counted again first, and Refused is raised where any of it
    is more than was approved; otherwise what costs more is refused when its turn comes. With `last`, nothing asks for
    the changes of the document afterwards: they make room for the results once the run is on record.
    """
    let_pass(planned.document)
    operation = operation_of(planned.document.options)
    with locked(session, operation, timeout=lock_timeout) as lock:
        book = open_book(session)
        check_same_state(planned, book)
        promise = planned.promise or planned.document
        let_pass(judged(session, promise, counts_of(book, promise)))
        planned = planned._replace(plan=bound(planned.plan, promise))
        book.begin()
        async with AsyncExitStack() as stack:
            take_over(session, book, planned)
            watch = FactWatch(session)
            remote = watch.around(session.connect(stack, write=True, hold=lock.hold))
            run = _Run(session, planned, book, remote, hooks, watch)
            if strict:
                await run.count_all()
            if archive is not None:
                run.archived = await archive_losses(session, planned.plan, remote, archive, run.name)
            return await run.run(replace(lock.info, operation=operation), last=last)


class _Run:
    """One apply: steps, read-back, one round of repairs, record."""

    def __init__(
        self, session: Session, planned: Planned, book: StateTransaction, remote: Any, hooks: Hooks, watch: FactWatch
    ) -> None:
        self.session, self.planned, self.book, self.remote, self.hooks = session, planned, book, remote, hooks
        self.watch = watch
        self.name = run_name(session)
        self.again = Replanning(session, planned, book, remote)
        self.started = time.monotonic()
        self.verified = Verified()
        self.notes: list[Shown] = []
        self.tally = run_records.Tally()
        self.archived = Archived()
        self.late: dict[str, Change] = {}
        known = (planned.promise or planned.document).options.get("impact") is not False
        self.recount = Recount(
            planned.plan, session.kinds, remote, known, earlier=went(book.records, self._plan()), note=self._going
        )
        self.counted = 0

    def _plan(self) -> str:
        """The digest of the plan that was shown."""
        return (self.planned.promise or self.planned.document).digest

    def _going(self, going: Going) -> None:
        self.book.record(Record(op="counted", run=self.name, going=going.model_copy(update={"plan": self._plan()})))

    async def count_all(self) -> None:
        """Count before the first write. Raises Refused."""
        await self.recount.everything(self.session.secret)
        self.counted = self.recount.cost()

    async def run(self, info: LockInfo, *, last: bool) -> ApplySummary:
        steps = self.planned.plan
        left = pointing(steps, self.planned.inputs.snapshot, self.session.kinds)
        state, intents = self.book.state(), self.book.intents()
        self.late = await self._find(intents)
        record = run_records.begun(self.name, info, self.planned.document, state, intents, left, self.archived.folder)
        self.book.store.save_run(record)
        for document in (self.planned.document, self.planned.promise) if last else ():
            if document is not None:
                document.give_up()
        self.book.announce(applier.intents_of(steps), self.name)
        try:
            outcome = await applier.apply(steps, self.session.kinds, self._ports(), self.name)
            written = doubtful(touched(steps, outcome), self.session.kinds)
            if written and not self.hooks.stop.is_set():
                self.verified = await verify(written, self.session.kinds, self._read_back().ports(self._resend))
            applied = [*self.book.base.applied_plans, self.planned.document.digest]
            state = self.book.close(account=self.session.identity, applied_plans=applied[-APPLIED_PLANS:])
        except StateError as error:
            raise self.tally.explain(error, late=self.book.store.coalesces) from error
        self.watch.seen(self.planned.inputs.snapshot.lives)
        self._contradicted()
        took = {
            "requests": self.remote.requests,
            "forecast": self.planned.document.forecast.apply_requests + self.archived.forecast + self.counted,
            "seconds": time.monotonic() - self.started,
        }
        kept = {"archive": self.archived.folder, "archived": self.archived.records}
        kinds, notes = self.session.kinds, tuple(self.notes)
        summary = run_records.summary(steps, outcome, self.verified, kinds, notes=notes, **took, **kept)
        addresses = {step.number: step.address for step in steps.steps}
        end = run_records.ended(record, addresses, outcome, summary, state, self.session)
        try:
            self.book.store.save_run(end)
        except StateError as error:
            self._emit(Noted("run", f"everything was done, but the run's record could not be written: {error.message}"))
        return summary

    def _emit(self, event: Event) -> None:
        self.tally.count(event)
        self.hooks.emit(event)

    def _ports(self) -> Ports:
        return Ports(
            remote=self.remote,
            record=self.book.record,
            settle=self.again.settle,
            gone=self.again.gone,
            emit=self._emit,
            clock=time.monotonic,
            secret=self.session.secret,
            binding=self._binding,
            recount=self.recount,
            stop=self.hooks.stop,
            settling=self.session.runtime.waits.settling,
            late=self.late,
        )

    def _binding(self, change: Change, identity: str, complete: bool, spares: list[str]) -> Any:
        return binding_of(
            change,
            self.session.kinds[change.kind],
            identity,
            self.name,
            complete=complete,
            spares=spares,
            secret=self.session.secret,
            salt=self.book.base.salt,
            own=not {"clone", "undo"} & (self.planned.promise or self.planned.document).options.keys(),
        )

    async def _find(self, intents: Collection[str]) -> dict[str, Change]:
        """Look once more for creates of a run that died or lost its lock, which the plan did not find: the last one may
        have been on its way when the plan was made. Return what is left to do for those that are there.
        """
        creates = {change.address for change in self.planned.plan.changes if change.action is Action.CREATE}
        open_ = frozenset(creates.intersection(intents))
        if not open_:
            return {}
        pause = sum(self.session.runtime.waits.settling)
        self._emit(Waiting("creates of a run that died may still be on their way", pause))
        await applier.until_stopped(asyncio.sleep(pause), self.hooks.stop)
        return await self.again.late(open_)

    # --- reading back ----------------------------------------------------------------------------------------------

    def _read_back(self) -> ReadBack:
        return ReadBack(self.session, self.planned, self.book, self.again, self.watch, self.name, self._note)

    def _contradicted(self) -> None:
        """Mark the facts that the account contradicts, and report them."""
        for line in self.watch.mark():
            self.notes.append(self.session.redactor.show(line))
            self._emit(Noted("facts", self.session.redactor.show(line)))

    async def _resend(self, left: Plan) -> StepOutcomes:
        for change in left.changes:
            self.watch.resent(change)
        # What did not take may be the fault of a fact: what is sent once more relies on none.
        kinds = self.session.unprobed().kinds
        return await applier.apply(left, kinds, replace(self._ports(), emit=self._repaired), self.name)

    def _repaired(self, event: Event) -> None:
        """Steps of a repair are none of the plan: they are not counted, and reported as notes."""
        if isinstance(event, Finished):
            self.hooks.emit(Noted(event.address, "the account had not taken it as sent; it was sent once more"))

    def _note(self, address: str, text: str) -> None:
        message = self.session.redactor.show(text)
        self.notes.append(self.session.redactor.show(f"{address}: {message}"))
        self._emit(Noted(address, message))

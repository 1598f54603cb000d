"""What is done to one account: a plan, its apply, or a look for drift, with the same guards, journal, state, lock and
fence as a single run. An engine may lose, repeat or double it: whose the account is, its lease alone decides.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import field
from typing import Any

from reconciler.fleet.baselines import Baselines, FleetSession
from reconciler.fleet.rest import beyond
from reconciler.fleet.spec import packed, unpacked
from reconciler.model.document import ChangeView, PlanDocument, Summary
from reconciler.model.documents import read_document
from reconciler.model.errors import ConfigError, LockHeld, ReconcilerError, Refused, StalePlan, StateError
from reconciler.model.fleet import AccountOutcome, Job, JobResult
from reconciler.model.kind import fits
from reconciler.model.ports import AT_ONCE
from reconciler.model.records import mutable
from reconciler.model.redaction import Show, abridged
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.planning import make_plan
from reconciler.workflow.plans.saved import StaleChange, check_plan
from reconciler.workflow.rules.judging import judged

ENDINGS: tuple[tuple[type[ReconcilerError], AccountOutcome], ...] = (
    (LockHeld, "locked"),
    (StalePlan, "stale"),
    (Refused, "refused"),
    (ReconcilerError, "failed"),
)
"""What an error makes of a job: the first that it is one of."""
PATIENT = 1.25
"""Leases for which a held lock is watched: that of a process that died has ended by then."""
LOCKED = "wait for it to end, and try again: reconciler fleet apply --failed"
LONGEST = 500
"""Characters of a message that a result keeps."""
MOST_LINES = 200
"""Changes of an account that a result names."""
NEW_PLAN = "make a new plan"
"""How the hints of a single run begin that has a plan file."""
AGAIN = "plan it again with `reconciler fleet apply --failed`"
COUNTS = tuple(name for name in Summary.model_fields if name in JobResult.model_fields)
"""What a result takes over from the summary of its plan."""


@mutable
class Worker:
    """What a process needs to work on accounts."""

    baselines: Baselines
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    looks: Callable[[], tuple[Any, int]] | None = None
    """Makes a look for drift at night: the rollout, and how many accounts are looked at at the same time."""
    done: Counter[str] = field(default_factory=Counter)
    """How many jobs ended with which outcome, in this process."""
    requests: int = 0
    ended: set[str] = field(default_factory=set)
    """The workflows of the engine that ended in this process, as long as it is not known that this is on record."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _loop: asyncio.AbstractEventLoop | None = None
    _running: int = 0

    @property
    def running(self) -> int:
        """How many accounts are being worked on."""
        return self._running

    @property
    def idle(self) -> bool:
        """Whether nothing is being done that would have to be recorded."""
        return self._running == 0

    def halt(self) -> None:
        """Let running applies stop in order, and begin nothing more; from any thread."""
        if self._loop is None:
            self.stop.set()
        else:
            self._loop.call_soon_threadsafe(self.stop.set)

    async def plan(self, job: Job, *, drift: bool = False) -> JobResult:
        """Plan one account, or look at what changed there since it was last applied."""
        return await self._told(job, self._plan(job, drift))

    async def apply(self, job: Job, document: str) -> JobResult:
        """Carry out the plan that was made for an account, as far as it still fits."""
        return await self._told(job, self._apply(job, document))

    async def _told(self, job: Job, work: Any) -> JobResult:
        """Return what became of a job, whatever happened. Once the process stops, nothing is returned: the process
        that resumes the rollout does the job again.
        """
        self._loop, begun = asyncio.get_running_loop(), time.monotonic()
        if self.stop.is_set():
            work.close()
            await _endlessly()
        self._running += 1
        try:
            result = await work
        except ReconcilerError as error:
            result = _failed(job, error)
        finally:
            self._running -= 1
        if self.stop.is_set() and result.outcome in ("partial", "locked"):
            await _endlessly()
        self.done[result.outcome] += 1
        self.requests += result.requests
        took: JobResult = result.model_copy(update={"seconds": time.monotonic() - begun, "version": job.version})
        return took

    async def _plan(self, job: Job, drift: bool) -> JobResult:
        session = self.baselines.session(job)
        planned = await make_plan(session, PlanOptions(refresh_only=drift, uses=False))
        document = planned.document
        outcome, message = refusal(document) or ("changes" if _changes(document) else "same", "")
        result = _told(job, outcome, document, message, session.redactor.show)
        keeps = outcome in ("changes", "refused") and not drift  # an approver reads what is refused
        return result.model_copy(
            update={"requests": planned.requests, "document": packed(document.model_dump_json()) if keeps else ""}
        )

    async def _apply(self, job: Job, text: str) -> JobResult:
        session = self.baselines.session(job)
        document = read_document(PlanDocument, unpacked(text), fits(session.kinds))
        try:
            return await self._carried_out(job, session, document, alone=False)
        except (LockHeld, StalePlan, StateError):  # the latter two where a machine slept past its lease, and woke up
            async with self._outlasting(session):
                return await self._carried_out(job, session, document, alone=True)

    @asynccontextmanager
    async def _outlasting(self, session: FleetSession) -> AsyncIterator[None]:
        """Hold the lock of an account once its holder has let go, or died without a word: that is known after a lease.
        The other accounts of this process go on meanwhile. Raises LockHeld where a holder lives.
        """
        waits, steady = session.runtime.waits, session.runtime.clock.steady
        until, pause = steady() + PATIENT * waits.lease, max(waits.poll, waits.lease / 20)
        async with AsyncExitStack() as stack:
            while True:
                try:
                    stack.enter_context(locked(session, "fleet apply", timeout=AT_ONCE))
                    break
                except LockHeld:
                    if self.stop.is_set() or steady() > until:
                        raise
                await self.sleep(pause)
            yield

    async def _carried_out(self, job: Job, session: FleetSession, document: PlanDocument, *, alone: bool) -> JobResult:
        """Apply a plan. Raises StalePlan where the account is not as it was planned, unless this process is `alone`:
        another one may be applying the same plan, and what that did is done.
        """
        book = open_book(session)
        if document.digest in book.base.applied_plans:  # and the engine did not hear of it
            if book.completed(document.digest):
                return _told(job, "applied", document)
            return await self._rest(job, session, document)
        judged_again = judged(session, document, document.managed)
        if judged_again.tripped:
            return _told(
                job,
                "refused",
                document,
                "; ".join(guard.message for guard in judged_again.tripped),
                session.redactor.show,
            )
        checked = await check_plan(session, document)
        if checked.refused and not alone:
            raise StalePlan("the account has changed since the plan was made")
        if checked.refused and not checked.planned.plan.steps:
            moved = "; ".join(f"{change.address}: {change.why}" for change in checked.refused)
            return _told(job, "stale", document, moved, session.redactor.show)
        return await self._written(job, session, document, checked.planned, checked.refused)

    async def _rest(self, job: Job, session: FleetSession, document: PlanDocument) -> JobResult:
        """Do what a run of this plan has left undone that was asked to stop, or failed in parts. Raises StalePlan where
        that is not what the plan says.
        """
        planned = await make_plan(session, PlanOptions(uses=False))
        more = beyond(planned.document.changes, document.changes)
        if more:
            raise StalePlan(f"a part of the plan was carried out, and what is left differs from it: {', '.join(more)}")
        if why := refusal(planned.document):
            return _told(job, why[0], document, why[1], session.redactor.show)
        if not planned.plan.steps:
            return _told(job, "applied", document).model_copy(update={"requests": planned.requests})
        return await self._written(job, session, document, planned, ())

    async def _written(
        self,
        job: Job,
        session: FleetSession,
        document: PlanDocument,
        planned: Planned,
        refused: Sequence[StaleChange],
    ) -> JobResult:
        """Write what is planned, and return what came of it: all of `document`, but for what is left."""
        summary = await apply_plan(session, planned, Hooks(stop=self.stop), lock_timeout=AT_ONCE)
        left = [f"{address}: {what}" for address, what, _ in summary.failed]
        left += [f"{address}: {why}" for address, why in summary.skipped]
        left += [f"{change.address}: {change.why}" for change in refused]
        outcome: AccountOutcome = "refused" if summary.refused else "partial" if left else "applied"
        return _told(job, outcome, document, "; ".join(left), session.redactor.show).model_copy(
            update={"requests": planned.requests + summary.requests}
        )


async def _endlessly() -> None:
    """Wait for the end of the process: the engine must not record that the job has ended."""
    await asyncio.Event().wait()


def refusal(document: PlanDocument) -> tuple[AccountOutcome, str] | None:
    """Return what a plan makes of its account that must not be carried out, and why; None where it may be. A plan with
    a gap is such a one: the report that a wave is approved by does not show what it leaves out.
    """
    if document.tripped:
        return "refused", "; ".join(guard.message for guard in document.tripped)
    if not document.skipped:
        return None
    first = next((skip for skip in document.skipped if skip.refused or skip.forbidden), document.skipped[0])
    more = f"; and {len(document.skipped) - 1} more" if len(document.skipped) > 1 else ""
    refused = any(skip.refused for skip in document.skipped)
    return "refused" if refused else "failed", f"{first.address} cannot be planned: {first.reason}{more}"


def _changes(document: PlanDocument) -> list[ChangeView]:
    return [change for change in document.changes if change.action != "none"]


def _failed(job: Job, error: ReconcilerError) -> JobResult:
    outcome = next(outcome for kind, outcome in ENDINGS if isinstance(error, kind))
    message = error.message
    hint = _hint(outcome, error.hint)
    if isinstance(error, ConfigError) and (first := error.first) is not None:
        message = f"{first.at}: {first.message}" if first.at else first.message
        hint = first.hint
    if isinstance(error, LockHeld):  # accounts that one process holds have one cause, whenever it came to each
        message, hint = re.sub(r" since [0-9T:.Z+-]+|; its lease ends at .*$", "", message), LOCKED
    return JobResult(
        account=job.account, outcome=outcome, message=abridged(message, LONGEST), hint=abridged(hint, LONGEST)
    )


def _hint(outcome: AccountOutcome, hint: str) -> str:
    """Return the hint of an error as a fleet has it: without plan files."""
    return AGAIN if outcome == "stale" and (not hint or hint.startswith(NEW_PLAN)) else hint


def _told(
    job: Job, outcome: AccountOutcome, document: PlanDocument, message: str = "", show: Show | None = None
) -> JobResult:
    changes = _changes(document)
    lines = [line_of(change) for change in changes[:MOST_LINES]]
    if len(changes) > MOST_LINES:
        lines.append(f"and {len(changes) - MOST_LINES} more")
    summary = document.summary
    return JobResult(
        account=job.account,
        outcome=outcome,
        message=abridged(message, LONGEST, show),
        group=group_of(changes),
        digest=document.digest,
        changes=lines,
        production=bool(job.production_by),
        destructive=document.destructive,
        **{name: getattr(summary, name) for name in COUNTS},
    )


def group_of(changes: list[ChangeView]) -> str:
    """Return the digest of changes without what only one account has: accounts with the same plan have the same."""
    rows = [
        {
            "address": change.address,
            "action": change.action,
            "attributes": [[item.name, item.before, item.after] for item in change.attributes],
            "at risk": [
                [impact.count, impact.noun, impact.effect, *(["at most"] if impact.at_most else [])]
                for impact in change.impacts
            ],
            "from": change.moved_from,
        }
        for change in changes
    ]
    return hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest() if rows else ""


def line_of(change: ChangeView) -> str:
    """Return one line that says what happens to an address."""
    names = ", ".join(item.name for item in change.attributes)
    what = f" ({names})" if change.action in ("update", "refresh") and names else ""
    return f"{change.action} {change.address}{what}"

"""The verb `apply`: run a plan under the lock, read back what was written, and record it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.engine import apply as applier
from reconciler.engine.recount import Recount
from reconciler.engine.refresh import refresh
from reconciler.model import values
from reconciler.model.errors import ReconcilerError, Refused, StalePlan, StateError, Unexpected
from reconciler.model.events import Event, Finished, Noted, Waiting
from reconciler.model.kind import Live
from reconciler.model.plan import Action, AttributeChange, Change, Plan
from reconciler.model.ports import LockInfo
from reconciler.model.redaction import Shown, abridged, as_made
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import Going, Intent, Record, went
from reconciler.model.summary import ApplySummary
from reconciler.planning.binding import binding_of, kept
from reconciler.planning.dangling import pointing
from reconciler.planning.identity import stored_key
from reconciler.planning.planner import plan
from reconciler.workflow import run_records
from reconciler.workflow.archiving import Archive, Archived, archive_losses
from reconciler.workflow.book import StateTransaction, open_book
from reconciler.workflow.holding import locked
from reconciler.workflow.judging import counts_of, judged, let_pass
from reconciler.workflow.planning import Planned
from reconciler.workflow.promises import bound
from reconciler.workflow.reading import again
from reconciler.workflow.run_records import run_name
from reconciler.workflow.session import Session

APPLIED_PLANS = 50
"""How many digests of applied plans the state remembers."""


@dataclass
class Hooks:
    """What an apply tells and asks its caller: events to show, a stop signal to obey."""

    emit: Callable[[Event], None] = lambda event: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)


async def apply_plan(
    session: Session,
    planned: Planned,
    hooks: Hooks,
    *,
    lock_timeout: float = 0.0,
    archive: Archive | None = None,
    strict: bool = False,
) -> ApplySummary:
    """Apply a plan. Raises Refused (guards), StalePlan (the state moved on), LockHeld, StateError. The plan is judged
    again under the lock, by what the state knows then.

    With `archive`, the customer records that it takes away are written to files first; when that fails, nothing is
    applied. With `strict`, everything that the plan costs is counted again first, and Refused is raised where any of it
    is more than was said yes to; otherwise what costs more is refused when its turn comes.
    """
    let_pass(planned.document)
    operation = operation_of(planned.document.options)
    with locked(session, operation, timeout=lock_timeout) as held:
        book = open_book(session)
        _same_state(planned, book)
        promise = planned.promise or planned.document
        let_pass(judged(session, promise, counts_of(book, promise)))
        planned = replace(planned, plan=bound(planned.plan, promise))
        book.begin()
        async with AsyncExitStack() as stack:
            _take_over(session, book, planned)
            remote = session.connect(stack, write=True, hold=held.hold)
            run = _Run(session, planned, book, remote, hooks)
            if strict:
                await run.count_all()
            if archive is not None:
                run.archived = await archive_losses(session, planned.plan, remote, archive, run.name)
            return await run.run(replace(held.info, operation=operation))


def operation_of(options: Mapping[str, Any]) -> str:
    """Return what the plan is for, in a word or two."""
    if options.get("undo"):
        return f"undo {options['undo']}"
    return "destroy" if options.get("destroy") else "apply"


def fold_journal(session: Session, planned: Planned) -> bool:
    """Fold what an interrupted run recorded into the state; tell whether there was anything.

    For applies with nothing left to do: the run before died after its last write. Raises LockHeld, StateError.
    """
    if not session.store.journal():
        return False
    with locked(session, "apply"):
        book = open_book(session)
        if not book.records or not _known(planned, book):
            return False
        _take_over(session, book, planned)
        book.begin()
        book.close(account=session.identity)
    return True


def _take_over(session: Session, book: StateTransaction, planned: Planned) -> None:
    """Forget open creates that a plan of everything looked for, did not find, and that nobody wants any more; learn the
    names of what an interrupted run wrote, for it did not come to look.
    """
    seen, changed = planned.inputs.snapshot, {change.address for change in planned.plan.changes}
    bound = {record.address for record in book.records if record.op == "bind"}
    resources = book.state().resources
    same = {name for name in bound & resources.keys() if planned.plan.ids.get(name) == resources[name].id}
    _note_births(session, book, seen, same)
    for address, intent in book.intents().items():
        eyes = planned.inputs.eyes
        if eyes is not None and eyes.why and session.kinds[intent.kind].reading.filtered:
            continue  # that it is not shown proves nothing
        if planned.inputs.only is None and intent.kind in seen.lives and address not in changed:
            book.record(Record(op="failed", address=address, note=as_made("its create was never executed")))


def _note_births(
    session: Session, book: StateTransaction, seen: Snapshot, addresses: Collection[str], run: str = ""
) -> None:
    """Remember creation stamps and natural keys as the account shows them: they tell a reused id from a rename."""
    resources = book.state().resources
    kinds = {resources[address].kind for address in addresses if address in resources}
    lives: dict[tuple[str, str], Live] = {(name, live.id): live for name in kinds for live in seen.lives.get(name, ())}
    born = []
    for address in addresses:
        binding = resources.get(address)
        live = lives.get((binding.kind, binding.id)) if binding is not None else None
        if binding is None or live is None:
            continue
        keys = session.kinds[binding.kind].natural_keys(live.attrs)
        news = {"created": live.created, "natural_key": stored_key(keys[0]) if keys else []}
        if any(getattr(binding, name) != value for name, value in news.items()):
            born.append(Record(op="bind", run=run, address=address, binding=binding.model_copy(update=news)))
    book.results(born)


def _same_state(planned: Planned, book: StateTransaction) -> None:
    """Refuse a plan made from another state than the one that is there now."""
    made, now = planned.document.state, book.stored
    if (made.lineage, made.serial) != ((now.lineage, now.serial) if now else ("", 0)):
        raise StalePlan("the state has changed since the plan was made", hint="make a new plan")
    if not _known(planned, book):
        raise StalePlan(
            "a run that was interrupted has left results in the journal since the plan was made", hint="make a new plan"
        )


def _known(planned: Planned, book: StateTransaction) -> bool:
    """Tell whether the plan was made from all that the journal says: what a run recorded between the plan and the lock
    would be made once more.
    """
    known, now = planned.inputs, book.state()
    return (known.state.resources, dict(known.intents)) == (now.resources, book.intents())


class _Run:
    """One apply: steps, read-back, one round of repairs, record."""

    def __init__(self, session: Session, planned: Planned, book: StateTransaction, remote: Any, hooks: Hooks) -> None:
        self.session, self.planned, self.book, self.remote, self.hooks = session, planned, book, remote, hooks
        self.name = run_name(session)
        self.tables = planned.refreshed.tables
        self.started = time.monotonic()
        self.problems: list[tuple[str, str, str]] = []
        self.refused: list[str] = []
        """Addresses whose repair would have cost more than was said yes to."""
        self.notes: list[Shown] = []
        self.tally = run_records.Tally()
        self.archived = Archived()
        self.found: dict[str, Change] = {}
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

    async def run(self, info: LockInfo) -> ApplySummary:
        steps = self.planned.plan
        left = pointing(steps, self.planned.inputs.snapshot, self.session.kinds)
        state, intents = self.book.state(), self.book.intents()
        self.found = await self._find(intents)
        record = run_records.begun(self.name, info, self.planned.document, state, intents, left, self.archived.folder)
        self.book.store.save_run(record)
        self.book.announce(self._intents(steps), self.name)
        try:
            outcome = await applier.apply(steps, self.session.kinds, self._ports(), self.name)
            touched = self._touched(steps, outcome)
            if touched and not self.hooks.stop.is_set():
                await self._read_back(touched)
            applied = [*self.book.base.applied_plans, self.planned.document.digest]
            state = self.book.close(account=self.session.identity, applied_plans=applied[-APPLIED_PLANS:])
        except StateError as error:
            raise self.tally.explain(error, late=self.book.store.coalesces) from error
        summary = self._summary(outcome)
        addresses = {step.number: step.address for step in steps.steps}
        end = run_records.ended(record, addresses, outcome, summary, state, self.session)
        try:
            self.book.store.save_run(end)
        except StateError as error:
            self._emit(Noted("run", f"everything was done, but the run's record could not be written: {error.message}"))
        return summary

    def _intents(self, made: Plan) -> dict[str, Intent | None]:
        """Return what a plan sends, to be announced together. A replaced object has a result in the middle, and is
        announced when its turn comes.
        """
        ops: dict[str, set[str]] = {}
        for step in made.steps:
            ops.setdefault(step.address, set()).add(step.op)
        once = {name for name, mine in ops.items() if not mine >= {"create", "delete"}}
        changes = {change.address: change for change in made.changes}
        return {
            address: applier.intent_of(changes[address]) if "create" in mine else None
            for address, mine in ops.items()
            if address in once and mine & {"create", "update", "delete"}
        }

    def _emit(self, event: Event) -> None:
        self.tally.count(event)
        self.hooks.emit(event)

    def _ports(self) -> applier.Ports:
        return applier.Ports(
            remote=self.remote,
            record=self.book.record,
            settle=self._settle,
            gone=self._gone,
            emit=self._emit,
            clock=time.monotonic,
            secret=self.session.secret,
            binding=self._binding,
            recount=self.recount,
            stop=self.hooks.stop,
            settling=self.session.around.waits.settling,
            found=self.found,
        )

    async def _find(self, intents: Collection[str]) -> dict[str, Change]:
        """Look once more for creates of a run that died or lost its lock, which the plan did not find: the last one may
        have been on its way when the plan was made. Return what is left to do for those that are there.
        """
        creates = {change.address for change in self.planned.plan.changes if change.action is Action.CREATE}
        open_ = frozenset(creates.intersection(intents))
        if not open_:
            return {}
        pause = sum(self.session.around.waits.settling)
        self._emit(Waiting("creates of a run that died may still be on their way", pause))
        await applier.until_stopped(asyncio.sleep(pause), self.hooks.stop)
        made = self._again(await self._look({address.partition(".")[0] for address in open_}), open_)
        return {one.address: one for one in made.changes if one.live is not None and one.action is not Action.MANUAL}

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
        )

    def _touched(self, made: Plan, outcome: applier.Outcome) -> dict[str, Change]:
        """Return the changes that wrote to the account and succeeded, by address."""
        wrote = {
            step.address
            for step in made.steps
            if step.number in outcome.done and step.op not in ("forget", "move", "bind")
        }
        failed = {step.address for step in made.steps if step.number not in outcome.done}
        return {change.address: change for change in made.changes if change.address in wrote - failed}

    # --- looking at the account again ------------------------------------------------------------------------------

    async def _look(self, names: set[str]) -> Snapshot:
        """Read the listings of these kinds again; everything else is as the plan saw it."""
        kinds = self.session.kinds
        reads = {name: self.planned.reads[name] for name in kinds if name in names and name in self.planned.reads}
        fresh = await refresh(self.remote, kinds, reads, again(self.planned.refreshed, kinds, reads))
        unread = snapshot(kinds, reads, fresh.tables).unknown
        if unread:
            raise Unexpected("; ".join(f"{kind} cannot be read now: {why}" for kind, why in unread.items()))
        self.tables = self.tables.merged(fresh.tables)
        return snapshot(kinds, self.planned.reads, self.tables)

    def _again(self, seen: Snapshot, addresses: frozenset[str]) -> Plan:
        """Plan these addresses once more, against what the account says now."""
        now = replace(
            self.planned.inputs,
            state=self.book.state(),
            snapshot=seen,
            intents=self.book.intents(),
            only=addresses,
            in_flight=frozenset(),
        )
        return plan(now)

    async def _settle(self, address: str) -> Change | None:
        """Return what is left to do for an address after the answer to one of its writes was lost."""
        made = self._again(await self._look({address.partition(".")[0]}), frozenset([address]))
        change = next((one for one in made.changes if one.address == address), None)
        return None if change is None or change.action is Action.MANUAL else change

    async def _gone(self, kind: str, identity: str) -> bool:
        """Tell whether an object is not in its listing any more; False where the account does not list them."""
        seen = (await self._look({kind})).lives.get(kind)
        return seen is not None and all(live.id != identity for live in seen)

    async def _read_back(self, touched: dict[str, Change]) -> None:
        """Compare everything written with what the account holds; what did not take is sent once more, then
        reported.
        """
        names = {change.kind for change in touched.values()}
        try:
            seen = await self._look(names)
            left = self._left(seen, touched)
            if left.steps:
                # A listing may be late: what is sent twice for that would be there twice.
                await asyncio.sleep(self.session.around.waits.late)
                seen = await self._look({change.kind for change in left.changes})
                left = self._left(seen, touched)
            told: Collection[str] = ()
            if left.steps:
                told = await self._repair(left)
                seen = await self._look(names)
                left = self._left(seen, touched)
        except ReconcilerError as error:
            self.problems.append(("read-back", f"what was written could not be read back: {error.message}", error.hint))
            return
        for change in left.changes:
            if change.address not in told:
                self._unsettled(change, touched[change.address])
        _note_births(self.session, self.book, seen, touched, self.name)
        self._still_there(seen, touched)

    async def _repair(self, left: Plan) -> set[str]:
        """Send what did not take once more, counted like the first time; return what could not be sent, told as it is:
        a repair that would cost more than was said yes to is a refused change.
        """
        ports = replace(self._ports(), emit=self._repaired)
        outcome = await applier.apply(left, self.session.kinds, ports, self.name)
        errors = {step.address: outcome.failed[step.number] for step in left.steps if step.number in outcome.failed}
        for address, error in errors.items():
            self.problems.append((address, f"the account had not taken it as sent: {error.message}", error.hint))
        self.refused += [address for address, error in errors.items() if isinstance(error, Refused)]
        return set(errors)

    def _repaired(self, event: Event) -> None:
        """Steps of a repair are none of the plan: they are not counted, and told as notes."""
        if isinstance(event, Finished):
            self.hooks.emit(Noted(event.address, "the account had not taken it as sent; it was sent once more"))

    def _left(self, seen: Snapshot, touched: dict[str, Change]) -> Plan:
        kept = frozenset(address for address, change in touched.items() if change.action is not Action.DELETE)
        made = self._again(seen, kept)
        open_ = [change for change in made.changes if change.action in (Action.UPDATE, Action.CREATE) or change.spares]
        addresses = {change.address for change in open_}
        # What only a create can set was set by one: it differs because the account stores it in its own way.
        fixed = [
            change
            for change in made.changes
            if change.action in (Action.MANUAL, Action.REPLACE)
            and touched[change.address].action in (Action.CREATE, Action.REPLACE)
        ]
        return replace(
            made,
            changes=(*open_, *fixed),
            steps=tuple(
                replace(step, waits=()) for step in made.steps if step.address in addresses and step.op != "create"
            ),
        )

    def _unsettled(self, left: Change, written: Change) -> None:
        """An attribute that did not take is a problem; one that the server stores in its own way is remembered. What
        it refers to is nobody's way: a reference that is not there did not take.
        """
        if left.action is Action.CREATE:
            self.problems.append(
                (
                    left.address,
                    "the account answered its create with success, but the object is not there",
                    "run plan again",
                )
            )
            return
        kind = self.session.kinds[left.kind]
        before = written.live.attrs if written.live is not None and written.action is not Action.REPLACE else {}
        rewritten = {}
        for item in left.attributes:
            attribute = kind.attributes[item.name]
            if (
                attribute.normal(item.before) == attribute.normal(before.get(item.name))
                or item.name not in written.changed
                or set(values.references(item.after)) - set(values.references(item.before))
            ):
                self.problems.append(
                    (
                        left.address,
                        f"the account answered with success, but `{item.name}` did not change as sent",
                        "change it by hand, or remove it from the configuration",
                    )
                )
            else:
                salt, hidden = self.book.base.salt, item.sensitive
                rewritten[item.name] = {
                    "sent": kept(attribute.normal(item.after), salt, hidden=hidden),
                    "got": kept(attribute.normal(item.before), salt, hidden=hidden),
                }
                self._note(left.address, f"the account stores `{item.name}` in its own way: {self._short(item)}")
        binding = self.book.state().resources.get(left.address)
        if rewritten and binding is not None:
            self.book.record(
                Record(
                    op="bind",
                    run=self.name,
                    address=left.address,
                    binding=binding.model_copy(update={"rewritten": {**binding.rewritten, **rewritten}}),
                )
            )

    def _still_there(self, seen: Snapshot, touched: dict[str, Change]) -> None:
        for address, change in touched.items():
            if (
                change.action is Action.DELETE
                and change.live is not None
                and any(
                    live.id == change.live.id and live.attrs == change.live.attrs
                    for live in seen.lives.get(change.kind, ())
                )
            ):
                self.problems.append(
                    (
                        address,
                        f"the account answered its delete with success, but id {change.live.id} is still there",
                        "run plan again later",
                    )
                )

    def _note(self, address: str, said: str) -> None:
        message = self.session.redactor.show(said)
        self.notes.append(self.session.redactor.show(f"{address}: {message}"))
        self._emit(Noted(address, message))

    def _short(self, item: AttributeChange) -> str:
        text = f"{values.encode(item.after)!r} became {values.encode(item.before)!r}"
        return "sensitive" if item.sensitive else abridged(text, 120, self.session.redactor.show)

    # --- the end ---------------------------------------------------------------------------------------------------

    def _summary(self, outcome: applier.Outcome) -> ApplySummary:
        made = self.planned.plan
        actions = {change.address: change for change in made.changes}
        vain = {address for address, *_ in self.problems}
        done = [
            step
            for step in made.steps
            if step.number in outcome.done and not (step.op == "update" and step.address in vain)
        ]
        errors = [(step.address, outcome.failed[step.number]) for step in made.steps if step.number in outcome.failed]
        failed = [(address, error.message, error.hint) for address, error in errors]
        return ApplySummary(
            added=sum(step.op == "create" for step in done),
            changed=sum(step.op == "update" for step in done),
            destroyed=sum(step.op == "delete" for step in done),
            adopted=sum(step.op in ("bind", "update") and actions[step.address].adopts for step in done),
            failed=(*failed, *self.problems),
            refused=(*(address for address, error in errors if isinstance(error, Refused)), *self.refused),
            skipped=tuple(
                (step.address, outcome.skipped[step.number]) for step in made.steps if step.number in outcome.skipped
            ),
            notes=tuple(self.notes),
            requests=self.remote.requests,
            forecast=self.planned.document.forecast.apply_requests + self.archived.forecast + self.counted,
            archive=self.archived.folder,
            archived=self.archived.records,
            seconds=time.monotonic() - self.started,
        )

"""The applier: runs the steps of a plan, independent ones side by side, and records every result before it goes on.

It never plans. When the answer to a create was lost it asks `settle`, which looks at the account and says what is
left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import nullcontext
from functools import partial

from reconciler.engine.drive import drive
from reconciler.engine.ports import Ports, Recounting, StepOutcomes
from reconciler.engine.queue import Queue
from reconciler.model.errors import ReconcilerError, Refused, Rejected, StateError, Uncounted, Unreachable
from reconciler.model.events import Failed, Finished, Noted, Skip, Started, Waiting
from reconciler.model.http import Bound
from reconciler.model.kind import Kinds
from reconciler.model.plan import COUNTED, WRITES, Change, Plan, Step, flow_of, write_of
from reconciler.model.state import Intent, Record
from reconciler.model.values import Reference, RemoteId, encode
from reconciler.model.write import Write

SETTLE = 3
"""How often a create with a lost answer is looked for and, if it is not there, sent again."""
ANSWERED = frozenset({500, 501, 507})
"""Errors of the server itself, which is done with the request; those of a gateway say nothing about it."""
AFTER_AN_ANSWER = 2
"""So many looks are enough then: a listing may be late, the write is not."""
AT_ONCE = 6
"""Steps in flight; the pacer decides how fast requests go, this only bounds open connections."""


async def apply(plan: Plan, kinds: Kinds, ports: Ports, run: str) -> StepOutcomes:
    """Run the plan. Errors of steps do not raise; they are in the outcome. Raises StateError when results cannot be
    recorded.
    """
    return await _Applying(plan, kinds, ports, run).run()


class _Counting:
    """Counts what a write costs before each of its requests, and before each repetition of one. `stopped` is what a
    repetition was refused with, where a try before it may have been carried out.
    """

    def __init__(self, recount: Recounting, change: Change, write: Write) -> None:
        self.recount, self.change, self.write = recount, change, write
        self.stopped: Refused | None = None

    async def __call__(self, taken: int, unclear: bool | None) -> None:
        # The first request moves away what is to be moved; what is there after that is lost.
        write = self.write._replace(on_destroy={}) if taken else self.write
        try:
            await self.recount(self.change, write, unsent=unclear is False)
        except Refused as error:
            self.stopped = error if unclear else None
            raise


class _Applying:
    def __init__(self, plan: Plan, kinds: Kinds, ports: Ports, run: str) -> None:
        self.plan, self.kinds, self.ports, self.name = plan, kinds, ports, run
        self.changes = {change.address: change for change in plan.changes}
        self.addresses = {step.number: step.address for step in plan.steps}
        self.ids = dict(plan.ids)
        self.spares = {change.address: list(change.spares) for change in plan.changes}
        self.taken: set[str] = set()
        self.failed: dict[int, ReconcilerError] = {}
        self.moved: dict[str, str] = {}
        self.skipped: dict[int, str] = {}
        self.done: set[int] = set()
        self.broken: StateError | None = None

    async def run(self) -> StepOutcomes:
        queue = Queue(self.plan.steps, self._in_sequence())
        running: dict[asyncio.Task[None], Step] = {}
        try:
            while queue.ready or running:
                while queue.ready and len(running) < AT_ONCE:
                    step = queue.ready.popleft()
                    if cause := self._cause(step):
                        self.skipped[step.number] = cause
                        self.ports.emit(Skip(step.number, step.address, step.op, cause))
                        queue.over(step)
                    else:
                        running[asyncio.create_task(self._try(step))] = step
                finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED) if running else ((), ())
                for task in sorted(finished, key=lambda task: running[task].number):
                    queue.over(running.pop(task))
                    task.result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        if self.broken is not None:
            raise self.broken
        return StepOutcomes(frozenset(self.done), dict(self.failed), dict(self.skipped), self.ports.stop.is_set())

    def _in_sequence(self) -> dict[int, int]:
        """Return which create each create comes after: those of one kind and parent go one after the other, in the
        order of the steps, which is that of the files.

        Accounts show objects in the order in which they were made: a field's `ordernum` becomes max + 1, members of
        groups are appended, other listings go by id. Kinds go side by side, and requests are paced anyway.
        """
        before: dict[int, int] = {}
        last: dict[tuple[str, str | None], int] = {}
        for step in self.plan.steps:
            if step.op == "create":
                change = self.changes[step.address]
                line = (change.kind, change.resource.parent if change.resource is not None else None)
                if line in last:
                    before[step.number] = last[line]
                last[line] = step.number
        return before

    def _cause(self, step: Step) -> str:
        """Return why a step must not be tried, or ""."""
        if self.broken is not None:
            return "results cannot be recorded"
        if self.ports.stop.is_set():
            return "cancelled"
        for number in step.waits:
            if number not in self.done:
                needed = self.addresses[number]
                return f"it needs {needed}" if needed != step.address else "the step before it did not succeed"
        return ""

    async def _try(self, step: Step) -> None:
        started = self.ports.clock()
        self.ports.emit(Started(step.number, step.address, step.op, len(self.plan.steps)))
        try:
            await self._perform(step)
        except StateError as error:
            self.broken = error
        except ReconcilerError as error:
            self._fail(step, error)
        except LookupError as error:
            self._fail(step, ReconcilerError(str(error.args[0] if error.args else error)))
        else:
            self.done.add(step.number)
            self.ports.emit(
                Finished(
                    step.number, step.address, step.op, self.ports.clock() - started, self.ids.get(step.address, "")
                )
            )

    def _fail(self, step: Step, error: ReconcilerError) -> None:
        if isinstance(error, Rejected) and error.status in (403, 404, 405) and self._only_seen(step):
            error.hint = (
                f"the reference does not list this {step.op}: recordings or clients show it, and this account may not "
                f"offer it{'; ' + error.hint if error.hint else ''}"
            )
        self.failed[step.number] = error
        self.ports.emit(Failed(step.number, step.address, step.op, error.message, error.hint))

    def _only_seen(self, step: Step) -> bool:
        """Return whether the API's reference leaves the operation out, so that an account may not have it."""
        return step.op in self.kinds[self.changes[step.address].kind].abilities.observed

    # --- one step --------------------------------------------------------------------------------------------------

    async def _perform(self, step: Step) -> None:
        change = self.changes[step.address]
        if step.op in ("forget", "move"):
            self._state_only(step, change)
        elif step.op == "bind":
            self._bind(change, self._live_id(change), complete=True)
        elif step.op == "create":
            await self._create(step, change)
        else:
            if step.op in ("update", "delete", "park"):
                self._record(Record(op="intent", run=self.name, address=change.address))
            await self._flow(step, change)

    def _state_only(self, step: Step, change: Change) -> None:
        if step.op == "forget":
            self._record(Record(op="drop", run=self.name, address=change.address))
        elif not self.moved:
            # All at once: two that swap their addresses would overwrite each other.
            self.moved = {change.moved_from: change.address for change in self.changes.values() if change.moved_from}
            source = change.moved_from or ""
            self._record(Record(op="move", run=self.name, address=source, target=change.address, moves=self.moved))

    async def _create(self, step: Step, change: Change) -> None:
        self._record(Record(op="intent", run=self.name, address=change.address, intent=intent_of(change)))
        late = self.ports.late.get(change.address)
        if late is not None:
            self.ports.emit(Noted(change.address, "a run that died had created it after all; looked it up by name"))
            change = self._continued(change, late)
            step = step._replace(op="update")
        for attempt in range(SETTLE):
            try:
                await self._flow(step, change)
                return
            except (Unreachable, Rejected) as error:
                if not _may_be_done(error) or attempt == SETTLE - 1:
                    if not _may_be_done(error) and change.address not in self.ids:
                        self._record(Record(op="failed", run=self.name, address=change.address))
                    raise
                left = await self._look(change.address, error)
                self.ports.emit(Noted(change.address, "the answer to its create was lost; looked it up by name"))
                if left is None or self.ports.stop.is_set():
                    raise
                change = self._continued(change, left)
                step = step._replace(op="create" if left.live is None else "update")

    async def _pause(self, what: str, seconds: float) -> None:
        self.ports.emit(Waiting(f"{what} got no answer and may still be on its way", seconds))
        await until_stopped(self.ports.sleep(seconds), self.ports.stop)

    async def _look(self, address: str, error: ReconcilerError) -> Change | None:
        """Look at what a write that ended in an error left to do; None for nothing."""
        left = None
        answered = isinstance(error, Rejected) and error.status in ANSWERED
        for pause in self.ports.settling[: AFTER_AN_ANSWER if answered else None]:
            await self._pause(f"a write of {address}", pause)
            left = await self.ports.settle(address)
            if left is None or not (left.action in WRITES or left.spares) or self.ports.stop.is_set():
                break
        return left

    def _continued(self, change: Change, left: Change) -> Change:
        """Take over what a look at the account says is left to do: a create, or an update of the half-made object."""
        if left.live is not None:
            self.ids[change.address] = left.live.id
            if left.spares:
                self.spares[change.address] = list(left.spares)
        left = left._replace(resource=change.resource or left.resource, spare=change.spare)
        self.changes[change.address] = left
        return left

    async def _flow(self, step: Step, change: Change) -> None:
        kind = self.kinds[change.kind]
        write = write_of(change, step.op, self._id, secret=self.ports.secret, spare=self._spare(step, change))
        left = tuple(spare for spare in self.spares.get(change.address, ()) if spare not in self.taken)
        for attempt in range(SETTLE):
            counting = _Counting(self.ports.recount, change, write) if step.op in COUNTED else None
            try:
                async with self.ports.recount.alone(change) if step.op in COUNTED else nullcontext():
                    await drive(
                        flow_of(kind, step.op, write, left),
                        self.ports.remote,
                        on_bound=partial(self._bound, change),
                        before=counting,
                        sleep=self.ports.sleep,
                    )
                break
            except (Unreachable, Rejected, Refused) as error:
                # Without an answer a write may have been executed. A delete is over once the object is gone; an update
                # is looked up and sent again here; a create is looked up by name by `_create`.
                unclear = _is_unclear(error, counting)
                if step.op == "delete" and await self._is_gone(change.kind, write.id, error, unclear=unclear):
                    break
                if step.op != "update" or not unclear or attempt == SETTLE - 1:
                    raise
                again = await self._look(change.address, error)
                if again is None or again.live is None:
                    break
                if self.ports.stop.is_set():
                    raise
                write = write_of(again, step.op, self._id, secret=self.ports.secret)
        self._settled(step, change)

    def _bound(self, change: Change, bound: Bound, more: bool) -> None:
        """Take over the id of an object that was made. Where nothing more is sent, it is complete in a moment."""
        self.ids[change.address] = bound.id
        if bound.spares and change.resource is not None and change.resource.nested:
            self.spares[change.address] = list(bound.spares)
        if more:
            self._bind(change, bound.id, complete=False)

    async def _is_gone(self, kind: str, identity: str, error: ReconcilerError, *, unclear: bool) -> bool:
        """Return whether what was to be deleted is not there. A delete that got no answer may have done it, and what is
        gone cannot be counted: neither is a failure, nor a reason to refuse.
        """
        if self.ports.stop.is_set() or not (unclear or isinstance(error, Uncounted)):
            return False
        for pause in self.ports.settling if unclear else (0.0,):
            if pause:
                await self._pause("a delete", pause)
            try:
                if await self.ports.gone(kind, identity):
                    return True
            except ReconcilerError:
                return False
        return False

    def _settled(self, step: Step, change: Change) -> None:
        if step.op == "park":
            self._parked(change)
            return
        if step.op == "delete":
            self._record(Record(op="drop", run=self.name, address=change.address))
            self.ids.pop(change.address, None)
            return
        if step.op == "finish":
            self.spares[change.address] = []
        self._bind(change, self._live_id(change), complete=True)

    def _parked(self, change: Change) -> None:
        """Record the name in between, by which a later run recognises the object; what was applied still stands."""
        if change.live is None or change.binding is None:
            return
        kind = self.kinds[change.kind]
        keys = kind.natural_keys({**change.live.attrs, **kind.parked(change.live, change.address)})
        key = [encode(item) for item in keys[0]] if keys else []
        binding = change.binding.model_copy(update={"id": change.live.id, "natural_key": key})
        self._record(Record(op="bind", run=self.name, address=change.address, binding=binding))

    def _spare(self, step: Step, change: Change) -> str | None:
        """Return the server-made object that a new child takes over, if its parent came with one for it."""
        parent = change.resource.parent if change.resource else None
        if step.op != "create" or parent is None or change.spare is None:
            return None
        free = self.spares.get(parent, [])
        if change.spare >= len(free):
            return None
        self.taken.add(free[change.spare])
        return free[change.spare]

    def _live_id(self, change: Change) -> str:
        return self.ids.get(change.address) or (change.live.id if change.live else "")

    def _id(self, reference: Reference) -> str:
        """Return the remote id of a reference. Raises LookupError, which fails the step."""
        if isinstance(reference, RemoteId):
            return reference.id
        try:
            return self.ids[str(reference)]
        except KeyError:
            raise LookupError(f"{reference} has no id yet") from None

    def _bind(self, change: Change, identity: str, *, complete: bool) -> None:
        spares = [spare for spare in self.spares.get(change.address, ()) if spare not in self.taken]
        binding = self.ports.binding(change, identity, complete, spares)
        self._record(Record(op="bind", run=self.name, address=change.address, binding=binding))

    def _record(self, record: Record) -> None:
        self.ports.record(record)


async def until_stopped(pause: Awaitable[None], stop: asyncio.Event) -> None:
    """Wait, but not beyond the moment at which the run is asked to stop."""
    waiting = [asyncio.ensure_future(pause), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def intent_of(change: Change) -> Intent:
    """Return what has to be on record before a create is sent."""
    return Intent(
        address=change.address, kind=change.kind, natural_key=list(change.natural_key), known=list(change.known)
    )


def intents_of(plan: Plan) -> dict[str, Intent | None]:
    """Return what a plan sends, to be announced together; None: no create. A replaced object has a result in the
    middle, and is announced when its turn comes.
    """
    ops: dict[str, set[str]] = {}
    for step in plan.steps:
        ops.setdefault(step.address, set()).add(step.op)
    changes = {change.address: change for change in plan.changes}
    return {
        address: intent_of(changes[address]) if "create" in mine else None
        for address, mine in ops.items()
        if not mine >= {"create", "delete"} and mine & {"create", "update", "delete"}
    }


def _is_unclear(error: ReconcilerError, counting: _Counting | None) -> bool:
    """Return whether a step may have been executed: a try before the refused one, or one that got no answer."""
    return (counting is not None and error is counting.stopped) or _may_be_done(error)


def _may_be_done(error: ReconcilerError) -> bool:
    """Return whether a write that ended in this error may have been executed anyway."""
    return (isinstance(error, Unreachable) and error.sent) or (isinstance(error, Rejected) and error.status >= 500)

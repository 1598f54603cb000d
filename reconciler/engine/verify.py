"""Read-back: what was written is compared with what the account holds. What did not take is sent once more, then
reported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import field

from reconciler.engine.ports import StepOutcomes
from reconciler.model import values
from reconciler.model.errors import ReconcilerError, Refused
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, AttributeChange, Change, Plan
from reconciler.model.records import mutable, record
from reconciler.model.snapshot import Snapshot

Problem = tuple[str, str, str]
"""An address, what is wrong with it, and a hint."""


@record
class ReadBackPorts:
    """What a read-back needs from outside.

    `look` reads the listings of these kinds again, `replan` plans these addresses against what it found; `resend`
    applies a repair; `late` waits for a listing that may be behind. `rewritten` is told what the account stores in its
    own way, `seen` what was read in the end.
    """

    look: Callable[[Collection[str]], Awaitable[Snapshot]]
    replan: Callable[[Snapshot, frozenset[str]], Plan]
    resend: Callable[[Plan], Awaitable[StepOutcomes]]
    late: Callable[[], Awaitable[None]]
    rewritten: Callable[[str, Sequence[AttributeChange]], None]
    seen: Callable[[Snapshot, Collection[str]], None]


@mutable
class Verified:
    """What a read-back found: problems, and the addresses whose repair would have cost more than was approved."""

    problems: list[Problem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def touched(plan: Plan, outcome: StepOutcomes) -> dict[str, Change]:
    """Return the changes that wrote to the account and succeeded, by address."""
    done = outcome.done
    wrote = {step.address for step in plan.steps if step.number in done and step.op not in ("forget", "move", "bind")}
    failed = {step.address for step in plan.steps if step.number not in done}
    whole = wrote - failed
    return {change.address: change for change in plan.changes if change.address in whole}


def doubtful(written: Mapping[str, Change], kinds: Kinds) -> dict[str, Change]:
    """Return what has to be read back: all but updates that took as sent, which a probe found out of this account.
    Where the listing of a kind is read anyway, all that was written of it is compared: that costs no request, and tells
    a wrong fact in the same apply.
    """
    read = {change.kind for change in written.values() if not change.takes(kinds[change.kind])}
    return {address: change for address, change in written.items() if change.kind in read}


async def verify(written: Mapping[str, Change], kinds: Kinds, ports: ReadBackPorts) -> Verified:
    """Compare everything written with what the account holds. Errors of reading do not raise; they are a problem."""
    return await _Verifying(written, kinds, ports).run()


class _Verifying:
    """One read-back, with one round of repairs."""

    def __init__(self, written: Mapping[str, Change], kinds: Kinds, ports: ReadBackPorts) -> None:
        self.written, self.kinds, self.ports = written, kinds, ports
        self.verified = Verified()

    async def run(self) -> Verified:
        names = {change.kind for change in self.written.values()}
        try:
            seen = await self.ports.look(names)
            left = self._left(seen)
            if left.steps:
                # A listing may be late: what is sent twice for that would be there twice.
                await self.ports.late()
                seen = await self.ports.look({change.kind for change in left.changes})
                left = self._left(seen)
            reported: Collection[str] = ()
            if left.steps:
                reported = await self._repair(left)
                seen = await self.ports.look(names)
                left = self._left(seen)
        except ReconcilerError as error:
            self._problem("read-back", f"what was written could not be read back: {error.message}", error.hint)
            return self.verified
        for change in left.changes:
            if change.address not in reported:
                self._unsettled(change, self.written[change.address])
        self.ports.seen(seen, self.written)
        self._still_there(seen)
        return self.verified

    def _problem(self, address: str, what: str, hint: str) -> None:
        self.verified.problems.append((address, what, hint))

    async def _repair(self, left: Plan) -> set[str]:
        """Send what did not take once more, counted like the first time; return what could not be sent, reported as it
        is: a repair that would cost more than was approved is a refused change.
        """
        outcome = await self.ports.resend(left)
        errors = {step.address: outcome.failed[step.number] for step in left.steps if step.number in outcome.failed}
        for address, error in errors.items():
            self._problem(address, f"the account had not taken it as sent: {error.message}", error.hint)
        self.verified.refused += [address for address, error in errors.items() if isinstance(error, Refused)]
        return set(errors)

    def _left(self, seen: Snapshot) -> Plan:
        """Return what planning these addresses again finds: what did not take, as far as it can be sent once more."""
        kept = frozenset(address for address, change in self.written.items() if change.action is not Action.DELETE)
        plan = self.ports.replan(seen, kept)
        open_ = [change for change in plan.changes if change.action in (Action.UPDATE, Action.CREATE) or change.spares]
        addresses = {change.address for change in open_}
        # What only a create can set was set by one: it differs because the account stores it in its own way.
        fixed = [
            change
            for change in plan.changes
            if change.action in (Action.MANUAL, Action.REPLACE)
            and self.written[change.address].action in (Action.CREATE, Action.REPLACE)
        ]
        steps = (step for step in plan.steps if step.address in addresses and step.op != "create")
        return plan._replace(changes=(*open_, *fixed), steps=tuple(step._replace(waits=()) for step in steps))

    def _unsettled(self, left: Change, written: Change) -> None:
        """Report what did not take; what the account stores in its own way is remembered. A value that is as it was
        before the write did not take, nor did one whose references are not there.
        """
        if left.action is Action.CREATE:
            what = "the account answered its create with success, but the object is not there"
            self._problem(left.address, what, "run plan again")
            return
        kind = self.kinds[left.kind]
        before = written.live.attrs if written.live is not None and written.action is not Action.REPLACE else {}
        rewritten = []
        for item in left.attributes:
            attribute = kind.attributes[item.name]
            if (
                attribute.normal(item.before) == attribute.normal(before.get(item.name))
                or item.name not in written.changed
                or set(values.references(item.after)) - set(values.references(item.before))
            ):
                what = f"the account answered with success, but `{item.name}` did not change as sent"
                self._problem(left.address, what, "change it manually, or remove it from the configuration")
            else:
                rewritten.append(item)
        if rewritten:
            self.ports.rewritten(left.address, rewritten)

    def _still_there(self, seen: Snapshot) -> None:
        for address, change in self.written.items():
            if change.action is not Action.DELETE or change.live is None:
                continue
            live = change.live
            if any(shown.id == live.id and shown.attrs == live.attrs for shown in seen.lives.get(change.kind, ())):
                what = f"the account answered its delete with success, but id {live.id} is still there"
                self._problem(address, what, "run plan again later")

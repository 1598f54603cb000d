"""What an apply learns from what it wrote, and does with it: births, places, and values stored in another way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from reconciler.engine.ports import StepOutcomes
from reconciler.engine.verify import ReadBackPorts
from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.plan import AttributeChange, Plan
from reconciler.model.records import record
from reconciler.model.redaction import abridged
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Record
from reconciler.planning.bindings import rewritten_of
from reconciler.workflow.apply.contradictions import FactWatch
from reconciler.workflow.apply.replanning import Replanning
from reconciler.workflow.apply.takeover import note_births, note_places
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.planned import Planned


@record
class ReadBack:
    """The read-back of one apply, called `run`; what it finds goes into the book, and is told by `note`."""

    session: Session
    planned: Planned
    book: StateTransaction
    again: Replanning
    watch: FactWatch
    run: str
    note: Callable[[str, str], None]

    def ports(self, resend: Callable[[Plan], Awaitable[StepOutcomes]]) -> ReadBackPorts:
        """Return what verifying needs; `resend` sends once more what has not taken."""
        return ReadBackPorts(
            look=self.again.look,
            replan=self.again.replan,
            resend=resend,
            late=lambda: asyncio.sleep(self.session.runtime.waits.late),
            rewritten=self._rewritten,
            seen=self._seen,
        )

    def _seen(self, seen: Snapshot, addresses: Collection[str]) -> None:
        note_births(self.session, self.book, seen, addresses, self.run)
        wanted = self.planned.inputs.desired.resources
        note_places(self.session, self.book, seen, addresses, wanted, self.run)

    def _rewritten(self, address: str, items: Sequence[AttributeChange]) -> None:
        """Remember what the account stores in its own way, so that the next plan does not send it again."""
        for item in items:
            self.watch.stored_otherwise(address, item.name)
            self.note(address, f"the account stores `{item.name}` in its own way: {self._short(item)}")
        rewritten = rewritten_of(items, self.session.kinds[kind_of(address)], self.book.base.salt)
        binding = self.book.binding(address)
        if binding is not None:
            known = binding.model_copy(update={"rewritten": {**binding.rewritten, **rewritten}})
            self.book.record(Record(op="bind", run=self.run, address=address, binding=known))

    def _short(self, item: AttributeChange) -> str:
        text = f"{values.encode(item.after)!r} became {values.encode(item.before)!r}"
        return "sensitive" if item.sensitive else abridged(text, 120, self.session.redactor.show)

"""The state during a run: read once with its journal, written to with every result, folded at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from reconciler.model.ports import LockInfo, Store
from reconciler.model.recorded import Recorded
from reconciler.model.records import mutable
from reconciler.model.redaction import Redactor
from reconciler.model.state import Binding, Intent, Record, State, fold, in_flight, open_intents
from reconciler.model.touched import touched
from reconciler.planning.bindings import cleared_records, cleared_state
from reconciler.store import new_state
from reconciler.workflow.opening.session import Session

if TYPE_CHECKING:
    from reconciler.model.run import RunRecord

AHEAD = 20
"""Creates that are announced along with the one that is about to be sent, where a write is cheap: each waits for the
disk, and most of the time of a thousand creates was that."""
TOGETHER = 500
"""Results that are written at once: more would take more memory than they save time."""
REPLACED = ("state push", "state restore", "state migrate")
"""What puts another state in place of the one that runs wrote."""


@mutable
class StateTransaction:
    """The state during a run: what was read, and every record since. `record` is durable when it returns, as far as
    exactly-once creates need it: a create's intent always, a result where a write is cheap.
    """

    store: Store
    base: State
    stored: State | None
    records: Recorded
    stamp: Callable[[], str]
    dead: frozenset[str] = frozenset()
    """Runs whose journal was there when the book was opened."""
    live: LockInfo | None = None
    """Who was writing the state when the book was opened; its journal is not looked at."""
    expected: dict[str, Intent] = field(default_factory=dict)
    """The creates that a run will begin and that are not on record yet."""
    coming: Iterator[str] = field(default_factory=lambda: iter(()))
    """Their addresses, in order."""
    announced: dict[str, Intent | None] = field(default_factory=dict)
    """What is on record and not begun yet."""
    redactor: Redactor = field(default_factory=Redactor)

    def announce(self, intents: Mapping[str, Intent | None], run: str) -> None:
        """Say what is about to be sent, in this order; None: no create. Where a write is a round trip, all of it is
        made durable now; otherwise creates are, some at a time.
        """
        if self.store.coalesces:
            self._announce(intents, run)
        else:
            self.expected = {name: intent for name, intent in intents.items() if intent is not None}
            self.coming = iter(list(self.expected))

    def _announce(self, intents: Mapping[str, Intent | None], run: str, first: Sequence[Record] = ()) -> None:
        """Make many intents durable with one write, and what is begun first."""
        records = [
            *first,
            *(Record(op="intent", run=run, address=name, intent=intent) for name, intent in intents.items()),
        ]
        if records:
            self._append(records, urgent=True)
        self.announced |= intents

    def record(self, record: Record) -> None:
        """Append to the journal, then remember."""
        intent = record.op == "intent"
        known = intent and record.address in self.announced and self.announced[record.address] == record.intent
        if known and record.intent is not None:
            del self.announced[record.address]  # it is begun
        if known:
            return
        self.expected.pop(record.address, None)
        if record.intent is not None:
            ahead = itertools.islice((name for name in self.coming if name in self.expected), AHEAD)
            self._announce({name: self.expected.pop(name) for name in ahead}, record.run, [record])
        else:
            self._append([record], urgent=intent or record.op == "counted")

    def results(self, records: Iterable[Record]) -> None:
        """Append results to the journal, many with one write, then remember."""
        rest = iter(records)
        while some := list(itertools.islice(rest, TOGETHER)):
            self._append(some, urgent=False)

    def _append(self, records: list[Record], *, urgent: bool) -> None:
        now = self.stamp()
        touched(self.store.where)
        kept = cleared_records(records, self.redactor.knows, self.base.salt)
        self.store.append([record.model_copy(update={"at": now}) for record in kept], urgent=urgent)
        for record in records:
            self.records.add(record)

    def state(self) -> State:
        """Return the state as of now."""
        return fold(self.base, self.records)

    def binding(self, address: str) -> Binding | None:
        """Return what the state says of one address as of now."""
        last = self.records.result(address)
        return last.binding if last is not None else self.state().resources.get(address)

    def intents(self) -> dict[str, Intent]:
        """Return the creates that were announced and never settled."""
        return open_intents(self.records, self.base.intents)

    def in_flight(self) -> frozenset[str]:
        """Return the addresses of which it is unknown whether the account took their last update or delete."""
        return in_flight(self.records)

    def begin(self) -> None:
        """Write the first state, where there is none: its lineage has to be known before anything is recorded."""
        if self.stored is None:
            self.store.write(self.base, expected_serial=None)
            self.stored = self.base

    def last_word(self, run: RunRecord) -> RunRecord:
        """Return the last word on a run that died without one: its journal says what it did, or the version of the
        state that it wrote.
        """
        from reconciler.model.run import interrupted, settled

        if any(record.run == run.name for record in self.records):
            return interrupted(run, self.records)
        after = self.stored if self.stored is not None and self.stored.serial > run.serial_before else None
        if after is not None and after.serial > run.serial_before + 1:
            after = self.store.version(run.serial_before + 1) or after
        return settled(run, after)

    def completed(self, plan: str) -> bool:
        """Return whether the last run of a plan did all of it, as far as that is on record."""
        for name in reversed(self.store.run_names()):
            run = self.store.run(name)
            if run is not None and run.plan == plan:
                return (self.last_word(run) if run.result == "open" else run).result == "complete"
        return False

    def close_runs(self) -> list[str]:
        """Write the last word on every run that died without one, and return their names. Only under the lock: no
        other process is running. The process that wrote the record of an apply had closed those before.
        """
        closed = []
        gone = self.unrecorded()
        if gone is not None:
            self.store.save_run(gone)
            closed.append(gone.name)
        for name in reversed(self.store.run_names()):
            run = self.store.run(name)
            if run is not None and run.result == "open":
                self.store.save_run(self.last_word(run))
                closed.append(name)
            elif run is not None and run.steps and not self.dead:
                break
        return closed

    def unrecorded(self) -> RunRecord | None:
        """Return what the state says of the last apply where no record of it is kept: its plan is on none. Not asked
        of a state that was pushed or brought back since: it may be one of elsewhere.
        """
        if self.stored is None or not self.stored.applied_plans:
            return None
        last = self.stored.applied_plans[-1]
        for name in reversed(self.store.run_names()):
            run = self.store.run(name)
            if run is not None and (run.plan == last or (not run.steps and run.operation in REPLACED)):
                return None
        now = self.stored
        while (before := self.store.version(now.serial - 1)) and before.applied_plans[-1:] == [last]:
            now = before
        from reconciler.model.run import reconstructed

        stamp = now.updated or self.stamp()
        return reconstructed(f"{stamp}-{last[:6]}", last, before, now)

    def close(self, **changes: Any) -> State:
        """Fold the records into the state, write it with the next serial, and drop the journal. Creates that may have
        been executed stay on record; those that were announced and never begun do not.
        """
        intents = {name: intent for name, intent in self.intents().items() if name not in self.announced}
        update = {"serial": self.base.serial + 1, "updated": self.stamp(), "intents": intents, **changes}
        state = cleared_state(self.state().model_copy(update=update), self.redactor.knows)
        touched(self.store.where)
        self.store.write(state, expected_serial=self.stored.serial if self.stored is not None else None, folds=True)
        self.store.clear_journal()
        self.base, self.stored, self.records, self.expected, self.announced = state, state, Recorded(), {}, {}
        self.dead = frozenset()
        return state


def open_book(session: Session) -> StateTransaction:
    """Read state and journal. A first run begins a new state. The journal of a run that is alive is its own: the state
    is as it was recorded before.
    """
    store = session.store
    mine = session.state_url in session.held
    live = None if mine or store.coalesces else store.holder()
    stored = store.read()
    base = stored or new_state(session.identity, lineage=session.runtime.token(), salt=session.runtime.token())
    if session.extra:
        base = base.model_copy(update={"resources": {**session.extra, **base.resources}})
    session.learn(base)
    records = list(store.journal())
    if records and live is None and not mine:
        live = store.holder()  # asking may be dear, and a run may have begun since
    if live is not None:
        return StateTransaction(
            store, base, stored, Recorded(), session.runtime.stamp, live=live, redactor=session.redactor
        )
    dead = frozenset(record.run for record in records if record.run)
    return StateTransaction(
        store, base, stored, Recorded(records), session.runtime.stamp, dead, redactor=session.redactor
    )

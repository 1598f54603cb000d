"""What an interrupted run left: its journal, its open creates, the names of what it wrote."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from reconciler.model.desired import Resource
from reconciler.model.errors import StalePlan
from reconciler.model.live import Live
from reconciler.model.redaction import as_made
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding, Record
from reconciler.planning.identity import stored_key
from reconciler.workflow.observation.arrangements import arranges, by_parent, in_account, in_files
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.planned import Planned


def fold_journal(session: Session, planned: Planned) -> bool:
    """Fold what an interrupted run recorded into the state; return whether there was anything.

    For applies with nothing left to do: the run before died after its last write. Raises LockHeld, StateError.
    """
    if not session.store.journal():
        return False
    with locked(session, "apply"):
        book = open_book(session)
        if not book.records or not _known(planned, book):
            return False
        take_over(session, book, planned)
        book.begin()
        book.close(account=session.identity)
    return True


def take_over(session: Session, book: StateTransaction, planned: Planned) -> None:
    """Forget open creates that a plan of everything looked for, did not find, and that are not wanted any more; learn
    the names of what an interrupted run wrote, for it did not come to look.
    """
    seen, changed = planned.inputs.snapshot, {change.address for change in planned.plan.changes}
    bound = {record.address for record in book.records if record.op == "bind"}
    resources = book.state().resources
    same = {name for name in bound & resources.keys() if planned.plan.ids.get(name) == resources[name].id}
    note_births(session, book, seen, same)
    for address, intent in book.intents().items():
        eyes = planned.inputs.eyes
        if eyes is not None and eyes.why and session.kinds[intent.kind].reading.filtered:
            continue  # that it is not shown proves nothing
        if planned.inputs.only is None and intent.kind in seen.lives and address not in changed:
            book.record(Record(op="failed", address=address, note=as_made("its create was never executed")))


def note_births(
    session: Session, book: StateTransaction, seen: Snapshot, addresses: Collection[str], run: str = ""
) -> None:
    """Remember creation stamps and natural keys as the account shows them: they tell a reused id from a rename."""
    resources = book.state().resources
    kinds = {resources[address].kind for address in addresses if address in resources}
    lives: dict[tuple[str, str], Live] = {(name, live.id): live for name in kinds for live in seen.lives.get(name, ())}
    book.results(_births(session, resources, lives, addresses, run))


def _births(
    session: Session,
    resources: Mapping[str, Binding],
    lives: Mapping[tuple[str, str], Live],
    addresses: Iterable[str],
    run: str,
) -> Iterator[Record]:
    for address in addresses:
        binding = resources.get(address)
        live = lives.get((binding.kind, binding.id)) if binding is not None else None
        if binding is None or live is None:
            continue
        keys = session.kinds[binding.kind].natural_keys(live.attrs)
        news = {"created": live.created, "natural_key": stored_key(keys[0]) if keys else []}
        if any(getattr(binding, name) != value for name, value in news.items()):
            yield Record(op="bind", run=run, address=address, binding=binding.model_copy(update=news))


def note_places(
    session: Session,
    book: StateTransaction,
    seen: Snapshot,
    addresses: Collection[str],
    desired: Mapping[str, Resource],
    run: str = "",
) -> None:
    """Remember the numbers by which siblings stand in the order of the files: a user may have numbered them again, and
    only those that had to move were written.
    """
    kinds = session.kinds
    written = by_parent(addresses, kinds)
    if not written:
        return
    resources = book.state().resources
    lives: dict[str, Live] = {}
    by_id = {(name, live.id): live for name, lives in seen.lives.items() for live in lives}
    for address, binding in resources.items():
        if (live := by_id.get((binding.kind, binding.id))) is not None:
            lives[address] = live
    for parent, siblings in by_parent(lives.keys() & desired.keys(), kinds).items():
        if parent not in written or in_files(siblings, desired) != in_account(siblings, lives):
            continue
        for address in siblings:
            binding = resources[address]
            news = {name: lives[address].attrs[name] for name in binding.applied if arranges(kinds[binding.kind], name)}
            if {**binding.applied, **news} != binding.applied:
                placed = binding.model_copy(update={"applied": {**binding.applied, **news}})
                book.results([Record(op="bind", run=run, address=address, binding=placed)])


def check_same_state(planned: Planned, book: StateTransaction) -> None:
    """Refuse a plan made from another state than the one that is there now."""
    state, now = planned.document.state, book.stored
    if (state.lineage, state.serial) != ((now.lineage, now.serial) if now else ("", 0)):
        raise StalePlan("the state has changed since the plan was made", hint="make a new plan")
    if not _known(planned, book):
        raise StalePlan(
            "a run that was interrupted has left results in the journal since the plan was made", hint="make a new plan"
        )


def _known(planned: Planned, book: StateTransaction) -> bool:
    """Return whether the plan was made from all that the journal says: what a run recorded between the plan and the
    lock would be made once more.
    """
    known, now = planned.inputs, book.state()
    return (known.state.resources, dict(known.intents)) == (now.resources, book.intents())

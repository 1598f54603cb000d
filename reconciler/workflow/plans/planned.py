"""A plan as it is handed on: forecast, judged, and with its document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from reconciler import __version__
from reconciler.engine.refresh import Refreshed
from reconciler.judging.guards import idle
from reconciler.model import document as doc
from reconciler.model.address import abridged
from reconciler.model.desired import Desired
from reconciler.model.empty import NOTHING
from reconciler.model.facts import Facts
from reconciler.model.live import Live, Unknown
from reconciler.model.plan import Plan
from reconciler.model.snapshot import further
from reconciler.planning.boards import boards
from reconciler.planning.context import Inputs
from reconciler.planning.document import Heading, to_document
from reconciler.planning.forecast import ListingCost, Spent, forecast, with_requests
from reconciler.planning.mentioned import mentioned
from reconciler.planning.reads import concludes, of_kinds, wanted
from reconciler.planning.renames import suspected
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.observation.observing import EYES_REQUESTS, Observation, account_requests
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.code_uses import with_code_uses
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.rules.judging import judged
from reconciler.workflow.rules.ruling import broken_in_account


class Planned(NamedTuple):
    """A plan with what it was made from, and its document."""

    plan: Plan
    inputs: Inputs
    refreshed: Refreshed
    document: doc.PlanDocument
    diagnostics: tuple[Any, ...] = ()
    requests: int = 0
    reads: Mapping[str, frozenset[str]] = NOTHING
    promise: doc.PlanDocument | None = None
    """The plan that a user approved, where this one only carries it out: that is the one to judge."""


def finish(
    seen: Observation,
    inputs: Inputs,
    plan: Plan,
    options: PlanOptions,
    requests: int,
    warnings: tuple[Any, ...] = (),
    deals: Mapping[str, int] | None = None,
) -> Planned:
    """Forecast, judge and document a plan."""
    session, book, refreshed = seen.account.session, seen.book, seen.refreshed
    plan = with_code_uses(session, with_requests(plan, session.kinds), inputs.state)
    notes = [diagnostic.message for diagnostic in warnings]
    notes += _interrupted(book)
    notes += _of_facts(session)
    notes += [f"cannot be undone: {text}" for text in (options.inverse.lost if options.inverse is not None else ())]
    plan = plan._replace(warnings=(*plan.warnings, *notes))
    cost = forecast(plan, _spent(refreshed, requests), session.kinds, session.rate)
    cost = cost.model_copy(update={"check_requests": _check_cost(session, plan, inputs, refreshed)})
    renames = () if inputs.tearing_down else suspected(plan.changes, inputs.kinds, plan.ids, inputs.snapshot.lives)
    document = to_document(plan, _heading(seen, options, inputs), cost, session.kinds, renames)
    lives, show = inputs.snapshot.lives, session.redactor.show
    names = mentioned(document, lives, refreshed.tables, inputs.state.resources, session.kinds, show)
    document = document.model_copy(update={"names": names})
    if not options.refresh_only:
        seen_as = boards(plan, lives, show, deals)
        document = document.model_copy(update={"boards": seen_as})
    document = judged(session, document, document.managed)
    if options.refresh_only:
        document = doc.sealed(document.model_copy(update={"guards": _broken(session, inputs)}))
    else:
        notes = [*document.warnings, *_standing(session, inputs, document), *idle(document.guards, options.allow)]
        document = document.model_copy(update={"warnings": notes})
    document = doc.sealed(document)
    return Planned(plan, inputs, refreshed, document, warnings, requests, seen.reads)


def _heading(seen: Observation, options: PlanOptions, inputs: Inputs) -> Heading:
    """Return what a document says of its making: when, of which account and state, and what was asked for."""
    session, stored = seen.account.session, seen.book.stored
    heading = Heading(
        __version__,
        session.runtime.stamp(),
        session.settings.name,
        session.identity,
        stored.lineage if stored else "",
        stored.serial if stored else 0,
        options.recorded(),
        session.runtime.token(),
        len(inputs.desired.resources),
        Counter(binding.kind for binding in inputs.state.resources.values()),
    )
    return replace(heading, eyes=inputs.eyes, redactor=session.redactor)


def _standing(session: Session, inputs: Inputs, document: doc.PlanDocument) -> list[str]:
    """Say what breaks the rules in the account and stays as it is: a plan is judged by what it changes alone."""
    if inputs.tearing_down:
        return []
    guards = _broken(session, inputs, {change.address for change in document.changes})
    if not guards:
        return []
    from reconciler.render.words import state

    return [
        f"{guard.name} ({state(guard).lower()}): {guard.message} (stands so in the account, and this plan leaves it: "
        f"{abridged(guard.addresses)})"
        for guard in guards
    ]


def _broken(session: Session, inputs: Inputs, without: Container[str] = ()) -> list[doc.GuardView]:
    """Return what breaks the rules in the account, of the managed objects that were looked at."""
    chosen = _bound(inputs, without)
    broken = broken_in_account(session, chosen, inputs.state.resources, inputs.desired.resources, whole=False)
    if not broken:
        return []
    from reconciler.judging.rules import as_guards

    return as_guards(broken)


def _bound(inputs: Inputs, without: Container[str]) -> Iterator[tuple[str, Live]]:
    """Yield the managed objects that were looked at, by address, but these."""
    lives = {(live.kind, live.id): live for lives in inputs.snapshot.lives.values() for live in lives}
    for address, binding in inputs.state.resources.items():
        live = lives.get((binding.kind, binding.id))
        if live is not None and inputs.covers(address) and address not in without:
            yield address, live


def _of_facts(session: Session) -> list[str]:
    """Say whose facts the plan rests on; most projects have none."""
    if session.facts == Facts() and session.settings.facts is None:
        return []
    from reconciler.workflow.opening.facts import remarks

    return remarks(session)


def _interrupted(book: StateTransaction) -> list[str]:
    """Say who is writing meanwhile; or what is taken over from a run that died, or that ended without an answer to a
    create.
    """
    if book.live is not None:
        holder = (
            f"{book.live.who} holds the lock for {book.live.operation or 'something'} since {book.live.since}, "
            "and may be writing: this plan is made from the state as it was recorded before; "
            "make a new one when that has ended"
        )
        return [holder]
    notes = []
    settled = [record for record in book.records if record.op in ("bind", "drop", "move")]
    results = len({name for record in settled for name in (record.moves.values() or [record.address])})
    if results:
        objects = "object" if results == 1 else "objects"
        notes.append(f"an earlier run was interrupted; what its journal says of {results} {objects} was taken over")
    intents = sorted(book.intents())
    if intents:
        notes.append(f"an earlier run left creates open, which are settled by name: {abridged(intents)}")
    return notes


def _spent(refreshed: Refreshed, requests: int) -> Spent:
    costs = {
        name: ListingCost(
            cost.path, cost.requests, cost.rows, cost.total, cost.page, cost.known, fixed=bool(cost.singles)
        )
        for name, cost in refreshed.costs.items()
    }
    return Spent(requests, costs, refreshed.asked)


def _check_cost(session: Session, plan: Plan, inputs: Inputs, refreshed: Refreshed) -> int:
    """Return the requests by which `apply FILE` proves that the plan still fits: what `saved.check_plan` will read."""
    if not plan.changes:
        return 0
    resources = {
        change.address: change.resource._replace(attrs=change.desired)
        for change in plan.changes
        if change.resource is not None
    }
    tables: set[str] = set()
    for name, declared in wanted(Desired(resources), of_kinds(inputs.state, plan.reads), session.kinds).items():
        kind = session.kinds[name]
        more = further(kind, refreshed.tables, declared)
        more = () if isinstance(more, Unknown) else more  # nothing of the kind is planned, see `snapshot`
        tables.update(collection.name for collection in (*kind.needs(declared), *more))
    pages = sum(cost.requests for table, cost in refreshed.costs.items() if table in tables)
    eyes = EYES_REQUESTS if concludes(plan, inputs) else 0
    return pages + account_requests(session) + eyes

"""The verb `plan`: load, refresh, plan, look closer. Reads only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler import __version__
from reconciler.engine.drive import drive
from reconciler.engine.examine import barred, examine, inquired
from reconciler.engine.refresh import Refreshed
from reconciler.engine.remotes import Budget
from reconciler.engine.usage import who_uses
from reconciler.judging.guards import idle
from reconciler.judging.rules import as_guards
from reconciler.model import document as doc
from reconciler.model.address import abridged
from reconciler.model.desired import Desired
from reconciler.model.errors import AuthError, Refused, RemoteError, concerns_all
from reconciler.model.facts import Facts
from reconciler.model.http import Remote
from reconciler.model.live import Unknown
from reconciler.model.plan import Plan
from reconciler.model.snapshot import further
from reconciler.model.write import Finding
from reconciler.planning.boards import boards, pipelines
from reconciler.planning.context import Inputs
from reconciler.planning.document import Heading, to_document
from reconciler.planning.drift import drift
from reconciler.planning.forecast import Listing, Spent, forecast, with_requests
from reconciler.planning.planner import plan
from reconciler.planning.reads import concludes, looked_over, of_kinds, wanted
from reconciler.planning.renames import suspected
from reconciler.planning.select import check_selection, narrowed, select, taking, to_replace
from reconciler.resources.counts import on_board
from reconciler.resources.places import PLACES
from reconciler.workflow.book import StateTransaction
from reconciler.workflow.code_uses import with_code_uses
from reconciler.workflow.judging import judged
from reconciler.workflow.observing import (
    EYES_REQUESTS,
    Observation,
    account_requests,
    connected,
    looked_at,
)
from reconciler.workflow.options import PlanOptions
from reconciler.workflow.ruling import broken_in_account
from reconciler.workflow.session import Session

MOST_COUNTS = 100
"""Requests by which the deals on boards are counted."""


@dataclass(frozen=True)
class Planned:
    """A plan with what it was made from, and its document."""

    plan: Plan
    inputs: Inputs
    refreshed: Refreshed
    document: doc.PlanDocument
    diagnostics: tuple[Any, ...] = ()
    requests: int = 0
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    promise: doc.PlanDocument | None = None
    """The plan that a user approved, where this one only carries it out: that is the one to judge."""


async def make_plan(session: Session, options: PlanOptions) -> Planned:
    """Plan the environment. Raises ConfigError, PlanError, AuthError, IncompleteListing, Unreachable, StateError."""
    loaded = session.load()
    desired, warnings = _asked_for(options, loaded.desired), tuple(loaded.warnings)
    del loaded  # the trees of the files are as large as what they declare, and places are not asked for any more
    most = options.max_requests or session.settings.guards.max_requests
    async with connected(session, through=lambda remote: _within(remote, most)) as account:
        remote, state = account.remote, account.book.state()
        selected = select(desired, state, session.kinds, options.selection)
        reads = (looked_over if options.refresh_only else wanted)(desired, state, session.kinds)
        seen = await account.observe_for(desired, reads)
        inputs = seen.inputs(
            desired=desired,
            only=selected.addresses,
            tearing_down=options.destroy,
            in_flight=account.book.in_flight(),
        )
        if options.replace:
            again = to_replace(options.replace, desired, state, session.kinds, selected.addresses)
            inputs = replace(inputs, replaced=again)
        work = drift if options.refresh_only else plan
        made = work(inputs)
        made, inputs, selected = narrowed(made, inputs, selected, options.selection)
        if not options.refresh_only and not options.checked:
            check_selection(made, inputs, selected, options.selection)
        options = replace(options, selected=selected)
        made, inputs = await looked_at(session, remote, inputs, work, made)
        made, inputs, options = await _looked_into(session, remote, made, inputs, options)
        budget = session.settings.guards.max_use_requests
        if options.impact and options.uses and budget and not options.refresh_only:
            made = await who_uses(made, remote, session.kinds, PLACES, budget=budget)
        on_boards = await _on_boards(remote, made, inputs) if options.boards and options.impact else {}
        requests = remote.requests
    return finish(seen, inputs, made, options, requests, warnings, on_boards)


async def _on_boards(remote: Remote, plan: Plan, inputs: Inputs) -> dict[str, int]:
    """Return the deals in each stage of the boards that a plan changes; of some nothing, where the account does not say
    or where too many requests would be needed. No plan fails for want of them.
    """
    deals: dict[str, int] = {}
    left = Budget(remote, MOST_COUNTS, lambda: RemoteError("the requests for counting deals are used up"))
    for pipeline, stages in pipelines(plan, inputs.snapshot.lives).items():
        try:
            counted: Mapping[str, int] | None = await drive(on_board(pipeline, stages), left, sleep=asyncio.sleep)
            deals |= counted or {}
        except (AuthError, RemoteError) as error:
            if concerns_all(error):
                raise
    return deals


async def _looked_into(
    session: Session, remote: Remote, made: Plan, inputs: Inputs, options: PlanOptions
) -> tuple[Plan, Inputs, PlanOptions]:
    """Return the plan with what the account says of its writes and what they cost, without those that it would refuse
    and those that are not wanted for what they take away.
    """
    findings: dict[str, tuple[Finding, ...]] = {}
    selected = options.selected

    async def asked(plan: Plan) -> Plan:
        return await inquired(plan, remote, session.kinds, secret=session.secret, known=findings)

    async def counted(plan: Plan) -> Plan:
        impact = options.impact and not options.refresh_only
        return await examine(plan, remote, session.kinds, secret=session.secret, impact=impact)

    made = await asked(made)
    while not options.refresh_only and (more := barred(made).keys() - inputs.barred.keys()):
        # What the account would refuse goes, with what needs it: each round leaves out at least one write more.
        inputs = replace(inputs, barred={**inputs.barred, **{name: barred(made)[name] for name in more}})
        made, inputs, selected = narrowed(plan(inputs), inputs, selected, options.selection)
        made = await asked(made)
    made = await counted(made)
    while options.no_delete and (losing := taking(made)):
        # What an update takes away is known once it is counted; each round leaves out at least one.
        made, inputs, selected = narrowed(made, inputs, selected, options.selection, losing)
        made = await counted(await asked(made))
    return made, inputs, replace(options, selected=selected)


def _within(remote: Remote, most: int | None) -> Remote:
    """Return a remote that refuses to send more requests than a plan may take."""
    if not most:
        return remote
    what = f"planning takes more than the {most:,} requests that --max-requests (or `max_requests`) allows"
    hint = "nothing was planned; allow more, or plan a part with --target"
    return Budget(remote, most, lambda: Refused(what, hint=hint))


def _asked_for(options: PlanOptions, declared: Desired) -> Desired:
    if options.inverse is not None:
        return options.inverse.desired
    return Desired() if options.destroy else declared


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
    plan = replace(plan, warnings=(*plan.warnings, *notes))
    cost = forecast(plan, _spent(refreshed, requests), session.kinds, session.rate)
    cost = cost.model_copy(update={"check_requests": _check_cost(session, plan, inputs, refreshed)})
    heading = Heading(
        __version__,
        session.runtime.stamp(),
        session.settings.name,
        session.identity,
        book.stored.lineage if book.stored else "",
        book.stored.serial if book.stored else 0,
        options.recorded(),
        session.runtime.token(),
        len(inputs.desired.resources),
        Counter(binding.kind for binding in inputs.state.resources.values()),
    )
    renames = () if inputs.tearing_down else suspected(plan.changes, inputs.kinds, plan.ids, inputs.snapshot.lives)
    heading = replace(heading, eyes=inputs.eyes, redactor=session.redactor)
    document = to_document(plan, heading, cost, session.kinds, renames)
    if not options.refresh_only:
        seen_as = boards(plan, inputs.snapshot.lives, session.redactor.show, deals)
        document = document.model_copy(update={"boards": seen_as})
    document = judged(session, document, document.managed)
    if options.refresh_only:
        document = doc.sealed(document.model_copy(update={"guards": _broken(session, inputs)}))
    else:
        notes = [*document.warnings, *_standing(session, inputs, document), *idle(document.guards, options.allow)]
        document = document.model_copy(update={"warnings": notes})
    document = doc.sealed(document)
    return Planned(plan, inputs, refreshed, document, warnings, requests, seen.reads)


def _standing(session: Session, inputs: Inputs, document: doc.PlanDocument) -> list[str]:
    """Say what breaks the rules in the account and stays as it is: a plan is judged by what it changes alone."""
    if inputs.tearing_down:
        return []
    guards = _broken(session, inputs, {change.address for change in document.changes})
    if not guards:
        return []
    from reconciler.render.cards import state  # what most plans need not load

    return [
        f"{guard.name} ({state(guard).lower()}): {guard.message} (stands so in the account, and this plan leaves it: "
        f"{abridged(guard.addresses)})"
        for guard in guards
    ]


def _broken(session: Session, inputs: Inputs, without: Container[str] = ()) -> list[doc.GuardView]:
    """Return what breaks the rules in the account, of the managed objects that were looked at."""
    bindings = inputs.state.resources
    lives = {(live.kind, live.id): live for lives in inputs.snapshot.lives.values() for live in lives}
    bound = [
        (address, lives[binding.kind, binding.id])
        for address, binding in bindings.items()
        if (binding.kind, binding.id) in lives
    ]
    chosen = [(address, live) for address, live in bound if inputs.covers(address) and address not in without]
    return as_guards(broken_in_account(session, chosen, bindings, inputs.desired.resources, whole=False))


def _of_facts(session: Session) -> list[str]:
    """Say whose facts the plan rests on; most projects have none."""
    if session.facts == Facts() and session.settings.facts is None:
        return []
    from reconciler.workflow.facts import told

    return told(session)


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
        name: Listing(cost.path, cost.rows, cost.total, cost.requests if cost.singles else 0)
        for name, cost in refreshed.costs.items()
    }
    return Spent(requests, costs, refreshed.asked)


def _check_cost(session: Session, plan: Plan, inputs: Inputs, refreshed: Refreshed) -> int:
    """Return the requests by which `apply FILE` proves that the plan still fits: what `saved.check_plan` will read."""
    if not plan.changes:
        return 0
    resources = {
        change.address: replace(change.resource, attrs=change.desired)
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

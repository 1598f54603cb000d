"""The verb `plan`: load, refresh, plan, look closer. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from reconciler.engine.drive import drive
from reconciler.engine.examine import barred, examine, inquired
from reconciler.engine.remotes import Budget
from reconciler.engine.usage import who_uses
from reconciler.model.desired import Desired
from reconciler.model.errors import AuthError, Refused, RemoteError, concerns_all
from reconciler.model.http import Remote
from reconciler.model.plan import Plan
from reconciler.model.write import Finding
from reconciler.planning.boards import pipelines
from reconciler.planning.context import Inputs
from reconciler.planning.drift import drift
from reconciler.planning.planner import plan
from reconciler.planning.reads import looked_over, wanted
from reconciler.planning.select import check_selection, narrowed, select, taking, to_replace
from reconciler.resources.counts import on_board
from reconciler.resources.places import PLACES
from reconciler.workflow.observation.observing import connected, looked_at
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned, finish

MOST_COUNTS = 100
"""Requests by which the deals on boards are counted."""


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

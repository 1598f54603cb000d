"""`reconciler apply`."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.approval import Approval
from reconciler.cli.changing import Changing, changing
from reconciler.cli.completing import plans
from reconciler.cli.ids import written_after
from reconciler.cli.opening import check_replacing, gathered, narrowing, replacing, session, trusted_limits
from reconciler.cli.plan import exit_code
from reconciler.cli.program import Globals
from reconciler.cli.telling import tell_of, telling
from reconciler.cli.terminal import advise, note, requests_sent, say, say_made, style
from reconciler.cli.views import plan_view
from reconciler.cli.watching import OutputMode, beats, watcher
from reconciler.model.records import record
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.model.summary import ApplySummary
    from reconciler.render.progress import Progress
    from reconciler.render.stream import EventStream
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.plans.planned import Planned


@record
class PlanFileChecks:
    """What a saved plan has to stand up to: nothing may have moved, its digest, guards of somewhere else."""

    strict: bool = False
    digest: str | None = None
    guards_from: str | None = None


@record
class Narrowing:
    """What a plan leaves out, or makes again."""

    names: str | None
    no_delete: bool
    only_adopt: bool
    again: tuple[str, ...]


@click.command("apply")
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path), shell_complete=plans, required=False)
@click.option("--strict", is_flag=True, help="With PLANFILE: refuse everything when anything moved since the plan.")
@click.option("--digest", metavar="SHA256", help="With PLANFILE: apply it only if this is its digest.")
@click.option("--json", "stream", is_flag=True, help="Print events as lines of JSON, with heartbeats.")
@trusted_limits()
@click.option("--no-uses", is_flag=True, help="Do not look for what else mentions the objects that go.")
@gathered(PlanFileChecks, called="checks")
@gathered(Narrowing, narrowing, replacing, called="narrowed")
@changing
@click.pass_obj
def command(
    chosen: Globals,
    planfile: Path | None,
    asked: Changing,
    narrowed: Narrowing,
    checks: PlanFileChecks,
    stream: bool,
    no_uses: bool,
) -> int:
    """Make the account match the configuration; with PLANFILE, do exactly that plan and do not ask."""
    mode = OutputMode(chosen.quiet, chosen.verbose, stream, asked.archive)
    guards_from = checks.guards_from
    if planfile is not None:
        if asked.narrowed or any((narrowed.names, narrowed.no_delete, narrowed.only_adopt, narrowed.again)):
            raise click.UsageError(
                "a saved plan is applied as it is: --target, --exclude, --kinds, --no-delete, --only-adopt, --replace, "
                "--allow and --max-requests belong to `plan`"
            )
        Approval(account=asked.approval.account).agrees(session(chosen, guards_from=guards_from))
        return apply_saved(chosen, planfile, checks, asked.lock_timeout, mode)
    if checks.digest is not None:
        raise click.UsageError("--digest belongs to a saved plan: apply FILE --digest SHA256")
    if stream and not asked.approval.auto:
        raise click.UsageError("--json asks nothing: use it with --auto-approve, or with a saved plan")
    check_replacing(narrowed.again, no_delete=narrowed.no_delete, only_adopt=narrowed.only_adopt)
    names = narrowed.names
    options = asked.options(
        uses=not no_uses,
        kinds=session(chosen, guards_from=guards_from).chosen_kinds(names) if names else None,
        no_delete=narrowed.no_delete,
        only_adopt=narrowed.only_adopt,
        replace=narrowed.again,
    )
    return plan_and_apply(chosen, options, asked, mode, guards_from)


def plan_and_apply(
    chosen: Globals, options: PlanOptions, asked: Changing, mode: OutputMode, guards_from: str | None = None
) -> int:
    """Plan, show, ask, apply, under the lock from the plan to the last write; also what `destroy` does."""
    from reconciler.workflow.apply.run_records import operation_of
    from reconciler.workflow.observation.holding import locked

    opened = session(chosen, guards_from=guards_from)

    def work() -> int:
        with locked(opened, operation_of(options.recorded()), timeout=asked.lock_timeout):
            return apply_under_lock(chosen, opened, options, asked.approval, mode)

    return telling(opened, work)


def apply_under_lock(
    chosen: Globals, opened: Session, options: PlanOptions, approval: Approval, mode: OutputMode
) -> int:
    """Plan, show, ask, apply in a session that holds the lock of its state."""
    from reconciler.model.errors import Cancelled
    from reconciler.workflow import notices
    from reconciler.workflow.apply.takeover import fold_journal
    from reconciler.workflow.plans.planning import make_plan

    planned = chosen.screen.wait(make_plan(opened, options))
    document = planned.document
    if not mode.stream:
        say_made(plan_view(document, "text"), "text")
    if document.tripped:
        tell_of(opened, "refusal", notices.refused(document))
        return refuse(document, mode, shown=True)
    if not planned.plan.steps and not mode.stream:
        if fold_journal(opened, planned):
            advise("The results of an interrupted run are recorded in the state now.")
        if chosen.verbose:
            requests_sent(planned.requests)
        return exit_code(document, False)
    announce_archive(opened, planned, mode)
    spent = planned.requests
    if not approval.given(opened, document, destroy=options.destroy):
        raise Cancelled("cancelled; nothing was changed")
    if not approval.auto:
        planned = chosen.screen.wait(still_true(opened, planned, options))
        spent += planned.requests
    return carry_out(chosen, opened, planned, 0.0, mode, spent=spent)


async def still_true(opened: Session, planned: Planned, options: PlanOptions) -> Planned:
    """Between the plan and the yes, the account may have moved: read it again, and go on only with the same plan. Its
    numbers stay those that were shown: the yes was to them.
    """
    from reconciler.model.errors import StalePlan
    from reconciler.workflow.plans.planning import make_plan
    from reconciler.workflow.plans.promises import as_shown, broken, more_along

    # What --no-delete leaves out hangs on what was counted.
    again = await make_plan(opened, replace(options, impact=options.impact and options.no_delete))
    same = [(change.address, change.action, change.fingerprint) for change in again.document.changes] == [
        (change.address, change.action, change.fingerprint) for change in planned.document.changes
    ]
    if not same or broken(planned.document, again.plan) or more_along(planned.document, again.plan):
        raise StalePlan(
            "the account or the state changed while you were reading the plan; nothing was changed",
            hint="run apply again",
        )
    return as_shown(again, planned.document)


def apply_saved(chosen: Globals, planfile: Path, checks: PlanFileChecks, lock_timeout: float, mode: OutputMode) -> int:
    """Prove that a saved plan still fits, then do what of it does."""
    opened = session(chosen, guards_from=checks.guards_from)
    return telling(opened, lambda: _apply_saved(chosen, opened, planfile, checks, lock_timeout, mode))


def _apply_saved(
    chosen: Globals, opened: Session, planfile: Path, checks: PlanFileChecks, lock_timeout: float, mode: OutputMode
) -> int:
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan
    from reconciler.workflow import notices
    from reconciler.workflow.plans.saved import only_approved
    from reconciler.workflow.rules.judging import judged

    document = read_plan(planfile, load_kinds())
    if checks.digest is not None:
        only_approved(document, checks.digest)
    document = judged(opened, document, document.managed)
    if document.tripped:
        tell_of(opened, "refusal", notices.refused(document))
        return refuse(document, mode)
    if document.options.get("clone"):
        from reconciler.cli.clone import apply_saved_clone

        if mode.stream or mode.archive is not None:
            raise click.UsageError("a saved clone is applied as `clone` is: without --json and --archive")
        return apply_saved_clone(chosen, opened, document, lock_timeout)
    return _apply_checked(chosen, opened, document, checks, lock_timeout, mode)


def _apply_checked(
    chosen: Globals,
    opened: Session,
    document: PlanDocument,
    checks: PlanFileChecks,
    lock_timeout: float,
    mode: OutputMode,
) -> int:
    from reconciler.render import text
    from reconciler.workflow import notices
    from reconciler.workflow.plans.saved import check_plan

    checked = chosen.screen.wait(check_plan(opened, document, strict=checks.strict))
    if checked.refused:
        message = text.refused(checked.refused, strict=checks.strict, **style())
        note(message.rstrip("\n"), "text") if mode.stream else say(message, "text")
        tell_of(opened, "refusal", notices.stale(len(checked.refused)))
    if not checked.planned.plan.steps and (checked.refused or not mode.stream):
        code = exit_code(checked.planned.document, False) or exit_code(document, False)
        if code and not checked.refused and not mode.stream:
            say_made(plan_view(document, "text"), "text")
        return 6 if checked.refused else code
    announce_archive(opened, checked.planned, mode)
    code = carry_out(chosen, opened, checked.planned, lock_timeout, mode, checks=checked.requests, strict=checks.strict)
    if code == 0:
        return 6 if checked.refused else exit_code(document, False)
    return code


def announce_archive(opened: Session, planned: Planned, mode: OutputMode) -> None:
    """Say what the archive takes, before a user approves. Raises Refused where it takes more than it may."""
    if mode.archive is None:
        return
    from reconciler.workflow.apply.archiving import requests_for

    count = requests_for(planned.plan, opened.kinds, mode.archive)
    cost = f"takes about {count} of at most {mode.archive.budget} requests" if count else "has nothing to save"
    note(f"The archive in {place(mode.archive.folder)} {cost}.")


def refuse(document: PlanDocument, mode: OutputMode, *, shown: bool = False) -> int:
    """Say which guards stop a plan; `shown` means that its text, which says so, was printed."""
    if mode.stream:
        from reconciler.render.stream import refused_line

        say(refused_line(document), "json")
    elif not shown:
        say_made(plan_view(document, "text"), "text")
    return 7


def carry_out(
    chosen: Globals,
    opened: Session,
    planned: Planned,
    lock_timeout: float,
    mode: OutputMode,
    *,
    spent: int = 0,
    checks: int | None = None,
    strict: bool = False,
) -> int:
    """Apply with progress, and return the exit code. `spent` requests went into plans, `checks` into checking a
    saved one, as forecast; `strict` refuses all where anything costs more than planned.
    """
    from reconciler.workflow import notices
    from reconciler.workflow.apply.applying import apply_plan
    from reconciler.workflow.apply.hooks import Hooks
    from reconciler.workflow.opening.runtime import run_async

    hooks = Hooks()
    shown = watcher(chosen, planned, mode)

    async def work() -> ApplySummary:
        with chosen.screen.writing(opened, hooks, shown, len(planned.plan.steps)):
            beating = asyncio.create_task(beats(shown))
            try:
                return await apply_plan(
                    opened, planned, hooks, lock_timeout=lock_timeout, archive=mode.archive, strict=strict, last=True
                )
            finally:
                beating.cancel()

    summary = run_async(work())
    if checks is not None:
        promised = planned.document.forecast.check_requests + (summary.forecast or 0)
        summary = replace(summary, requests=summary.requests + checks, forecast=promised)
    tell_outcome(summary, shown)
    tell_of(opened, "apply", notices.applied(summary))
    if mode.verbose:
        requests_sent(spent + summary.requests)
    written_after(chosen, opened)
    return 130 if hooks.stop.is_set() else _exit_code_of(summary, planned)


def _exit_code_of(summary: ApplySummary, planned: Planned) -> int:
    """Return what the outcome of an apply that was not stopped is to a program that called this one."""
    if summary.refused:
        return 7
    return exit_code(planned.document, False) if summary.complete else 5


def tell_outcome(summary: ApplySummary, shown: Progress | EventStream) -> None:
    """Print what an apply came to, the way in which it was told."""
    from reconciler.render import text
    from reconciler.render.stream import EventStream

    if isinstance(shown, EventStream):
        shown.ended(summary)
    else:
        say(text.applied(summary, **style()), "text")

"""`reconciler clone`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.approval import Approval
from reconciler.cli.completing import environments, kinds
from reconciler.cli.ids import written_after
from reconciler.cli.opening import between, confirmation, consent, gathered, selection, session
from reconciler.cli.program import Globals
from reconciler.cli.telling import tell_of, telling
from reconciler.cli.terminal import say, say_made, style, tell
from reconciler.cli.views import plan_view
from reconciler.model.records import record

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.model.summary import ApplySummary
    from reconciler.workflow.cloning import Clone
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions


@record
class Cloning:
    """What is asked of a clone beside the two environments: who approves, what is counted, selected and allowed."""

    auto_approve: bool
    lock_timeout: float
    no_impact: bool
    confirm_account: str | None
    target: tuple[str, ...]
    exclude: tuple[str, ...]
    allow: tuple[str, ...]


@click.command("clone")
@click.option(
    "--from", "source", required=True, shell_complete=environments, metavar="ENV", help="Environment to copy."
)
@click.option(
    "--to",
    "destination",
    required=True,
    shell_complete=environments,
    metavar="ENV",
    help="Environment to make like it.",
)
@click.option("--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds.")
@click.option("--prune", is_flag=True, help="Delete what only the target holds.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, for `apply FILE`.")
@gathered(
    Cloning,
    click.option("--auto-approve", is_flag=True, help="Do not ask."),
    click.option(
        "--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the target's lock."
    ),
    click.option("--no-impact", is_flag=True, help="Do not count the records that deletes would lose."),
    confirmation,
    selection,
    consent,
)
@click.pass_obj
def command(
    chosen: Globals,
    asked: Cloning,
    source: str,
    destination: str,
    names: str | None,
    prune: bool,
    dry_run: bool,
    out: Path | None,
) -> int:
    """Make the account of one environment like that of another: same names, own ids.

    What the target holds under the same names is taken over; nothing else of it is deleted without --prune.
    """
    from reconciler.workflow.observation.holding import locked
    from reconciler.workflow.opening.facts import troubles
    from reconciler.workflow.plans.options import PlanOptions

    if source == destination:
        raise click.UsageError("--from and --to are the same environment")
    between(chosen, source, destination)
    if out is not None:
        from reconciler.store.planfile import check_plan_out

        check_plan_out(out)
    origin, other = (session(replace(chosen, environment=name)) for name in (source, destination))
    tell(f"Note on {source}: ", troubles(origin))
    options = PlanOptions(asked.target, asked.exclude, False, not asked.no_impact, asked.allow)
    only = origin.chosen_kinds(names)
    if dry_run or out is not None:
        return _plan(chosen, origin, other, options, out, prune=prune, only=only)
    approval = Approval(asked.auto_approve, asked.confirm_account)

    def work() -> int:
        with locked(other, f"clone from {source}", timeout=asked.lock_timeout):
            return _clone(chosen, origin, other, options, approval, prune=prune, only=only)

    return telling(other, work)


def _plan(
    chosen: Globals,
    origin: Session,
    other: Session,
    options: PlanOptions,
    out: Path | None,
    *,
    prune: bool,
    only: frozenset[str] | None,
) -> int:
    """Plan and show; with a file, save it. Writes to no account."""
    from reconciler.cli.plan import exit_code, save
    from reconciler.workflow.cloning import prepare_clone

    options = replace(options, boards=out is not None)
    clone = chosen.screen.wait(prepare_clone(origin, other, options, prune=prune, only=only))
    tell("Not cloned: ", clone.left_out)
    say_made(plan_view(clone.planned.document, "text"), "text")
    if out is not None:
        save(other, clone.planned.document, out, quiet=chosen.quiet)
    code = exit_code(clone.planned.document, False)
    return 4 if clone.unread and code != 7 else code


def apply_saved_clone(chosen: Globals, opened: Session, document: PlanDocument, lock_timeout: float) -> int:
    """Prove from both accounts that a saved clone is what it was, then carry it out."""
    from reconciler.workflow.observation.holding import locked
    from reconciler.workflow.saved_clones import options_of, prepare_saved_clone

    source = document.options["clone"]["from"]
    origin = session(replace(chosen, environment=source))
    with locked(opened, f"clone from {source}", timeout=lock_timeout):
        clone = chosen.screen.wait(prepare_saved_clone(origin, opened, document))
        tell("Not cloned: ", clone.left_out)
        return _carry_out(chosen, opened, clone, options_of(document))


def _clone(
    chosen: Globals,
    origin: Session,
    other: Session,
    options: PlanOptions,
    approval: Approval,
    *,
    prune: bool,
    only: frozenset[str] | None,
) -> int:
    """Plan, show, ask, copy, under the lock of the target."""
    from reconciler.model.errors import Cancelled
    from reconciler.workflow import notices
    from reconciler.workflow.cloning import prepare_clone

    clone = chosen.screen.wait(prepare_clone(origin, other, options, prune=prune, only=only))
    source, destination = origin.settings.name, other.settings.name
    tell("Not cloned: ", clone.left_out)
    document = clone.planned.document
    if clone.empty and not document.skipped:
        what = "that a clone takes from" if clone.left_out else "of"
        say(f"No changes. {destination} holds everything {what} {source}.")
        return 4 if clone.unread else 0
    say_made(plan_view(document, "text"), "text")
    if document.tripped:
        tell_of(other, "refusal", notices.refused(document))
        return 7
    if not approval.given(other, document):
        raise Cancelled("cancelled; nothing was changed")
    return _carry_out(chosen, other, clone, options)


def _carry_out(chosen: Globals, opened: Session, clone: Clone, options: PlanOptions) -> int:
    from reconciler.cli.plan import exit_code
    from reconciler.cli.watching import OutputMode, watcher
    from reconciler.render import text
    from reconciler.workflow import notices
    from reconciler.workflow.apply.hooks import Hooks
    from reconciler.workflow.cloning import carry_out_clone, forget_unmatched
    from reconciler.workflow.opening.runtime import run_async

    hooks = Hooks()
    shown = watcher(chosen, clone.planned, OutputMode(chosen.quiet))

    async def work() -> list[ApplySummary]:
        with chosen.screen.writing(opened, hooks, shown, len(clone.planned.plan.steps)):
            return await carry_out_clone(clone, hooks, options)

    summaries = run_async(work())
    complete = all(summary.complete for summary in summaries)
    if complete:
        forget_unmatched(clone, frozenset(replace(opened, bare=True).load(offline=True).desired.resources))
    for summary in summaries:
        say(text.applied(summary, **style()), "text")
    tell_of(opened, "apply", " ".join(map(notices.applied, summaries)))
    written_after(chosen, opened)
    if hooks.stop.is_set():
        return 130
    if any(summary.refused for summary in summaries):
        return 7
    if complete and clone.unread:
        return 4
    return exit_code(clone.planned.document, False) if complete else 5

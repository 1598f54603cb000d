"""`reconciler undo`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import apply_under_lock
from reconciler.cli.changing import Changing, changing
from reconciler.cli.completing import runs
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.telling import telling
from reconciler.cli.terminal import advise, ask, note, say, say_made, style
from reconciler.cli.watching import OutputMode
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.deriving.undo import Inverse
    from reconciler.model.archive import ArchivedRecords
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions


@click.command("undo")
@click.argument("run", shell_complete=runs, required=False)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, for `apply FILE`.")
@click.option(
    "--restore",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Then put back the customer records that `--archive DIR` saved (default of RUN: the one archived last).",
)
@changing
@click.pass_obj
def command(chosen: Globals, run: str | None, asked: Changing, out: Path | None, restore: Path | None) -> int:
    """Undo RUN (default: the last one): plan its inverse, show what cannot come back, ask, apply."""
    from reconciler.workflow.observation.holding import locked
    from reconciler.workflow.restoring import newest_run

    if out is not None and (restore is not None or asked.archive is not None):
        raise click.UsageError("--out only saves a plan: --restore and --archive belong to an undo that is applied")
    if restore is not None and (asked.target or asked.exclude):
        raise click.UsageError("--restore puts back all that was archived: it takes no --target or --exclude")
    opened = session(chosen)
    if restore is not None and run is None:
        run = newest_run(restore)
    if out is not None:
        return _save(chosen, opened, run, asked.options(), out)

    def work() -> int:
        with locked(opened, "undo", timeout=asked.lock_timeout, closing=run is not None):
            return _undo(chosen, opened, run, restore, asked)

    return telling(opened, work)


def _undo(chosen: Globals, opened: Session, run: str | None, restore: Path | None, asked: Changing) -> int:
    """Plan the inverse, show, ask, apply, and put archived records back, under the lock."""
    from reconciler.workflow.observation.book import open_book
    from reconciler.workflow.restoring import lots_of
    from reconciler.workflow.undoing import inverse_of

    inverse = inverse_of(opened, run, undone=restore is not None)
    open_book(opened).close_runs()
    if inverse.by:
        say(f"The run {inverse.run} is undone already, by {inverse.by}.")
        advise(f"To undo that undo: reconciler undo {inverse.by}")
        return 0
    lots = [] if restore is None else lots_of(opened, restore, inverse.run)
    code = 0
    if inverse.addresses or inverse.lost or inverse.resumed:
        _tell_files(opened, inverse)
        mode = OutputMode(chosen.quiet, chosen.verbose, archive=asked.archive)
        code = apply_under_lock(chosen, opened, asked.options(inverse=inverse), asked.approval, mode)
    if code == 0 and lots:
        asked.approval.agrees(opened)
        code = _put_back(chosen, opened, lots, auto=asked.approval.auto)
    return code


def _tell_files(opened: Session, inverse: Inverse) -> None:
    """Say what the files do not declare, and what to write so that it stays."""
    from reconciler.workflow.undoing import asked_for_anyway

    blocks = asked_for_anyway(opened, inverse)
    if blocks:
        note("The files still ask for the delete: the next apply makes it again, unless they declare this:")
        for block in blocks:
            note(block.rstrip())


def _save(chosen: Globals, opened: Session, run: str | None, selected: PlanOptions, out: Path) -> int:
    """Plan, show and save."""
    from reconciler.cli.plan import apply_line, exit_code
    from reconciler.cli.views import plan_view
    from reconciler.store.planfile import check_plan_out, write_plan
    from reconciler.workflow.plans.planning import make_plan
    from reconciler.workflow.undoing import inverse_of

    check_plan_out(out)
    inverse = inverse_of(opened, run)
    _tell_files(opened, inverse)
    planned = chosen.screen.wait(make_plan(opened, replace(selected, inverse=inverse, boards=True)))
    say_made(plan_view(planned.document, "text"), "text")
    write_plan(planned.document, out, opened.settings.recipients)
    command_line = apply_line(opened, out)
    advise(f"Saved the plan to {place(out)}. Apply it with: {command_line}")
    return exit_code(planned.document, False)


def _put_back(chosen: Globals, opened: Session, lots: list[ArchivedRecords], *, auto: bool) -> int:
    """Show what was archived, ask, put it back, and say what became of it."""
    from reconciler.model.errors import Cancelled
    from reconciler.render import archives
    from reconciler.workflow.restoring import restore

    say(archives.archived(lots, **style()), "text")
    if not any(lot.records and not lot.why for lot in lots):
        return 0
    if not auto and not ask("  Only 'yes' puts them back", otherwise="use --auto-approve"):
        raise Cancelled("cancelled; no record was put back")

    def tell(address: str, sent: int, whole: int) -> None:
        if sent < whole:
            chosen.screen.note(f"{address}: {sent:,} of {whole:,} records")

    returned = chosen.screen.wait(restore(opened, lots, tell))
    say(archives.returned(returned, **style()), "text")
    return 5 if any(returned.lost and not returned.lot.why for returned in returned) else 0

"""`reconciler plan`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import (
    budget,
    check_replacing,
    consent,
    gathered,
    narrowing,
    replacing,
    selection,
    session,
    trusted_limits,
)
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, requests_sent
from reconciler.cli.views import DIFFERENCE, PLAN, Output, formats, plan_view, show
from reconciler.model.records import record
from reconciler.model.redaction import Shown, as_made
from reconciler.render.formats import difference_in
from reconciler.render.quoting import place, typed

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions


BOARDS = ("html", "markdown", "json")
"""Views that show boards; a saved plan is shown in any of them later."""


@record
class Planning:
    """What is asked of a plan: what it is about, what it looks for and may take, and whose limits hold."""

    no_impact: bool
    guards_from: str | None
    no_uses: bool
    target: tuple[str, ...]
    exclude: tuple[str, ...]
    names: str | None
    no_delete: bool
    only_adopt: bool
    again: tuple[str, ...]
    allow: tuple[str, ...]
    max_requests: int | None

    def check(self, *, destroy: bool, refresh_only: bool) -> None:
        """Raise UsageError for options that contradict each other."""
        check_replacing(self.again, no_delete=self.no_delete or destroy, only_adopt=self.only_adopt or refresh_only)
        if destroy and (self.no_delete or self.only_adopt):
            raise click.UsageError("--destroy plans nothing but deletes: it takes no --no-delete or --only-adopt")

    def options(self, opened: Session, *, destroy: bool, refresh_only: bool, offline: bool) -> PlanOptions:
        """Return the options of the plan. Offline, nothing can be counted."""
        from reconciler.workflow.plans.options import PlanOptions

        return PlanOptions(
            self.target,
            self.exclude,
            destroy,
            not self.no_impact and not offline,
            self.allow,
            self.max_requests,
            refresh_only,
            not self.no_uses,
            kinds=opened.chosen_kinds(self.names),
            no_delete=self.no_delete,
            only_adopt=self.only_adopt,
            replace=self.again,
        )


@click.command("plan")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, for `apply FILE`.")
@formats(PLAN, "the plan")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option("--destroy", is_flag=True, help="Plan the end of everything that is managed.")
@click.option(
    "--against",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="SNAPSHOT",
    help="Plan against a saved snapshot instead of the account, offline.",
)
@click.option(
    "--since",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PLANFILE",
    help="Show what is different from a saved plan, instead of the plan.",
)
@click.option("--refresh-only", is_flag=True, help="Only show what changed in the account since it was last applied.")
@gathered(
    Planning,
    click.option("--no-impact", is_flag=True, help="Do not count the records that deletes would lose."),
    trusted_limits(),
    click.option("--no-uses", is_flag=True, help="Do not look for what else mentions the objects that go."),
    selection,
    narrowing,
    replacing,
    consent,
    budget,
)
@click.pass_obj
def command(
    chosen: Globals,
    asked: Planning,
    out: Path | None,
    outputs: tuple[Output, ...],
    detailed_exitcode: bool,
    destroy: bool,
    against: Path | None,
    since: Path | None,
    refresh_only: bool,
) -> int:
    """Show what apply would change. Never writes to the account."""
    from reconciler.workflow.plans.planning import make_plan

    if refresh_only:
        _check_drift(since, out, destroy=destroy)
    if out is not None:
        from reconciler.store.planfile import check_plan_out

        check_plan_out(out)
    if against is None:
        opened = session(chosen, guards_from=asked.guards_from)
    else:
        opened = on_snapshot(chosen, against, asked.guards_from)
    asked.check(destroy=destroy, refresh_only=refresh_only)
    options = asked.options(opened, destroy=destroy, refresh_only=refresh_only, offline=against is not None)
    if out is not None or any(output.form in BOARDS for output in outputs):
        options = replace(options, boards=True)
    view = plan_view if since is None else _against_earlier(opened, since, outputs)
    planned = chosen.screen.wait(make_plan(opened, options))
    document = planned.document
    command_line = apply_line(opened, out) if out is not None else ""
    show(outputs, lambda form: view(document, form, apply_command=command_line), quiet=chosen.quiet)
    if out is not None:
        if against is not None:
            raise click.UsageError("a plan against a snapshot cannot be saved: it could not be applied")
        save(opened, document, out, quiet=chosen.quiet)
    if chosen.verbose:
        requests_sent(planned.requests)
    return exit_code(document, detailed_exitcode)


def _check_drift(since: Path | None, out: Path | None, *, destroy: bool) -> None:
    """Refuse beside --refresh-only what drift has nothing of."""
    if since is not None:
        raise click.UsageError("--refresh-only plans nothing that could be compared with a plan (--since)")
    if destroy or out is not None:
        raise click.UsageError("--refresh-only shows drift, and there is nothing in it to save or to destroy")


def _against_earlier(opened: Session, path: Path, outputs: tuple[Output, ...]) -> Callable[..., Shown]:
    """Return what shows of a plan what is different from the one in a file. Raises UsageError for forms that cannot."""
    from reconciler.model.errors import StalePlan
    from reconciler.render.since import compared
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan

    if unfit := [output.form for output in outputs if output.form not in DIFFERENCE]:
        raise click.UsageError(
            f"--since shows lines that have no place in a file, and {unfit[0]} shows nothing else: "
            f"choose {', '.join(DIFFERENCE[:-1])} or {DIFFERENCE[-1]}"
        )
    earlier = read_plan(path, load_kinds())
    for what, theirs, ours in (
        ("environment", earlier.environment, opened.settings.name),
        ("account", earlier.account, opened.identity),
    ):
        if theirs != ours:
            message = f"{path} is a plan for {what} {theirs or 'unknown'}, and this is {ours}"
            raise StalePlan(message, hint=f"choose the {what} of that plan (--env), or compare with another file")

    def view(document: PlanDocument, form: str, *, apply_command: str = "") -> Shown:
        return as_made(difference_in(form, compared(document, earlier, place(path))))

    return view


def save(opened: Session, document: PlanDocument, out: Path, *, quiet: bool = False) -> None:
    """Write a plan document, encrypted where the environment has recipients, and say what can be done with it."""
    from reconciler.store.planfile import write_plan

    write_plan(document, out, opened.settings.recipients)
    refused = "As it stands, `apply` refuses it." if document.tripped else f"Apply it with: {apply_line(opened, out)}"
    if not quiet:
        note(f"Saved the plan to {place(out)}. {refused}")


def apply_line(opened: Session, out: Path) -> str:
    """Return the command that applies a saved plan; it names the environment where a bare one would take another."""
    project, name = opened.project.project, opened.settings.name
    usual = project.default_environment or (name if len(project.environments) == 1 else "")
    return f"reconciler {'' if name == usual else f'-e {typed(name)} '}apply {typed(out)}"


def on_snapshot(chosen: Globals, path: Path, guards_from: str | None = None) -> Session:
    """Return the session as it would be on the account that a snapshot holds."""
    from reconciler.store.snapshotfile import read_snapshot
    from reconciler.workflow.snapshots import offline

    recording = read_snapshot(path)
    return offline(session(chosen, offline=True, guards_from=guards_from), recording, str(path))


def exit_code(document: PlanDocument, detailed: bool) -> int:
    """Return the exit code of a plan: refused as a whole or in part, not permitted to see everything, objects left out
    because something that they name is gone, changes, or nothing to do.
    """
    if document.tripped or any(skip.refused for skip in document.skipped):
        return 7
    if any(skip.forbidden for skip in document.skipped):
        return 4
    if document.skipped:
        return 5
    return 2 if detailed and (document.steps or document.changes) else 0

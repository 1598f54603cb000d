"""`reconciler compare`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli.completing import environments, kinds
from reconciler.cli.opening import between, folder, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import shown, tell
from reconciler.cli.views import COMPARE, Output, formats, plan_view, show
from reconciler.model.redaction import Shown


@click.command("compare")
@click.argument("left", shell_complete=environments)
@click.argument("right", shell_complete=environments)
@click.option("--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds.")
@formats(COMPARE, "the differences")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are differences.")
@click.pass_obj
def command(
    chosen: Globals, left: str, right: str, names: str | None, outputs: tuple[Output, ...], detailed_exitcode: bool
) -> int:
    """Show what RIGHT would need to be like LEFT: environments, a folder with a project, or snapshot files.

    Ids do not count, objects are told apart by their names; nothing is written anywhere.
    """
    from reconciler.workflow.comparing import compare

    opened = session(_named(chosen, left, right), offline=True)
    outcome = chosen.screen.wait(compare(opened, left, right, opened.chosen_kinds(names)))
    what = " in what was compared" if outcome.left_out else ""
    same = f"No differences{what}: {right} is like {left} ({outcome.document.summary.unchanged} objects)."
    equal = not outcome.document.changes

    def view(form: str) -> Shown:
        if form != "text":
            return plan_view(outcome.document, form)
        # What could not be read is told below, among all that was not compared.
        return shown(same) if equal else plan_view(outcome.document.model_copy(update={"warnings": []}), form)

    show(outputs, view, quiet=chosen.quiet)
    tell("Not compared: ", outcome.left_out)
    if outcome.unread:
        return 4
    return 2 if detailed_exitcode and outcome.document.changes else 0


def _named(chosen: Globals, left: str, right: str) -> Globals:
    """Return the options with an environment to open: where no other one is meant, one of those that are compared."""
    from reconciler.config import load_project

    project = load_project(folder(chosen)).project
    sides = [name for name in (left, right) if name in project.environments]
    if len(sides) == 2:
        between(chosen, left, right)
    meant = chosen.environment or project.default_environment or next(iter(sides), None)
    return replace(chosen, environment=meant)

"""`reconciler compare`."""

from __future__ import annotations

import click

from reconciler.cli.opening import session
from reconciler.cli.plan import view
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say


@click.command("compare")
@click.argument("left")
@click.argument("right")
@click.option("--kinds", "names", metavar="KIND,...", help="Only these kinds.")
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    help="How to print the differences.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are differences.")
@click.pass_obj
def command(chosen: Globals, left: str, right: str, names: str | None, fmt: str, detailed_exitcode: bool) -> int:
    """Show what RIGHT would need to be like LEFT: environments, a folder with a project, or snapshot files.

    Ids do not count, objects are told apart by their names; nothing is written anywhere.
    """
    from reconciler.workflow.copying import compare
    from reconciler.workflow.session import run_async

    opened = session(chosen, offline=True)
    outcome = run_async(compare(opened, left, right, opened.chosen_kinds(names)))
    if fmt == "text" and not outcome.document.changes:
        say(f"No differences: {right} is like {left} ({outcome.document.summary.unchanged} objects).")
    else:
        say(view(outcome.document, fmt))
    for line in outcome.left_out:
        note(f"Not compared: {line}")
    return 2 if detailed_exitcode and outcome.document.changes else 0

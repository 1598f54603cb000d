"""`reconciler drift`."""

from __future__ import annotations

import click

from reconciler.cli.opening import selection, session
from reconciler.cli.plan import exit_code
from reconciler.cli.program import Globals
from reconciler.cli.views import DRIFT, Output, formats, plan_view, show


@click.command("drift")
@formats(DRIFT, "the drift")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is drift.")
@selection
@click.pass_obj
def command(
    chosen: Globals,
    outputs: tuple[Output, ...],
    detailed_exitcode: bool,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
) -> int:
    """Show what changed in the account since this tool last applied it; never writes."""
    from reconciler.workflow.planning import Options, make_plan
    from reconciler.workflow.session import run_async

    planned = run_async(make_plan(session(chosen), Options(target, exclude, refresh_only=True)))
    show(outputs, lambda form: plan_view(planned.document, form), quiet=chosen.quiet)
    return exit_code(planned.document, detailed_exitcode)

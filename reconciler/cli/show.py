"""`reconciler show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.completing import plans
from reconciler.cli.program import Globals
from reconciler.cli.views import PLAN, Output, formats, plan_view, show


@click.command("show")
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path), shell_complete=plans)
@formats((*PLAN, "junit"), "the plan")
@click.pass_obj
def command(chosen: Globals, planfile: Path, outputs: tuple[Output, ...]) -> int:
    """Render the saved plan PLANFILE; needs neither network nor credentials."""
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan

    document = read_plan(planfile, load_kinds())
    show(outputs, lambda form: plan_view(document, form), quiet=chosen.quiet)
    return 0

"""`reconciler graph`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.completing import plans
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, shown
from reconciler.cli.views import GRAPH, Output, formats, show


@click.command("graph")
@click.argument("planfile", required=False, type=click.Path(dir_okay=False, path_type=Path), shell_complete=plans)
@formats(GRAPH, "the graph")
@click.pass_obj
def command(chosen: Globals, planfile: Path | None, outputs: tuple[Output, ...]) -> int:
    """Show what depends on what: in the configuration, or in the saved plan PLANFILE. Needs neither network nor
    credentials.
    """
    from reconciler.model.state import State
    from reconciler.planning.select import needs
    from reconciler.render.diagrams import (
        MOST_ARROWS,
        MOST_CHARACTERS,
        VIEWS,
        of_configuration,
        of_plan,
        too_large_for_mermaid,
    )
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan

    if planfile is None:
        desired = session(chosen, offline=True).load(offline=True).desired
        diagram = of_configuration(needs(desired, State(lineage="")))
    else:
        diagram = of_plan(read_plan(planfile, load_kinds()))
    show(outputs, lambda form: shown(VIEWS[form](diagram)), quiet=chosen.quiet, private=planfile is not None)
    if any(output.form == "mermaid" for output in outputs) and too_large_for_mermaid(diagram):
        most = f"{MOST_ARROWS} arrows and {MOST_CHARACTERS:,} characters"
        advise(f"Mermaid draws {most} unless the page allows more: use --format svg=FILE or --format dot")
    return 0

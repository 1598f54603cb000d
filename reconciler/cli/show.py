"""`reconciler show`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.plan import view
from reconciler.cli.terminal import say


@click.command("show")
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "fmt",
    type=click.Choice(["text", "json", "markdown", "html"]),
    default="text",
    help="How to print the plan.",
)
def command(planfile: Path, fmt: str) -> int:
    """Render the saved plan PLANFILE; needs neither network nor credentials."""
    from reconciler.workflow.saved import read_plan

    say(view(read_plan(planfile), fmt))
    return 0

"""`reconciler destroy`."""

from __future__ import annotations

import click

from reconciler.cli.apply import plan_and_apply
from reconciler.cli.changing import Changing, changing
from reconciler.cli.program import Globals
from reconciler.cli.watching import OutputMode


@click.command("destroy")
@click.option("--json", "stream", is_flag=True, help="Print events as lines of JSON, with heartbeats.")
@click.option("--no-uses", is_flag=True, help="Do not look for what else mentions the objects that go.")
@changing
@click.pass_obj
def command(chosen: Globals, asked: Changing, stream: bool, no_uses: bool) -> int:
    """Delete everything that the state manages in this environment."""
    if stream and not asked.approval.auto:
        raise click.UsageError("--json asks nothing: use it with --auto-approve")
    mode = OutputMode(chosen.quiet, chosen.verbose, stream, asked.archive)
    return plan_and_apply(chosen, asked.options(destroy=True, uses=not no_uses), asked, mode)

"""`reconciler validate`."""

from __future__ import annotations

import click

from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say


@click.command("validate")
@click.option(
    "--format", "fmt", type=click.Choice(["text", "json", "sarif"]), default="text", help="How to print problems."
)
@click.pass_obj
def command(chosen: Globals, fmt: str) -> int:
    """Check the configuration: every problem at once, with its place. Needs no network and no credentials."""
    from reconciler.model.errors import ConfigError

    try:
        opened = session(chosen, offline=True)
        loaded = opened.load(offline=True)
        problems, failed = list(loaded.warnings), False
    except ConfigError as error:
        problems, failed = list(error.diagnostics), True
    if fmt != "text":
        from reconciler.render import machine

        say(machine.diagnostics_json(problems) if fmt == "json" else machine.diagnostics_sarif(problems))
        return 3 if failed else 0
    if problems:
        from reconciler.cli.terminal import colour, width
        from reconciler.render.text import diagnostics

        note(diagnostics(problems, colour=colour(), width=width()).rstrip("\n"))
    if failed:
        return 3
    count = len(loaded.desired.resources)
    say(
        f"The configuration is valid: {count} resource{'s' if count != 1 else ''} "
        f"for the environment `{opened.settings.name}`."
    )
    return 0

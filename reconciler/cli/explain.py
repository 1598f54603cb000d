"""`reconciler explain`."""

from __future__ import annotations

import click

from reconciler.cli.completing import addresses
from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import listed, say, style, tell


@click.command("explain")
@click.argument("address", shell_complete=addresses, required=False)
@click.option("--no-impact", is_flag=True, help="Do not count what deleting it would lose.")
@click.option(
    "--facts", is_flag=True, help="Instead: what is taken for granted of the account (for ADDRESS or a kind), and why."
)
@listing
@click.pass_obj
def command(chosen: Globals, address: str | None, no_impact: bool, facts: bool, fmt: str) -> int:
    """Tell the whole story of ADDRESS: identity, dependencies, whose change is open, what a delete loses."""
    from reconciler.render.explanation import story

    if facts:
        return _facts(chosen, address, fmt)
    if address is None:
        raise click.UsageError("explain what? Name an address, or use --facts")
    from reconciler.workflow.explaining import explain

    explanation = chosen.screen.wait(explain(session(chosen), address, impact=not no_impact))
    say(*(explanation.model_dump_json(indent=2), "json") if fmt == "json" else (story(explanation, **style()), "text"))
    return 4 if explanation.action == "unknown" else 0


def _facts(chosen: Globals, what: str | None, fmt: str) -> int:
    """Print what is taken for granted, of a kind or of all."""
    from reconciler.render.findings import grounds
    from reconciler.workflow.opening.facts import facts_of, troubles

    opened = session(chosen)
    rows = facts_of(opened, what)
    tell("Note: ", troubles(opened))
    if fmt == "json":
        listed(rows, [], fmt)
    else:
        say(grounds(rows, **style()), "text")
    return 0

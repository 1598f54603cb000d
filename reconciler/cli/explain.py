"""`reconciler explain`."""

from __future__ import annotations

import click

from reconciler.cli.completing import addresses
from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import listed, say, style


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
        from reconciler.workflow.facts import facts_of

        listed(facts_of(session(chosen), address), ["fact", "row", "says", "found", "from"], fmt)
        return 0
    if address is None:
        raise click.UsageError("explain what? Name an address, or use --facts")
    from reconciler.workflow.explaining import explain

    found = chosen.screen.wait(explain(session(chosen), address, impact=not no_impact))
    say(*(found.model_dump_json(indent=2), "json") if fmt == "json" else (story(found, **style()), "text"))
    return 4 if found.action == "unknown" else 0

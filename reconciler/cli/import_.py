"""`reconciler import`."""

from __future__ import annotations

import click

from reconciler.cli.completing import addresses
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import say


@click.command("import")
@click.argument("address", shell_complete=addresses)
@click.argument("identity", metavar="ID")
@click.pass_obj
def command(chosen: Globals, address: str, identity: str) -> int:
    """Bind the declared ADDRESS to the live object with this ID. The next plan shows what differs."""
    from reconciler.workflow.importing import import_object
    from reconciler.workflow.session import run_async

    run_async(import_object(session(chosen), address, identity))
    say(f"Imported {address} (id {identity}).")
    return 0

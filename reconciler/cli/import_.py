"""`reconciler import`."""

from __future__ import annotations

import click

from reconciler.cli.completing import addresses
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import ask, note, say


@click.command("import")
@click.argument("address", shell_complete=addresses)
@click.argument("identity", metavar="ID")
@click.option("--auto-approve", is_flag=True, help="Do not ask where ADDRESS is bound to another object already.")
@click.pass_obj
def command(chosen: Globals, address: str, identity: str, auto_approve: bool) -> int:
    """Bind the declared ADDRESS to the live object with this ID. The next plan shows what differs."""
    from reconciler.model.state import Binding
    from reconciler.workflow.importing import import_object

    def agreed(bound: Binding) -> bool:
        chosen.screen.aside()
        note(f"{address} is bound to id {bound.id}, which would be managed no more once it is bound to id {identity}.")
        otherwise = f"add --auto-approve, or `reconciler state rm {address}` first"
        return auto_approve or ask("Only `yes` is accepted", otherwise=otherwise)

    chosen.screen.wait(import_object(session(chosen), address, identity, agreed))
    say(f"Imported {address} (id {identity}).")
    return 0

"""`reconciler state`."""

from __future__ import annotations

import click

from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say


@click.group("state")
def command() -> None:
    """Look at and edit the state; the account is never touched."""


@command.command("list")
@click.argument("patterns", nargs=-1, metavar="[ADDRESS]...")
@listing
@click.pass_obj
def list_(chosen: Globals, patterns: tuple[str, ...], fmt: str) -> int:
    """List what is managed."""
    from reconciler.render.tables import table
    from reconciler.workflow import states

    rows = states.rows(session(chosen, offline=True), patterns)
    if not rows and fmt == "text":
        note("Nothing that fits is managed." if patterns else "Nothing is managed yet.")
        return 0
    say(table(rows, ["address", "kind", "id"], "json" if fmt == "json" else "text"))
    return 0


@command.command("show")
@click.argument("address")
@listing
@click.pass_obj
def show(chosen: Globals, address: str, fmt: str) -> int:
    """Show what the state knows of ADDRESS."""
    import json

    from reconciler.workflow import states

    binding = states.show(session(chosen, offline=True), address)
    content = {"address": address, **binding.model_dump(mode="json", exclude_defaults=fmt == "text")}
    say(json.dumps(content, indent=2, ensure_ascii=False))
    return 0


@command.command("mv")
@click.argument("source")
@click.argument("target")
@click.pass_obj
def mv(chosen: Globals, source: str, target: str) -> int:
    """Give what is managed as SOURCE the address TARGET."""
    from reconciler.workflow import states

    states.move(session(chosen, offline=True), source, target)
    say(f"Moved {source} to {target}.")
    return 0


@command.command("rm")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...")
@click.pass_obj
def rm(chosen: Globals, addresses: tuple[str, ...]) -> int:
    """Forget what is managed under these addresses (or globs); the objects stay as they are."""
    from reconciler.workflow import states

    for address in states.remove(session(chosen, offline=True), addresses):
        say(f"Removed {address}.")
    return 0

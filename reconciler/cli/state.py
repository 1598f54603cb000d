"""`reconciler state`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from reconciler.cli import import_
from reconciler.cli.completing import addresses
from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import listed, note, say, say_made
from reconciler.model.errors import WrongInput
from reconciler.render.quoting import place


@click.group("state")
def command() -> None:
    """Look at and edit the state; the account is never touched."""


command.add_command(import_.command)


@command.command("list")
@click.argument("patterns", nargs=-1, metavar="[ADDRESS]...", shell_complete=addresses)
@listing
@click.pass_obj
def list_(chosen: Globals, patterns: tuple[str, ...], fmt: str) -> int:
    """List what is managed."""
    from reconciler.workflow import state

    rows = state.rows(session(chosen, offline=True), patterns)
    if not rows and fmt == "text":
        note("Nothing that fits is managed." if patterns else "Nothing is managed yet.")
        return 0
    listed(rows, ["address", "kind", "id"], fmt)
    return 0


@command.command("show")
@click.argument("address", shell_complete=addresses)
@listing
@click.pass_obj
def show(chosen: Globals, address: str, fmt: str) -> int:
    """Show what the state knows of ADDRESS."""
    import json

    from reconciler.workflow import state

    binding = state.show(session(chosen, offline=True), address)
    content = {"address": address, **binding.model_dump(mode="json", exclude_defaults=fmt == "text")}
    say(json.dumps(content, indent=2, ensure_ascii=False), "json")
    return 0


@command.command("mv")
@click.argument("source", shell_complete=addresses)
@click.argument("target", shell_complete=addresses)
@click.pass_obj
def mv(chosen: Globals, source: str, target: str) -> int:
    """Give what is managed as SOURCE the address TARGET."""
    from reconciler.workflow import state

    state.move(session(chosen, offline=True), source, target)
    say(f"Moved {source} to {target}.")
    return 0


@command.command("rm")
@click.argument("addresses", nargs=-1, required=True, metavar="ADDRESS...", shell_complete=addresses)
@click.pass_obj
def rm(chosen: Globals, addresses: tuple[str, ...]) -> int:
    """Forget what is managed under these addresses (or globs); the objects stay as they are."""
    from reconciler.workflow import state

    for address in state.remove(session(chosen, offline=True), addresses):
        say(f"Removed {address}.")
    return 0


@command.command("pull")
@click.pass_obj
def pull(chosen: Globals) -> int:
    """Print the state as JSON, decrypted, with what an interrupted run left in its journal."""
    from reconciler.model.redaction import as_made
    from reconciler.workflow import state_versions

    say_made(as_made(state_versions.pull(session(chosen, offline=True))), "json")
    return 0


@command.command("push")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--force", is_flag=True, help="Also when its lineage is another one, or its serial is older.")
@click.pass_obj
def push(chosen: Globals, file: Path, force: bool) -> int:
    """Write FILE (`-`: standard input) as the state. The one before stays in the history."""
    from reconciler.store.reading import read_regular
    from reconciler.workflow import state_versions

    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else read_regular(file)
    except OSError as error:
        raise WrongInput(f"{file} cannot be read: {error.strerror}", hint="nothing was changed") from error
    serial = state_versions.push(session(chosen, offline=True), content, force=force)
    say(f"Pushed the state; its serial is {serial} now.")
    return 0


@command.command("history")
@listing
@click.pass_obj
def history(chosen: Globals, fmt: str) -> int:
    """List the kept versions of the state, the present one last."""
    from reconciler.workflow import state_versions

    rows = state_versions.history(session(chosen, offline=True))
    if not rows and fmt == "text":
        note("There is no state yet.")
        return 0
    problem = ["problem"] if any(row["problem"] for row in rows) else []
    listed(rows, ["serial", "updated", "resources", "current", *problem], fmt)
    return 0


@command.command("restore")
@click.argument("serial", type=int)
@click.pass_obj
def restore(chosen: Globals, serial: int) -> int:
    """Make the version SERIAL the present one again. The account is not touched: the next plan shows what differs."""
    from reconciler.workflow import state_versions

    now = state_versions.restore(session(chosen, offline=True), serial)
    say(f"Restored serial {serial}; it is serial {now} now.")
    return 0


@command.command("migrate")
@click.option("--to", "url", required=True, metavar="URL", help="The new place, as in `state:` of the project file.")
@click.pass_obj
def migrate(chosen: Globals, url: str) -> int:
    """Copy the state with its history and run records to another place."""
    from reconciler.workflow import state_versions

    opened = session(chosen, offline=True)
    count = state_versions.migrate(opened, url)
    say(f"Copied {count} version{'s' if count != 1 else ''} of the state.")
    shown = re.sub(r"(?<=://)([^/@]*:)[^/@]*@", r"\1***@", url)
    note(f"Now write `state: {shown}` for the environment `{opened.settings.name}`, then remove the old one.")
    return 0


@command.command("rekey")
@click.pass_obj
def rekey(chosen: Globals) -> int:
    """Write state, history and run records again for the recipients that the project file names now."""
    from reconciler.workflow import state_versions

    count = state_versions.rekey(session(chosen, offline=True))
    say(f"Wrote {count} document{'s' if count != 1 else ''} again.")
    return 0


@command.command("doctor")
@listing
@click.pass_obj
def doctor(chosen: Globals, fmt: str) -> int:
    """Check what the state says against the account, and say what to do about each difference. Reads only."""
    from reconciler.workflow.doctor.state import examine

    opened = session(chosen)
    rows = chosen.screen.wait(examine(opened))
    if not rows and fmt == "text":
        sound = "The state is sound: everything in it is in the account as it was last seen."
        say(sound if opened.store.read() is not None else f"There is no state at {place(opened.store.where)} yet.")
        return 0
    listed(rows, ["address", "id", "problem", "advice"], fmt)
    return 1 if rows else 0

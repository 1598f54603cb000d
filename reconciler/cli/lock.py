"""`reconciler lock`."""

from __future__ import annotations

from dataclasses import asdict

import click

from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import ask, listed, note, say


@click.group("lock")
def command() -> None:
    """See and break the lock of the state."""


@command.command("list")
@listing
@click.pass_obj
def list_(chosen: Globals, fmt: str) -> int:
    """Show who holds the lock."""
    holder = session(chosen, offline=True).store.holder()
    if holder is None and fmt == "text":
        note("The lock is free.")
        return 0
    rows = [asdict(holder)] if holder is not None else []
    for row in rows:
        del row["process"], row["beat"]
    columns = ["id", "owner", "host", "pid", "since", "operation", "expires"]
    listed(rows, columns, fmt)
    return 0


@command.command("break")
@click.argument("lock_id", metavar="ID")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.pass_obj
def break_(chosen: Globals, lock_id: str, auto_approve: bool) -> int:
    """Remove the lock ID of a run that is surely dead."""
    from reconciler.model.errors import Cancelled, WrongInput
    from reconciler.workflow.state_versions import break_lock

    opened = session(chosen, offline=True)
    missing = WrongInput(f"no lock {lock_id} is held", hint="`reconciler lock list` shows the one that is")
    holder = opened.store.holder()
    if holder is None or holder.id != lock_id:
        raise missing
    note("If the run that holds the lock still lives, it stops before its next write; the next run waits until it has.")
    if not auto_approve and not ask("  Only 'yes' breaks it", otherwise="use --auto-approve"):
        raise Cancelled("cancelled; the lock was not touched")
    if not break_lock(opened, lock_id):
        raise missing
    say(f"Broke the lock {lock_id}.")
    return 0

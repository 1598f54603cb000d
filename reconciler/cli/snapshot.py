"""`reconciler snapshot`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.completing import kinds
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say
from reconciler.render.quoting import place


@click.command("snapshot")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds.")
@click.pass_obj
def command(chosen: Globals, out: Path, names: str | None) -> int:
    """Save the configuration that the account holds: no contacts, no secrets, no e-mail addresses.

    `plan --against FILE` and `replay FILE` work from it without a network.
    """
    from reconciler.store.snapshotfile import check_snapshot_out, write_snapshot
    from reconciler.workflow.snapshots import record, unread

    check_snapshot_out(out)
    opened = session(chosen)
    only = opened.chosen_kinds(names)
    recording = chosen.screen.wait(record(opened, only))
    write_snapshot(recording, out)
    say(f"Saved {len(recording.exchanges)} answers of {recording.account} to {place(out)}.")
    seen = chosen.screen.wait(unread(opened, recording, only))
    missing = sorted(seen.unknown.keys() - seen.absent)
    for kind in missing:
        note(f"Not in it: {kind}: {seen.unknown[kind]}")
    for kind, attributes in seen.unread.items():
        for name, why in attributes.items():
            note(f"Not in it: {why.line(kind, name)}")
    if chosen.verbose:
        note(f"{len(recording.exchanges)} requests sent to the account.")
    return 4 if missing else 0

"""`reconciler export`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, requests_sent, say


@click.command("export")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project to write; default: this one."
)
@click.option("--kinds", "names", metavar="KIND,...", help="Only these kinds.")
@click.pass_obj
def command(chosen: Globals, out: Path | None, names: str | None) -> int:
    """Write the live account as YAML and bind it in the state, so that the next plan is empty. Does not write to
    the account.
    """
    from reconciler.render.words import counted
    from reconciler.workflow.exporting import export_account
    from reconciler.workflow.session import run_async

    opened = session(chosen)
    outcome = run_async(export_account(opened, out, opened.chosen_kinds(names)))
    say(f"Exported {counted(outcome.resources, 'resource')} to {counted(len(outcome.files), 'file')}.")
    for name, why in outcome.unknown.items():
        note(f"Left out {name}: {why}")
    if chosen.verbose:
        requests_sent(outcome.requests)
    return 4 if outcome.unknown else 0

"""`reconciler export`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.completing import kinds
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, requests_sent, say, tell
from reconciler.render.quoting import typed

if TYPE_CHECKING:
    from reconciler.workflow.export.exporting import ExportSummary


@click.command("export")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the project to write; default: this one."
)
@click.option("--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds.")
@click.option("--target", multiple=True, metavar="ADDRESS", help="Only an address (or glob) and what it refers to.")
@click.option("--prune", is_flag=True, help="Take out declarations of objects that the account no longer holds.")
@click.pass_obj
def command(chosen: Globals, out: Path | None, names: str | None, target: tuple[str, ...], prune: bool) -> int:
    """Write the live account as YAML and bind it in the state, so that the next plan is empty. Does not write to
    the account.

    Values that are declared already are changed where they stand; comments, order and variables stay.
    """
    from reconciler.workflow.export.exporting import export_account
    from reconciler.workflow.export.target import Extent

    opened = session(chosen)
    return outcome_told(
        chosen, chosen.screen.wait(export_account(opened, out, Extent(opened.chosen_kinds(names), target, prune)))
    )


def outcome_told(chosen: Globals, outcome: ExportSummary) -> int:
    """Say what an export wrote and what it left out; return its exit code."""
    from reconciler.render.words import counted

    where = f" to {counted(len(outcome.files), 'file')}." if outcome.files else "; no file had to change."
    say(f"Exported {counted(outcome.resources, 'resource')}{where}")
    if outcome.begun is not None:
        where = typed(os.path.relpath(outcome.begun))
        if outcome.key:
            advise(f"The key is not copied into the new project: export it as {outcome.key}.")
        advise(f"{where} is a project of its own now. Next: reconciler --chdir {where} plan")
    tell("Left alone: ", outcome.refused)
    tell("Note: ", outcome.notes)  # what an export leaves out is a result of it, also with -q
    if outcome.secrets:
        advise(f"Set these secrets before what holds them is changed: {', '.join(outcome.secrets)}")
    unreadable = {name: why for name, why in outcome.unknown.items() if name not in outcome.absent or chosen.verbose}
    tell("Left out ", (f"{name}: {why}" for name, why in unreadable.items()))
    if chosen.verbose:
        requests_sent(outcome.requests)
    # What the account has no endpoint for cannot hold anything that is left out.
    return 4 if set(outcome.unknown) - outcome.absent else 0

"""`reconciler replay`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.opening import consent, listing, selection, session
from reconciler.cli.program import Globals
from reconciler.cli.rehearse import report


@click.command("replay")
@click.argument("snapshot", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--destroy", is_flag=True, help="Rehearse the end of everything that is managed.")
@selection
@consent
@listing
@click.pass_obj
def command(
    chosen: Globals,
    snapshot: Path,
    destroy: bool,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    fmt: str,
) -> int:
    """Rehearse on the account that SNAPSHOT holds; needs neither network nor credentials."""
    from reconciler.store.snapshotfile import read_snapshot
    from reconciler.workflow.plans.options import PlanOptions

    opened = session(chosen, offline=True)
    options = PlanOptions(target, exclude, destroy, False, allow)
    return report(chosen, opened, read_snapshot(snapshot), options, fmt, str(snapshot))

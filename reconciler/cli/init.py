"""`reconciler init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reconciler.cli.opening import folder
from reconciler.cli.program import Globals
from reconciler.cli.terminal import say


@click.command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.pass_obj
def command(chosen: Globals, directory: Path | None) -> int:
    """Write a small project into DIRECTORY (default: here) that works at once against the emulator."""
    from reconciler.workflow.init import write_project

    target = folder(chosen) / (directory or Path())
    for path in write_project(target):
        say(f"Wrote {os.path.relpath(path)}")
    where = f" --chdir {directory}" if directory else ""
    say(f"\nNow run: reconciler{where} plan")
    return 0

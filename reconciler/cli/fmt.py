"""`reconciler fmt`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.opening import folder
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, say
from reconciler.render.quoting import place


@click.command("fmt")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file is not in canonical form.")
@click.pass_obj
def command(chosen: Globals, files: tuple[Path, ...], check: bool) -> int:
    """Bring the project's YAML files, or these of them, into canonical form: order, indentation, blank lines. Comments
    are kept.
    """
    from reconciler.workflow.formatting import format_project

    changed = format_project(folder(chosen), files, write=not check)
    for name in changed:
        say(f"{place(name)}: not in canonical form" if check else f"{place(name)}: formatted")
    if check and changed:
        advise("`reconciler fmt` formats them.")
        return 1
    return 0

"""`reconciler validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import cleared, note, say, shown
from reconciler.cli.views import PROBLEMS, Output, folder_in_repository, formats, show
from reconciler.render.formats import Frame, problems_in

if TYPE_CHECKING:
    from reconciler.model.diagnostics import Diagnostic


@click.command("validate")
@formats(PROBLEMS, "problems")
@click.pass_obj
def command(chosen: Globals, outputs: tuple[Output, ...]) -> int:
    """Check the configuration: every problem at once, with its place. Needs no network and no credentials."""
    from reconciler.model.errors import ConfigError

    said = ""
    try:
        opened = session(chosen, offline=True)
        loaded = opened.load(offline=True)
        problems, failed = [*loaded.warnings, *opened.doubts(loaded)], False
        count = len(loaded.desired.resources)
        said = (
            f"The configuration is valid: {count} resource{'s' if count != 1 else ''} "
            f"for the environment `{opened.settings.name}`."
        )
    except ConfigError as error:
        problems, failed = list(error.diagnostics), True
    problems = cleared(problems)
    frame = Frame(verdict=said, folder=folder_in_repository)
    for output in outputs:
        if output.path is None and output.form == "text":
            _tell(problems, said)
        else:
            show([output], lambda form: shown(problems_in(form, problems, frame)), quiet=chosen.quiet, private=False)
    return 3 if failed else 0


def _tell(problems: list[Diagnostic], said: str) -> None:
    """Print for people: problems to standard error, the verdict to standard output."""
    from reconciler.cli.terminal import colour, width

    if problems:
        from reconciler.render.excerpts import diagnostics

        note(diagnostics(problems, colour=colour(), width=width()).rstrip("\n"), "text")
    if said:
        say(said)

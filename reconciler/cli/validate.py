"""`reconciler validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import session, trusted_limits
from reconciler.cli.program import Globals
from reconciler.cli.terminal import cleared, note, say, shown
from reconciler.cli.views import PROBLEMS, Output, folder_in_repository, formats, show
from reconciler.render.formats import ViewContext, problems_in

if TYPE_CHECKING:
    from reconciler.config import Loaded
    from reconciler.model.diagnostics import Diagnostic
    from reconciler.workflow.opening.session import Session


@click.command("validate")
@formats(PROBLEMS, "problems")
@trusted_limits()
@click.pass_obj
def command(chosen: Globals, outputs: tuple[Output, ...], guards_from: str | None) -> int:
    """Check the configuration: every problem at once, with its place, and what breaks the rules of the project (exit
    code 7). Needs no network and no credentials.
    """
    from reconciler.config import disagreeing
    from reconciler.model.errors import ConfigError

    printed, code = "", 0
    try:
        opened = session(chosen, offline=True, guards_from=guards_from)
        loaded = opened.load(offline=True)
        same = disagreeing(opened.project, opened.runtime.environ)
        problems = [*same, *loaded.warnings, *opened.doubts(loaded), *_broken(opened, loaded)]
        count = len(loaded.desired.resources)
        wrong = sum(problem.severity == "error" for problem in problems)
        printed = (
            f"The configuration is valid: {count} resource{'s' if count != 1 else ''} "
            f"for the environment `{opened.settings.name}`."
        )
        if wrong:
            printed, code = f"{printed[:-1]}, and breaks its rules {'once' if wrong == 1 else f'{wrong} times'}.", 7
    except ConfigError as error:
        problems, code = list(error.diagnostics), 3
    problems = cleared(problems)
    frame = ViewContext(verdict=printed, folder=folder_in_repository)
    for output in outputs:
        if output.path is None and output.form == "text":
            _tell(problems, printed)
        else:
            show([output], lambda form: shown(problems_in(form, problems, frame)), quiet=chosen.quiet, private=False)
    return code


def _broken(opened: Session, loaded: Loaded) -> list[Diagnostic]:
    project = opened.project.project
    if not (project.rules or project.include or project.waivers or project.policies):
        return []  # most projects have none, and need not load what judges them
    from reconciler.judging.rules import as_diagnostics
    from reconciler.workflow.rules.ruling import broken_declarations, idle_waivers, rules_of

    rules = rules_of(opened)
    broken = as_diagnostics(broken_declarations(opened, rules, loaded), rules)
    return [*broken, *idle_waivers(rules, loaded.desired.resources, "that is declared", opened.runtime.now().date())]


def _tell(problems: list[Diagnostic], printed: str) -> None:
    """Print for people: problems to standard error, the verdict to standard output."""
    from reconciler.cli.terminal import colour, width

    if problems:
        from reconciler.render.excerpts import diagnostics

        note(diagnostics(problems, colour=colour(), width=width()).rstrip("\n"), "text")
    if printed:
        say(printed)

"""`reconciler coverage`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import listed, say, shown, style, tell
from reconciler.cli.views import COVERAGE, Output, folder_in_repository, formats, show
from reconciler.render.formats import ViewContext, problems_in

if TYPE_CHECKING:
    from reconciler.workflow.coverage import Ledger

SHOWN = 20


@click.command("coverage")
@click.option(
    "--min",
    "least",
    type=click.FloatRange(0, 100),
    help="Fail (exit code 7) below this share of managed or ignored objects, in percent.",
)
@formats(COVERAGE, "the coverage (sarif, github and gitlab: what breaks the rules)")
@click.pass_obj
def command(chosen: Globals, least: float | None, outputs: tuple[Output, ...]) -> int:
    """Say how much of the account is managed, deliberately ignored (`ignore:` in the project file) or neither, and
    what of it breaks the rules of the project, managed or not.

    What came with the account does not count, nor users and messages that are not declared.
    """
    from reconciler.judging.rules import as_diagnostics
    from reconciler.workflow.coverage import coverage

    ledger = chosen.screen.wait(coverage(session(chosen)))
    columns = ["kind", "managed", "ignored", "unmanaged", "percent"]
    problems = [*as_diagnostics(ledger.broken, ledger.rules), *ledger.notes]
    frame = ViewContext(folder=folder_in_repository)
    for output in outputs:
        if output.path is None and output.form in ("text", "json"):
            listed(ledger.rows(), columns, output.form)
            if output.form == "text":
                _tell(ledger)
        elif output.form in ("text", "json"):
            raise click.UsageError("only the forms for code hosts are written to files: sarif, github, gitlab")
        else:
            show([output], lambda form: shown(problems_in(form, problems, frame)), quiet=chosen.quiet, private=False)
    tell("Note: ", ledger.unread)
    tell("Not counted, ", (f"{kind}: {why}" for kind, why in ledger.unknown.items()))
    if ledger.unknown:
        return 4
    broken = any(problem.severity == "error" for problem in problems)
    return 7 if broken or (least is not None and ledger.percent < least) else 0


def _tell(ledger: Ledger) -> None:
    """Print for people what the table does not say."""
    from reconciler.judging.rules import as_guards
    from reconciler.render import text

    loose = [uncovered.address for row in ledger.kinds for uncovered in row.unmanaged]
    more = f" and {len(loose) - SHOWN} more (--format json names all)" if len(loose) > SHOWN else ""
    if loose:
        say(f"Not managed: {', '.join(loose[:SHOWN])}{more}.")
    for line in ledger.aside:
        say(f"Not counted: {line}.")
    rest = " that is counted" if ledger.aside else ""
    say(f"{ledger.percent:.1f} % of the account's configuration{rest} is managed or deliberately ignored.")
    if ledger.broken:
        say("Broken in the account:")
        say(text.broken(as_guards(ledger.broken), **style()).rstrip("\n"), "text")
    tell("Note: ", (f"{note.at}: {note.message}" for note in ledger.notes))

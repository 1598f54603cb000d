"""`reconciler coverage`."""

from __future__ import annotations

import click

from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import listed, say, tell

SHOWN = 20


@click.command("coverage")
@click.option(
    "--min",
    "least",
    type=click.FloatRange(0, 100),
    help="Fail (exit code 7) below this share of managed or ignored objects, in percent.",
)
@listing
@click.pass_obj
def command(chosen: Globals, least: float | None, fmt: str) -> int:
    """Say how much of the account is managed, deliberately ignored (`ignore:` in the project file) or neither.

    What came with the account does not count, nor users and messages that are not declared.
    """
    from reconciler.workflow.coverage import coverage

    ledger = chosen.screen.wait(coverage(session(chosen)))
    rows = ledger.rows()
    listed(rows, ["kind", "managed", "ignored", "unmanaged", "percent"], fmt)
    if fmt == "text":
        loose = [one["address"] for row in rows for one in row["objects"]]
        more = f" and {len(loose) - SHOWN} more (--format json names all)" if len(loose) > SHOWN else ""
        if loose:
            say(f"Not managed: {', '.join(loose[:SHOWN])}{more}.")
        for line in ledger.aside:
            say(f"Not counted: {line}.")
        rest = " that is counted" if ledger.aside else ""
        say(f"{ledger.percent:.1f} % of the account's configuration{rest} is managed or deliberately ignored.")
    tell("Not counted, ", (f"{kind}: {why}" for kind, why in ledger.unknown.items()))
    if ledger.unknown:
        return 4
    return 7 if least is not None and ledger.percent < least else 0

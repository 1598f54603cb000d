"""`reconciler doctor`."""

from __future__ import annotations

import click

from reconciler.cli.opening import listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import complain, listed, say, style


@click.command("doctor")
@listing
@click.pass_obj
def command(chosen: Globals, fmt: str) -> int:
    """Check the environment end to end: configuration, state, address, token, permissions, facts. Reads only.

    `state doctor` compares what the state says with the account.
    """
    from reconciler.model.errors import Cancelled, ReconcilerError
    from reconciler.workflow.doctor.environment import examine, exit_code, unopened

    try:
        opened = session(chosen)
    except Cancelled:
        raise
    except ReconcilerError as error:
        complain(error)
        checks = unopened(error)
    else:
        checks = chosen.screen.wait(examine(opened), "Checking")
    rows = [check.row() for check in checks]
    if fmt == "json":
        listed(rows, ["check", "verdict", "found", "advice"], fmt)
    else:
        from reconciler.render.findings import page

        say(page(rows, **style()), "text")
    return int(exit_code(checks))

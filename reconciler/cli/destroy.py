"""`reconciler destroy`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.apply import Telling, plan_and_apply
from reconciler.cli.approval import Approval
from reconciler.cli.opening import archive_of, archiving, budget, confirmation, consent, selection
from reconciler.cli.program import Globals


@click.command("destroy")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock.")
@click.option("--no-impact", is_flag=True, help="Do not count the records that would be lost.")
@click.option("--json", "stream", is_flag=True, help="Print events as lines of JSON, with heartbeats.")
@confirmation
@click.option("--no-uses", is_flag=True, help="Do not look for what else mentions the objects that go.")
@archiving
@selection
@consent
@budget
@click.pass_obj
def command(
    chosen: Globals,
    auto_approve: bool,
    lock_timeout: float,
    no_impact: bool,
    stream: bool,
    no_uses: bool,
    archive: Path | None,
    archive_requests: int | None,
    confirm_account: str | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    max_requests: int | None,
) -> int:
    """Delete everything that the state manages in this environment."""
    from reconciler.workflow.planning import Options

    if stream and not auto_approve:
        raise click.UsageError("--json asks nothing: use it with --auto-approve")
    telling = Telling(chosen.quiet, chosen.verbose, stream, archive_of(archive, archive_requests))
    options = Options(target, exclude, True, not no_impact, allow, max_requests, uses=not no_uses)
    return plan_and_apply(chosen, options, Approval(auto_approve, confirm_account), lock_timeout, telling)

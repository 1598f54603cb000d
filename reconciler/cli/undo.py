"""`reconciler undo`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.apply import Telling, plan_and_apply
from reconciler.cli.approval import Approval
from reconciler.cli.opening import budget, confirmation, consent, selection, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say


@click.command("undo")
@click.argument("run", required=False)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, for `apply FILE`.")
@click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock.")
@click.option("--no-impact", is_flag=True, help="Do not count the records that deletes would lose.")
@confirmation
@selection
@consent
@budget
@click.pass_obj
def command(
    chosen: Globals,
    run: str | None,
    auto_approve: bool,
    out: Path | None,
    lock_timeout: float,
    no_impact: bool,
    confirm_account: str | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    max_requests: int | None,
) -> int:
    """Undo RUN (default: the last one): plan its inverse, show what cannot come back, ask, apply."""
    from reconciler.workflow.planning import Options
    from reconciler.workflow.undoing import inverse_of

    opened = session(chosen)
    inverse = inverse_of(opened, run)
    options = Options(target, exclude, False, not no_impact, allow, max_requests, inverse=inverse)
    if out is not None:
        return _save(opened, options, out)
    telling = Telling(chosen.quiet, chosen.verbose)
    return plan_and_apply(chosen, options, Approval(auto_approve, confirm_account), lock_timeout, telling)


def _save(opened, options, out: Path) -> int:  # type: ignore[no-untyped-def]
    """Plan, show and save."""
    from reconciler.cli.plan import exit_code
    from reconciler.cli.views import plan_view
    from reconciler.workflow.planning import make_plan
    from reconciler.workflow.saved import write_plan
    from reconciler.workflow.session import run_async

    planned = run_async(make_plan(opened, options))
    say(plan_view(planned.document, "text"))
    write_plan(planned.document, out, opened.settings.recipients)
    note(f"Saved the plan to {out}. Apply it with: reconciler apply {out}")
    return exit_code(planned.document, False)

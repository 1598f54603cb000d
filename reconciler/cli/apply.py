"""`reconciler apply`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from reconciler.cli.approval import Approval
from reconciler.cli.opening import budget, confirmation, consent, selection, session
from reconciler.cli.plan import exit_code, view
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, requests_sent, say, style


@click.command("apply")
@click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--strict", is_flag=True, help="With PLANFILE: refuse everything when anything moved since the plan.")
@click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock.")
@click.option("--no-impact", is_flag=True, help="Do not count the records that deletes would lose.")
@click.option("--quiet", is_flag=True, help="No progress.")
@confirmation
@selection
@consent
@budget
@click.pass_obj
def command(
    chosen: Globals,
    planfile: Path | None,
    auto_approve: bool,
    strict: bool,
    lock_timeout: float,
    no_impact: bool,
    quiet: bool,
    confirm_account: str | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    max_requests: int | None,
) -> int:
    """Make the account match the configuration; with PLANFILE, do exactly that plan and do not ask."""
    if planfile is not None:
        if target or exclude or allow or max_requests:
            raise click.UsageError(
                "a saved plan is applied as it is: --target, --exclude, --allow and --max-requests belong to `plan`"
            )
        Approval(account=confirm_account).agrees(session(chosen))
        return apply_saved(chosen, planfile, strict, lock_timeout, quiet)
    from reconciler.workflow.planning import Options

    options = Options(target, exclude, False, not no_impact, allow, max_requests)
    return plan_and_apply(chosen, options, Approval(auto_approve, confirm_account), lock_timeout, quiet)


def plan_and_apply(chosen: Globals, options: Any, approval: Approval, lock_timeout: float, quiet: bool) -> int:
    """Plan, show, ask, apply; also what `destroy` does."""
    from reconciler.model.errors import Cancelled
    from reconciler.workflow.planning import make_plan
    from reconciler.workflow.session import run_async

    opened = session(chosen)
    planned = run_async(make_plan(opened, options))
    document = planned.document
    say(view(document, "text"))
    if document.tripped:
        return 7
    if not planned.plan.steps:
        if chosen.verbose:
            requests_sent(planned.requests)
        return exit_code(document, False)
    spent = planned.requests
    if not approval.given(opened, document, destroy=options.destroy):
        raise Cancelled("cancelled; nothing was changed")
    if not approval.auto:
        planned = run_async(still_true(opened, planned, options))
        spent += planned.requests
    return carry_out(opened, planned, lock_timeout, quiet, chosen.verbose, spent=spent)


async def still_true(opened: Any, planned: Any, options: Any) -> Any:
    """Between the plan and the yes, the account may have moved: read it again, and go on only with the same plan."""
    from reconciler.model.errors import StalePlan
    from reconciler.workflow.planning import make_plan

    again = await make_plan(opened, options)
    same = [(change.address, change.action, change.fingerprint) for change in again.document.changes] == [
        (change.address, change.action, change.fingerprint) for change in planned.document.changes
    ]
    if not same:
        raise StalePlan(
            "the account or the state changed while you were reading the plan; nothing was changed",
            hint="run apply again",
        )
    return again


def apply_saved(chosen: Globals, planfile: Path, strict: bool, lock_timeout: float, quiet: bool) -> int:
    """Prove that a saved plan still fits, then do what of it does."""
    from reconciler.render import text
    from reconciler.workflow.saved import check_plan, judged_today, read_plan
    from reconciler.workflow.session import run_async

    opened = session(chosen)
    document = judged_today(opened, read_plan(planfile))
    if document.tripped:
        say(view(document, "text"))
        return 7
    checked = run_async(check_plan(opened, document, strict=strict))
    if checked.refused:
        say(text.refused(checked.refused, strict=strict, **style()))
    if not checked.planned.plan.steps:
        return 6 if checked.refused else exit_code(checked.planned.document, False)
    code = carry_out(opened, checked.planned, lock_timeout, quiet, chosen.verbose, proof=checked.requests)
    return 6 if checked.refused and code == 0 else code


def carry_out(
    opened: Any,
    planned: Any,
    lock_timeout: float,
    quiet: bool,
    verbose: int,
    *,
    spent: int = 0,
    proof: int | None = None,
) -> int:
    """Apply with progress, and return the exit code. `spent` requests went into plans, `proof` into proving a saved
    one, as forecast.
    """
    from reconciler.render import text
    from reconciler.render.progress import Progress
    from reconciler.workflow.applying import Hooks, apply_plan
    from reconciler.workflow.session import run_async

    total = len(planned.plan.steps)
    interrupted = False

    async def work() -> Any:
        nonlocal interrupted
        with Progress(
            sys.stderr,
            total=total,
            environ=os.environ,
            clock=time.monotonic,
            forecast=planned.document.forecast.seconds,
            quiet=quiet,
        ) as progress:
            hooks = Hooks(emit=progress)

            def stop() -> None:
                nonlocal interrupted
                if interrupted:
                    os._exit(130)  # the journal is on disk already
                interrupted = True
                hooks.stop.set()
                note("Stopping: what is in flight is finished and recorded. Once more to stop at once.")

            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)
            return await apply_plan(opened, planned, hooks, lock_timeout=lock_timeout)

    summary = run_async(work())
    if proof is not None:
        promised = planned.document.forecast.check_requests + (summary.forecast or 0)
        summary = replace(summary, requests=summary.requests + proof, forecast=promised)
    say(text.applied(summary, **style()))
    if verbose:
        requests_sent(spent + summary.requests)
    if interrupted:
        return 130
    if not summary.complete:
        return 5
    return exit_code(planned.document, False)

"""`reconciler runs`."""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.approval import Approval
from reconciler.cli.opening import confirmation, listing, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say


@click.group("runs")
def command() -> None:
    """See what was applied when and by whom, and finish what was interrupted."""


@command.command("list")
@listing
@click.pass_obj
def list_(chosen: Globals, fmt: str) -> int:
    """List the kept runs, newest first."""
    from reconciler.render.tables import table
    from reconciler.workflow import runs

    columns = ["run", "operation", "result", "owner", "added", "changed", "destroyed", "failed"]
    say(table(runs.rows(session(chosen, offline=True)), columns, "json" if fmt == "json" else "text"))
    return 0


@command.command("show")
@click.argument("run", default="latest")
@listing
@click.pass_obj
def show(chosen: Globals, run: str, fmt: str) -> int:
    """Show RUN (a name, its beginning, or `latest`): its steps, what was there before, what came of them."""
    from reconciler.workflow import runs

    found = runs.show(session(chosen, offline=True), run)
    say(found.model_dump_json(indent=2) if fmt == "json" else _text(found))
    return 0


def _text(run: Any) -> str:
    from reconciler.render.tables import table

    facts = {
        "run": run.name,
        "operation": run.operation,
        "result": f"{run.result} (it died, or still runs)" if run.result == "open" else run.result,
        "by": f"{run.owner} on {run.host}" + (f", {run.job_url}" if run.job_url else ""),
        "when": f"{run.started} to {run.ended or '?'}",
        "requests": f"{run.requests} sent, {run.forecast if run.forecast is not None else '?'} forecast",
        "overrides": ", ".join(run.overrides),
    }
    lines = [f"{name + ':':<11}{value}" for name, value in facts.items() if value]
    rows = [step.model_dump() for step in run.steps]
    steps = table(rows, ["address", "action", "result", "id", "changed", "message"])
    return "\n".join([*lines, *(f"note: {text}" for text in run.notes), "", steps]).rstrip() + "\n"


@command.command("resume")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock.")
@confirmation
@click.pass_obj
def resume(chosen: Globals, auto_approve: bool, lock_timeout: float, confirm_account: str | None) -> int:
    """Finish what the last run left undone, and nothing else. `apply` does so too, with everything else."""
    from reconciler.cli.apply import Telling, plan_and_apply
    from reconciler.workflow import runs
    from reconciler.workflow.planning import Options

    name, left = runs.unfinished(session(chosen))
    if not left:
        say("There is nothing to resume: the last run was finished.")
        return 0
    note(f"Resuming {name}: {len(left)} address{'es' if len(left) != 1 else ''} left.")
    options = Options(tuple(left), (), False, True, ())
    telling = Telling(chosen.quiet, chosen.verbose)
    return plan_and_apply(chosen, options, Approval(auto_approve, confirm_account), lock_timeout, telling)

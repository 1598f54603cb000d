"""`reconciler runs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.approval import Approval
from reconciler.cli.completing import runs
from reconciler.cli.opening import confirmation, listing, session
from reconciler.cli.program import Globals
from reconciler.cli.telling import telling
from reconciler.cli.terminal import advise, columns_shown, listed, say

if TYPE_CHECKING:
    from reconciler.model.ports import LockInfo
    from reconciler.model.run import RunRecord
    from reconciler.workflow.opening.session import Session


@click.group("runs")
def command() -> None:
    """See what was applied when and by whom, and finish what was interrupted."""


@command.command("list")
@listing
@click.pass_obj
def list_(chosen: Globals, fmt: str) -> int:
    """List the kept runs, newest first."""
    from reconciler.workflow import runs

    columns = ["run", "operation", "result", "owner", "added", "changed", "destroyed", "failed"]
    listed(runs.rows(session(chosen, offline=True)), columns, fmt)
    return 0


@command.command("show")
@click.argument("run", shell_complete=runs, default="latest")
@listing
@click.pass_obj
def show(chosen: Globals, run: str, fmt: str) -> int:
    """Show RUN (a name, its beginning or end, or `latest`): its steps, what was there before, what came of them."""
    from reconciler.workflow import runs

    opened = session(chosen, offline=True)
    record = runs.show(opened, run)
    holder = runs.live(opened) if record.result == "open" else None
    say(*(record.model_dump_json(indent=2), "json") if fmt == "json" else (_text(record, holder), "plain"))
    return 0


def _fate(holder: LockInfo | None) -> str:
    if holder is None:
        return "it died; `reconciler runs resume` finishes its record and what it left undone"
    return f"it runs: {holder.owner} on {holder.host} since {holder.since}"


def _text(run: RunRecord, holder: LockInfo | None = None) -> str:
    from reconciler.render.tables import table

    facts = {
        "run": run.name,
        "operation": run.operation,
        "result": f"{run.result} ({_fate(holder)})" if run.result == "open" else run.result,
        "by": f"{run.owner} on {run.host}" + (f", {run.job_url}" if run.job_url else ""),
        "when": f"{run.started} to {run.ended or '?'}",
        "requests": f"{run.requests} sent, {run.forecast if run.forecast is not None else '?'} forecast",
        "overrides": ", ".join(run.overrides),
    }
    lines = [f"{name + ':':<11}{value}" for name, value in facts.items() if value]
    rows = [step.model_dump() for step in run.steps]
    steps = table(rows, ["address", "action", "result", "id", "changed", "message"], width=columns_shown())
    return "\n".join([*lines, *(f"note: {text}" for text in run.notes), "", steps]).rstrip() + "\n"


@command.command("resume")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock.")
@confirmation
@click.pass_obj
def resume(chosen: Globals, auto_approve: bool, lock_timeout: float, confirm_account: str | None) -> int:
    """Finish what the last run left undone, and nothing else. `apply` does so too, with everything else."""
    from reconciler.workflow.observation.holding import locked

    opened = session(chosen)

    def work() -> int:
        with locked(opened, "apply", timeout=lock_timeout, closing=False):
            return _resumed(chosen, opened, Approval(auto_approve, confirm_account))

    return telling(opened, work)


def _resumed(chosen: Globals, opened: Session, approval: Approval) -> int:
    from reconciler.cli.apply import apply_under_lock
    from reconciler.cli.watching import OutputMode
    from reconciler.workflow import runs
    from reconciler.workflow.observation.book import open_book
    from reconciler.workflow.plans.options import PlanOptions

    name, left = runs.unfinished(opened)
    if not left:
        for closed in runs.close(opened):
            advise(f"Finished the record of {closed}: see `reconciler runs show {closed}`")
        say("There is nothing to resume: the last run was finished.")
        return 0
    advise(f"Resuming {name}: {len(left)} address{'es' if len(left) != 1 else ''} left.")
    open_book(opened).close_runs()
    options = PlanOptions(tuple(left), (), False, True, ())
    mode = OutputMode(chosen.quiet, chosen.verbose)
    return apply_under_lock(chosen, opened, options, approval, mode)

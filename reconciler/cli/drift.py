"""`reconciler drift`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import gathered, selection, session
from reconciler.cli.plan import exit_code, save
from reconciler.cli.program import Globals
from reconciler.cli.terminal import shown, tell
from reconciler.cli.views import DRIFT, Output, formats, plan_view, show
from reconciler.model.records import record
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.workflow.drift.absorbing import Absorbed
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions


@record
class Selecting:
    """Of which addresses drift is asked."""

    target: tuple[str, ...]
    exclude: tuple[str, ...]


@click.command("drift")
@formats(DRIFT, "the drift")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is drift.")
@click.option("--absorb", is_flag=True, help="Write what changed into the files that declare it, and into the state.")
@click.option("--unmanaged", is_flag=True, help="With --absorb: also what the account holds and is not managed yet.")
@click.option("--revert", is_flag=True, help="Plan the opposite: what the files say, for what changed.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="With --revert: save that plan.")
@gathered(Selecting, selection)
@click.pass_obj
def command(
    chosen: Globals,
    asked: Selecting,
    outputs: tuple[Output, ...],
    detailed_exitcode: bool,
    absorb: bool,
    unmanaged: bool,
    revert: bool,
    out: Path | None,
) -> int:
    """Show what changed in the account since this tool last applied it; never writes to the account."""
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.plans.planning import make_plan

    if (absorb and revert) or (out is not None and not revert):
        raise click.UsageError("--absorb changes the files and --revert plans; --out belongs to --revert")
    if unmanaged and not absorb:
        raise click.UsageError("--unmanaged belongs to --absorb; drift alone reports what is not managed anyway")
    if absorb and any(output.form not in ("text", "json") for output in outputs):
        raise click.UsageError("what --absorb did is reported as text or json")
    opened = session(chosen)
    options = PlanOptions(asked.target, asked.exclude, boards=out is not None)
    if absorb:
        return _absorb(chosen, opened, options, outputs, beside=unmanaged)
    if revert:
        from reconciler.workflow.drift.absorbing import revert as reverted

        planned = chosen.screen.wait(reverted(opened, options))
    else:
        planned = chosen.screen.wait(make_plan(opened, replace(options, refresh_only=True)))
    show(outputs, lambda form: plan_view(planned.document, form), quiet=chosen.quiet)
    if out is not None:
        save(opened, planned.document, out, quiet=chosen.quiet)
    return exit_code(planned.document, detailed_exitcode)


def _absorb(
    chosen: Globals, opened: Session, options: PlanOptions, outputs: tuple[Output, ...], *, beside: bool
) -> int:
    """Absorb, and say what was written and what was not; exit code 5 where something was left, 4 where it could not be
    read.
    """
    from reconciler.workflow.drift.absorbing import absorb

    outcome = chosen.screen.wait(absorb(opened, options, beside=beside))
    show(outputs, lambda form: shown(_data(outcome) if form == "json" else _words(outcome)), quiet=chosen.quiet)
    if all(output.form == "text" for output in outputs):
        tell("Left alone: ", outcome.refused)
        tell("Warning: ", outcome.untold)
    return 4 if outcome.unread else 5 if outcome.refused else 0


def _data(outcome: Absorbed) -> str:
    rows = {
        "files": list(outcome.files),
        "absorbed": [{"address": address, "attribute": name} for address, name in outcome.done],
        "left": [
            {"address": refusal.address, "attribute": refusal.name, "reason": refusal.reason}
            for refusal in outcome.refused
        ],
        "unread": list(outcome.untold),
    }
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _words(outcome: Absorbed) -> str:
    lines = [f"Absorbed {address}.{name}" for address, name in outcome.done]
    if not outcome.done and not outcome.refused:
        lines.append("No drift. The account holds what was last applied.")
    elif outcome.files:
        lines.append(f"Changed {', '.join(map(place, outcome.files))}.")
    return "\n".join(lines)

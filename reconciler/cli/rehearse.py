"""`reconciler rehearse`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.opening import consent, listing, selection, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say, say_made, style
from reconciler.cli.views import plan_view

if TYPE_CHECKING:
    from reconciler.model.snapshot_file import Recording
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.rehearsing import Rehearsal


@click.command("rehearse")
@click.option("--destroy", is_flag=True, help="Rehearse the end of everything that is managed.")
@selection
@consent
@listing
@click.pass_obj
def command(
    chosen: Globals,
    destroy: bool,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    allow: tuple[str, ...],
    fmt: str,
) -> int:
    """Copy the account's configuration into the emulator (reads only), apply the plan there, and plan again.

    Neither the account nor the state is touched. Customer records are not copied, so what a delete would lose is not
    measured here: `plan` tells.
    """
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.snapshots import record

    opened = session(chosen)
    recording = chosen.screen.wait(record(opened))
    return report(chosen, opened, recording, PlanOptions(target, exclude, destroy, False, allow), fmt)


def report(
    chosen: Globals, opened: Session, recording: Recording, options: PlanOptions, fmt: str, where: str = ""
) -> int:
    """Rehearse (on the recording in the file `where`) and tell what came of it; 0 where it is proven, 4 where not all
    could be read, 5 or 7 where not.
    """
    from reconciler.render import text
    from reconciler.workflow.rehearsing import rehearse

    outcome = chosen.screen.wait(rehearse(opened, recording, options, where=where))
    if fmt == "json":
        say(json.dumps(_rows(outcome), indent=2, ensure_ascii=False), "json")
    else:
        say_made(plan_view(outcome.document, "text"), "text")
        if outcome.summary is not None:
            say(text.applied(outcome.summary, **style()), "text")
        say("\n".join(_lines(outcome, opened.settings.name)))
    for guard in outcome.document.tripped:
        note(f"Refused: {guard.message}. {guard.override}")
    if outcome.document.tripped:
        return 7
    done = outcome.summary is None or outcome.summary.complete
    if done and not outcome.left and any(skip.forbidden for skip in outcome.document.skipped):
        return 4
    return 0 if outcome.proven else 5


def _rows(outcome: Rehearsal) -> dict[str, Any]:
    failed = outcome.summary.failed if outcome.summary is not None else ()
    return {
        "proven": outcome.proven,
        "requests": outcome.requests,
        "seconds": outcome.seconds,
        "failed": [{"address": address, "message": message} for address, message, _ in failed],
        "left": list(outcome.left),
        "warnings": list(outcome.document.warnings),
        "assumptions": list(outcome.assumptions),
    }


def _lines(outcome: Rehearsal, name: str) -> list[str]:
    if outcome.summary is None:
        return ["Nothing to rehearse." if not outcome.document.tripped else "Not rehearsed: a guard stops the plan."]
    lines = [
        "Rehearsal passed: applied on a copy, and the plan after it is empty."
        if outcome.proven
        else "Rehearsal failed: see above."
    ]
    lines += [f"  The second plan still wants to change {address}." for address in outcome.left]
    lines += [f"On {name} the apply takes {outcome.requests} requests, about {outcome.seconds:g} s."]
    if outcome.assumptions:
        lines += ["It took for granted, because no source says for certain:"]
        lines += [f"  - {assumption}" for assumption in outcome.assumptions]
    return lines

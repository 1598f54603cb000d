"""`reconciler policy`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reconciler.cli.completing import plans
from reconciler.cli.opening import folder, listing
from reconciler.cli.program import Globals
from reconciler.cli.terminal import say, style


@click.group("policy")
def command() -> None:
    """Check saved plans against the policies of the project file."""


@command.command("test")
@click.argument(
    "planfiles", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path), shell_complete=plans
)
@listing
@click.pass_obj
def test(chosen: Globals, planfiles: tuple[Path, ...], fmt: str) -> int:
    """Say which policies each PLANFILE keeps and breaks; needs neither network nor credentials."""
    from reconciler.render import text
    from reconciler.workflow.rules.policies import check_policies

    reports = check_policies(folder(chosen), planfiles)
    if fmt == "json":
        rows = [
            {"address": address, "kind": address.partition(".")[0], "id": None, "plan": report.plan}
            | verdict.model_dump(mode="json", include={"name", "verdict", "message"})
            for report in reports
            for verdict in report.verdicts
            for address in verdict.addresses or [""]
        ]
        say(json.dumps(rows, indent=2), "json")
    else:
        say(text.policies([(report.plan, report.verdicts) for report in reports], **style()), "text")
    return 7 if any(verdict.verdict == "tripped" for report in reports for verdict in report.verdicts) else 0

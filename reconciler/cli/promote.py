"""`reconciler promote`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.completing import environments, kinds
from reconciler.cli.opening import between, gathered, session
from reconciler.cli.plan import exit_code, save
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, say, say_made, tell
from reconciler.cli.views import plan_view
from reconciler.model.records import record
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.workflow.promotion.promoting import Promoted


@record
class Promoting:
    """What is promoted, and how."""

    names: str | None
    dry_run: bool
    overrule: bool
    prune: bool


@click.command("promote")
@click.option(
    "--from",
    "source",
    required=True,
    shell_complete=environments,
    metavar="ENV",
    help="Environment whose account was changed.",
)
@click.option(
    "--to",
    "destination",
    required=True,
    shell_complete=environments,
    metavar="ENV",
    help="Environment whose files get the changes.",
)
@gathered(
    Promoting,
    click.option("--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds."),
    click.option("--dry-run", is_flag=True, help="Only show what differs."),
    click.option("--overrule", is_flag=True, help="Of what changed on both sides, write the source's."),
    click.option("--prune", is_flag=True, help="Take out declarations of what the source no longer holds."),
)
@click.option("--plan", "planned", is_flag=True, help="Plan the target afterwards.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="With --plan: save that plan.")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="How to print.")
@click.pass_obj
def command(
    chosen: Globals,
    asked: Promoting,
    source: str,
    destination: str,
    planned: bool,
    out: Path | None,
    fmt: str,
) -> int:
    """Write what changed in one account into the files of another environment, for review; writes to no account.

    Shows whose change each difference is since the last promotion; what changed in the target manually is left alone.
    """
    from reconciler.deriving.promoting import PromotionChoice
    from reconciler.render import promotion
    from reconciler.workflow.promotion.promoting import promote

    if source == destination:
        raise click.UsageError("--from and --to are the same environment")
    between(chosen, source, destination)
    if (out is not None and not planned) or (planned and asked.dry_run):
        raise click.UsageError("--out belongs to --plan, and --dry-run writes nothing that could be planned")
    origin, other = (session(replace(chosen, environment=name)) for name in (source, destination))
    choice = PromotionChoice(origin.chosen_kinds(asked.names), asked.overrule, asked.prune, asked.dry_run)
    outcome = chosen.screen.wait(promote(origin, other, choice))
    document = _plan(replace(chosen, environment=destination), boards=out is not None) if planned else None
    if fmt == "json":
        plan = json.loads(document.model_dump_json()) if document is not None else None
        say(promotion.data(outcome, source, destination, plan), "json")
    else:
        say(promotion.text(outcome.rows, outcome.same, source, destination))
        _tell(outcome, source)
        if document is not None:
            say_made(plan_view(document, "text"), "text")
    if out is not None and document is not None:
        save(other, document, out, quiet=chosen.quiet)
    return _code(outcome, document, overruled=asked.overrule)


def _code(outcome: Promoted, document: PlanDocument | None, *, overruled: bool) -> int:
    code = exit_code(document, False) if document is not None else 0
    if outcome.unread and code in (0, 5):
        return 4
    return code or (5 if outcome.refused or (outcome.colliding and not overruled) else 0)


def _plan(chosen: Globals, *, boards: bool) -> PlanDocument:
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.plans.planning import make_plan

    return chosen.screen.wait(make_plan(session(chosen), PlanOptions(boards=boards))).document


def _tell(outcome: Promoted, source: str) -> None:
    if outcome.files:
        say(f"Changed {', '.join(map(place, outcome.files))}.")
    tell("Left alone: ", outcome.refused)
    tell("Not promoted: ", outcome.left_out)
    if outcome.secrets:
        advise(f"Set these secrets, which {source} holds in its texts: {', '.join(outcome.secrets)}")

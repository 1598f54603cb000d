"""`reconciler probe`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import apart, gathered, session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, answer, can_ask, note, say, style
from reconciler.cli.views import Output, formats, show
from reconciler.model.records import record
from reconciler.model.redaction import Shown, redactor

if TYPE_CHECKING:
    from reconciler.model.findings import ProbeReport
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.probe.outline import ProbeOutline
    from reconciler.workflow.probe.report import Asked

PROBE = ("text", "json", "markdown", "html")
MEASURES = (
    "--read-only", "--with-contacts", "--burst", "--row", "--max-requests", "--max-seconds", "--format", "--out",
)  # fmt: skip
"""Options of what is found out."""


@record
class Probing:
    """What the options say of what is probed."""

    read_only: bool
    with_contacts: bool
    burst: bool
    rows: tuple[int, ...]
    max_requests: int | None
    max_seconds: float | None

    def asked(self) -> Asked:
        """Return what the probe is to do."""
        from reconciler.workflow.probe.report import Asked

        rows = frozenset(self.rows)
        return Asked(rows, self.read_only, self.with_contacts, self.burst, self.max_requests, self.max_seconds)


@click.command("probe")
@click.option("--yes-this-is-a-sandbox", "sandbox", is_flag=True, help="Do not ask for the account's name.")
@gathered(
    Probing,
    click.option("--read-only", is_flag=True, help="Only what reads can tell; the way to ask a production account."),
    click.option("--with-contacts", is_flag=True, help="Make two contacts at example.com, subscribed to nothing."),
    click.option("--burst", is_flag=True, help="Measure the rate limit by 30 reads at once."),
    click.option(
        "--row", "rows", type=click.IntRange(0, 59), multiple=True, help="Only a row of section 7 (0: beside it)."
    ),
    click.option("--max-requests", type=click.IntRange(min=1), metavar="N", help="Requests that it may take."),
    click.option("--max-seconds", type=click.FloatRange(min=1), metavar="N", help="Seconds that it may take."),
    made=Probing.asked,
)
@click.option("--clean", is_flag=True, help="Only remove what an interrupted probe left, and name what others did.")
@formats(PROBE, "the report")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file of what would be printed.")
@apart({"--clean": MEASURES, "--read-only": ("--with-contacts",)})
@click.pass_obj
def command(
    chosen: Globals,
    asked: Asked,
    sandbox: bool,
    clean: bool,
    outputs: tuple[Output, ...],
    out: Path | None,
) -> int:
    """Find out by small experiments what this account does where the sources of the API differ.

    On a sandbox it makes objects called `zz-probe-...` and removes them; what was there is never changed. What it finds
    goes into `.reconciler/facts/`, which plans and applies then rest on.
    """
    from reconciler.workflow.probe.outline import outline
    from reconciler.workflow.probe.probing import NotKept, probe

    opened = session(chosen)
    if clean:
        return _clean(chosen, opened)
    todo = outline(opened, asked)
    _check_rows(todo, asked)
    _confirmed(opened, todo, sandbox=sandbox, read_only=asked.read_only)
    unkept: NotKept | None = None

    def say_of(line: str) -> None:
        if line.startswith("Left:"):
            chosen.screen.next_command = "reconciler probe --clean"
        note(line)

    try:
        progress = (lambda line: note(f"  {line} ...")) if chosen.verbose else lambda line: None
        report = chosen.screen.wait(probe(opened, asked, progress, say_of), "Probing")
    except NotKept as error:
        report, unkept = error.report, error
    try:
        show([output._replace(path=output.path or out) for output in outputs], partial(_view, report), private=False)
        if all(output.path or out for output in outputs):
            from reconciler.render.findings import summary

            say(summary(report))
    finally:  # also where the report cannot be written
        for left in report.left:
            note(f"Left: {left.form} id {left.id}: {left.what}")
    if unkept is not None:
        raise unkept
    return 1 if any("--clean" in left.what for left in report.left) else 5 if not report.complete else 0


def _confirmed(opened: Session, todo: ProbeOutline, *, sandbox: bool, read_only: bool) -> None:
    """Say what it takes, and go on only on a sandbox. Raises Refused, and Cancelled."""
    from reconciler.config import without_address
    from reconciler.model.errors import Cancelled, Refused
    from reconciler.workflow.observation.observing import account_name
    from reconciler.workflow.probe.account import check_sandbox

    if not read_only:
        check_sandbox(opened)
    what = "reads" if read_only else "makes and removes objects called zz-probe-..."
    kept = f", of which {todo.held} requests are kept back to remove what it makes" if todo.held else ""
    advise(
        f"The probe of `{opened.settings.name}` {what}: up to {todo.needed} requests as planned, "
        f"{todo.requests} requests and {todo.seconds:.0f} s at most{kept}."
    )
    for hidden in () if read_only else without_address(opened.project, opened.runtime.environ):
        advise(f"Whether this is the account of `{hidden}` is not known: a variable in that `url` is not set.")
    for leave in todo.leaves:
        advise(f"It leaves {leave}.")
    if read_only or sandbox:
        return
    name = account_name(opened)
    if not can_ask():
        raise Refused(
            "it was not confirmed that this is a sandbox; nothing was sent",
            hint="use --yes-this-is-a-sandbox, or type the account's name on a terminal",
        )
    note(f"\nOnly the name of the account, '{name}', will be accepted.\n")
    if answer("  Enter the account's name") != name:
        raise Cancelled("cancelled; nothing was sent")


def _check_rows(todo: ProbeOutline, asked: Asked) -> None:
    """Raise UsageError where the rows that are asked leave out what an option is for."""
    for need, option, rows in (
        ("contacts", "--with-contacts", "what is beside the rows"),
        ("burst", "--burst", "rows 30 and 54"),
    ):
        if getattr(asked, need) and all(experiment.needs != need for experiment in todo.experiments):
            raise click.UsageError(f"{option} is about {rows}, which --row leaves out")


def _view(report: ProbeReport, form: str) -> Shown:
    from reconciler.render import findings

    formats = {
        "json": lambda: report.model_dump_json(indent=2),
        "text": lambda: findings.text(report, **style()),
        "markdown": lambda: findings.markdown(report),
        "html": lambda: findings.html(report),
    }
    return redactor().show(formats[form]())


def _clean(chosen: Globals, opened: Session) -> int:
    from reconciler.workflow.probe.probing import clean

    count, left = chosen.screen.wait(clean(opened, note), "Cleaning")
    removed = f"Removed what an interrupted probe left: {count} on record."
    say(removed if count else "No probe of this checkout left anything.")
    for item in left:
        note(f"Left: {item.form} id {item.id}: {item.what}")
    return 1 if any("--clean" in item.what for item in left) else 0

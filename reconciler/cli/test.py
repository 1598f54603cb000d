"""`reconciler test`."""

from __future__ import annotations

import os

import click

from reconciler.cli.completing import tests
from reconciler.cli.opening import folder
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, shown
from reconciler.cli.views import Output, formats, show
from reconciler.model.redaction import Shown
from reconciler.render import quoting

ALONE = 4
"""Tests for which another process is not worth its start."""


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=tests)
@click.option("--update", "rewrite", is_flag=True, help="Write what came of the tests that failed as what they expect.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", help="How many run at a time (default: the processors)."
)
@click.option("--timeout", type=click.FloatRange(min=0.1), default=60.0, metavar="SECONDS", help="For each test.")
@formats(("text", "json", "junit"), "what came of them")
@click.pass_obj
def command(
    chosen: Globals,
    names: tuple[str, ...],
    rewrite: bool,
    jobs: int | None,
    timeout: float,
    outputs: tuple[Output, ...],
) -> int:
    """Run the tests of the configuration, tests/*.yaml, in the emulator: those whose name or file fits one of NAME
    (globs), or all. No account and no state is touched, and nothing is taken from the environment.

    Exits with 1 where a test fails.
    """
    from reconciler.render import verdicts as render
    from reconciler.workflow.scenarios.testing import scenarios_of, update, verdicts_of

    place = folder(chosen)
    scenarios = scenarios_of(place, names)
    verdicts = verdicts_of(place, scenarios, jobs or min(os.cpu_count() or 1, -(-len(scenarios) // ALONE)), timeout)
    files = update(place, scenarios, verdicts) if rewrite else []

    def view(form: str) -> Shown:
        views = {"json": render.as_json, "junit": render.junit}
        return shown(
            views[form](verdicts) if form in views else render.text(verdicts, "updated" if rewrite else "failed")
        )

    show(outputs, view, quiet=chosen.quiet, private=False)
    for file in files:
        note(f"Wrote {quoting.place(file)}; read what changed in it.")
    failed = [verdict for verdict in verdicts if not verdict.passed and not (rewrite and verdict.lines)]
    return 1 if failed else 0

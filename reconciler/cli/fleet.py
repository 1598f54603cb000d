"""`reconciler fleet`: many accounts that share baselines."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.endings import endings
from reconciler.cli.opening import folder, listing
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, listed, note, say, settle
from reconciler.cli.views import Output, formats, show
from reconciler.render.quoting import place
from reconciler.render.words import counted

if TYPE_CHECKING:
    from reconciler.fleet.running import Fleet
    from reconciler.model.fleet import FleetReport, Job
    from reconciler.render.rollout import RolloutWatch

F = TypeVar("F", bound=Callable[..., Any])
FORMS = ("text", "json", "markdown", "html")
COLUMNS = ("rollout", "mode", "state", "begun", "accounts")
"""What is listed of rollouts."""
GOES_ON = ("running", "approval", "cancelled")
"""States of a rollout that has not ended."""


@click.group("fleet")
def command() -> None:
    """Plan, apply and watch many accounts that share baselines (`fleet.yaml`)."""


def database(function: F) -> F:
    """Add --database."""
    return click.option(
        "--database",
        metavar="URL",
        envvar="RECONCILER_FLEET_DATABASE",
        help="Where rollouts are kept: sqlite:///FILE or postgresql://... (default: the variable "
        "RECONCILER_FLEET_DATABASE, else sqlite:///.reconciler/fleet.db).",
    )(function)


def selecting(function: F) -> F:
    """Add --account, --label, --behind, --failed and --shard."""
    for option in (
        click.option("--shard", metavar="I/N", callback=_shard, help="Only the i-th of n parts of the accounts."),
        click.option(
            "--failed", is_flag=True, help="Only accounts that the last apply failed for, or did not come to."
        ),
        click.option("--behind", metavar="VERSION", help="Only accounts whose baseline is older than this."),
        click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only accounts with this label."),
        click.option("--account", "names", multiple=True, metavar="NAME", help="Only these accounts; globs are taken."),
    ):
        function = option(function)
    return function


def _shard(ctx: click.Context, param: click.Parameter, given: str | None) -> tuple[int, int] | None:
    if given is None:
        return None
    number, slash, count = given.partition("/")
    if slash and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise click.BadParameter("say it as I/N, e.g. 1/4", ctx, param)


def opened(chosen: Globals, url: str | None, *, ask: bool = True) -> Fleet:
    """Open the fleet. Raises ReconcilerError where the extra is missing."""
    import importlib.util

    from reconciler.model.errors import SurroundingsError

    if importlib.util.find_spec("dbos") is None:
        raise SurroundingsError(
            "fleets need an extra that is not installed", hint="pip install 'activecampaign-reconciler[fleet]'"
        )
    from reconciler.fleet.running import open_fleet, tell_passed_over
    from reconciler.workflow.opening.runtime import current_runtime

    fleet = open_fleet(folder(chosen), current_runtime(), url, ask=ask)
    tell_passed_over(fleet, note)
    return fleet


def show_report(chosen: Globals, report: FleetReport, outputs: tuple[Output, ...]) -> int:
    """Show a report, and return its exit code."""
    from reconciler.render.fleet import VIEWS

    show(outputs, lambda form: VIEWS[form](report), quiet=chosen.quiet)
    return report.exit_code


@command.command("validate")
@database
@click.pass_obj
def validate(chosen: Globals, database: str | None) -> int:
    """Check the fleet file, its lists and every baseline with every set of variables; no account is asked."""
    from reconciler.fleet.running import checked

    fleet = opened(chosen, database, ask=False)
    jobs = checked(fleet, fleet.jobs)
    from reconciler.fleet.rollout import parted

    waves = parted(fleet.loaded.fleet.waves, jobs)
    sets = len({job.digest for job in jobs.values()})
    productive = [job for job in jobs.values() if job.production_by]
    counts = ((len(jobs), "account"), (len(fleet.loaded.fleet.baselines), "baseline"), (sets, "configuration"))
    note(f"{', '.join(counted(count, noun) for count, noun in counts)}: valid.")
    for name, members in waves.items():
        note(f"  wave {name}: {counted(len(members), 'account')}")
    if any(source.partners for source in fleet.loaded.fleet.sources):
        note("  and the accounts that the Partners API lists, which is not asked for them here")
    if productive:
        note(f"  production: {counted(len(productive), 'account')}")
    for job in productive:
        if not job.production:
            note(f"Warning: `{job.account}` counts as production: {_because(job)}")
    return 0


def _because(job: Job) -> str:
    """Return why an account is a production account that the fleet file does not call one, and what to do."""
    if job.production is None:
        known = f"it is, or may be, the account of `{job.production_by}`"
        return f"{known}; say `production: true`, or `false` where it is another one"
    return f"it is the account of `{job.production_by}`, whatever the file says of it"


def _run(
    chosen: Globals,
    mode: str,
    outputs: tuple[Output, ...],
    url: str | None,
    selection: Mapping[str, Any],
    *,
    wait: bool = False,
) -> int:
    from reconciler.fleet.accounts import AccountSelection
    from reconciler.fleet.running import begin

    fleet = opened(chosen, url)
    spec = begin(fleet, mode, AccountSelection(**selection), note)
    if not chosen.quiet:
        waves = counted(len(spec.members), "wave")
        note(f"Rollout {spec.name}: {counted(len(spec.jobs), 'account')} in {waves}.")
    return _carry_out(chosen, fleet, spec, outputs, resumed=None, wait=wait)


def _carry_out(
    chosen: Globals,
    fleet: Fleet,
    spec: Any,
    outputs: tuple[Output, ...],
    *,
    resumed: str | None,
    wait: bool,
) -> int:
    """Work on a rollout, show how far it is, and stop in order when asked to."""
    from time import monotonic

    from reconciler.cli.terminal import above
    from reconciler.model.fleet import Standing, WaveStanding
    from reconciler.render.rollout import RolloutWatch

    waves = tuple(WaveStanding(name, len(members)) for name, members in spec.members.items())
    settle()
    board = RolloutWatch(
        sys.stderr, Standing(spec.mode, waves), clock=monotonic, environ=os.environ, quiet=chosen.quiet
    )
    again = f"reconciler fleet resume {spec.name}"
    with _stopping(again, board) as stopping, board, above(board.away):
        from reconciler.fleet.running import carry_out  # what loads the engine, once the table stands

        report = carry_out(
            fleet,
            spec,
            resumed=resumed is not None,
            wait=wait,
            version=resumed,
            stopping=stopping,
            show=board.show,
            tell=note,
        )
        stopped = stopping() and report.state == "running"
    code = show_report(chosen, report, outputs)
    if stopped:
        note(f"Go on with: {again}")
        return 130
    if report.state in ("done", "stopped") and (report.failures or report.pending) and report.mode == "apply":
        advise("Try again what is left with: reconciler fleet apply --failed")
    return code


@contextmanager
def _stopping(again: str, board: RolloutWatch | None = None) -> Iterator[Callable[[], bool]]:
    """Obey signals: the first one stops in order, the second one at once, the third one without a word. Yields whether
    to stop, for the loop that works. That loop and another thread say so, for a signal comes in the middle of whatever
    is written, and a stream refuses what is written within that.
    """
    asked: list[int] = []
    shown: list[bool] = []

    def at_once() -> None:
        with suppress(Exception):  # the terminal may be gone
            known = board.abandon() if board is not None else ""
            note(f"Stopped. {f'On record: {known}. ' if known else ''}Go on with: {again}")
        os._exit(130)

    def signalled(number: int, _: object) -> None:
        asked.append(number)
        if len(asked) == 2:
            Thread(target=at_once, daemon=True).start()
        elif len(asked) > 2:
            os._exit(130)

    def stopping() -> bool:
        if asked and not shown:
            shown.append(True)
            if board is not None:
                board.stopping()
            note("Stopping: what was begun finishes, or records what it did; press again to stop now.")
        return bool(asked)

    before = {number: signal.signal(number, signalled) for number in (signal.SIGINT, *endings())}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@command.command("plan")
@formats(FORMS, "the plans of all accounts")
@database
@selecting
@click.pass_obj
def plan(chosen: Globals, /, outputs: tuple[Output, ...], database: str | None, **selection: Any) -> int:
    """Plan every account; nothing is written to one."""
    return _run(chosen, "plan", outputs, database, _selection(selection))


@command.command("apply")
@formats(FORMS, "the rollout")
@database
@selecting
@click.option("--wait", is_flag=True, help="Wait for approvals instead of ending with 7.")
@click.pass_obj
def apply(chosen: Globals, /, outputs: tuple[Output, ...], database: str | None, wait: bool, **selection: Any) -> int:
    """Roll a baseline out, wave by wave: plan, gate, approval, apply."""
    return _run(chosen, "apply", outputs, database, _selection(selection), wait=wait)


@command.command("drift")
@formats(FORMS, "the drift of all accounts")
@database
@selecting
@click.pass_obj
def drift(chosen: Globals, /, outputs: tuple[Output, ...], database: str | None, **selection: Any) -> int:
    """Show which accounts changed since they were last applied, and what is new since the last look."""
    return _run(chosen, "drift", outputs, database, _selection(selection))


def _selection(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("names", "labels", "behind", "failed", "shard")}


@command.command("status")
@click.argument("rollout", required=False)
@click.option("--all", "every", is_flag=True, help="List all rollouts.")
@click.option("--accounts", is_flag=True, help="List the accounts of the fleet with what they have.")
@database
@listing
@click.pass_obj
def status(chosen: Globals, rollout: str | None, every: bool, accounts: bool, database: str | None, fmt: str) -> int:
    """Show how far a rollout is (the newest one without a name)."""
    from reconciler.fleet.rollout_store import looked_into
    from reconciler.fleet.running import again, foreign, tell_unread

    fleet = opened(chosen, database, ask=accounts)
    if accounts:
        return _accounts(fleet, fmt)
    with looked_into(fleet.database) as store:
        if every:
            rows = [
                {
                    "rollout": spec.name,
                    "mode": spec.mode,
                    "state": store.state(spec),
                    "begun": spec.begun,
                    "accounts": len(spec.jobs),
                }
                for spec in store.each(500)
            ]
            rows += [dict.fromkeys(COLUMNS, "") | {"rollout": name, "accounts": None} for name in store.unread]
            listed(rows, COLUMNS, fmt)
            tell_unread(store, note)
            return 0
        report = store.report(store.rollout(rollout))
        whose = foreign(store, report.name) if report.state in GOES_ON else ""
        more = f"Note: {whose}; go on with that one, or with: {again(store, report.name)}" if whose else ""
    from reconciler.render.fleet import VIEWS

    say(VIEWS[fmt](report), "json" if fmt == "json" else "text")
    if more:
        note(more)
    return 0


def _accounts(fleet: Fleet, fmt: str) -> int:
    from reconciler.fleet.rollout_store import looked_into
    from reconciler.fleet.running import tell_unread

    with looked_into(fleet.database) as store:
        versions = store.last_versions(fleet.jobs)
        tell_unread(store, note)
    rows = [
        {
            "account": name,
            "baseline": job.baseline,
            "wants": job.version,
            "has": versions.get(name, ""),
            "labels": _labels(job.labels),
        }
        for name, job in sorted(fleet.jobs.items())
    ]
    listed(rows, ("account", "baseline", "wants", "has", "labels"), fmt)
    return 0


def _labels(labels: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))


@command.command("report")
@click.argument("rollout", required=False)
@formats(FORMS, "the report")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the HTML report of the fleet, and that of each account beside it, into this folder.",
)
@database
@click.pass_obj
def report(
    chosen: Globals, rollout: str | None, outputs: tuple[Output, ...], out: Path | None, database: str | None
) -> int:
    """Report on a rollout (the newest one without a name): waves, groups, failures, who is behind."""
    from reconciler.fleet.rollout_store import looked_into
    from reconciler.fleet.running import finished

    fleet = opened(chosen, database, ask=False)
    with looked_into(fleet.database) as store:
        spec = store.rollout(rollout)
        rollout_report = finished(store, spec, note)
        if out is not None:
            from reconciler.fleet.pages import write_pages

            count = write_pages(rollout_report, store.plans(spec), out)
            note(f"Wrote the report and {count} accounts to {place(out)}.")
            return 0
    show_report(chosen, rollout_report, outputs)
    return 0


@command.command("resume")
@click.argument("rollout", required=False)
@formats(FORMS, "the rollout")
@database
@click.option("--take-over", is_flag=True, help="Go on with what another version of this program began.")
@click.option("--wait", is_flag=True, help="Wait for approvals instead of ending with 7.")
@click.pass_obj
def resume(
    chosen: Globals, rollout: str | None, outputs: tuple[Output, ...], database: str | None, take_over: bool, wait: bool
) -> int:
    """Go on with a rollout whose process died, was stopped, or waited for an approval."""
    from reconciler.fleet.rollout_store import looked_into
    from reconciler.fleet.running import finished, taken_over

    fleet = opened(chosen, database, ask=False)
    with looked_into(fleet.database) as store:
        spec = store.unfinished(rollout)
        if store.over(spec.name):
            note(f"The rollout {spec.name} has ended, and is as it was left.")
            return show_report(chosen, finished(store, spec, note), outputs)
        version = taken_over(store, spec, take_over=take_over)
    return _carry_out(chosen, fleet, spec, outputs, resumed=version, wait=wait)


@command.command("approve")
@click.argument("rollout")
@click.option("--wave", required=True, metavar="NAME", help="The wave that is approved.")
@click.option("--digest", required=True, metavar="SHA256", help="The digest of its plans, as the report shows it.")
@database
@click.pass_obj
def approve(chosen: Globals, rollout: str, wave: str, digest: str, database: str | None) -> int:
    """Approve exactly the plans of a wave; `fleet resume` then goes on."""
    from reconciler.fleet.rollout_store import looked_into
    from reconciler.fleet.running import again
    from reconciler.model.errors import StalePlan

    fleet = opened(chosen, database, ask=False)
    with looked_into(fleet.database) as store:
        spec = store.rollout(rollout)
        waiting = {wave.name: wave for wave in store.report(spec).waves}
        if wave not in waiting or waiting[wave].state != "approval":
            raise StalePlan(
                f"the wave `{wave}` of {spec.name} does not wait for an approval",
                hint=f"reconciler fleet status {spec.name}",
            )
        if digest.strip().lower() != waiting[wave].digest:
            raise StalePlan(
                f"these are not the plans of the wave: their digest is {waiting[wave].digest}",
                hint="look at the report again, and approve what it shows",
            )
        store.approve(spec.name, wave, waiting[wave].digest)
        note(f"Approved. Go on with: {again(store, spec.name)}")
    return 0


@command.command("cancel")
@click.argument("rollout")
@database
@click.pass_obj
def cancel(chosen: Globals, rollout: str, database: str | None) -> int:
    """Stop a rollout: no new account is begun; those that run finish, or record what they did."""
    from reconciler.fleet.rollout_store import looked_into

    fleet = opened(chosen, database, ask=False)
    with looked_into(fleet.database) as store:
        spec = store.rollout(rollout)
        left = store.cancel(spec)
    are = "is left as it is" if left == 1 else "are left as they are"
    note(f"Cancelled {spec.name}: {counted(left, 'account')} {are}. `fleet resume {spec.name}` would go on.")
    return 0


@command.command("worker")
@click.option("--name", metavar="NAME", help="What it is called, the same after a restart (default: the machine's).")
@click.option("--drift", "at_night", metavar="CRON", help="Look for drift at these times (UTC); `never` ends it.")
@click.option("--metrics", type=click.IntRange(0, 65535), metavar="PORT", help="Serve /metrics on this machine.")
@database
@click.pass_obj
def worker(chosen: Globals, name: str | None, at_night: str | None, metrics: int | None, database: str | None) -> int:
    """Work on whatever rollout is in the database, until it is stopped."""
    import socket

    from reconciler.fleet.running import work

    fleet = opened(chosen, database, ask=False)
    called = name or socket.gethostname()
    with _stopping(f"reconciler fleet worker --name {called}") as stopping:
        work(fleet, called, stopping=stopping, at_night=at_night, metrics=metrics, tell=note)
    return 0

"""The verbs of a fleet: what to do for which accounts, from beginning to end of a process."""

from __future__ import annotations

import importlib.util
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from reconciler.config import LoadedProject
from reconciler.config.reading.fleet import LoadedFleet, load_fleet
from reconciler.fleet.accounts import AccountSelection, members
from reconciler.fleet.baselines import Baselines, named
from reconciler.fleet.differences import compared
from reconciler.fleet.engine import launched
from reconciler.fleet.job import Worker
from reconciler.fleet.lost import APART, LostJobs
from reconciler.fleet.production import ProductionAccounts
from reconciler.fleet.progress import Look
from reconciler.fleet.rollout import drifted, groups, news, parted, versions
from reconciler.fleet.rollout_store import RolloutStore, looked_into
from reconciler.fleet.spec import VERSION, RolloutSpec
from reconciler.fleet.wrong import WrongConfigurations
from reconciler.model.errors import ConfigError, StateError, SurroundingsError, WrongInput
from reconciler.model.fleet import FleetReport, Job, Standing, Wave
from reconciler.model.garbage import lasting
from reconciler.model.records import mutable
from reconciler.resources import load_kinds
from reconciler.workflow.opening.runtime import Runtime

DATABASE = "sqlite:///.reconciler/fleet.db"
BEAT = 0.25
"""Seconds between two looks at a rollout that this process works on."""
TRACING = "opentelemetry.exporter.otlp.proto.http"
MOST_TOLD = 20
"""Accounts that were passed over, and are told of each."""
DRAIN = 600.0
"""Seconds that running applies may take to stop in order."""


@mutable
class Fleet:
    """A fleet that was opened: its file, its accounts, its baselines."""

    loaded: LoadedFleet
    runtime: Runtime
    database: str
    baselines: Baselines
    jobs: dict[str, Job] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    """Accounts that the Partners API lists and that do not belong to the fleet, with the reason."""

    @property
    def folder(self) -> Path:
        """Where `fleet.yaml` is."""
        return self.loaded.folder


def open_fleet(folder: Path, runtime: Runtime, database: str | None = None, *, ask: bool = True) -> Fleet:
    """Open the fleet in a folder; with `ask`, accounts are discovered too. Raises ConfigError, AuthError, and
    Unreachable.
    """
    loaded = load_fleet(folder)
    web = None
    if ask and any(source.partners is not None for source in loaded.fleet.sources):
        from reconciler.remote.web import HttpWeb

        web = HttpWeb()
    passed_over = list[str]()
    jobs = members(loaded, runtime.environ, web, passed_over.append)
    baselines = Baselines.of(loaded, load_kinds(), runtime)
    return Fleet(loaded, runtime, _database(folder, database), baselines, jobs, passed_over)


def traces_to(fleet: Fleet) -> str | None:
    """Return where traces go, as OpenTelemetry's variables say; None where they say nothing. Raises SurroundingsError
    where its extra is missing.
    """
    environ = fleet.runtime.environ
    whole, base = environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    endpoint = whole or (f"{base.rstrip('/')}/v1/traces" if base else None)
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if not endpoint or off:
        return None
    try:
        exporter = importlib.util.find_spec(TRACING)
    except ImportError:  # what it is in is not there
        exporter = None
    if exporter is None:
        raise SurroundingsError(
            "OpenTelemetry's variables say where traces go, and what sends them is not installed",
            hint="pip install 'activecampaign-reconciler[telemetry]', or set OTEL_TRACES_EXPORTER=none",
        )
    return endpoint


def _database(folder: Path, url_given: str | None) -> str:
    """Return the URL of the engine's database; a relative SQLite file is the fleet's."""
    url = url_given or DATABASE
    scheme, slashes, path = url.partition(":///")
    if scheme == "sqlite" and slashes:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{file}"
    if not url.startswith(("postgresql://", "postgres://")):
        raise WrongInput("--database is sqlite:///FILE or postgresql://...", hint=f"without it, {DATABASE} is used")
    return url


def checked(fleet: Fleet, chosen: Mapping[str, Job]) -> dict[str, Job]:
    """Return the jobs with the digests of their baselines, and whether they are about production accounts; each
    different configuration is read once. Raises ConfigError with what is wrong, and with which accounts.
    """
    jobs, folders = {}, {name: baseline.folder for name, baseline in fleet.loaded.fleet.baselines.items()}
    wrong = WrongConfigurations(fleet.folder, folders)
    projects = {name: _project(fleet, name, wrong) for name in folders}
    productive = ProductionAccounts.of(fleet.folder, fleet.jobs, projects, fleet.runtime.environ)
    defaults = {"state": fleet.loaded.fleet.defaults.state, "guards": fleet.loaded.fleet.guards}
    for name, job in chosen.items():
        configuration = named(job)
        known = job.model_copy(update={**defaults, "production_by": productive.by(job)})
        error = wrong.known(configuration)
        try:
            jobs[name] = fleet.baselines.referring(known) if error is None else known
        except ConfigError as found_now:
            error = found_now
        if error is not None:
            wrong.add(configuration, job.baseline, name, error)
    wrong.check()
    return jobs


def _project(fleet: Fleet, baseline: str, wrong: WrongConfigurations) -> LoadedProject:
    """Return the project of a baseline. Raises ConfigError with its places below the fleet's folder."""
    try:
        return fleet.baselines.project(baseline)
    except ConfigError as error:
        raise ConfigError([wrong.placed(baseline, problem) for problem in error.diagnostics]) from error


def choose(fleet: Fleet, selection: AccountSelection, tell: Callable[[str], None]) -> dict[str, Job]:
    """Return the accounts that are meant; `tell` is told what of the record could not be read for that. Raises
    ReconcilerError where nothing is.
    """
    known: dict[str, str] = {}
    failed: set[str] = set()
    tried = False
    if selection.behind is not None or selection.failed:
        with looked_into(fleet.database) as store:
            known = store.last_versions(fleet.jobs) if selection.behind is not None else {}
            failed = store.failed(fleet.jobs) if selection.failed else failed
            tried = store.tried("apply")
            tell_unread(store, tell)
        if selection.behind is not None and not known:
            tell("No rollout is on record that applied to an account: all of them count as behind.")
    chosen = selection.of(fleet.jobs, known, failed)
    if chosen:
        return chosen
    if selection.failed and not tried:
        raise WrongInput(
            "no apply is on record, so none failed", hint="`reconciler fleet apply` begins one; check --database"
        )
    if selection.behind is not None or selection.failed:  # all are as they should be
        tell(f"No account {'failed' if selection.failed else f'is behind {selection.behind}'}: nothing to do.")
    elif selection.shard is None:  # of several parts, some may have nothing to do
        raise WrongInput("no account is selected", hint="`reconciler fleet status --accounts` lists them")
    return chosen


def tell_unread(store: RolloutStore, tell: Callable[[str], None]) -> None:
    """Tell of the rollouts that a newer program began, and that were passed over where all are looked through."""
    for why in store.unread.values():
        tell(f"Passed over: {why}")


def begin(
    fleet: Fleet, mode: str, selection: AccountSelection, tell: Callable[[str], None] = lambda text: None
) -> RolloutSpec:
    """Return a new rollout over the accounts that are meant; `tell` is told what could not be read for that."""
    jobs = checked(fleet, choose(fleet, selection, tell))
    waves = fleet.loaded.fleet.waves if mode == "apply" else [Wave(name="all", max_records_at_risk=None)]
    named = jobs if mode == "apply" else {name: job.model_copy(update={"wave": None}) for name, job in jobs.items()}
    stamp = fleet.runtime.stamp()
    return RolloutSpec(
        name=f"{stamp.replace(':', '').replace('Z', '').lower()}-{mode}-{fleet.runtime.token()[:4]}",
        mode=mode,
        begun=stamp,
        jobs=named,
        waves=list(waves),
        members=parted(waves, named),
        stop_after=fleet.loaded.fleet.stop_after if mode == "apply" else None,
    )


OnProgress = Callable[[Standing], None]


def carry_out(
    fleet: Fleet,
    spec: RolloutSpec,
    *,
    resumed: bool = False,
    wait: bool = False,
    version: str | None = None,
    stopping: Callable[[], bool],
    show: OnProgress,
    tell: Callable[[str], None] = lambda text: None,
) -> FleetReport:
    """Work on a rollout until it has ended, waits for an approval (unless `wait`), or `stopping` says so; `tell` is
    told of which rollouts its report knows nothing.
    """
    worker = Worker(fleet.baselines)
    concurrency = fleet.loaded.fleet.concurrency
    name = f"run-{fleet.runtime.token()}"
    with looked_into(fleet.database) as store:
        store.listened_to(spec.name, concurrency)
    taking_part = launched(
        fleet.database, name, worker, only=spec.name, version=version or VERSION, traces=traces_to(fleet)
    )
    with taking_part as engine, lasting():
        if resumed:
            engine.resume(spec.name, concurrency)
        else:
            engine.begin(spec, concurrency)
        with looked_into(fleet.database) as store:
            _watch(store, spec, LostJobs(worker, name), wait=wait, stopping=stopping, show=show)
            store.tidy()
            return finished(store, spec, tell)


def _watch(
    store: RolloutStore,
    spec: RolloutSpec,
    lost: LostJobs,
    *,
    wait: bool,
    stopping: Callable[[], bool],
    show: OnProgress,
) -> None:
    """Watch a rollout. Asked to stop, let running applies record what they did. Raises StateError where the database
    does not take what they did.
    """
    until: float | None = None
    error: StateError | None = None
    look, worker = Look(store, spec), lost.worker
    while True:
        show(look.now())
        error = error or lost.look(store)
        if (stopping() or error is not None) and until is None:
            worker.halt()
            until = time.monotonic() + DRAIN
        if until is not None and (worker.idle or time.monotonic() > until):
            break
        if until is None and store.ended(spec, approval=not wait):
            break
        time.sleep(BEAT)
    if error is not None:
        raise error


def finished(store: RolloutStore, spec: RolloutSpec, tell: Callable[[str], None] = lambda text: None) -> FleetReport:
    """Return the report of a rollout, compared with the last one of its kind; `tell` is told of those that could not be
    read for that.
    """
    report = store.report(spec)
    earlier = _earlier(store, spec)
    before = store.report(earlier) if earlier is not None else None
    looked = spec.mode == "drift"
    has = store.last_versions(spec.jobs) if looked else {}
    tell_unread(store, tell)
    return report.model_copy(
        update={
            "groups": compared(groups(report.accounts), store.plan_reader(spec)),
            "versions": dict(Counter(has.values())) if looked else versions(report.accounts),
            "drift": drifted(report.accounts, spec.jobs, has) if looked else [],
            "since": before.name if before is not None else "",
            "news": news(report.accounts, before.accounts, before.pending) if before is not None else [],
        }
    )


def _earlier(store: RolloutStore, spec: RolloutSpec) -> RolloutSpec | None:
    """Return the rollout that one is compared with: the last of its kind over the same accounts, or over most of them.
    Of one over a few, nearly all would be new.
    """
    best, most = None, 0
    for rollout in store.each(20, spec.mode):
        shared = len(spec.jobs.keys() & rollout.jobs.keys())
        if rollout.begun < spec.begun and rollout.name != spec.name and shared > most:
            best, most = rollout, shared
        if most == len(spec.jobs):
            break
    return best


def taken_over(store: RolloutStore, spec: RolloutSpec, *, take_over: bool) -> str:
    """Return the version that a rollout goes on as. Raises StateError where it belongs to another version, and no
    take-over was asked for; from then on it belongs to this one.
    """
    if why := foreign(store, spec.name):
        if not take_over:
            raise StateError(why, hint=f"finish it with that version, or say: {again(store, spec.name)}")
        store.take_over(spec.name, VERSION)
    return store.version(spec.name) or VERSION


def foreign(store: RolloutStore, name: str) -> str:
    """Return that a rollout belongs to another version of the program; "" where it belongs to this one."""
    owner = store.owner(name)
    return f"the rollout {name} belongs to {owner}, and this is {VERSION}" if owner != VERSION else ""


def again(store: RolloutStore, name: str) -> str:
    """Return the command with which this program resumes a rollout."""
    return f"reconciler fleet resume {name}{' --take-over' if foreign(store, name) else ''}"


def work(
    fleet: Fleet,
    name: str,
    *,
    stopping: Callable[[], bool],
    at_night: str | None = None,
    metrics: int | None = None,
    tell: Callable[[str], None],
) -> None:
    """Work on whatever rollout is there until `stopping` says so; a worker that comes back under its name resumes the
    jobs that it had.
    """
    concurrency = fleet.loaded.fleet.concurrency
    worker = Worker(fleet.baselines, looks=lambda: (_look(fleet, tell).model_dump(mode="json"), concurrency))
    with launched(fleet.database, name, worker, traces=traces_to(fleet)) as engine, lasting():
        if at_night is not None:
            engine.schedule(None if at_night == "never" else at_night, fleet.runtime.now())
        engine.catch_up(fleet.runtime.now())
        if metrics is not None:
            from reconciler.fleet.metrics import served

            tell(f"Metrics: http://127.0.0.1:{served(worker, metrics)}/metrics")
        with looked_into(fleet.database) as store:
            for rollout, owner in store.foreign(VERSION):
                tell(f"{rollout} belongs to {owner}, and is left to it: {again(store, rollout)}")
        tell(f"Worker {name} is ready.")
        error = _tidying(fleet.database, LostJobs(worker, name), stopping)
        worker.halt()
        until = time.monotonic() + DRAIN
        while not worker.idle and time.monotonic() < until:
            time.sleep(BEAT)
    if error is not None:
        raise error


def _tidying(database: str, lost: LostJobs, stopping: Callable[[], bool]) -> StateError | None:
    """Wait until `stopping` says so, and take away what no rollout needs any more, every now and then. Return before
    that what is wrong where the database did not take the end of a job: a worker that comes back does it again.
    """
    tidied, error = float("-inf"), None
    while not stopping() and error is None:
        if time.monotonic() - tidied > APART:
            with suppress(StateError), looked_into(database) as store:  # a server that is away comes back
                error = lost.look(store)
                store.tidy()
            tidied = time.monotonic()
        time.sleep(BEAT)
    return error


def tell_passed_over(fleet: Fleet, tell: Callable[[str], None]) -> None:
    """Tell of the accounts that the Partners API lists, and that nothing is done for."""
    for why in fleet.passed_over[:MOST_TOLD]:
        tell(f"Passed over: {why}")
    if len(fleet.passed_over) > MOST_TOLD:
        tell(f"Passed over: {len(fleet.passed_over) - MOST_TOLD} more accounts that the Partners API lists")


def _look(fleet: Fleet, tell: Callable[[str], None]) -> RolloutSpec:
    """Begin a look for drift with the files as they are now."""
    fresh = open_fleet(fleet.folder, fleet.runtime, fleet.database)
    tell_passed_over(fresh, tell)
    fleet.baselines.renew(fresh.loaded)
    return begin(fresh, "drift", AccountSelection())

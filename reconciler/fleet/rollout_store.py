"""What the engine has on record of rollouts: read without working, and told what people decide."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from reconciler.fleet.rollout import losing
from reconciler.fleet.spec import (
    AS_DECLARED,
    CHUNK,
    DONE,
    OPEN,
    OVER,
    PROGRAM,
    VERSION,
    RolloutSpec,
    job_id,
    queue_of,
    queue_settings,
    result_of,
    rollout_of,
    unpacked,
)
from reconciler.model.document import PlanDocument
from reconciler.model.documents import read_document
from reconciler.model.errors import ReconcilerError, StateError, WrongInput
from reconciler.model.fleet import FleetReport, JobResult, Wave, WaveReport
from reconciler.model.records import mutable, record

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

UNDER_WAY = {"ENQUEUED": "waiting", "DELAYED": "waiting", "PENDING": "running"}
"""What the engine calls accounts that have not ended."""
MOST_NAMED = 500
"""Rollouts that are known by name."""
MOST_ROLLOUTS = 50
"""Rollouts that are looked through for what an account has."""
NO_TABLE = ("42P01", "3F000")
"""What PostgreSQL calls a table, or a schema, that is not there."""
TAKEN = "taken-over-by"
"""What the engine keeps of a rollout that another version of the program resumed."""


def silence() -> None:
    """Let the engine's library write nothing: what has to be told, reports tell.

    Left alone it writes to what is the error stream when it is first used in a process, and flushes that at each start:
    a start fails where the stream was closed since.
    """
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.CRITICAL)
    logger.handlers, logger.propagate = [logging.NullHandler()], False


@contextmanager
def looked_into(database: str) -> Iterator[RolloutStore]:
    """Look into the fleet's database without working. Raises StateError where there is none."""
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    silence()
    try:
        client = DBOSClient(
            system_database_url=database, serializer=DBOSPortableJSONSerializer(), retry_connection_errors=False
        )
    except Exception as error:
        raise StateError(
            f"the fleet's database cannot be read ({type(error).__name__})",
            hint="a first `fleet plan` makes it; check --database"
            if database.startswith("sqlite:")
            else "is the server there? check --database",
        ) from error
    try:
        with reading():
            yield RolloutStore(client)
    finally:
        client.destroy()


@contextmanager
def reading() -> Iterator[None]:
    """Tell what a database refuses, or that it is away, as StateError."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith("sqlalchemy."):
            raise
        raise StateError(  # the server has gone, or the file is none
            f"the fleet's database cannot be read ({type(error).__name__})",
            hint="check --database; where the server was away, `fleet resume` goes on",
        ) from error


def _without_tables(error: Exception) -> bool:
    """Return whether an error says that nothing was ever begun in a database: it has no tables yet."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) in NO_TABLE or str(cause).startswith("no such table")


@mutable
class RolloutStore:
    """What the engine has on record."""

    client: DBOSClient
    unread: dict[str, str] = field(default_factory=dict)
    """Rollouts that were passed over, for a newer program began them: why each cannot be read."""

    def each(self, limit: int, mode: str = "") -> Iterator[RolloutSpec]:
        """Yield the newest rollouts, the newest first, one after the other: each names all of its accounts. With a
        `mode`, those that plan, apply or look for drift.
        """
        for name in self._names(limit):
            if f"-{mode}-" in name or not mode:
                try:
                    yield from self._specs([name])
                except StateError as error:
                    self.unread[name] = error.message

    def tried(self, mode: str) -> bool:
        """Return whether a rollout of this mode is on record."""
        return any(f"-{mode}-" in name for name in self._names(MOST_NAMED))

    def _names(self, limit: int) -> list[str]:
        """Return the names of the newest rollouts, the newest first; none of a database that is still empty."""
        try:
            rows = self.client.list_workflows(
                name="rollout", sort_desc=True, limit=limit, load_input=False, load_output=False
            )
        except Exception as error:
            if not _without_tables(error):
                raise
            return []
        return [row.workflow_id for row in rows]

    def _specs(self, names: Iterable[str]) -> Iterator[RolloutSpec]:
        for name in names:
            for row in self.client.list_workflows(workflow_ids=[name], load_output=False):
                if row.input:
                    yield _spec(row)

    def rollout(self, name: str | None) -> RolloutSpec:
        """Return a rollout by the beginning of its name; the newest one without it. Raises ReconcilerError."""
        if name is not None and not name.strip():
            raise WrongInput("an empty name means no rollout", hint="`fleet status` shows the newest one")
        known = self._names(MOST_NAMED if name else 1)
        meant = [name] if name in known else [rollout for rollout in known if rollout.startswith(name or "")]
        if not meant:
            what = f"there is no rollout `{name}`" if known else "there is no rollout yet"
            listed = "`reconciler fleet status --all` lists them"
            raise WrongInput(what, hint=listed if known else "`reconciler fleet plan` begins one; check --database")
        if len(meant) > 1:
            raise WrongInput(f"`{name}` means {len(meant)} rollouts", hint="write more of its name")
        return next(self._specs(meant))

    def unfinished(self, name: str | None) -> RolloutSpec:
        """Return a rollout that has not ended, by the beginning of its name; the newest one without it. Raises
        ReconcilerError where there is none.
        """
        if name is not None:
            return self.rollout(name)
        names = self._names(MOST_NAMED)
        if not names:
            return self.rollout(None)
        for newest in names:
            row = self._row(newest)
            if row is not None and row.status in (*OPEN, "CANCELLED"):
                return next(self._specs([newest]))
        raise ReconcilerError(
            "every rollout has ended",
            hint="`reconciler fleet apply --failed` begins one with the accounts that failed, or were not come to",
        )

    def version(self, name: str) -> str:
        """Return the version of the program that began a rollout: the one that the engine has its jobs done as."""
        row = self._row(name)
        return (row.app_version or "") if row is not None else ""

    def owner(self, name: str) -> str:
        """Return the version of the program that a rollout belongs to: that which began it, or took it over last."""
        row = self._row(name)
        return _owner(row) if row is not None else ""

    def take_over(self, name: str, version: str) -> None:
        """Make a rollout one of this version of the program."""
        self.client.update_workflow_attributes(name, {TAKEN: version}, merge=True)

    def foreign(self, version: str) -> Iterator[tuple[str, str]]:
        """Yield the rollouts that have not ended and belong to another version, each with that one."""
        rows = self.client.list_workflows(
            name="rollout", status=OPEN, sort_desc=True, limit=MOST_NAMED, load_input=False, load_output=False
        )
        yield from ((row.workflow_id, _owner(row)) for row in rows if _owner(row) != version)

    def _row(self, name: str) -> WorkflowStatus | None:
        """Return how a rollout is doing, without what it is about."""
        return next(iter(self.client.list_workflows(workflow_ids=[name], load_input=False, load_output=False)), None)

    def tally(self, name: str) -> dict[str, int]:
        """Return how many accounts were planned (or looked at), applied, run and wait, without what came of them."""
        tally = {"planned": 0, "applied": 0, "running": 0, "waiting": 0}
        for row in self.accounts(name):
            done = "applied" if "/apply/" in row.workflow_id else "planned"
            tally[UNDER_WAY.get(row.status, done)] += 1
        return tally

    def accounts(self, name: str, status: list[str] | None = None, since: str | None = None) -> list[WorkflowStatus]:
        """Return how the accounts of a rollout are doing, without what came of them: those of a `status` alone, and
        that ended at a time or later.
        """
        return self.client.list_workflows(
            workflow_id_prefix=f"{name}/", status=status, completed_after=since, load_input=False, load_output=False
        )

    def running(self, process: str) -> list[str]:
        """Return the ids of what a process works on, by what is on record."""
        rows = self.client.list_workflows(status=["PENDING"], executor_id=process, load_input=False, load_output=False)
        return [row.workflow_id for row in rows]

    def results_of(self, ids: Sequence[str]) -> Iterator[tuple[str, JobResult | None]]:
        """Yield what came of these workflows of accounts, by their ids."""
        for at in range(0, len(ids), CHUNK):
            for row in self.client.list_workflows(workflow_ids=list(ids[at : at + CHUNK]), load_input=False):
                yield row.workflow_id, result_of(row)

    def ended(self, spec: RolloutSpec, *, approval: bool) -> bool:
        """Return whether nothing more happens by itself; with `approval`, also where one is waited for."""
        row = self._row(spec.name)
        if row is not None and row.status not in OPEN:
            return not self.client.list_workflows(
                workflow_id_prefix=f"{spec.name}/", status=["PENDING"], load_input=False, load_output=False
            )
        return approval and any(self._asked(spec, wave, row) for wave in spec.waves)

    def _asked(self, spec: RolloutSpec, wave: Wave, row: WorkflowStatus | None) -> bool:
        """Return whether a wave waits for an approval that is not given yet."""
        if row is None or row.status not in OPEN:
            return False
        digest = self._digest(spec, wave)
        if not digest or self._stopped(spec, wave):
            return False
        return (row.attributes or {}).get(f"approved-{wave.name}") != digest

    def _digest(self, spec: RolloutSpec, wave: Wave) -> str:
        """Return the digest of a wave's plans, once an approval was asked for."""
        return (
            str(self._event(spec.name, f"approval-{wave.name}") or "")
            if wave.approve or wave.name in spec.guarded
            else ""
        )

    def _stopped(self, spec: RolloutSpec, wave: Wave) -> str:
        """Return why the rollout stopped at a wave."""
        return str(self._event(spec.name, f"stopped-{wave.name}") or "") if spec.mode == "apply" else ""

    def report(self, spec: RolloutSpec) -> FleetReport:
        """Return what is known of a rollout now."""
        row = self._row(spec.name)
        parts = [
            _Part(wave, names, *self._known(spec, wave))
            for wave in spec.waves
            if (names := spec.members.get(wave.name))
        ]
        results = {name: result for part in parts for name, result in part.results.items()}
        reports = [self._wave(spec, part, row) for part in parts]
        return FleetReport(
            tool_version=spec.tool_version,
            name=spec.name,
            mode=cast(Any, spec.mode),
            begun=spec.begun,
            state=cast(Any, _state_of(row, reports)),
            waves=reports,
            accounts=[results[name] for name in sorted(results)],
            pending=sorted(spec.jobs.keys() - _settled(spec, results)),
        )

    def _known(self, spec: RolloutSpec, wave: Wave) -> tuple[dict[str, JobResult], dict[str, JobResult]]:
        first = "drift" if spec.mode == "drift" else "plan"
        return (
            self._results(job_id(spec.name, wave.name, first)),
            self._results(job_id(spec.name, wave.name, "apply")),
        )

    def _wave(self, spec: RolloutSpec, part: _Part, row: WorkflowStatus | None) -> WaveReport:
        asked = self._asked(spec, part.wave, row) and not part.applied
        return WaveReport(
            name=part.wave.name,
            accounts=len(part.names),
            begun=len(part.applied),
            digest=self._digest(spec, part.wave),
            state=cast(Any, "approval" if asked else part.state(spec.mode)),
            stopped=self._stopped(spec, part.wave),
            production=losing(part.planned.values()),
        )

    def _results(self, prefix: str) -> dict[str, JobResult]:
        """Return what came of accounts. Those of one group share the lines of its changes: thousands have the same."""
        results: dict[str, JobResult] = {}
        lines: dict[str, list[str]] = {}
        for at in range(0, 1_000_000, CHUNK):
            rows = self.client.list_workflows(
                workflow_id_prefix=prefix, load_input=False, limit=CHUNK, offset=at, status=OVER
            )
            for result in filter(None, map(result_of, rows)):
                shared = lines.setdefault(result.group, result.changes)
                results[result.account] = result.model_copy(update={"changes": shared})
            if len(rows) < CHUNK:
                break
        return results

    def plans(self, spec: RolloutSpec) -> dict[str, Callable[[], PlanDocument]]:
        """Return what reads the plan of each account of a rollout that has one, to apply or to allow."""
        readers: dict[str, Callable[[], PlanDocument]] = {}
        for wave, names in spec.members.items():
            ids = [job_id(spec.name, wave, "plan", name) for name in names]
            for at in range(0, len(ids), CHUNK):
                for row in self.client.list_workflows(workflow_ids=ids[at : at + CHUNK], load_input=False):
                    result = result_of(row, whole=True)
                    if result is not None and result.document:
                        readers[result.account] = partial(self._plan, row.workflow_id)
        return readers

    def plan_reader(self, spec: RolloutSpec) -> Callable[[str], PlanDocument | None]:
        """Return what reads the plan of an account; None where there is none to apply, as of every look for drift."""
        if spec.mode == "drift":
            return lambda account: None

        @cache
        def plan(account: str) -> PlanDocument | None:
            wave = next((wave for wave, names in spec.members.items() if account in names), "")
            return self._kept_plan(job_id(spec.name, wave, "plan", account))

        return plan

    def _kept_plan(self, workflow: str) -> PlanDocument | None:
        for row in self.client.list_workflows(workflow_ids=[workflow], load_input=False):
            result = result_of(row, whole=True)
            if result is not None and result.document:
                return read_document(PlanDocument, unpacked(result.document))
        return None

    def _plan(self, workflow: str) -> PlanDocument:
        plan = self._kept_plan(workflow)
        if plan is not None:
            return plan
        raise StateError(f"the plan {workflow} is no longer in the fleet's database", hint="begin a new rollout")

    def _event(self, name: str, key: str) -> object:
        return self.client.get_event(name, key, timeout_seconds=0)

    def approve(self, name: str, wave: str, digest: str) -> None:
        """Approve the plans of a wave."""
        self.client.update_workflow_attributes(name, {f"approved-{wave}": digest}, merge=True)
        self.client.send(name, digest, topic=f"approve-{wave}", idempotency_key=f"{name}/{wave}/{digest}")

    def listened_to(self, name: str, concurrency: int) -> None:
        """Let the queue of a rollout be there when the engine starts: it looks for new ones a second later."""
        with suppress(StateError), reading():
            self.client.register_queue(queue_of(name), application_name=PROGRAM, **queue_settings(concurrency))

    def tidy(self) -> None:
        """Remove the queues of rollouts that have ended: a worker looks at each several times a second."""
        queues = {name: queue.name for queue in self.client.list_queues() if (name := rollout_of(queue.name))}
        for at in range(0, len(queues), CHUNK):
            names = list(queues)[at : at + CHUNK]
            rows = self.client.list_workflows(workflow_ids=names, status=OVER, load_input=False, load_output=False)
            for row in rows:
                self.client.delete_queue(queues[row.workflow_id])

    def state(self, spec: RolloutSpec) -> str:
        """Return how a rollout is doing, in the words of its report, without what came of its accounts."""
        row = next(iter(self.client.list_workflows(workflow_ids=[spec.name], load_input=False)), None)
        output: Any = row.output if row is not None and row.status == "SUCCESS" else None
        if isinstance(output, dict) and output.get("stopped"):
            return "stopped"
        waits = any(self._asked(spec, wave, row) for wave in spec.waves)
        return "approval" if waits else _state_of(row, [])

    def over(self, name: str) -> bool:
        """Return whether a rollout has come to an end, whichever: nothing of it is left to be resumed."""
        row = self._row(name)
        return row is not None and row.status in OVER

    def cancel(self, spec: RolloutSpec) -> int:
        """Stop new jobs of a rollout; those that run finish, or record what they did. Return how many accounts it
        leaves as they are. Raises ReconcilerError where it has ended.
        """
        if self.over(spec.name):
            raise ReconcilerError(f"the rollout {spec.name} has ended", hint=f"reconciler fleet status {spec.name}")
        waiting = self.accounts(spec.name, ["ENQUEUED", "DELAYED"])
        self.client.cancel_workflows([spec.name, *(workflow.workflow_id for workflow in waiting)])
        running = {row.workflow_id.rpartition("/")[2] for row in self.accounts(spec.name, ["PENDING"])}
        return len(set(self.report(spec).pending) - running)

    def last_versions(self, wanted: Collection[str]) -> dict[str, str]:
        """Return what version of its baseline each of these accounts has, by the newest rollout that says so. What a
        rollout found is read from the ends of its phases, without the plans.
        """
        versions: dict[str, str] = {}
        for spec in self.each(MOST_ROLLOUTS):
            for name in self._as_declared(spec) if spec.mode != "drift" else ():  # which looks at what was applied
                if name in spec.jobs:
                    versions.setdefault(name, spec.jobs[name].version)
            if versions.keys() >= set(wanted):
                break
        return versions

    def failed(self, wanted: Collection[str]) -> set[str]:
        """Return which of these accounts the last rollout that was to apply to them did not leave as their baselines
        say: they failed, or it did not come to them. Raises WrongInput where that one has not ended.
        """
        failed, open_ = set[str](), set(wanted)
        for spec in self.each(MOST_ROLLOUTS, "apply"):
            mine = open_ & spec.jobs.keys()
            row = self._row(spec.name) if mine else None
            if row is not None and row.status in OPEN:
                raise WrongInput(
                    f"the rollout {spec.name} has not ended", hint=f"go on with it: reconciler fleet resume {spec.name}"
                )
            if mine:
                failed |= mine.difference(self._as_declared(spec))
                open_ -= mine
            if not open_:
                break
        return failed

    def _as_declared(self, spec: RolloutSpec) -> list[str]:
        """Return the accounts that a rollout found, or left, as their baselines say."""
        row = self._row(spec.name)
        ends: list[Any] = []
        if row is not None and row.status == "SUCCESS":
            steps = self.client.list_workflow_steps(spec.name)
            ends = [step["output"] for step in steps if step["function_name"] == "wait"]
        if ends and all(isinstance(end, dict) and DONE in end for end in ends):
            return [name for end in ends for name in end[DONE]]
        return [result.account for result in self.report(spec).accounts if result.outcome in AS_DECLARED]


def _owner(row: WorkflowStatus) -> str:
    return str((row.attributes or {}).get(TAKEN) or row.app_version or "")


def _spec(row: WorkflowStatus) -> RolloutSpec:
    """Return what a rollout is about. Raises StateError where this program does not understand it: a gate that it does
    not know would not be asked.
    """
    try:
        return RolloutSpec.model_validate(cast(Any, row.input)["args"][0])
    except (ValidationError, LookupError, TypeError) as error:
        raise StateError(
            f"the rollout {row.workflow_id} of {_owner(row)} cannot be read by {VERSION}",
            hint="go on with the version that began it",
        ) from error


@record
class _Part:
    """What is known of a wave."""

    wave: Wave
    names: list[str]
    planned: dict[str, JobResult]
    applied: dict[str, JobResult]

    @property
    def results(self) -> dict[str, JobResult]:
        """What became of each account: the last that is known, with the plan that it comes from."""
        return {
            **self.planned,
            **{name: _both(self.planned.get(name), result) for name, result in self.applied.items()},
        }

    def state(self, mode: str) -> str:
        """How far the wave is."""
        if len(self.planned) < len(self.names):
            return "planning" if self.planned else "waiting"
        todo = sum(result.outcome == "changes" for result in self.planned.values())
        if mode != "apply" or len(self.applied) >= todo:
            return "done"
        return "applying" if self.applied else "gated"


def _state_of(row: Any, waves: list[WaveReport]) -> str:
    if row is None or row.status == "ERROR" or any(wave.stopped for wave in waves):
        return "stopped"
    if row.status == "CANCELLED":
        return "cancelled"
    if row.status == "SUCCESS":
        return "done"
    return "approval" if any(wave.state == "approval" for wave in waves) else "running"


def _both(planned: JobResult | None, applied: JobResult) -> JobResult:
    if planned is None:
        return applied
    return applied.model_copy(update={"requests": planned.requests + applied.requests})


def _settled(spec: RolloutSpec, results: Mapping[str, JobResult]) -> set[str]:
    """Return the accounts whose part has ended: of an apply, a plan with changes is only the first half."""
    return {name for name, result in results.items() if spec.mode != "apply" or result.outcome != "changes"}

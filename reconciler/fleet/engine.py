"""Rollouts on DBOS: durable workflows and queues inside a library, on SQLite or PostgreSQL. The home of `dbos`.

A rollout is one workflow; each account is one workflow for its plan and one for its apply, with an id that follows
from the rollout's name: what is enqueued twice is there once. Each is one step, so a process that dies in it leaves it
pending, and whoever takes it over does it again; the account's journal and lease make that harmless. Every rollout has
a queue of its own, so that a process works on what it was started for, and a worker on all.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, Field

from reconciler import __version__
from reconciler.fleet.job import Worker
from reconciler.fleet.rollout import allowed, digest_of, failed_too_often, gate
from reconciler.model.errors import ReconcilerError, StateError
from reconciler.model.fleet import FLEET_FORMAT, FleetReport, Job, JobResult, Wave, WaveReport

if TYPE_CHECKING:
    from dbos import DBOSClient

VERSION = f"reconciler {__version__}, fleet {FLEET_FORMAT}"
"""The engine's application version: what was begun by one program is not finished by another one unasked."""
POLL = 0.2
"""Seconds between two looks at a queue."""
PATIENCE = 30 * 24 * 3600.0
"""Seconds that a rollout waits for an approval."""
CHUNK = 200
"""Results that are read at once."""
NIGHT = "drift"
"""The schedule of looks for drift."""
OPEN = ["ENQUEUED", "PENDING", "DELAYED"]
_WORKER: list[Worker] = []
"""What this process works with; the engine calls functions, not objects."""


class Spec(BaseModel):
    """A rollout as it was begun: whoever resumes it goes on with this, whatever the files say then."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    mode: str
    begun: str = ""
    tool_version: str = __version__
    jobs: dict[str, Job] = Field(default_factory=dict)
    waves: list[Wave] = Field(default_factory=list)
    members: dict[str, list[str]] = Field(default_factory=dict)
    stop_after: int | None = None
    poll: float = POLL


def queue_of(name: str) -> str:
    """Return the name of a rollout's queue."""
    return f"accounts-{name}"


def job_id(name: str, wave: str, phase: str, account: str = "") -> str:
    """Return the id of an account's part in a rollout; without an account, what all of a wave begin with."""
    return f"{name}/{wave}/{phase}/{account}"


# --- what runs in the engine ---------------------------------------------------------------------------------------


async def account(mode: str, job: Any, plan_id: str = "") -> Any:
    """One account: the workflow."""
    from dbos import DBOS

    return await DBOS.run_step_async({"name": "account"}, _perform, mode, job, plan_id)


async def _perform(mode: str, job: Any, plan_id: str) -> Any:
    worker, one = _WORKER[0], Job.model_validate(job)
    if mode == "apply":
        planned = await _results_of([plan_id])
        if not planned:
            raise AssertionError(f"an apply was begun before its plan: {plan_id}")
        result = await worker.apply(one, planned[0].document)
    else:
        result = await worker.plan(one, drift=mode == "drift")
    return result.model_dump(mode="json")


async def rollout(spec: Any) -> Any:
    """All waves of a rollout, one after the other: the workflow. Returns why it stopped; "" where it did not."""
    from dbos import DBOS

    whole = Spec.model_validate(spec)
    failures = 0
    for wave in whole.waves:
        names = whole.members.get(wave.name, [])
        if not names:
            continue
        await DBOS.sleep_async(wave.pause)
        planned = await _phase(whole, wave, "drift" if whole.mode == "drift" else "plan", names)
        if whole.mode != "apply":
            continue
        why = str(planned["gate"])
        if not why and wave.approve and planned["todo"]:
            await DBOS.set_event_async(f"approval-{wave.name}", planned["digest"])
            approved = None
            while approved != planned["digest"]:
                approved = await DBOS.recv_async(f"approve-{wave.name}", timeout_seconds=PATIENCE)
                if approved is None:
                    why = "nobody approved it in time"
                    break
        done: Any = await _phase(whole, wave, "apply", planned["todo"]) if not why else {"gate": why, "failed": 0}
        failures += int(planned["failed"]) + int(done["failed"])
        why = str(done["gate"])
        if not why and whole.stop_after is not None and failures >= whole.stop_after:
            why = f"{failures} accounts failed, and the rollout stops after {whole.stop_after}"
        if why:
            await DBOS.set_event_async(f"stopped-{wave.name}", why)
            return {"stopped": why, "wave": wave.name}
    return {"stopped": "", "wave": ""}


async def _phase(spec: Spec, wave: Wave, phase: str, names: Sequence[str]) -> Any:
    """Do one thing to these accounts of a wave, and return what came of it."""
    from dbos import DBOS

    for name in names:
        plan_id = job_id(spec.name, wave.name, "plan", name) if phase == "apply" else ""
        await DBOS.enqueue_workflow_with_options_async(
            {
                "workflow_name": "account",
                "queue_name": queue_of(spec.name),
                "workflow_id": job_id(spec.name, wave.name, phase, name),
                "app_version": DBOS.application_version,
            },
            phase,
            spec.jobs[name].model_dump(mode="json"),
            plan_id,
        )
    return await DBOS.run_step_async(
        {"name": "wait"}, _wait, spec.name, wave.model_dump(mode="json"), phase, len(names), spec.poll
    )


async def _wait(name: str, said: Any, phase: str, count: int, poll: float) -> Any:
    """Wait for the accounts of a wave; what is still in the queue is cancelled once more failed than may."""
    from dbos import DBOS

    wave = Wave.model_validate(said)
    prefix = job_id(name, wave.name, phase)
    known: dict[str, JobResult] = {}
    while True:
        for result in await _finished(prefix, known):
            known[result.account] = result.model_copy(update={"document": ""})
        why = failed_too_often(wave, list(known.values()), count) if phase == "apply" else ""
        waiting = await DBOS.list_workflows_async(
            workflow_id_prefix=prefix, status=["ENQUEUED"] if why else OPEN, load_input=False, load_output=False
        )
        if why and waiting:
            await DBOS.cancel_workflows_async([one.workflow_id for one in waiting])
            continue
        if not waiting and len(await _ids(prefix, OPEN)) == 0:
            break
        await asyncio.sleep(poll)
    for result in await _finished(prefix, known):
        known[result.account] = result.model_copy(update={"document": ""})
    results = sorted(known.values(), key=lambda one: one.account)
    if phase == "apply":
        return {"gate": failed_too_often(wave, results, count), "failed": sum(one.bad for one in results), "todo": []}
    return {
        "gate": gate(wave, results) if phase == "plan" else "",
        "failed": sum(one.bad for one in results),
        "digest": digest_of(results),
        "todo": [one.account for one in results if one.outcome == "changes"],
    }


async def _ids(prefix: str, status: list[str]) -> list[str]:
    from dbos import DBOS

    rows = await DBOS.list_workflows_async(
        workflow_id_prefix=prefix, status=status, load_input=False, load_output=False
    )
    return [one.workflow_id for one in rows]


async def _finished(prefix: str, known: Mapping[str, JobResult]) -> list[JobResult]:
    """Return the results that are new since the last look."""
    ended = await _ids(prefix, ["SUCCESS", "ERROR"])
    fresh = [one for one in ended if one.removeprefix(prefix) not in known]
    return [result for at in range(0, len(fresh), CHUNK) for result in await _results_of(fresh[at : at + CHUNK])]


async def _results_of(ids: list[str]) -> list[JobResult]:
    from dbos import DBOS

    rows = await DBOS.list_workflows_async(workflow_ids=ids, load_input=False)
    return [result for row in rows if (result := _result(row)) is not None]


def _result(row: Any) -> JobResult | None:
    """Return the result of an account's workflow; that of one which broke is a failure, None of one that goes on."""
    if row.status == "SUCCESS":
        return JobResult.model_validate(row.output)
    if row.status in ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
        why = f"the job broke ({type(row.error).__name__})" if row.error is not None else "the job was given up"
        return JobResult(account=row.workflow_id.rpartition("/")[2], outcome="failed", message=why)
    return None


async def night(when: Any, context: Any) -> None:
    """A look for drift at its time: the workflow."""
    from dbos import DBOS

    spec = await DBOS.run_step_async({"name": "begin"}, _look)
    await DBOS.enqueue_workflow_with_options_async(
        {
            "workflow_name": "rollout",
            "queue_name": queue_of(spec["name"]),
            "workflow_id": spec["name"],
            "app_version": DBOS.application_version,
        },
        spec,
    )


async def _look() -> Any:
    from dbos import DBOS

    looks = _WORKER[0].looks
    if looks is None:
        raise AssertionError("a look for drift was scheduled on a process that does not begin any")
    spec, concurrency = await asyncio.to_thread(looks)
    await DBOS.register_queue_async(
        queue_of(spec["name"]),
        worker_concurrency=concurrency + 1,
        polling_interval_sec=POLL,
        on_conflict="always_update",
    )
    return spec


# --- the engine ----------------------------------------------------------------------------------------------------


@dataclass
class Engine:
    """A process that takes part: it works on rollouts, begins and resumes them."""

    name: str
    """What this process is called; a worker that comes back under its name goes on with its own jobs."""

    def begin(self, spec: Spec, concurrency: int) -> None:
        """Begin a rollout; one that was begun under this name goes on."""
        from dbos import DBOS, SetWorkflowID

        self.listen(spec.name, concurrency)
        with SetWorkflowID(spec.name):
            DBOS.enqueue_workflow(
                queue_of(spec.name), cast(Callable[[Any], Any], _registered()[1]), spec.model_dump(mode="json")
            )

    def listen(self, name: str, concurrency: int) -> None:
        """Work on the accounts of a rollout, and on the rollout itself, which takes a place of its own."""
        from dbos import DBOS

        DBOS.register_queue(
            queue_of(name), worker_concurrency=concurrency + 1, polling_interval_sec=POLL, on_conflict="always_update"
        )

    def resume(self, name: str, concurrency: int) -> int:
        """Take over what of a rollout has no end, and return how many workflows that are. Whose an account is, its
        lease decides: a worker that lives goes on with its own, and the second one is told that the lock is held.
        """
        from dbos import DBOS

        self.listen(name, concurrency)
        left = DBOS.list_workflows(
            workflow_id_prefix=name, status=["PENDING", "CANCELLED"], load_input=False, load_output=False
        )
        ids = [one.workflow_id for one in left if one.workflow_id == name or one.workflow_id.startswith(f"{name}/")]
        if ids:
            DBOS.resume_workflows(ids, queue_name=queue_of(name))
        return len(ids)

    def schedule(self, cron: str | None) -> None:
        """Look for drift at these times (cron, UTC), on whichever worker is there; None ends it. Raises ReconcilerError
        where it is no cron expression.
        """
        from dbos import DBOS

        if cron is None:
            DBOS.delete_schedule(NIGHT)
            return
        try:
            DBOS.apply_schedules([{"schedule_name": NIGHT, "workflow_fn": _registered()[2], "schedule": cron}])
        except Exception as error:
            raise ReconcilerError(
                f"`{cron}` is not a time to look for drift", hint="write it as cron does, e.g. 0 3 * * *"
            ) from error


_REGISTERED: list[Any] = []


def _registered() -> list[Any]:
    """Return the workflows as the engine knows them; registered once for the process."""
    if not _REGISTERED:
        from dbos import DBOS

        _REGISTERED.extend(DBOS.workflow(name=function.__name__)(function) for function in (account, rollout, night))
    return _REGISTERED


@contextmanager
def launched(
    database: str,
    name: str,
    worker: Worker,
    *,
    only: str | None = None,
    version: str = VERSION,
    telemetry: bool = False,
) -> Iterator[Engine]:
    """Run an engine in this process; with `only`, for that rollout alone. Raises StateError where the database cannot
    be used.
    """
    from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    config: DBOSConfig = {
        "name": "reconciler-fleet",
        "system_database_url": database,
        "application_version": version,
        "executor_id": name,
        "log_level": "CRITICAL",
        "serializer": DBOSPortableJSONSerializer(),
        "enable_otlp": telemetry,
        "notification_listener_polling_interval_sec": POLL,
    }
    _WORKER[:] = [worker]
    DBOS(config=config)
    _registered()
    if only is not None:
        DBOS.listen_queues([queue_of(only)])
    try:
        DBOS.launch()
    except Exception as error:
        DBOS.destroy()
        raise StateError(
            f"the fleet's database cannot be used ({type(error).__name__})", hint="check --database"
        ) from error
    try:
        yield Engine(name)
    finally:
        with warnings.catch_warnings():  # of workflows that were about to begin: they stay in the queue
            warnings.simplefilter("ignore", RuntimeWarning)
            DBOS.destroy()
        _WORKER.clear()


@contextmanager
def looked_into(database: str) -> Iterator[Book]:
    """Look into the fleet's database without working. Raises StateError where there is none."""
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    try:
        client = DBOSClient(
            system_database_url=database, serializer=DBOSPortableJSONSerializer(), retry_connection_errors=False
        )
    except Exception as error:
        raise StateError(
            f"the fleet's database cannot be read ({type(error).__name__})",
            hint="a first `fleet plan` makes it; check --database",
        ) from error
    try:
        yield Book(client)
    finally:
        client.destroy()


@dataclass
class Book:
    """What the engine has on record."""

    client: DBOSClient

    def rollouts(self, limit: int = 50) -> list[Spec]:
        """Return the newest rollouts, the newest first."""
        rows = self.client.list_workflows(name="rollout", sort_desc=True, limit=limit, load_output=False)
        return [Spec.model_validate(row.input["args"][0]) for row in rows if row.input]

    def rollout(self, name: str | None) -> Spec:
        """Return a rollout by the beginning of its name; the newest one without it. Raises ReconcilerError."""
        if name is not None and not name.strip():
            raise ReconcilerError("an empty name means no rollout", hint="`fleet status` shows the newest one")
        found = [spec for spec in self.rollouts(500 if name else 1) if name is None or spec.name.startswith(name)]
        exact = [spec for spec in found if spec.name == name]
        if not found:
            what = f"there is no rollout `{name}`" if name else "there is no rollout yet"
            raise ReconcilerError(what, hint="`reconciler fleet status --all` lists them")
        if len(found) > 1 and not exact:
            raise ReconcilerError(f"`{name}` means {len(found)} rollouts", hint="write more of its name")
        return (exact or found)[0]

    def version(self, name: str) -> str:
        """Return the version of the program that a rollout belongs to."""
        rows = self.client.list_workflows(workflow_ids=[name], load_input=False, load_output=False)
        return (rows[0].app_version or "") if rows else ""

    def tally(self, name: str) -> dict[str, int]:
        """Return how many accounts wait, run and have ended, without reading what came of them."""
        rows = self.client.list_workflows(workflow_id_prefix=f"{name}/", load_input=False, load_output=False)
        tally = {"waiting": 0, "running": 0, "ended": 0}
        for row in rows:
            tally[{"ENQUEUED": "waiting", "DELAYED": "waiting", "PENDING": "running"}.get(row.status, "ended")] += 1
        return tally

    def ended(self, spec: Spec, *, approval: bool) -> bool:
        """Return whether nothing more happens by itself; with `approval`, also where one is waited for."""
        row = next(
            iter(self.client.list_workflows(workflow_ids=[spec.name], load_input=False, load_output=False)), None
        )
        if row is not None and row.status not in OPEN:
            return not self.client.list_workflows(
                workflow_id_prefix=f"{spec.name}/", status=["PENDING"], load_input=False, load_output=False
            )
        return approval and any(wave.approve for wave in spec.waves) and self.report(spec).state == "approval"

    def report(self, spec: Spec) -> FleetReport:
        """Return what is known of a rollout now."""
        results, waves, stopped = dict[str, JobResult](), list[WaveReport](), ""
        row = next(iter(self.client.list_workflows(workflow_ids=[spec.name], load_input=False)), None)
        waiting_for = False
        for wave in spec.waves:
            names = spec.members.get(wave.name, [])
            if not names:
                continue
            first = "drift" if spec.mode == "drift" else "plan"
            planned = self._results(job_id(spec.name, wave.name, first))
            applied = self._results(job_id(spec.name, wave.name, "apply"))
            results |= {**planned, **{name: _both(planned.get(name), one) for name, one in applied.items()}}
            digest = str(self._event(spec.name, f"approval-{wave.name}") or "")
            approved = row is not None and (row.attributes or {}).get(f"approved-{wave.name}") == digest
            why = str(self._event(spec.name, f"stopped-{wave.name}") or "")
            todo = [name for name, one in planned.items() if one.outcome == "changes"]
            state = _state(spec, names, planned, applied, todo)
            if digest and not (approved or applied or why) and row is not None and row.status in OPEN:
                state, waiting_for = "approval", True
            waves.append(
                WaveReport(name=wave.name, accounts=len(names), digest=digest, state=cast(Any, state), stopped=why)
            )
            stopped = stopped or why
        status = row.status if row is not None else "ERROR"
        state = "cancelled" if status == "CANCELLED" else "stopped" if stopped or status == "ERROR" else "running"
        if status == "SUCCESS" and not stopped:
            state = "done"
        if waiting_for and state == "running":
            state = "approval"
        return FleetReport(
            tool_version=spec.tool_version,
            name=spec.name,
            mode=cast(Any, spec.mode),
            begun=spec.begun,
            state=cast(Any, state),
            waves=waves,
            accounts=[results[name] for name in sorted(results)],
            pending=sorted(spec.jobs.keys() - _settled(spec, results).keys()),
        )

    def _results(self, prefix: str) -> dict[str, JobResult]:
        found: dict[str, JobResult] = {}
        for at in range(0, 1_000_000, CHUNK):
            rows = self.client.list_workflows(
                workflow_id_prefix=prefix, load_input=False, limit=CHUNK, offset=at, status=["SUCCESS", "ERROR"]
            )
            found |= {one.account: one for row in rows if (one := _result(row)) is not None}
            if len(rows) < CHUNK:
                break
        return found

    def _event(self, name: str, key: str) -> object:
        return self.client.get_event(name, key, timeout_seconds=0)

    def approve(self, name: str, wave: str, digest: str) -> None:
        """Approve the plans of a wave."""
        self.client.update_workflow_attributes(name, {f"approved-{wave}": digest}, merge=True)
        self.client.send(name, digest, topic=f"approve-{wave}", idempotency_key=f"{name}/{wave}/{digest}")

    def cancel(self, name: str) -> int:
        """Stop new jobs of a rollout; those that run finish, or record what they did. Return how many were stopped."""
        waiting = self.client.list_workflows(
            workflow_id_prefix=f"{name}/", status=["ENQUEUED", "DELAYED"], load_input=False, load_output=False
        )
        self.client.cancel_workflows([name, *(one.workflow_id for one in waiting)])
        return len(waiting)

    def last_versions(self, limit: int = 50) -> dict[str, str]:
        """Return what version of its baseline each account has, by the newest rollout that says so."""
        found: dict[str, str] = {}
        for spec in self.rollouts(limit):
            for one in self.report(spec).accounts:
                if one.outcome in ("applied", "same"):
                    found.setdefault(one.account, one.version)
        return found


def _both(planned: JobResult | None, applied: JobResult) -> JobResult:
    if planned is None:
        return applied
    return applied.model_copy(update={"requests": planned.requests + applied.requests, "document": planned.document})


def _settled(spec: Spec, results: Mapping[str, JobResult]) -> dict[str, JobResult]:
    """Return the results that end an account's part: of an apply, a plan with changes is only the first half."""
    if spec.mode != "apply":
        return dict(results)
    return {name: one for name, one in results.items() if one.outcome != "changes"}


def _state(
    spec: Spec,
    names: Sequence[str],
    planned: Mapping[str, JobResult],
    applied: Mapping[str, JobResult],
    todo: list[str],
) -> str:
    if len(planned) < len(names):
        return "planning" if planned else "waiting"
    if spec.mode != "apply" or len(applied) >= len(todo):
        return "done"
    return "applying" if applied else "gated"


__all__ = ["Book", "Engine", "Spec", "allowed", "launched", "looked_into"]

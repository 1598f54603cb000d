"""Rollouts on DBOS: durable workflows and queues inside a library, on SQLite or PostgreSQL. The home of `dbos`.

A rollout is one workflow; each account is one workflow for its plan and one for its apply, with an id that follows
from the rollout's name: what is enqueued twice is there once. Each is one step, so a process that dies in it leaves it
pending, and what takes it over does it again; the account's journal and lease make that harmless. Every rollout has
a queue of its own, so that a process works on what it was started for, and a worker on all.
"""

from __future__ import annotations

import asyncio
import datetime
import warnings
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from reconciler.fleet.job import Worker
from reconciler.fleet.progress import Ended
from reconciler.fleet.rollout import digest_of, failed_too_often, gate, losing
from reconciler.fleet.rollout_store import silence
from reconciler.fleet.spec import (
    AS_DECLARED,
    CHUNK,
    DONE,
    LOSING,
    OPEN,
    OVER,
    POLL,
    PROGRAM,
    VERSION,
    RolloutSpec,
    job_id,
    queue_of,
    queue_settings,
    result_of,
)
from reconciler.model.errors import StateError, WrongInput
from reconciler.model.fleet import Job, JobResult, Wave
from reconciler.model.records import mutable

if TYPE_CHECKING:
    from dbos import DBOSConfig

PATIENCE = 30 * 24 * 3600.0
"""Seconds that a rollout waits for an approval."""
NIGHT = "drift"
"""The schedule of looks for drift."""
NIGHTS = "nights"
"""The queue of the schedule. Only workers listen to it: who carries out one rollout begins no other one."""
THREADS = 8
"""Threads that the engine talks to its database with, however many accounts are in work: each keeps a stack, and a
connection with pages of the database."""
BACK = (1 / 24, 1, 31, 366)
"""Days back in which a missed look is searched, the nearest first."""
_WORKER: list[Worker] = []
"""What this process works with; the engine calls functions, not objects."""


# --- what runs in the engine ---------------------------------------------------------------------------------------


async def account(mode: str, job: Any, plan_id: str = "") -> Any:
    """One account: the workflow."""
    from dbos import DBOS

    return await DBOS.run_step_async({"name": "account"}, _perform, mode, job, plan_id)


async def _perform(mode: str, job: Any, plan_id: str) -> Any:
    worker, parsed = _WORKER[0], Job.model_validate(job)
    if mode == "apply":
        planned = await _results_of([plan_id], whole=True)
        if not planned:
            raise AssertionError(f"an apply was begun before its plan: {plan_id}")
        result = await worker.apply(parsed, planned[0].document)
    else:
        result = await worker.plan(parsed, drift=mode == "drift")
    return result.model_dump(mode="json")


async def rollout(spec: Any) -> Any:
    """All waves of a rollout, one after the other: the workflow. Returns why it stopped; "" where it did not."""
    from dbos import DBOS

    whole = RolloutSpec.model_validate(spec)
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
        if not why and planned["todo"] and (wave.approve or planned.get(LOSING)):
            why = await _approval(wave, planned["digest"])
        # A gate that is shut applies nothing, and what failed while planning still counts against `stop_after`.
        done: Any = await _phase(whole, wave, "apply", planned["todo"]) if not why else {"gate": why, "failed": 0}
        failures += int(planned["failed"]) + int(done["failed"])
        why = str(done["gate"])
        if not why and whole.stop_after is not None and failures >= whole.stop_after:
            why = f"{failures} accounts failed, and the rollout stops after {whole.stop_after}"
        if why:
            await DBOS.set_event_async(f"stopped-{wave.name}", why)
            return {"stopped": why, "wave": wave.name}
    return {"stopped": "", "wave": ""}


async def _approval(wave: Wave, digest: str) -> str:
    """Wait until the plans of a wave are approved, and return why they are not; "" where they are."""
    from dbos import DBOS

    await DBOS.set_event_async(f"approval-{wave.name}", digest)
    while True:  # an approval of another plan is passed over
        approved = await DBOS.recv_async(f"approve-{wave.name}", timeout_seconds=PATIENCE)
        if approved is None:
            return "it was not approved in time"
        if approved == digest:
            return ""


async def _phase(spec: RolloutSpec, wave: Wave, phase: str, names: Sequence[str]) -> Any:
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


async def _wait(name: str, written: Any, phase: str, count: int, poll: float) -> Any:
    """Wait for the accounts of a wave; what is still in the queue is cancelled once more failed than may."""
    wave = Wave.model_validate(written)
    prefix = job_id(name, wave.name, phase)
    known: dict[str, JobResult] = {}
    ended = Ended()
    while await _ids(prefix, OPEN, limit=1):
        if phase == "apply":
            await _learn(known, prefix, ended)
            if failed_too_often(wave, list(known.values()), count):
                await _call_off(prefix)
        await asyncio.sleep(poll)
    await _learn(known, prefix, Ended(ended.known))
    results = sorted(known.values(), key=lambda result: result.account)
    failed = sum(result.bad for result in results)
    done = [result.account for result in results if result.outcome in AS_DECLARED]
    if phase == "apply":
        gate_said = failed_too_often(wave, results, count)
        return {"gate": gate_said, "failed": failed, "digest": "", "todo": [], DONE: done}
    return {
        DONE: done,
        "gate": gate(wave, results) if phase == "plan" else "",
        LOSING: losing(results) if phase == "plan" else [],
        "failed": failed,
        "digest": digest_of(results),
        "todo": [result.account for result in results if result.outcome == "changes"],
    }


async def _call_off(prefix: str) -> None:
    from dbos import DBOS

    waiting = await _ids(prefix, ["ENQUEUED", "DELAYED"])
    if waiting:
        await DBOS.cancel_workflows_async(waiting)


async def _ids(prefix: str, status: list[str], limit: int | None = None) -> list[str]:
    from dbos import DBOS

    rows = await DBOS.list_workflows_async(
        workflow_id_prefix=prefix, status=status, limit=limit, load_input=False, load_output=False
    )
    return [row.workflow_id for row in rows]


async def _learn(known: dict[str, JobResult], prefix: str, ended: Ended) -> None:
    """Add what came of the accounts that have ended since the last look."""
    from dbos import DBOS

    rows = await DBOS.list_workflows_async(
        workflow_id_prefix=prefix, status=OVER, completed_after=ended.since, load_input=False, load_output=False
    )
    fresh = ended.fresh(rows)
    for at in range(0, len(fresh), CHUNK):
        for result in await _results_of(fresh[at : at + CHUNK]):
            known[result.account] = result.model_copy(update={"changes": []})


async def _results_of(ids: list[str], *, whole: bool = False) -> list[JobResult]:
    from dbos import DBOS

    rows = await DBOS.list_workflows_async(workflow_ids=ids, load_input=False)
    return [result for row in rows if (result := result_of(row, whole=whole)) is not None]


async def night(when: Any, context: Any) -> None:
    """A look for drift at its time: the workflow."""
    from dbos import DBOS

    own = DBOS.workflow_id or ""
    if await DBOS.run_step_async({"name": "late"}, _late, own):
        return  # of those that were missed, the last one is made up for
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


async def _late(own: str) -> bool:
    """Return whether a look that was due later has begun, or is about to."""
    from dbos import DBOS

    due = f"sched-{NIGHT}-2"  # and a year; what was triggered manually is never late
    rows = await DBOS.list_workflows_async(
        workflow_id_prefix=due, sort_desc=True, limit=CHUNK, load_input=False, load_output=False
    )
    return own.startswith(due) and any(row.workflow_id > own for row in rows)


async def _look() -> Any:
    from dbos import DBOS

    looks = _WORKER[0].looks
    if looks is None:
        raise AssertionError("a look for drift was scheduled on a process that does not begin any")
    spec, concurrency = await asyncio.to_thread(looks)
    await DBOS.register_queue_async(queue_of(spec["name"]), **queue_settings(concurrency))
    return spec


# --- the engine ----------------------------------------------------------------------------------------------------


@mutable
class Engine:
    """A process that takes part: it works on rollouts, begins and resumes them."""

    name: str
    """What this process is called; a worker that comes back under its name resumes its own jobs."""

    def begin(self, spec: RolloutSpec, concurrency: int) -> None:
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

        DBOS.register_queue(queue_of(name), **queue_settings(concurrency))

    def resume(self, name: str, concurrency: int) -> int:
        """Take over what of a rollout has no end, and return how many workflows that are. Whose an account is, its
        lease decides: a worker that lives resumes its own, and the second one is told that the lock is held. What a
        gate called off stays so: only of a rollout that was cancelled itself, accounts that were cancelled go on.
        """
        from dbos import DBOS

        self.listen(name, concurrency)
        whole = DBOS.list_workflows(workflow_ids=[name], status=["CANCELLED"], load_input=False, load_output=False)
        status = ["PENDING", "CANCELLED"] if whole else ["PENDING"]
        left = DBOS.list_workflows(workflow_id_prefix=name, status=status, load_input=False, load_output=False)
        ids = [
            workflow.workflow_id
            for workflow in left
            if workflow.workflow_id == name or workflow.workflow_id.startswith(f"{name}/")
        ]
        if ids:
            DBOS.resume_workflows(ids, queue_name=queue_of(name))
        return len(ids)

    def schedule(self, cron: str | None, now: datetime.datetime) -> None:
        """Look for drift at these times (cron, UTC) from `now` on, on whichever worker is there; None ends it. Raises
        ReconcilerError where it is not a cron expression.
        """
        from dbos import DBOS

        if cron is None:
            DBOS.delete_schedule(NIGHT)
            return
        known = DBOS.get_schedule(NIGHT)
        since = known["context"] if known is not None and known["schedule"] == cron else None
        DBOS.register_queue(NIGHTS, polling_interval_sec=POLL, on_conflict="always_update")
        try:
            DBOS.apply_schedules([
                {
                    "schedule_name": NIGHT,
                    "workflow_fn": _registered()[2],
                    "schedule": cron,
                    "queue_name": NIGHTS,
                    "context": since or now.isoformat(),
                }
            ])  # fmt: skip
        except Exception as error:
            raise WrongInput(
                f"`{cron}` is not a time to look for drift", hint="write it as cron does, e.g. 0 3 * * *"
            ) from error

    def catch_up(self, now: datetime.datetime) -> None:
        """Make up for the last look that was due when no worker was there; one that is on record is not begun
        again.
        """
        from dbos import DBOS

        known = DBOS.get_schedule(NIGHT)
        if known is None or not isinstance(known["context"], str):
            return
        since = datetime.datetime.fromisoformat(known["context"])
        for days in BACK:
            begin = max(since, now - datetime.timedelta(days=days))
            if begin >= now or DBOS.backfill_schedule(NIGHT, begin, now) or begin == since:
                return


_REGISTERED: list[Any] = []


def _known(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return a workflow that is named among what ended in this process, however it did."""

    @wraps(function)
    async def run(*arguments: Any) -> Any:
        from dbos import DBOS

        ended, workflow = _WORKER[0].ended, DBOS.workflow_id or ""
        ended.discard(workflow)  # it was resumed
        try:
            return await function(*arguments)
        finally:
            ended.add(workflow)

    return run


def _registered() -> list[Any]:
    """Return the workflows as the engine knows them; registered once for the process."""
    if not _REGISTERED:
        from dbos import DBOS

        _REGISTERED.extend(
            DBOS.workflow(name=function.__name__)(_known(function)) for function in (account, rollout, night)
        )
    return _REGISTERED


def _configuration(database: str, name: str, version: str, traces: str | None) -> DBOSConfig:
    from dbos import DBOSPortableJSONSerializer

    config: DBOSConfig = {
        "name": PROGRAM,
        "system_database_url": database,
        "application_version": version,
        "executor_id": name,
        "log_level": "CRITICAL",
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": THREADS,
        "notification_listener_polling_interval_sec": POLL,
    }
    if traces:
        config["enable_otlp"] = True
        config["otlp_traces_endpoints"] = [traces]
    return config


@contextmanager
def launched(
    database: str,
    name: str,
    worker: Worker,
    *,
    only: str | None = None,
    version: str = VERSION,
    traces: str | None = None,
) -> Iterator[Engine]:
    """Run an engine in this process; with `only`, for that rollout alone. `traces` is where OpenTelemetry's go. Raises
    StateError where the database cannot be used.
    """
    from dbos import DBOS

    silence()
    _WORKER[:] = [worker]
    DBOS(config=_configuration(database, name, version, traces))
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

"""A fleet on the command line: waves, gates, approvals, groups, and what survives a death."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest
from dbos import DBOS

from reconciler.config.reading.fleet import load_fleet
from reconciler.emulator import open_account
from reconciler.fleet.accounts import AccountSelection, members
from reconciler.fleet.baselines import Baselines
from reconciler.fleet.engine import launched
from reconciler.fleet.job import AGAIN, Worker
from reconciler.fleet.rollout_store import looked_into
from reconciler.fleet.running import begin, carry_out, open_fleet
from reconciler.model.errors import StalePlan
from reconciler.model.events import Finished
from reconciler.model.fleet import Job, JobResult, Standing
from reconciler.model.garbage import LASTING
from reconciler.resources import load_kinds
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.opening.runtime import Runtime
from tests.fleet.conftest import CONFIG, Fleet, file_of
from tests.store.test_freezes import follow

OVER = ("applied", "same")


class Garbage:
    """What refers to itself, and goes only when the collector comes; `there` counts what has not gone."""

    there = 0

    def __init__(self) -> None:
        self.itself = self
        Garbage.there += 1

    def __del__(self) -> None:
        Garbage.there -= 1


def worker_of(fleet: Fleet) -> Worker:
    """Return what works on the accounts, as a process would."""
    loaded = load_fleet(fleet.folder)
    return Worker(Baselines.of(loaded, load_kinds(), Runtime(environ=fleet.environ)))


@pytest.fixture
def worker(fleet: Fleet) -> Worker:
    """A worker on one account."""
    fleet.write(file_of({"acme": ""}))
    return worker_of(fleet)


def one_death(fleet: Fleet, chance: random.Random, accounts: int) -> list[str]:
    """Kill a rollout at a random moment, again while it is resumed, then resume it to its end; return what differs."""
    names = {f"a{at}": "" for at in range(accounts)}
    fleet.write(file_of(names, "waves: [{name: canary, accounts: 1}, {name: rest}]\nconcurrency: 3"))
    words: tuple[str, ...] = ("apply", "-q")
    for _ in range(2):
        process = fleet.start(*words)
        time.sleep(chance.uniform(0.5, 6.0))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        process.communicate(timeout=120)
        known = fleet.run("status", "--format", "json")
        words = ("resume", "-q") if known.code == 0 else words
    last = fleet.run(*words, "--format", "json")
    if "every rollout has ended" in last.err:  # it was over before it was killed
        last = fleet.run("status", "--format", "json")
    assert last.code == 0, (last.out, last.err)
    wrong = [f"{one['account']}: {one['outcome']}" for one in last.data["accounts"] if one["outcome"] not in OVER]
    wrong += [f"{name}: is left" for name in last.data["pending"]]
    wrong += [f"{name} holds {held}" for name in names if (held := fleet.tags(name)) != ["Gold", "VIP"]]
    again = fleet.run("plan", "--format", "json")
    return wrong + [
        f"{one['account']}: {one['outcome']} again" for one in again.data["accounts"] if one["outcome"] != "same"
    ]


class TestFleet:
    """What the commands do, and what a worker does to one account."""

    def test_a_rollout_goes_wave_by_wave_and_waits_for_the_approval_of_its_plans(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A rollout goes wave by wave and waits for the approval of its plans."""
        accounts = {"acme": "", "beta": "variables: {greeting: hi}", "core": ""}
        fleet.write(file_of(accounts, "waves: [{name: canary, accounts: 1}, {name: rest, approve: true}]"))
        begun = fleet.run("apply", "--format", "json")
        assert begun.code == 7, begun.err
        report = begun.data
        canary = [one["account"] for one in report["accounts"] if one["outcome"] == "applied"]
        assert report["state"] == "approval"
        assert len(canary) == 1
        assert len(report["pending"]) == 2
        assert {name: fleet.tags(name) for name in canary} == {name: ["Gold", "VIP"] for name in canary}
        assert all(fleet.tags(name) == [] for name in report["pending"])

        cancelled = fleet.run("cancel", report["name"])
        assert (cancelled.code, "2 accounts are left as they are" in cancelled.err) == (0, True)
        assert fleet.run("resume", "-q").code == 7, "it waits for the approval again"
        wrong = fleet.run("approve", report["name"], "--wave", "rest", "--digest", "0" * 64)
        assert wrong.code == 6
        assert "these are not the plans" in wrong.err
        digest = report["waves"][1]["digest"]
        assert fleet.run("approve", report["name"], "--wave", "rest", "--digest", digest).code == 0
        resumed = fleet.run("resume", "--format", "json")
        assert resumed.code == 0, resumed.err
        assert {one["outcome"] for one in resumed.data["accounts"]} == {"applied"}
        assert {name: fleet.tags(name) for name in accounts} == {name: ["Gold", "VIP"] for name in accounts}
        over = fleet.run("cancel", report["name"])
        assert (over.code, f"the rollout {report['name']} has ended" in over.err) == (1, True)
        asked: list[dict[str, Any]] = []
        with looked_into(f"sqlite:///{fleet.folder}/.reconciler/fleet.db") as store:
            known = store.client.list_workflows

            def noted(**how: Any) -> Any:
                asked.append(how)
                return known(**how)

            monkeypatch.setattr(store.client, "list_workflows", noted)
            assert store.last_versions(accounts) == dict.fromkeys(accounts, "1.0")
        assert all(not how.get("load_output", True) for how in asked), "what accounts have was read from their plans"

    def test_a_gate_stops_the_waves_behind_it_and_what_is_left_is_tried_again(self, fleet: Fleet) -> None:
        """With new plans and the same gates: those that failed, and those that the rollout did not come to."""
        waves = "waves: [{name: first, accounts: 0}, {name: rest}]"
        fleet.write(file_of({"acme": "wave: first", "beta": "", "core": "", "done": "wave: first"}, waves))
        assert follow(fleet.folder, "fleet", "apply", "--failed").code == 3, "nothing was begun yet"
        assert follow(fleet.folder, "fleet", "apply", "--account", "done", "-q").code == 0
        (fleet.folder / "accounts" / "acme.json").write_text("not an account")
        ran = follow(fleet.folder, "fleet", "apply", "--format", "json")
        assert ran.code == 7, ran.err
        report = json.loads(ran.out)
        assert "1 of 2 accounts cannot be planned" in report["waves"][0]["stopped"]
        assert sorted(report["pending"]) == ["beta", "core"]
        assert fleet.tags("beta") == []

        (fleet.folder / "accounts" / "acme.json").unlink()
        for said in (ran.err, follow(fleet.folder, "fleet", "resume").err):
            assert "reconciler fleet apply --failed" in said
        again = follow(fleet.folder, "fleet", "apply", "--failed", "--format", "json")
        assert again.code == 0, again.err
        outcomes = {one["account"]: one["outcome"] for one in json.loads(again.out)["accounts"]}
        assert outcomes == dict.fromkeys(("acme", "beta", "core"), "applied")
        again = follow(fleet.folder, "fleet", "apply", "--failed")
        assert (again.code, "No account failed: nothing to do." in again.err) == (0, True)
        behind = follow(fleet.folder, "fleet", "plan", "--behind", "1.0", "--format", "json")
        assert (behind.code, json.loads(behind.out)["accounts"]) == (0, [])

    def test_accounts_with_the_same_plan_are_one_group_and_have_a_page_each(self, fleet: Fleet) -> None:
        """Accounts with the same plan are one group and have a page each."""
        fleet.write(file_of({"acme": "", "beta": "", "core": "variables: {greeting: hi}", "dent": ""}))
        ran = fleet.run("plan", "--format", "json")
        assert ran.code == 0, ran.err
        assert [one["accounts"] for one in ran.data["groups"]] == [["acme", "beta", "dent"], ["core"]]
        assert {one["document"] for one in ran.data["accounts"]} == {""}
        pages = fleet.folder / "pages"
        assert fleet.run("report", "--out", str(pages)).code == 0
        for name in ("acme", "core"):
            assert f'href="accounts/{name}.html"' in (pages / "index.html").read_text()
            assert "VIP" in (pages / "accounts" / f"{name}.html").read_text()
        assert fleet.run("report", "--out", str(pages)).code == 0, "over the pages of an earlier report"
        ran = fleet.run("report", "--out", str(fleet.folder))
        assert (ran.code, "nothing was written" in ran.err) == (1, True), "among other files"

    def test_a_rollout_leaves_no_garbage_to_its_end(self, fleet: Fleet) -> None:
        """Commands of some seconds do. Of each account that was applied a fifth of a MiB stayed, in cycles."""
        fleet.write(file_of({"acme": ""}))
        opened, seen = open_fleet(fleet.folder, Runtime()), list[int]()

        def show(standing: Standing) -> None:
            for _ in range(2 * LASTING[0]):
                Garbage()
            seen.append(Garbage.there)

        report = carry_out(opened, begin(opened, "plan", AccountSelection()), stopping=lambda: False, show=show)
        assert report.exit_code == 0
        assert max(seen) <= LASTING[0]

    def test_a_job_that_comes_twice_is_done_once(self, fleet: Fleet, worker: Worker) -> None:
        """A job that comes twice is done once."""
        job = members(load_fleet(fleet.folder), {})["acme"]

        async def both() -> tuple[list[JobResult], JobResult]:
            planned = await worker.plan(job)
            at_once = await asyncio.gather(worker.apply(job, planned.document), worker.apply(job, planned.document))
            return list(at_once), await worker.apply(job, planned.document)

        at_once, later = asyncio.run(both())
        assert "applied" in {one.outcome for one in at_once}
        assert {one.outcome for one in at_once} <= {"applied", "locked"}
        assert later.outcome == "applied"
        assert fleet.tags("acme") == ["Gold", "VIP"]

    @pytest.mark.parametrize("by_hand", [False, True])
    def test_an_apply_that_was_stopped_in_the_middle_is_finished_by_the_same_plan(
        self, fleet: Fleet, worker: Worker, monkeypatch: pytest.MonkeyPatch, by_hand: bool
    ) -> None:
        """Its plan is on record as applied though a part of it is left. That part is done, and nothing else: what was
        made by hand meanwhile is not taken over.
        """
        job = members(load_fleet(fleet.folder), {})["acme"]

        async def stopped_at_once(session: Any, planned: Any, hooks: Hooks, **more: Any) -> Any:
            hooks.emit = lambda event: hooks.stop.set() if isinstance(event, Finished) else None
            return await apply_plan(session, planned, hooks, **more)

        async def stopped() -> str:
            planned = await worker.plan(job)
            task = asyncio.ensure_future(worker.apply(job, planned.document))
            await worker.stop.wait()
            for _ in range(1_000_000):
                await asyncio.sleep(0)
                if worker.idle:
                    break
            assert task.cancel(), "whoever resumes the rollout does it again"
            return planned.document

        with monkeypatch.context() as patch:
            patch.setattr("reconciler.fleet.job.apply_plan", stopped_at_once)
            document = asyncio.run(stopped())
        (done,) = fleet.tags("acme")
        left = ({"Gold", "VIP"} - {done}).pop()
        if by_hand:
            account = open_account(fleet.folder / "accounts" / "acme.json")
            account.rows.put("tags", "77", {**account.rows.all("tags")[0], "id": "77", "tag": left})
            account.close()
        result = asyncio.run(worker_of(fleet).apply(job, document))
        assert (result.outcome, left.lower() in result.message) == (("stale", True) if by_hand else ("applied", False))
        again = asyncio.run(worker_of(fleet).apply(job, document))
        assert again.outcome == result.outcome
        assert fleet.tags("acme") == ["Gold", "VIP"]

    def test_a_job_whose_baseline_changed_meanwhile_is_stale(self, fleet: Fleet, worker: Worker) -> None:
        """A job whose baseline changed meanwhile is stale."""
        job = members(load_fleet(fleet.folder), {})["acme"]
        pinned = job.model_copy(update={"digest": worker.baselines.referring(job).digest})
        fleet.write(file_of({"acme": ""}), CONFIG.replace("Gold", "Golden"))
        result = asyncio.run(worker_of(fleet).plan(pinned))
        assert result.outcome == "stale"
        assert "not those that the rollout began with" in result.message

    @pytest.mark.parametrize(
        ("error", "hint"),
        [
            (StalePlan("it moved", hint="make a new plan with `reconciler plan --out FILE`"), AGAIN),
            (StalePlan("it moved"), AGAIN),
            (StalePlan("other files", hint="check them out"), "check them out"),
        ],
    )
    def test_hints_name_what_a_fleet_has(self, worker: Worker, error: StalePlan, hint: str) -> None:
        """And not the plan files of a single run."""

        async def fails() -> JobResult:
            raise error

        job = Job(account="acme", url="https://a.api-us1.com", baseline="crm")
        assert asyncio.run(worker._told(job, fails())).hint == hint

    def test_a_missing_key_is_told_without_any_other(self, fleet: Fleet) -> None:
        """A missing key is told without any other."""
        fleet.write(
            file_of({"acme": ""}).replace(
                "url: 'emulator:accounts/acme.json'", "url: 'https://a.api-us1.com', token: '${env.AC_A}'"
            )
        )
        job = members(load_fleet(fleet.folder), {})["acme"]
        result = asyncio.run(worker_of(fleet).plan(job))
        assert result.outcome == "failed"
        assert result.message == "the environment variable AC_A is not set"

    def test_a_rollout_that_is_killed_anywhere_is_finished_by_resume(self, fleet: Fleet) -> None:
        """A rollout that is killed anywhere is finished by resume."""
        assert one_death(fleet, random.Random(1), 4) == []

    @pytest.mark.prove
    @pytest.mark.parametrize("seed", range(50))
    def test_fifty_deaths(self, fleet: Fleet, seed: int) -> None:
        """Fifty deaths."""
        assert one_death(fleet, random.Random(seed), 6) == []


def died(fleet: Fleet, name: str, status: str) -> None:
    """Let a rollout be on record as one that has not ended."""
    with closing(sqlite3.connect(fleet.folder / ".reconciler" / "fleet.db")) as base, base:
        base.execute("update workflow_status set status = ? where workflow_uuid = ?", (status, name))


def test_what_a_gate_called_off_is_not_resumed(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollout that has ended is reported on again; accounts that it did not come to get a new one, with its gates.
    Nor is it where the process died before the rollout had ended, but for a rollout that was cancelled.
    """
    fleet.write(file_of({"a": "", "b": "", "c": ""}, "concurrency: 1"))
    real, asked = Worker.apply, list[str]()

    async def apply(worker: Worker, job: Job, document: str) -> JobResult:
        """Fail the first one."""
        asked.append(job.account)
        if len(asked) == 1:
            return JobResult(account=job.account, outcome="failed", message="the first one")
        await asyncio.sleep(1)
        return await real(worker, job, document)

    monkeypatch.setattr(Worker, "apply", apply)
    stopped = fleet.run("apply", "-q", "--format", "json")
    assert (stopped.code, stopped.data["state"]) == (7, "stopped")
    assert 1 <= len(stopped.data["pending"]) <= 2, "one may have begun before the first one was known to have failed"
    again = fleet.run("resume", stopped.data["name"], "-q", "--format", "json")
    assert (again.code, again.data["pending"]) == (7, stopped.data["pending"])
    with looked_into(f"sqlite:///{fleet.folder}/.reconciler/fleet.db") as store:
        assert store.accounts(stopped.data["name"], ["ENQUEUED", "PENDING"]) == []
        assert [queue.name for queue in store.client.list_queues()] == []
    assert "has ended" in again.err

    name, url = stopped.data["name"], f"sqlite:///{fleet.folder}/.reconciler/fleet.db"
    opened = open_fleet(fleet.folder, Runtime())
    with launched(url, "another", Worker(opened.baselines), only="nothing") as engine:
        for status, resumed in (
            ("PENDING", [name]),
            ("CANCELLED", [name, *(f"{name}/all/apply/{account}" for account in stopped.data["pending"])]),
        ):
            died(fleet, name, status)
            engine.resume(name, 1)
            assert sorted(row.workflow_id for row in DBOS.list_workflows(status=["ENQUEUED"])) == resumed

"""Accounts whose lock is held when their turn comes: by a process that died elsewhere without a word, or by one that
lives. Time is simulated.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.reading.fleet import load_fleet
from reconciler.fleet.accounts import members
from reconciler.fleet.baselines import Baselines, FleetSession
from reconciler.fleet.job import PATIENT, Worker
from reconciler.fleet.spec import packed
from reconciler.model.document import PlanDocument
from reconciler.model.errors import ApplyInterrupted, StateError
from reconciler.model.fleet import JobResult
from reconciler.model.ports import Hold, LockInfo
from reconciler.resources import load_kinds
from reconciler.store import Clock
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.plans.saved import check_plan
from tests.fleet.conftest import Fleet, file_of

NAMES = ("acme", "beta", "core", "dent")
LEASE = Runtime().waits.lease


class Elsewhere:
    """The locks of all accounts are held by a process of another machine, `alive` while that one renews them."""

    def __init__(self, fleet: Fleet, state: str) -> None:
        fleet.write(
            file_of(dict.fromkeys(NAMES, "")).replace("{baseline: crm}", f"{{baseline: crm, state: '{state}'}}")
        )
        self.now, self.alive, self.held = 1000.0, False, list[Hold]()
        self.worker = Worker(self._baselines(fleet, "here"), sleep=self.sleep)
        self.jobs = [members(load_fleet(fleet.folder), {})[name] for name in NAMES]
        self.other = self._baselines(fleet, "elsewhere")
        self.stack = ExitStack()

    def _baselines(self, fleet: Fleet, machine: str) -> Baselines:
        clock = Clock(steady=lambda: self.now, sleep=self.blocked, beat=False, process=lambda: f"{machine}/1")
        return Baselines.of(load_fleet(fleet.folder), load_kinds(), Runtime(clock=clock))

    def blocked(self, seconds: float) -> None:
        """Nobody else of this process has a turn while one waits like this."""
        raise AssertionError("an account kept all others waiting")

    async def sleep(self, seconds: float) -> None:
        """Let simulated time pass, for all of them at once; everybody else has a turn."""
        self.now += seconds / len(NAMES)
        for hold in self.held if self.alive else ():
            hold.check(LEASE / 2)
        await asyncio.sleep(0)

    async def applied(self, *, before: bool = True) -> list[JobResult]:
        """Plan all accounts, let the other one take their locks (`before`), then apply all at the same time."""
        plans = [await self.worker.plan(job) for job in self.jobs]
        for job in self.jobs if before else ():
            lock = self.other.session(job).store.lock(LockInfo("x", "somebody", "elsewhere", 7, "", "fleet apply"))
            self.held.append(self.stack.enter_context(lock))
        pairs = zip(self.jobs, plans, strict=True)
        return await asyncio.gather(*(self.worker.apply(job, plan.document) for job, plan in pairs))


@pytest.fixture(params=["file:state/{name}.json", "sqlite:state/{name}.db"])
def elsewhere(fleet: Fleet, request: pytest.FixtureRequest) -> Iterator[Elsewhere]:
    """Four accounts whose locks are going to be taken."""
    held = Elsewhere(fleet, request.param)
    yield held
    held.stack.pop_all()  # it died with them


class TestLeases:
    """A job waits for the lease of its account, and for no other account's."""

    def test_what_a_machine_held_that_died_is_applied_once_its_leases_have_ended(
        self, elsewhere: Elsewhere, fleet: Fleet
    ) -> None:
        """All at the same time: a lease is waited for once, not once for each account."""
        results = asyncio.run(elsewhere.applied())
        assert {one.outcome for one in results} == {"applied"}
        assert LEASE <= elsewhere.now - 1000.0 < 2 * LEASE
        assert {name: fleet.tags(name) for name in NAMES} == {name: ["Gold", "VIP"] for name in NAMES}

    def test_what_another_process_goes_on_holding_is_locked(self, elsewhere: Elsewhere, fleet: Fleet) -> None:
        """It is not waited for without end, and nothing is written."""
        elsewhere.alive = True
        results = asyncio.run(elsewhere.applied())
        assert {one.outcome for one in results} == {"locked"}
        assert elsewhere.now - 1000.0 < 2 * PATIENT * LEASE
        assert {name: fleet.tags(name) for name in NAMES} == {name: [] for name in NAMES}

    @pytest.mark.parametrize("lost", [ApplyInterrupted, StateError])
    @pytest.mark.parametrize("taken", [True, False])
    def test_a_lease_that_is_lost_on_the_way_is_waited_for_again(
        self, elsewhere: Elsewhere, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, taken: bool, lost: type[StateError]
    ) -> None:
        """A machine that slept and woke up finishes what nobody took over, or what another one left that died. Its
        account would be recorded as failed, and its wave stopped.
        """
        real, begun = apply_plan, Counter[str]()

        async def slept(session: FleetSession, *rest: Any, **more: Any) -> Any:
            begun[session.settings.url] += 1
            if begun[session.settings.url] > 1:
                return await real(session, *rest, **more)
            if taken:
                lock = session.store.lock(LockInfo("x", "somebody", "elsewhere", 7, "", "fleet apply"))
                elsewhere.held.append(elsewhere.stack.enter_context(lock))
            raise lost("this process lost its lease")

        monkeypatch.setattr("reconciler.fleet.job.apply_plan", slept)
        results = asyncio.run(elsewhere.applied(before=False))
        assert {one.outcome for one in results} == {"applied"}
        assert len(begun) == len(NAMES)
        assert set(begun.values()) == {2}
        assert {name: fleet.tags(name) for name in NAMES} == {name: ["Gold", "VIP"] for name in NAMES}

    def test_what_another_process_has_just_applied_is_no_stale_plan(
        self, elsewhere: Elsewhere, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A machine that woke up finds the account as the one that took over made it: the job is done."""
        other = Worker(elsewhere.other, sleep=elsewhere.sleep)
        jobs, begun = {job.account: job for job in elsewhere.jobs}, set[str]()

        async def overtaken(session: FleetSession, document: PlanDocument) -> Any:
            account = Path(session.settings.url).stem
            if account not in begun:
                begun.add(account)
                done = await other.apply(jobs[account], packed(document.model_dump_json()))
                assert done.outcome == "applied"
            return await check_plan(session, document)

        monkeypatch.setattr("reconciler.fleet.job.check_plan", overtaken)
        results = asyncio.run(elsewhere.applied(before=False))
        assert begun == set(NAMES)
        assert {one.outcome for one in results} == {"applied"}
        assert {name: fleet.tags(name) for name in NAMES} == {name: ["Gold", "VIP"] for name in NAMES}

    def test_a_process_that_is_to_stop_waits_no_longer_and_says_nothing_of_what_it_waited_for(
        self, elsewhere: Elsewhere
    ) -> None:
        """Whoever resumes the rollout does it again."""

        async def stopped() -> bool:
            task = asyncio.ensure_future(elsewhere.applied())
            for _ in range(1_000_000):
                await asyncio.sleep(0)
                if elsewhere.now > 1000.0:
                    elsewhere.worker.halt()
                if elsewhere.worker.stop.is_set() and elsewhere.worker.idle:
                    break
            return not task.done() and task.cancel()

        assert asyncio.run(stopped())
        assert "locked" not in elsewhere.worker.done

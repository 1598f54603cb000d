"""Accounts whose lock is held when their turn comes: by a process that died elsewhere without a word, or by one that
lives. Time is simulated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from reconciler.config.reading.fleet import load_fleet
from reconciler.fleet.accounts import members
from reconciler.fleet.baselines import Baselines
from reconciler.fleet.job import PATIENT, Worker
from reconciler.model.fleet import JobResult
from reconciler.model.ports import Hold, LockInfo
from reconciler.resources import load_kinds
from reconciler.store import Clock
from reconciler.workflow.runtime import Runtime
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

    async def applied(self) -> list[JobResult]:
        """Plan all accounts, let the other one take their locks, then apply all at the same time."""
        plans = [await self.worker.plan(job) for job in self.jobs]
        for job in self.jobs:
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

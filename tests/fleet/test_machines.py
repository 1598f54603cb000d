"""A fleet on PostgreSQL: processes share the work of one rollout, and some of them are killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from reconciler.fleet.rollout_store import looked_into
from tests.fleet.conftest import Fleet, file_of
from tests.store.servers import postgresql


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with postgresql() as url:
        yield url


def settled(fleet: Fleet, names: dict[str, str], report: object) -> list[str]:
    """Return which accounts are not as declared, each once."""
    assert isinstance(report, dict)
    wrong = [
        f"{one['account']}: {one['outcome']}" for one in report["accounts"] if one["outcome"] not in ("applied", "same")
    ]
    wrong += [f"{name} is left" for name in report["pending"]]
    return wrong + [f"{name} holds {held}" for name in names if (held := fleet.tags(name)) != ["Gold", "VIP"]]


def first_apply(database: str) -> str:
    """Return the name of the rollout that applies, once a job of it is being worked on."""
    deadline = time.monotonic() + 90
    with looked_into(database) as store:
        while time.monotonic() < deadline:
            for spec in store.each(1):
                if spec.mode == "apply" and store.tally(spec.name)["running"]:
                    return spec.name
            time.sleep(0.02)
    raise AssertionError("no rollout has begun")


class TestMachines:
    """Workers by name, and what becomes of the jobs of one that dies."""

    def test_workers_share_a_rollout_and_what_a_dead_one_had_is_taken_up(self, fleet: Fleet, database: str) -> None:
        """Two workers take jobs from one queue; one is killed in the middle, and `resume` finishes what it had."""
        names = {f"a{at}": "" for at in range(10)}
        fleet.write(file_of(names, "concurrency: 2"))
        where = ("--database", database)
        first = fleet.run("plan", "-q", *where)
        assert first.code == 0, first.err
        workers = [fleet.start("worker", "--name", f"w{at}", *where) for at in range(2)]
        try:
            rollout = fleet.start("apply", "-q", *where)
            begun = first_apply(database)
            workers[0].send_signal(signal.SIGKILL)
            rollout.send_signal(signal.SIGKILL)
            rollout.communicate(timeout=60)
            resumed = fleet.run("resume", "--format", "json", *where)
            assert resumed.code == 0, (resumed.out, resumed.err)
            assert settled(fleet, names, resumed.data) == []
        finally:
            for worker in workers:
                worker.send_signal(signal.SIGTERM)
            ended = [worker.communicate(timeout=60) for worker in workers]
        assert workers[1].returncode == 0, ended[1][1]
        assert resumed.data["name"] == begun
        again = fleet.run("plan", "--format", "json", *where)
        assert {one["outcome"] for one in again.data["accounts"]} == {"same"}

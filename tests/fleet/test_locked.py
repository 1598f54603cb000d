"""Accounts whose locks another process holds: one cause, one exit code, and what a person can do in a fleet."""

from __future__ import annotations

import pytest

from reconciler.fleet.job import LOCKED, _failed
from reconciler.fleet.rollout_store import looked_into
from reconciler.fleet.spec import RolloutSpec, queue_of
from reconciler.model.fleet import FleetReport, Job, JobResult, WaveReport
from reconciler.model.ports import LockInfo
from reconciler.render.fleet import causes
from reconciler.store.lease import held_by
from tests.fleet.conftest import Fleet, file_of

SINCE = ("2026-11-29T11:05:54Z", "2026-11-29T11:05:59Z")


def locked(name: str, since: str) -> JobResult:
    """Return what became of an account that another process holds."""
    job = Job(account=name, url="https://a.api-us1.com", baseline="crm")
    info = LockInfo(f"id-of-{name}", "root", "vm", 7, since, "fleet apply", expires=since)
    return _failed(job, held_by(info, f"state/{name}.json"))


def report(*accounts: JobResult, begun: int = 2, stopped: str = "2 of 2 accounts failed") -> FleetReport:
    """Return the report of a rollout that a gate stopped."""
    wave = WaveReport(name="all", accounts=2, begun=begun, stopped=stopped)
    return FleetReport(name="r", mode="apply", state="stopped", waves=[wave], accounts=list(accounts))


def test_accounts_that_one_process_holds_have_one_cause() -> None:
    """Whenever it came to each; a fleet has no --lock-timeout, and no environment whose lock could be broken."""
    (cause,) = causes(report(locked("acme", SINCE[0]), locked("beta", SINCE[1])))
    assert cause == (
        "the state state/<account>.json is locked by root on vm (process 7) for fleet apply", LOCKED, ["acme", "beta"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (report(locked("a", SINCE[0]), locked("b", SINCE[0])), 8),
        (report(locked("a", SINCE[0]), JobResult(account="b", outcome="applied")), 8),
        (report(locked("a", SINCE[0]), JobResult(account="b", outcome="failed")), 7),
        (report(locked("a", SINCE[0]), begun=0, stopped="11 customer records are at risk"), 7),
        (report(JobResult(account="a", outcome="applied")), 7),
    ],
)
def test_what_only_locks_stopped_is_told_as_that(known: FleetReport, code: int) -> None:
    """Without that, 8 came only where a wave allowed so many failures; a gate for another reason stays one."""
    assert known.exit_code == code


def test_the_list_of_rollouts_says_how_each_is_doing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of its report; the database may stand in a variable."""
    monkeypatch.setenv("RECONCILER_FLEET_DATABASE", "sqlite:///.reconciler/other.db")
    fleet.write(file_of({"a": ""}, "waves: [{name: all, approve: true}]"))
    assert fleet.run("plan", "-q").code == 0
    assert fleet.run("apply", "-q").code == 7
    rows = fleet.run("status", "--all", "--format", "json").data
    assert [(row["mode"], row["state"]) for row in rows] == [("apply", "approval"), ("plan", "done")]
    with looked_into(f"sqlite:///{fleet.folder}/.reconciler/other.db") as store:
        store.listened_to(rows[1]["rollout"], 3)
        store.tidy()
        queues = [queue.name for queue in store.client.list_queues()]
        assert queues == [queue_of(rows[0]["rollout"])], "a worker looks at each several times a second"
    assert fleet.run("cancel", rows[0]["rollout"]).code == 0
    fleet.write(file_of({"a": "token: '${env.NOWHERE}'"}))
    assert fleet.run("apply", "-q").code == 7
    rows = fleet.run("status", "--all", "--format", "json").data
    assert [row["state"] for row in rows] == ["stopped", "cancelled", "done"]
    assert not (fleet.folder / ".reconciler" / "fleet.db").exists()
    assert RolloutSpec(name="r", mode="plan").guarded == frozenset()

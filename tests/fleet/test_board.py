"""What is shown of a rollout while it goes on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from reconciler.fleet.progress import BEHIND, Look
from reconciler.fleet.rollout_store import RolloutStore
from reconciler.fleet.spec import RolloutSpec, job_id
from reconciler.model.fleet import AccountOutcome, Job, JobResult, Standing, Wave, WaveStanding
from reconciler.render.rollout import RolloutWatch
from tests.cli.glass import Glass

BEGUN = Standing("apply", (WaveStanding("canary", 2), WaveStanding("rest", 10)))
HALF = Standing("apply", (WaveStanding("canary", 2, 2, 2, 2), WaveStanding("rest", 10, 10, 8, 3, 4, 1)), 170)
OVER = Standing("apply", (WaveStanding("canary", 2, 2, 2, 2), WaveStanding("rest", 10, 10, 8, 8, 0, 1)), 300)
TERM = {"TERM": "xterm-256color", "NO_COLOR": "1"}


@contextmanager
def watched(stream: Any, *, live: bool, quiet: bool = False) -> Iterator[tuple[RolloutWatch, list[float]]]:
    """A board whose clock is the list's first value."""
    now = [0.0]
    board = RolloutWatch(stream, BEGUN, clock=lambda: now[0], environ=TERM, quiet=quiet, live=live)
    with board:
        yield board, now


def rows(glass: Glass) -> list[list[str]]:
    """Return what a terminal shows, in words."""
    return [line.split() for line in glass.shown().splitlines() if line.strip()]


class TestBoard:
    """A table where somebody watches, a line for each wave elsewhere."""

    def test_a_terminal_shows_waves_accounts_requests_and_the_time_that_is_left(self) -> None:
        """At once, and with each look."""
        glass = Glass(100)
        with watched(glass, live=True) as (board, now):
            assert rows(glass)[:2] == [
                ["wave", "accounts", "planned", "applied", "running", "failed"],
                ["canary", "2", "0", "0", "of", "0", "0", "0"],
            ]
            board.show(BEGUN)
            now[0] = 34.0
            board.show(HALF)
            assert rows(glass)[1:] == [
                ["canary", "2", "2", "2", "of", "2", "0", "0"],
                ["rest", "10", "10", "3", "of", "8", "4", "1"],
                ["170", "requests,", "34", "s,", "about", "10", "s", "left"],
            ]
            with board.away():
                glass.write("said\n")
            board.stopping()
            board.show(HALF)
            assert rows(glass)[0] == ["said"]
            assert "Stopping: no account is begun any more" in glass.shown()
        assert rows(glass) == [["said"]]

    def test_the_time_that_is_left_does_not_count_what_was_done_before(self) -> None:
        """A rollout that is resumed begins with what its first process did."""
        with watched(io.StringIO(), live=False) as (board, now):
            board.show(HALF)
            now[0] = 10.0
            assert board.seconds_left() is None
            board.show(Standing("apply", (HALF.waves[0], WaveStanding("rest", 10, 10, 8, 6, 2, 1))))
            now[0] = 12.0
            assert board.seconds_left() == 8.0

    def test_elsewhere_there_is_a_line_for_each_wave_once_it_is_over(self) -> None:
        """And none with -q."""
        said = io.StringIO()
        with watched(said, live=False) as (board, _):
            for standing in (BEGUN, HALF, HALF, OVER, OVER):
                board.show(standing)
        assert said.getvalue().splitlines() == [
            "wave canary: 2 accounts, 2 planned, 2 applied",
            "wave rest: 10 accounts, 10 planned, 8 applied, 1 failed",
        ]
        for live in (False, True):
            said = io.StringIO()
            with watched(said, live=live, quiet=True) as (board, _):
                board.show(OVER)
            assert said.getvalue() == ""


class Rows:
    """The engine's rows, as its client lists them: `listed` counts them, `read` are those whose results were loaded."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, JobResult | None, int | None]] = {}
        self.read: list[str] = []
        self.listed = 0

    def end(self, name: str, second: int, result: JobResult | None) -> None:
        """Let one end at a second, well or without a result."""
        self.rows[name] = ("SUCCESS" if result else "ERROR", result, second * 1000)

    def list_workflows(self, **how: Any) -> list[Any]:
        since = how.get("completed_after")
        found = [
            SimpleNamespace(
                workflow_id=name,
                status=status,
                output=result.model_dump() if result else None,
                error=None,
                completed_at=at,
            )
            for name, (status, result, at) in self.rows.items()
            if name in how.get("workflow_ids", [name])
            and name.startswith(how.get("workflow_id_prefix", ""))
            and status in (how.get("status") or [status])
            and (since is None or (at is not None and at / 1000 >= datetime.fromisoformat(since).timestamp()))
        ]
        self.listed += len(found)
        if how.get("load_output", True):
            self.read += [row.workflow_id for row in found]
        return found


def test_what_came_of_an_account_is_read_once() -> None:
    """However often the table is drawn."""
    jobs = {name: Job(account=name, url=f"https://{name}.api-us1.com", baseline="crm") for name in ("a", "b", "c")}
    spec = RolloutSpec(name="r", mode="apply", jobs=jobs, waves=[Wave(name="w")], members={"w": list(jobs)})
    kept = Rows()
    for account in jobs:
        outcome: AccountOutcome = "failed" if account == "c" else "changes"
        kept.end(job_id("r", "w", "plan", account), 1, JobResult(account=account, outcome=outcome, requests=7))
    kept.end(job_id("r", "w", "apply", "a"), 2, JobResult(account="a", outcome="applied", requests=9))
    kept.rows[job_id("r", "w", "apply", "b")] = ("PENDING", None, None)
    look = Look(RolloutStore(kept), spec)  # type: ignore[arg-type]
    first = look.now()
    assert first == Standing("apply", (WaveStanding("w", 3, 3, 2, 1, 1, 1),), 30)
    assert first.left == 1
    kept.end(job_id("r", "w", "apply", "b"), 3, None)
    assert look.now() == Standing("apply", (WaveStanding("w", 3, 3, 2, 2, 0, 2),), 30)
    assert sorted(kept.read) == sorted(kept.rows)


def test_a_look_costs_what_happened_since_the_last_one_however_many_accounts_there_are() -> None:
    """A thousand accounts were listed four times a second: that took a fourth of all CPU of a rollout. One that another
    machine put on record late is told too.
    """
    names = [f"a{at}" for at in range(400)]
    jobs = {name: Job(account=name, url=f"https://{name}.api-us1.com", baseline="crm") for name in names}
    spec = RolloutSpec(name="r", mode="plan", jobs=jobs, waves=[Wave(name="w")], members={"w": names})
    kept = Rows()
    look = Look(RolloutStore(kept), spec)  # type: ignore[arg-type]
    most, late = 0, names.pop(50)
    for at, name in enumerate(names):
        kept.end(job_id("r", "w", "plan", name), at, JobResult(account=name, outcome="same"))
        if name == "a60":
            kept.end(job_id("r", "w", "plan", late), at - 20, JobResult(account=late, outcome="same"))
        before = kept.listed
        look.now()
        most = max(most, kept.listed - before)
    assert most <= BEHIND + 5
    assert look.now().done == 400


def test_accounts_with_the_same_changes_share_their_lines_and_one_that_was_given_up_is_told() -> None:
    """Of ten thousand the lines took more memory than all else; a job that was taken up too often has ended."""
    kept = Rows()
    for name in ("a", "b", "c"):
        changes = ["create tag.x"] if name != "c" else ["create tag.y"]
        group = "1" if name != "c" else "2"
        kept.end(
            job_id("r", "w", "plan", name), 1, JobResult(account=name, outcome="changes", group=group, changes=changes)
        )
    kept.rows[job_id("r", "w", "plan", "d")] = ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", None, 1000)
    found = RolloutStore(kept)._results(job_id("r", "w", "plan"))  # type: ignore[arg-type]
    assert {name: (result.outcome, result.changes) for name, result in found.items()} == {
        "a": ("changes", ["create tag.x"]),
        "b": ("changes", ["create tag.x"]),
        "c": ("changes", ["create tag.y"]),
        "d": ("failed", []),
    }
    assert found["a"].changes is found["b"].changes

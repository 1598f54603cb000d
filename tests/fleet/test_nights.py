"""Looks for drift at night: at their time, once, cheap, and told by what accounts have in common."""

from __future__ import annotations

import datetime
import os
import signal
import time

import pytest

from reconciler.emulator import open_account
from reconciler.fleet.accounts import AccountSelection
from reconciler.fleet.engine import launched
from reconciler.fleet.job import Worker
from reconciler.fleet.rollout_store import looked_into
from reconciler.fleet.running import Fleet as Opened
from reconciler.fleet.running import begin, carry_out, finished, open_fleet, work
from reconciler.fleet.spec import POLL
from reconciler.model.errors import ReconcilerError
from reconciler.model.fleet import FleetReport
from reconciler.render.fleet import VIEWS
from reconciler.workflow.opening.runtime import Runtime
from tests.fleet.conftest import Fleet, file_of
from tests.store.servers import postgresql

LEAP = "0 */8 29 2 *"
"""Hours of a day that is not today."""
ACCOUNTS = {"acme": "labels: {region: eu}", "beta": "labels: {region: us}", "core": "labels: {region: eu}"}


def at(fleet: Fleet, moment: str, url: str | None = None) -> Opened:
    """Return the fleet as a process has it that is started at this moment."""
    now = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.UTC)
    return open_fleet(fleet.folder, Runtime(environ=dict(os.environ), now=lambda: now), url)


def looks(opened: Opened) -> list[FleetReport]:
    """Return the reports of the looks that have ended, the newest first."""
    with looked_into(opened.database) as store:
        return [finished(store, spec) for spec in store.each(20, "drift") if store.ended(spec, approval=True)]


def worked(opened: Opened, until: int, cron: str | None = None, beats: int = 200) -> list[FleetReport]:
    """Be a worker until so many looks have ended, or for so many beats."""
    left = iter(range(beats))
    said: list[str] = []

    def stopping() -> bool:
        return next(left, None) is None or len(looks(opened)) >= until

    work(opened, f"w{until}", stopping=stopping, at_night=cron, tell=said.append)
    return looks(opened)


def by_hand(fleet: Fleet, account: str, description: str) -> None:
    """Change a tag of an account as a person would."""
    opened = open_account(fleet.folder / "accounts" / f"{account}.json")
    try:
        (row,) = [row for row in opened.rows.all("tags") if row["tag"] == "VIP"]
        with opened.rows.transaction():
            opened.rows.put("tags", row["id"], {**row, "description": description})
    finally:
        opened.close()


class TestNights:
    """A schedule of the engine, whose clock is ours."""

    def test_a_look_that_was_missed_is_made_up_for_once(self, fleet: Fleet) -> None:
        """A worker dies before the hour; whoever is started after it looks, and nobody does so again. Of several that
        were missed it is the last one. A look says what has drifted where, and what is new since the last one.
        """
        fleet.write(file_of(ACCOUNTS))
        opened = at(fleet, "2020-02-28T20:00:00")
        applied = carry_out(
            opened, begin(opened, "apply", AccountSelection()), stopping=lambda: False, show=lambda _: None
        )
        assert {one.outcome for one in applied.accounts} == {"applied"}
        by_hand(fleet, "acme", "changed")
        assert worked(at(fleet, "2020-02-28T22:00:00"), 1, LEAP, beats=2) == []
        (first,) = worked(at(fleet, "2020-02-29T05:00:00"), 1)
        assert [(row.by, row.name, row.drifted, row.accounts) for row in first.drift] == [
            ("version", "1.0", 1, 3),
            ("label", "region=eu", 1, 2),
            ("object", "tag.vip", 1, 3),
        ]
        assert first.news == []
        assert {one.requests for one in first.accounts} == {1}, "a look asks for more than the page of managed tags"
        assert len(worked(at(fleet, "2020-02-29T05:30:00"), 9, LEAP, beats=3)) == 1

        by_hand(fleet, "acme", "hello")
        by_hand(fleet, "beta", "changed")
        second, _ = worked(at(fleet, "2032-03-01T01:00:00"), 2)
        assert second.since == first.name
        assert second.news == [
            "acme: changes before, same now, no longer update tag.vip (description)",
            "beta: same before, changes now, update tag.vip (description)",
        ]
        text = VIEWS["text"](second)
        for line in ("Drift by label:\n  region=us: 1 of 1", "Drift by object:\n  tag.vip: 1 of 3"):
            assert line in text

    def test_who_carries_out_a_rollout_begins_no_look(self, fleet: Fleet) -> None:
        """The look that is due meanwhile is left to a worker."""
        fleet.write(file_of({"acme": ""}))
        assert worked(at(fleet, "2020-02-28T22:00:00"), 1, LEAP, beats=1) == []
        later = at(fleet, "2020-02-29T05:00:00")
        with launched(later.database, "once", Worker(later.baselines), only="none") as engine:
            engine.catch_up(later.runtime.now())
            engine.catch_up(later.runtime.now())
            time.sleep(3 * POLL)
        assert looks(later) == []
        assert len(worked(later, 1)) == 1

    def test_a_time_that_is_none_is_told(self, fleet: Fleet) -> None:
        """Before anything is begun."""
        fleet.write(file_of({"acme": ""}))
        with pytest.raises(ReconcilerError, match="`at three` is not a time to look for drift"):
            worked(at(fleet, "2020-02-28T22:00:00"), 1, "at three", beats=1)

    @pytest.mark.prove
    def test_of_two_workers_that_start_at_once_one_looks(self, fleet: Fleet) -> None:
        """On one PostgreSQL server, as machines that come back together."""
        fleet.write(file_of(ACCOUNTS))
        with postgresql() as url:
            assert worked(at(fleet, "2020-02-28T22:00:00", url), 1, "0 0 1 1 *", beats=1) == []
            workers = [fleet.start("worker", "--name", f"w{number}", "--database", url) for number in range(2)]
            try:
                opened = at(fleet, "2026-01-02T00:00:00", url)
                deadline = time.monotonic() + 90
                while not looks(opened) and time.monotonic() < deadline:
                    time.sleep(0.1)
            finally:
                for one in workers:
                    one.send_signal(signal.SIGTERM)
                ended = [one.communicate(timeout=60) for one in workers]
            assert len(looks(opened)) == 1, ended

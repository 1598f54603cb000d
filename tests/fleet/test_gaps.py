"""A plan that leaves something out is not carried out, nor does its account count as one that is as declared."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.config.reading.fleet import load_fleet
from reconciler.fleet.accounts import members
from reconciler.fleet.baselines import Baselines
from reconciler.fleet.job import Worker, refusal
from reconciler.model.document import SkippedView
from reconciler.resources import load_kinds
from reconciler.workflow.opening.runtime import Runtime
from tests.fleet.conftest import CONFIG, Fleet, file_of
from tests.render.documents import sealed

GAP = "lists:\n  news: {name: News}\n"
"""A list without what the vendor asks of one: its plan leaves it out."""
FOLLOWS = SkippedView(address="stage.sales.won", reason="it needs pipeline.sales, which was skipped")
UNREAD = SkippedView(address="pipeline.sales", reason="GET /dealGroups: 403", forbidden=True)
UNWANTED = SkippedView(address="list.news", reason="the account would refuse it", refused=True)


@pytest.mark.parametrize(
    ("skipped", "expected"),
    [
        ([], None),
        ([FOLLOWS], ("failed", f"stage.sales.won cannot be planned: {FOLLOWS.reason}")),
        ([FOLLOWS, UNREAD], ("failed", "pipeline.sales cannot be planned: GET /dealGroups: 403; and 1 more")),
        ([FOLLOWS, UNWANTED], ("refused", "list.news cannot be planned: the account would refuse it; and 1 more")),
    ],
)
def test_what_a_plan_leaves_out_is_told_by_its_first_cause(
    skipped: list[SkippedView], expected: tuple[str, str] | None
) -> None:
    """Refused where a single plan ends with 7, failed where it ends with 4 or 5."""
    assert refusal(sealed().model_copy(update={"skipped": skipped, "guards": []})) == expected


def test_an_account_whose_plan_has_a_gap_is_left_as_it_is(fleet: Fleet) -> None:
    """It has changes as well, which an approval would carry out."""
    fleet.write(file_of({"acme": ""}), CONFIG + GAP)
    loaded = load_fleet(fleet.folder)
    worker = Worker(Baselines.of(loaded, load_kinds(), Runtime(environ={})))
    result = asyncio.run(worker.plan(members(loaded, {})["acme"]))
    assert (result.outcome, bool(result.document)) == ("refused", True), "whoever may allow it reads its plan"
    assert result.message.startswith("list.news cannot be planned: the account would refuse it: `sender_url`")


def test_a_rollout_of_a_baseline_with_a_gap_stops_before_anything_is_written(fleet: Fleet) -> None:
    """With the code of a guard, as the plan of one account; it does not count as applied."""
    fleet.write(file_of({"acme": ""}), CONFIG + GAP)
    done = fleet.run("apply", "--format", "json")
    assert (done.code, done.data["state"], fleet.tags("acme")) == (7, "stopped", [])
    assert "list.news cannot be planned" in done.data["waves"][0]["stopped"]
    assert fleet.run("status", "--accounts", "--format", "json").data[0]["has"] == ""

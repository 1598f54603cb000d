"""Pipelines with their stages: what the server makes along with them, and the order of the board."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from tests.conformance.steps import settled
from tests.world import World

STAGES = [f"s{number}" for number in range(1, 7)]


def sales(keys: list[str], **more: Any) -> dict[str, Any]:
    """Declare a pipeline with these stages."""
    return {
        "pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {key: {"title": key} for key in keys}}}
    } | more


def board(world: World) -> list[str]:
    """Return the titles of the stages of living pipelines, as the board shows them."""
    alive = {row["id"] for row in world.rows("dealGroups")}
    rows = [row for row in world.rows("dealStages") if row["group"] in alive]
    return [row["title"] for row in sorted(rows, key=lambda row: int(row["order"]))]


@pytest.mark.parametrize("orphans", [False, True], ids=["fresh", "orphans"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_the_default_stages_are_taken_over_or_removed(world: World, count: int, orphans: bool) -> None:
    """A new pipeline has exactly the declared stages, whatever the server made along with it (three, or six where it
    picked up orphans); each stage that came along and is needed costs one request.
    """
    if orphans:
        world.behave(orphan_stages=True, id_reuse=True)
        settled(world, {"pipelines": {"gone": {"title": "Gone", "currency": "eur"}}})
        settled(world, {})
        world.forget()
    settled(world, sales(STAGES[:count]))
    assert board(world) == STAGES[:count]
    made = [line for line in world.writes() if "/dealStages" in line]
    came = 6 if orphans else 3
    assert len(made) == max(count, came), made


def test_a_pipeline_without_stages_leaves_them_to_the_account(world: World) -> None:
    """Where `stages` is absent, nobody declares them: the three that came along stay."""
    settled(world, {"pipelines": {"sales": {"title": "Sales", "currency": "eur"}}})
    assert len(board(world)) == 3


def fewest(before: list[str], after: list[str]) -> int:
    """Return how many stages have to get another order: all but the longest run that keeps its order."""
    kept = [before.index(key) for key in after]
    longest = max(
        length
        for length in range(len(kept) + 1)
        if any(list(run) == sorted(run) for run in itertools.combinations(kept, length))
    )
    return len(kept) - longest


@pytest.mark.parametrize("seed", range(6))
def test_a_new_order_needs_the_fewest_writes(world: World, seed: int) -> None:
    """Only the stages outside a longest run in order are moved, where gaps leave room for them."""
    dice = random.Random(seed)
    settled(world, sales(STAGES))
    for number, row in enumerate(sorted(world.rows("dealStages"), key=lambda row: int(row["order"])), 1):
        row["order"] = str(number * 10)
    assert world.plan().empty
    after = dice.sample(STAGES, len(STAGES))
    world.forget()
    settled(world, sales(after))
    assert board(world) == after
    assert len(world.writes()) == fewest(STAGES, after)


def test_stages_come_go_and_move_in_one_apply(world: World) -> None:
    """A new stage in between, one less, another order: the board follows the file."""
    settled(world, sales(["s1", "s2", "s3"]))
    settled(world, sales(["s3", "s4", "s1"]))
    assert board(world) == ["s3", "s4", "s1"]
    settled(world, sales(["s0", "s3", "s4", "s1", "s2"]))
    assert board(world) == ["s0", "s3", "s4", "s1", "s2"]


def test_stages_that_were_reordered_by_hand_are_drift(world: World) -> None:
    """The order of the board is managed: a stage moved in the account goes back."""
    settled(world, sales(["s1", "s2", "s3"]))
    first, _, last = sorted(world.rows("dealStages"), key=lambda row: int(row["order"]))
    first["order"], last["order"] = last["order"], first["order"]
    plan = world.plan()
    assert plan.lines
    assert all(set(plan.origins(change.address).values()) == {"drift"} for change in plan.document.changes)
    settled(world, sales(["s1", "s2", "s3"]))
    assert board(world) == ["s1", "s2", "s3"]


def test_a_gap_or_an_offset_is_no_difference(world: World) -> None:
    """Only the relative order counts."""
    settled(world, sales(["s1", "s2", "s3"]))
    for row in world.rows("dealStages"):
        row["order"] = str(int(row["order"]) * 2 + 5)
    assert world.plan().empty


def test_stages_of_deleted_pipelines_are_ignored(world: World) -> None:
    """Rows that outlived their pipeline are neither matched nor deleted, also when the pipeline's id comes back."""
    world.behave(orphan_stages=True, side_load_stages=False)
    settled(world, sales(["s1", "s2"]))
    settled(world, {})
    assert world.rows("dealStages") == [] or world.rows("dealGroups") == []
    world.behave(id_reuse=True)
    settled(world, sales(["s1", "s2"]))
    assert board(world) == ["s1", "s2"]
    settled(world, sales(["s2", "s1", "s3"]))
    assert board(world) == ["s2", "s1", "s3"]


def test_deals_are_moved_before_their_stage_goes(world: World) -> None:
    """`move_deals_to` empties the stage first; no deal is lost."""
    config = sales(["s1", "s2"])
    config["pipelines"]["sales"]["stages"]["s2"]["lifecycle"] = {"on_destroy": {"move_deals_to": "s1"}}
    settled(world, config)
    stage = next(row for row in world.rows("dealStages") if row["title"] == "s2")
    world.account.seed({"deals": [{"title": "Big", "stage": stage["id"], "group": stage["group"], "value": 100}]})
    settled(world, sales(["s1"]))
    assert board(world) == ["s1"]
    assert [row["title"] for row in world.rows("deals")] == ["Big"]


def test_a_stage_that_got_the_id_of_one_that_went_is_no_other(world: World) -> None:
    """An account that was wiped gives out ids again: what was bound to one before, and cannot be planned, does not take
    it from the stage that a new pipeline has just been given.
    """
    both = {
        key: {"title": key, "currency": "eur", "stages": {"one": {"title": f"Of {key}"}}} for key in ("early", "late")
    }
    world.write({"pipelines": {"early": both["early"]}})
    world.apply()
    world.account.reset()
    world.write({"pipelines": {**both, "early": {**both["early"], "users": ["gone@acme.example"]}}})
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 5, ran.text
    assert "Failed" not in ran.text, ran.text
    assert board(world) == ["Of late"]
    bound = world.state().resources
    assert bound["stage.late.one"].id == bound["stage.early.one"].id

"""A number that was said yes to bounds the whole life of a plan: its runs that die, and those that go on with it."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.trust.test_counts import saved
from tests.world import Killed, World, new_world

BOARD = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages: {lead: {title: Lead}, talk: {title: Talk}, won: {title: Won}}
"""
EACH = 2
"""Deals in each stage when the plan is made: six, to which somebody says yes."""


def deals_in(world: World, count: int) -> None:
    """Let so many deals arrive in every stage that is there."""
    for stage in world.rows("dealStages"):
        rows = [{"title": "D", "group": stage["group"], "stage": stage["id"]} for _ in range(count)]
        world.account.seed({"deals": rows})


def run(world: World, path: Path) -> int:
    """Apply the plan; -9 for a run that is killed."""
    try:
        return world.cli("apply", str(path), "--auto-approve").code
    except Killed:
        return -9
    finally:
        world.revive()
        gc.collect()


def boundaries(tmp: Path) -> int:
    """How many requests the apply of the plan sends."""
    with new_world(tmp / "whole") as world:
        path = prepared(world)
        assert world.cli("apply", str(path)).code == 0
        return len(world.requests())


def prepared(world: World) -> Path:
    """A saved plan that destroys a pipeline with three stages, and a yes to the deals in it."""
    world.write(BOARD)
    world.apply()
    deals_in(world, EACH)
    world.write("{}")
    return saved(world)


@pytest.mark.parametrize("after", [pytest.param(False, marks=pytest.mark.prove), True])
def test_killed_runs_of_a_plan_lose_no_more_than_it_shows(tmp_path: Path, after: bool) -> None:
    """Killed anywhere, deals arrive, and the same plan again, twice: never more than six deals go in all."""
    last = boundaries(tmp_path)
    refused = 0
    for nth in range(1, last + 1):
        with new_world(tmp_path / f"{nth}") as world:
            path = prepared(world)
            world.kill(nth, after=after)
            assert run(world, path) == -9, nth
            arrived = len(world.rows("dealStages"))
            deals_in(world, 1)
            codes = [run(world, path)]
            arrived += len(world.rows("dealStages"))
            deals_in(world, 1)
            codes.append(run(world, path))
            lost = 3 * EACH + arrived - len(world.rows("deals"))
            assert lost <= 3 * EACH, f"killed at request {nth} of {last}: {lost} deals went, codes {codes}"
            refused += 7 in codes
    assert refused > 0

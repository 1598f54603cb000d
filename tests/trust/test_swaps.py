"""Names that change hands inside one plan: one object lets go first, for a name in between, and both are on record."""

from __future__ import annotations

import gc

import pytest

from tests.world import Killed, World

BEFORE = "fields: {a: {title: One, type: text, perstag: ONE}, b: {title: Two, type: text, perstag: TWO}}"
SWAPPED = "fields: {a: {title: Two, type: text, perstag: TWO}, b: {title: One, type: text, perstag: ONE}}"


def titles(world: World) -> dict[str, str]:
    """Title by address, as the account has it."""
    by_id = {row["id"]: row["title"] for row in world.rows("fields")}
    return {address: by_id[binding.id] for address, binding in world.state().resources.items()}


def test_two_unique_titles_are_swapped(world: World) -> None:
    """The account refuses two fields of one title, so one is parked: three writes, no delete, nothing left to do."""
    world.write(BEFORE)
    world.apply()
    ids = {address: binding.id for address, binding in world.state().resources.items()}
    world.write(SWAPPED)
    world.forget()
    world.apply()
    assert titles(world) == {"field.a": "Two", "field.b": "One"}
    assert {address: binding.id for address, binding in world.state().resources.items()} == ids
    assert [line.split(" ")[0] for line in world.writes()] == ["PUT", "PUT", "PUT"]
    assert world.plan().empty


def test_three_titles_go_round(world: World) -> None:
    """A circle of three takes one name in between."""
    world.write("tags: {a: {name: A}, b: {name: B}, c: {name: C}}")
    world.apply()
    world.write("tags: {a: {name: B}, b: {name: C}, c: {name: A}}")
    world.forget()
    world.apply()
    assert len(world.writes()) == 4
    assert sorted(row["tag"] for row in world.rows("tags")) == ["A", "B", "C"]
    assert world.plan().empty


def test_chain_needs_no_name_in_between(world: World) -> None:
    """Where a name becomes free by itself, its taker just waits."""
    world.write("tags: {a: {name: A}, b: {name: B}}")
    world.apply()
    world.write("tags: {a: {name: B}, b: {name: C}}")
    world.forget()
    world.apply()
    assert len(world.writes()) == 2
    assert world.plan().empty


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(1, 6))
def test_killed_swap_is_finished_by_the_next_run(world: World, nth: int, after: bool) -> None:
    """Wherever the program dies, the next run ends the swap with the same two objects."""
    world.write(BEFORE)
    world.apply()
    ids = {address: binding.id for address, binding in world.state().resources.items()}
    world.write(SWAPPED)
    world.kill(nth, after=after)
    with pytest.raises(Killed):
        world.apply()
    world.revive()
    gc.collect()
    world.apply()
    assert titles(world) == {"field.a": "Two", "field.b": "One"}
    assert {address: binding.id for address, binding in world.state().resources.items()} == ids
    assert len(world.rows("fields")) == 2
    assert world.plan().empty

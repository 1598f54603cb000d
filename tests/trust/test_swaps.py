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


SENDER = "sender_url: https://a.example, sender_reminder: R"
ENTRIES = {
    "tags": ("{name: First}", "{name: Second}"),
    "lists": (f"{{name: First, string_id: first, {SENDER}}}", f"{{name: Second, string_id: second, {SENDER}}}"),
    "fields": ("{title: First, type: text, lists: all}", "{title: Second, type: date, lists: all}"),
    "field_groups": ("{label: First, object: deal}", "{label: Second, object: deal}"),
    "deal_fields": ("{label: First, type: text}", "{label: Second, type: text}"),
    "account_fields": ("{label: First, type: text}", "{label: Second, type: date}"),
    "pipelines": (
        "{title: First, currency: usd, stages: {one: {}}}",
        "{title: Second, currency: eur, stages: {one: {}}}",
    ),
    "deal_roles": ("{title: First}", "{title: Second}"),
    "task_types": ("{title: First}", "{title: Second}"),
    "task_outcomes": ("{title: First, sentiment: Positive}", "{title: Second, sentiment: Negative}"),
    "saved_responses": ("{title: First, body: A}", "{title: Second, body: B}"),
    "personalizations": (
        "{tag: FIRST, name: First, content: A, format: text}",
        "{tag: SECOND, name: Second, content: B, format: text}",
    ),
    "user_groups": ("{name: First}", "{name: Second}"),
    "calendars": ("{title: First, type: All}", "{title: Second, type: Deals}"),
    "custom_objects": (
        "{slug: first, labels: {singular: F, plural: Fs}}",
        "{slug: second, labels: {singular: S, plural: Ss}}",
    ),
}


@pytest.mark.parametrize("section", ENTRIES)
def test_keys_that_are_swapped_are_swapped_back_by_an_undo(world: World, section: str) -> None:
    """Only addresses change, in the state and back; the plans after the swap, after it once more, and after the undo
    are empty, and nothing is written to the account.
    """
    first, second = ENTRIES[section]
    kind = section.removesuffix("s")
    before = f"{section}: {{a: {first}, b: {second}}}\n"
    world.write(before)
    world.apply()
    ids = {address: binding.id for address, binding in world.state().resources.items()}
    moves = f"moved: [{{from: {kind}.a, to: {kind}.b}}, {{from: {kind}.b, to: {kind}.a}}]\n"
    world.write(f"{section}: {{a: {second}, b: {first}}}\n{moves}")
    world.forget()
    for _ in range(2):
        ran = world.cli("apply", "--auto-approve")
        assert ran.code == 0, ran.text
        found = {address: binding.id for address, binding in world.state().resources.items()}
        assert (found[f"{kind}.a"], found[f"{kind}.b"]) == (ids[f"{kind}.b"], ids[f"{kind}.a"])
        assert world.plan().empty
    ran = world.cli("undo", "--auto-approve")
    assert ran.code == 0, ran.text
    assert {address: binding.id for address, binding in world.state().resources.items()} == ids
    world.write(before)
    assert world.plan().empty
    assert not world.writes()


def test_names_that_change_hands_are_no_near_twins(world: World) -> None:
    """Whoever has the name now has another one afterwards."""
    world.write("tags: {a: {name: A}, b: {name: B}}")
    world.apply()
    world.write("tags: {a: {name: B}, b: {name: A}}")
    assert not world.plan().document.warnings
    world.write("tags: {a: {name: B}, b: {name: C}, c: {name: A}}")
    assert not world.plan().document.warnings
    world.write("tags: {a: {name: B}, b: {name: C}, c: {name: b}}")
    assert "beside tag" in str(world.plan().document.warnings)

"""The order of stages, changed by hand on the board: drift tells it, a revert brings back that of the files, and an
export or an absorption writes that of the account into the files.
"""

from __future__ import annotations

import pytest
import yaml

from tests.world import World

KEYS = ("a", "b", "c")
ORDERS = [("b", "a", "c"), ("c", "a", "b")]


def adopt(world: World) -> None:
    """Export a board with these stages."""
    stages = [{"id": str(number), "title": key} for number, key in enumerate(KEYS, 1)]
    world.account.seed({"dealGroups": [{"id": "31", "title": "Sales", "currency": "usd", "stages": stages}]})
    assert world.cli("export").code == 0
    assert world.cli("drift", "--detailed-exitcode").code == 0


def apply(world: World, name: str = "config/main.yaml") -> None:
    """Apply a board with these stages, with a comment above each."""
    stages = "".join(f"      # about {key}\n      {key}: {{title: {key}}}\n" for key in KEYS)
    world.write(f"pipelines:\n  sales:\n    title: Sales\n    currency: usd\n    stages:\n{stages}", name)
    world.apply()
    assert world.cli("drift", "--detailed-exitcode").code == 0


def reorder(world: World, order: tuple[str, ...]) -> None:
    """Put the stages into another order on the board."""
    for row in world.rows("dealStages"):
        if row["title"] in order:
            world.account.rows.put("dealStages", row["id"], {**row, "order": str(1 + order.index(row["title"]))})


def board(world: World) -> list[str]:
    """Return the titles of the stages in their order."""
    return [row["title"] for row in sorted(world.rows("dealStages"), key=lambda row: int(row["order"]))]


def declared(world: World) -> list[str]:
    """Return the keys of the stages in the order of the files."""
    for path in sorted((world.folder / "config").glob("*.yaml")):
        found = (yaml.safe_load(path.read_text("utf-8")) or {}).get("pipelines")
        if found:
            return list(found["sales"]["stages"])
    return []


@pytest.mark.parametrize("adopted", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_another_order_of_the_stages_drifts_and_is_reverted(
    world: World, order: tuple[str, ...], adopted: bool
) -> None:
    """Whether the files came from an export or were applied."""
    (adopt if adopted else apply)(world)
    reorder(world, order)
    told = world.cli("drift", "--detailed-exitcode")
    assert told.code == 2, told.text
    assert "moved from place" in told.out
    back = world.cli("drift", "--revert", "--out", "back.plan")
    assert back.code in (0, 2), back.text
    assert world.cli("apply", "back.plan", "--auto-approve").code == 0
    assert board(world) == list(KEYS)
    assert world.cli("drift", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("adopted", [True, False])
@pytest.mark.parametrize("command", [("export",), ("drift", "--absorb")])
@pytest.mark.parametrize("order", ORDERS)
def test_another_order_of_the_stages_is_written_into_the_files(
    world: World, order: tuple[str, ...], command: tuple[str, ...], adopted: bool
) -> None:
    """Each entry with its comments; nothing is planned and nothing drifts afterwards."""
    (adopt if adopted else apply)(world)
    reorder(world, order)
    ran = world.cli(*command)
    assert ran.code == 0, ran.text
    assert declared(world) == list(order)
    for options in (("plan",), ("drift",)):
        after = world.cli(*options, "--detailed-exitcode")
        assert after.code == 0, after.text
    if not adopted:
        text = (world.folder / "config/main.yaml").read_text("utf-8")
        assert [line.strip() for line in text.split("\n")[5:-1:2]] == [f"# about {key}" for key in order]


@pytest.mark.parametrize("command", [("export",), ("drift", "--absorb")])
def test_an_order_that_has_no_safe_place_is_left_and_named(world: World, command: tuple[str, ...]) -> None:
    """A map over several lines in braces: the files stay as they are, and it goes on being drift."""
    stages = ",\n      ".join(f"{key}: {{title: {key}}}" for key in KEYS)
    text = f"pipelines:\n  sales:\n    title: Sales\n    currency: usd\n    stages: {{\n      {stages}}}\n"
    world.write(text)
    world.apply()
    reorder(world, ("c", "a", "b"))
    ran = world.cli(*command)
    assert ran.code in (0, 5), ran.text
    assert "put them in this order manually: c, a, b" in " ".join(ran.text.split())
    assert declared(world) == list(KEYS)
    assert world.cli("drift", "--detailed-exitcode").code == 2


def test_an_order_that_both_sides_changed_is_decided_in_the_file(world: World) -> None:
    """An absorption does not choose between the file's new order and the account's; equal ones are settled."""
    apply(world)
    reorder(world, ("c", "a", "b"))
    text = (world.folder / "config/main.yaml").read_text("utf-8")
    lines = text.split("\n")
    world.write("\n".join([*lines[:5], *lines[7:9], *lines[5:7], *lines[9:]]))
    assert declared(world) == ["b", "a", "c"]
    ran = world.cli("drift", "--absorb")
    assert "pipeline.sales.stages" in ran.text
    assert "was changed in the file, too" in " ".join(ran.text.split())
    assert declared(world) == ["b", "a", "c"]
    world.write("\n".join([*lines[:5], *lines[9:11], *lines[5:9], *lines[11:]]))
    assert declared(world) == ["c", "a", "b"]
    assert world.cli("drift", "--absorb").code == 0
    assert world.cli("drift", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("order", [("n", "a", "b", "c"), ("a", "n", "c", "b")])
def test_a_new_stage_is_exported_at_its_place(world: World, order: tuple[str, ...]) -> None:
    """Between those that it stands between on the board."""
    apply(world)
    world.account.seed({"dealStages": [{"title": "n", "group": world.rows("dealGroups")[0]["id"], "order": "9"}]})
    reorder(world, order)
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    assert declared(world) == list(order)
    for options in (("plan",), ("drift",)):
        after = world.cli(*options, "--detailed-exitcode")
        assert after.code == 0, after.text


def test_a_place_is_which_one_it_is_on_the_board(world: World) -> None:
    """The number that the account keeps has gaps, and nobody counts by it; a stage that nobody manages stands there."""
    apply(world)
    group = world.rows("dealGroups")[0]["id"]
    world.account.seed({"dealStages": [{"title": "by hand", "group": group, "order": "25"}]})
    for row, order in zip(world.rows("dealStages"), ("10", "20", "30"), strict=False):
        world.account.rows.put("dealStages", row["id"], {**row, "order": order})
    assert world.plan().empty
    text = (world.folder / "config/main.yaml").read_text("utf-8")
    lines = text.split("\n")
    world.write("\n".join([*lines[:5], *lines[9:11], *lines[5:9], *lines[11:]]))
    plan = world.plan()
    (item,) = plan.change("stage.sales.c").attributes
    assert (item.before, item.after, item.places) == (30, 1, (4, 1))
    shown = world.cli("plan")
    assert "moved from place 4 to 1" in shown.out, shown.text


def test_numbers_that_changed_without_the_order_are_remembered(world: World) -> None:
    """Somebody numbers the stages anew, an apply moves one: the next order by hand is drift, and no other is."""
    apply(world)
    for row, order in zip(world.rows("dealStages"), ("10", "20", "30"), strict=True):
        world.account.rows.put("dealStages", row["id"], {**row, "order": order})
    lines = (world.folder / "config/main.yaml").read_text("utf-8").split("\n")
    world.write("\n".join([*lines[:5], *lines[9:11], *lines[5:9], *lines[11:]]))
    world.apply()
    assert board(world) == ["c", "a", "b"]
    assert world.cli("drift", "--detailed-exitcode").code == 0
    for moved in (("a", "c", "b"), ("b", "c", "a")):
        reorder(world, moved)
        told = world.cli("drift", "--detailed-exitcode")
        assert told.code == 2, told.text
    assert world.cli("drift", "--absorb").code == 0
    assert declared(world) == ["b", "c", "a"]
    assert world.cli("drift", "--detailed-exitcode").code == 0

"""The order of stages, changed by hand on the board: drift tells it, and a revert brings back that of the files."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.world import World

KEYS = ("a", "b", "c")


@pytest.mark.parametrize("adopted", [True, False])
@pytest.mark.parametrize("order", list(permutations(KEYS))[1:])
def test_another_order_of_the_stages_drifts_and_is_reverted(
    world: World, order: tuple[str, ...], adopted: bool
) -> None:
    """Whether the files came from an export or were applied."""
    if adopted:
        stages = [{"id": str(number), "title": key} for number, key in enumerate(KEYS, 1)]
        world.account.seed({"dealGroups": [{"id": "31", "title": "Sales", "currency": "usd", "stages": stages}]})
        assert world.cli("export").code == 0
    else:
        stages_by_key = {key: {"title": key} for key in KEYS}
        world.write({"pipelines": {"sales": {"title": "Sales", "currency": "usd", "stages": stages_by_key}}})
        world.apply()
    assert world.cli("drift", "--detailed-exitcode").code == 0
    for row in world.rows("dealStages"):
        world.account.rows.put("dealStages", row["id"], {**row, "order": str(1 + order.index(row["title"]))})
    told = world.cli("drift", "--detailed-exitcode")
    assert told.code == 2, told.text
    assert "stage.sales." in told.text
    assert "another place among its siblings (`order`) than the file" in " ".join(world.cli("export").text.split())
    assert world.cli("drift", "--detailed-exitcode").code == 2, "an export that left the file's order hides no drift"
    back = world.cli("drift", "--revert", "--out", "back.plan")
    assert back.code in (0, 2), back.text
    assert world.cli("apply", "back.plan", "--auto-approve").code == 0
    held = sorted(world.rows("dealStages"), key=lambda row: int(row["order"]))
    assert [row["title"] for row in held] == list(KEYS)
    assert world.cli("drift", "--detailed-exitcode").code == 0

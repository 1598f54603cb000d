"""The ledger of `coverage`: managed, deliberately ignored, or neither."""

from __future__ import annotations

import json

from tests.world import World
from tests.world.project import PROJECT

IGNORE = PROJECT + "ignore:\n  - {kind: tag, key: 'import *', reason: made by the shop, expires: '%s'}\n"
for _kind in ("deal_role", "task_type", "setting"):
    IGNORE += f"  - {{kind: {_kind}, reason: came with the account}}\n"


def _account(world: World) -> None:
    """One managed tag; two of the shop and one stray beside it."""
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    for number, name in enumerate(("import 1", "import 2", "stray"), 100):
        row = {"id": str(number), "tag": name, "tagType": "contact", "description": ""}
        world.account.rows.put("tags", str(number), row)


def test_every_object_is_managed_ignored_or_named(world: World) -> None:
    """Percent counts managed and ignored; what is neither is named with its id."""
    _account(world)
    world.write(IGNORE % "2030-01-01", "reconciler.yaml")
    ran = world.cli("coverage", "--format", "json")
    assert ran.code == 0, ran.text
    [row] = [row for row in json.loads(ran.out) if row["kind"] == "tag"]
    assert (row["managed"], row["ignored"], row["unmanaged"], row["percent"]) == (1, 2, 1, 75.0)
    assert row["objects"] == [{"address": "tag.stray", "id": "102"}]
    assert "Not managed: tag.stray." in world.cli("coverage").out


def test_a_minimum_fails_below_and_passes_at_it(world: World) -> None:
    """`--min` is a guard: exit code 7 below it."""
    _account(world)
    world.write(IGNORE % "2030-01-01", "reconciler.yaml")
    share = float(world.cli("coverage").out.splitlines()[-1].partition(" ")[0])
    assert 75 < share < 100
    assert world.cli("coverage", "--min", str(share + 0.1)).code == 7
    assert world.cli("coverage", "--min", str(share - 0.1)).code == 0


def test_an_expired_rule_is_an_error_with_its_place(world: World) -> None:
    """Exit code 3, `reconciler.yaml:line`, and the reason that has to be decided again."""
    _account(world)
    world.write(IGNORE % "2020-01-01", "reconciler.yaml")
    ran = world.cli("coverage")
    assert ran.code == 3, ran.text
    assert "reconciler.yaml:7:" in ran.text
    assert "expired on 2020-01-01" in ran.text
    assert "made by the shop" in ran.text


def test_a_rule_about_no_kind_is_an_error(world: World) -> None:
    """A misspelt kind would ignore nothing in silence."""
    world.write(PROJECT + "ignore: [{kind: tags, reason: x}]\n", "reconciler.yaml")
    world.write("tags: {}")
    ran = world.cli("coverage")
    assert ran.code == 3, ran.text
    assert "did you mean `tag`?" in ran.text


def test_what_cannot_be_read_is_not_counted(world: World) -> None:
    """A forbidden kind is neither covered nor uncovered: exit code 4 says that the figure lacks it."""
    _account(world)
    world.behave(forbidden=("lists",))
    ran = world.cli("coverage")
    assert ran.code == 4, ran.text
    assert "Not counted, list" in ran.text

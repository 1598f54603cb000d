"""A field in several field groups (row 57 of section 7): no membership is lost, and none is made twice."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.world import World

KINDS = {
    "fields": ("fields", {"title": "Size", "type": "text"}, 1),
    "deal_fields": ("dealCustomFieldMeta", {"fieldLabel": "Size", "fieldType": "text"}, 2),
    "account_fields": ("accountCustomFieldMeta", {"fieldLabel": "Size", "fieldType": "text"}, 3),
}


def _account(world: World, section: str) -> dict[str, int]:
    """Two groups of the kind, and a field that is in both; returns the ids of the groups by label."""
    path, row, kind = KINDS[section]
    world.account.seed({
        "groupDefinitions": [{"id": i, "label": label, "type_id": kind} for i, label in (("7", "One"), ("8", "Two"))],
        path: [{**row, "id": "5"}],
        "groupMembers": [{"group_id": 7, "rel_id": 5, "ordernum": 1}, {"group_id": 8, "rel_id": 5, "ordernum": 1}],
    })  # fmt: skip
    return {"one": 7, "two": 8}


def _members(world: World) -> list[tuple[int, int]]:
    return sorted((row["group_id"], row["rel_id"]) for row in world.rows("groupMembers"))


def _without_lists(world: World) -> None:
    """Take out of the files what the export wrote of memberships."""
    path = world.folder / "config/field_groups.yaml"
    groups = yaml.safe_load(path.read_text("utf-8"))
    for group in groups["field_groups"].values():
        assert group.pop("fields") == ["size"]
    world.write(groups, "config/field_groups.yaml")


@pytest.mark.parametrize("section", KINDS)
@pytest.mark.parametrize("group", ["one", "two"])
def test_declaring_either_group_holds(world: World, section: str, group: str) -> None:
    """The other membership stays as it is, and drift sees none."""
    _account(world, section)
    assert world.cli("export").code == 0
    before = _members(world)
    _without_lists(world)
    name = "title" if section == "fields" else "label"
    own: dict[str, Any] = {name: "Size", "type": "text", "group": group}
    world.write({section: {"size": own}}, f"config/{section}.yaml")
    world.apply()
    assert _members(world) == before
    assert world.plan().empty
    assert world.cli("drift", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("section", KINDS)
def test_no_group_means_none_of_them(world: World, section: str) -> None:
    """`group: null` takes the field out of every group."""
    _account(world, section)
    assert world.cli("export").code == 0
    _without_lists(world)
    name = "title" if section == "fields" else "label"
    world.write({section: {"size": {name: "Size", "type": "text", "group": None}}}, f"config/{section}.yaml")
    world.apply()
    assert _members(world) == []
    assert world.plan().empty


NUMBERS: dict[str, list[object]] = {
    "texts": ["3", "1", "10"],
    "ties": [5, 5, 5],
    "null": [None, None, None],
    "partly null": [5, None, 2],
    "missing": ["-", "-", "-"],
    "zero and below": [0, -3, 1],
}


@pytest.mark.parametrize("numbers", NUMBERS)
def test_orders_of_any_form_export_to_an_empty_plan_and_can_be_changed(world: World, numbers: str) -> None:
    """Texts, ties, no number at all: what is exported holds; the reverse takes one apply, and nobody is lost."""
    fields = [{"id": str(one), "title": f"F{one}", "type": "text"} for one in (11, 12, 13)]
    world.account.seed({"groupDefinitions": [{"id": "7", "label": "One", "type_id": 1}], "fields": fields})
    world.account.seed({"groupMembers": [{"group_id": 7, "rel_id": one} for one in (11, 12, 13)]})
    for row, number in zip(world.rows("groupMembers"), NUMBERS[numbers], strict=True):
        if number == "-":
            del row["ordernum"]
        else:
            row["ordernum"] = number
    assert world.cli("export").code == 0
    assert world.plan().empty
    path = world.folder / "config/field_groups.yaml"
    groups = yaml.safe_load(path.read_text("utf-8"))
    groups["field_groups"]["one"]["fields"].reverse()
    world.write(groups, "config/field_groups.yaml")
    world.apply()
    assert world.plan().empty
    assert sorted(row["rel_id"] for row in world.rows("groupMembers")) == [11, 12, 13]


def test_members_of_gone_fields_and_doubled_ones(world: World) -> None:
    """A row of a field that is gone is left out with a note, and left alone; what is there twice moves to one row."""
    world.account.seed({
        "groupDefinitions": [{"id": "7", "label": "One", "type_id": 1}],
        "fields": [{"id": str(one), "title": f"F{one}", "type": "text"} for one in (11, 12)],
        "groupMembers": [
            {"group_id": 7, "rel_id": one, "ordernum": number} for number, one in enumerate((11, 99, 11, 12), 1)
        ],
    })  # fmt: skip
    ran = world.cli("export")
    assert (ran.code, "field[id=99] too" in ran.text) == (0, True), ran.text
    assert world.plan().empty
    groups = {"field_groups": {"one": {"label": "One", "object": "contact", "fields": ["f12", "f11"]}}}
    world.write(groups, "config/field_groups.yaml")
    world.apply()
    assert world.plan().empty
    assert sorted(row["rel_id"] for row in world.rows("groupMembers")) == [11, 12, 99]


def test_members_on_several_pages(world: World) -> None:
    """A group of more members than fit a page, from an account that ignores the filter by group too."""
    count = 103
    fields = {f"f{number}": {"title": f"F{number}", "type": "text"} for number in range(count)}
    world.account.seed({
        "groupDefinitions": [{"id": "7", "label": "One", "type_id": 1}],
        "fields": [{"id": str(n + 1), "title": f"F{n}", "type": "text"} for n in range(count)],
        "groupMembers": [{"group_id": 7, "rel_id": n + 1, "ordernum": n + 1} for n in range(count)],
    })  # fmt: skip
    group = {"label": "One", "object": "contact", "fields": list(fields)}
    world.write({"field_groups": {"one": group}, "fields": fields})
    assert not [line for line in world.plan().lines if "(fields)" in line or "(group)" in line]
    world.apply()
    assert world.plan().empty
    assert not [line for line in world.writes() if "groupMembers" in line]


def test_stages_of_one_order_plan_empty(world: World) -> None:
    """Orders may be tied (section 2.8): an export of them holds, and nothing is written."""
    stages = [{"title": title, "order": "1"} for title in ("C", "A", "B")]
    world.account.seed({"dealGroups": [{"title": "Sales", "currency": "eur", "stages": stages}]})
    assert world.cli("export").code == 0
    assert world.plan().empty
    assert {row["order"] for row in world.rows("dealStages")} == {"1"}

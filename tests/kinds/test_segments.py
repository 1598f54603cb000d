"""Segments: conditions name objects, and every account has its own ids for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.world import World, new_world

SEGMENT = """
    tags: {vip: {name: VIP}, old: {name: Old}}
    segments:
      loyal:
        name: Loyal
        description: Those that stay
        match: any
        groups:
          - match: all
            conditions:
              - object: tag
                fields: [{name: tagid, value: {ref: tag.vip}}]
              - object: tag
                fields: [{name: tagid, operator: "!=", value: {ref: tag.old}}]
          - conditions:
              - object: contact
                fields: [{name: email, operator: contains, value: acme}]
"""


def _segment(world: World) -> dict[str, Any]:
    identity = world.state().resources["segment.loyal"].id
    attributes: dict[str, Any] = world.call("GET", f"/segmentsV2/{identity}")["data"][0]["attributes"]
    return attributes


def _tag(world: World, key: str) -> str:
    return world.state().resources[f"tag.{key}"].id


def test_conditions_are_sent_with_the_ids_of_the_account(world: World) -> None:
    """Groups name numbered conditions, a reference became the id of its tag, and the plan after it is empty."""
    world.write(SEGMENT)
    world.apply()
    assert world.plan().empty
    sent = _segment(world)
    assert sent["segment_condition_group_operator"] == "or"
    values = [one["fields"][0]["value"] for one in sent["segment_conditions"]]
    assert values == [_tag(world, "vip"), _tag(world, "old"), "acme"]
    assert [[member["id"] for member in group["values"]] for group in sent["segment_condition_groups"]] == [
        ["1", "2"],
        ["3"],
    ]


def test_each_part_of_a_segment_can_be_changed(world: World) -> None:
    """Description, operators and values change in place; what is left alone stays as it is."""
    world.write(SEGMENT)
    world.apply()
    for old, new, name in (
        ("Those that stay", "Those that we like", "description"),
        ("match: any", "match: all", "match"),
        ("ref: tag.old", "ref: tag.vip", "groups"),
        ("value: acme", "value: acme.example", "groups"),
    ):
        world.write(SEGMENT.replace(old, new, 1))
        assert world.plan().lines == [f"update segment.loyal ({name})"]
        world.apply()
        assert world.plan().empty
        world.write(SEGMENT)
        world.apply()
    assert _segment(world)["description"] == "Those that stay"


def test_a_segment_is_renamed_by_hand(world: World) -> None:
    """The API cannot change the name in an update [SEG]: a manual step, closed once the account shows the new name."""
    world.write(SEGMENT)
    world.apply()
    world.write(SEGMENT.replace("name: Loyal", "name: Very loyal"))
    planned = world.plan()
    assert planned.lines == ["manual segment.loyal (name)"]
    assert planned.document.steps == []
    assert "plans ask for this until it is done" in planned.change("segment.loyal").manual["name"]


def test_an_export_names_the_objects_again(world: World, tmp_path: Path) -> None:
    """Ids become references, so that the same text makes the same segment in an account with other ids."""
    world.write(SEGMENT)
    world.apply()
    out = tmp_path / "copy"
    world.export(out)
    text = (out / "config/segments.yaml").read_text("utf-8")
    assert "ref: tag.vip" in text
    assert world.plan(out).empty
    with new_world(tmp_path / "other") as other:
        other.write("tags: {one: {}, two: {}, three: {}}")
        other.apply()
        for name in ("tags", "segments"):
            other.write((out / f"config/{name}.yaml").read_text("utf-8"), f"config/{name}.yaml")
        other.apply()
        assert other.plan().empty
        assert (
            _segment(other)["segment_conditions"][0]["fields"][0]["value"] == _tag(other, "vip") != _tag(world, "vip")
        )


def test_a_look_up_finds_what_nobody_declares(world: World) -> None:
    """Automations cannot be declared; a condition can name one that exists, and one that does not is a problem."""
    world.account.rows.put("automations", "77", {"id": "77", "name": "Welcome series", "status": "1"})
    world.write(
        """
        segments:
          inside:
            groups:
              - conditions:
                  - object: automation
                    fields: [{name: seriesid, value: {look_up: automation, name: Welcome series}}]
        """
    )
    world.apply()
    assert world.plan().empty
    assert world.account.log[-1]["path"]
    ran = world.write(
        "segments: {x: {groups: [{conditions: [{object: tag, fields: [{name: tagid, value: {ref: tag.nix}}]}]}]}}"
    )
    assert ran.exists()
    assert "no tag `nix` is declared" in world.cli("validate").text
    world.write(
        "segments: {x: {groups: [{conditions: [{object: a, fields: [{name: seriesid, "
        "value: {look_up: automation, name: Nix}}]}]}]}}"
    )
    assert "the account has no automation with name `Nix`" in world.cli("plan").text

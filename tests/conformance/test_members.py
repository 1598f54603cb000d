"""Members of field groups: declared as an ordered list, or by each field; one fact, said in one place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.steps import settled
from tests.world import World

TYPES = {
    "fields": ("contact", "title", 1),
    "deal_fields": ("deal", "label", 2),
    "account_fields": ("account", "label", 3),
}
SECTIONS = pytest.mark.parametrize("section", TYPES)
KEYS = ("a", "b", "c", "d")


def declared(section: str, fields: list[str] | None, *, keys: tuple[str, ...] = KEYS, **more: Any) -> dict[str, Any]:
    """Return a configuration of four fields and a group with these members; `more` are attributes by field."""
    owner, label, _ = TYPES[section]
    group: dict[str, Any] = {"label": "Shop", "object": owner}
    if fields is not None:
        group["fields"] = fields
    made = {key: {label: f"The {key}", "type": "text", **more.get(key, {})} for key in keys}
    return {"field_groups": {"shop": group, **more.get("groups", {})}, section: made}


def names(world: World, section: str) -> dict[int, str]:
    """Return the keys of the fields by id."""
    kind = section[:-1]
    return {
        int(one.id): address.partition(".")[2] for address, one in world.state().resources.items() if one.kind == kind
    }


def rows(world: World, group: str = "shop") -> list[dict[str, Any]]:
    """Return the members of a group as the account shows them."""
    identity = int(world.state().resources[f"field_group.{group}"].id)
    found = world.rows("groupMembers", group_id=identity)
    return sorted(found, key=lambda row: (int(row["ordernum"]), int(row["id"])))


def members(world: World, section: str, group: str = "shop") -> list[str]:
    """Return the keys of a group's members in their order."""
    known = names(world, section)
    return [known.get(row["rel_id"], str(row["rel_id"])) for row in rows(world, group)]


@SECTIONS
def test_members_stand_as_they_are_listed(world: World, section: str) -> None:
    """On create, on a new order, on one that comes and one that goes; nothing is in the group twice."""
    settled(world, declared(section, ["c", "a", "b"]))
    assert members(world, section) == ["c", "a", "b"]
    settled(world, declared(section, ["a", "b", "c"]))
    assert members(world, section) == ["a", "b", "c"]
    settled(world, declared(section, ["d", "c", "b"]))
    assert members(world, section) == ["d", "c", "b"]


@SECTIONS
def test_a_new_order_needs_the_fewest_writes(world: World, section: str) -> None:
    """Whoever is in a longest run in order is not written."""
    settled(world, declared(section, ["a", "b", "c", "d"]))
    for number, row in enumerate(rows(world), 1):
        row["ordernum"] = number * 10
    world.forget()
    settled(world, declared(section, ["d", "a", "b", "c"]))
    assert len(world.writes()) == 1
    assert members(world, section) == ["d", "a", "b", "c"]


@SECTIONS
def test_what_is_done_by_hand_is_drift_where_it_is_declared(world: World, section: str) -> None:
    """Another order, one that was taken out; another field that joined is nobody's business."""
    settled(world, declared(section, ["a", "b", "c"]))
    first, _, last = rows(world)
    first["ordernum"], last["ordernum"] = last["ordernum"], first["ordernum"]
    assert world.cli("drift", "--detailed-exitcode").code == 2
    assert world.plan().origins("field_group.shop") == {"fields": "drift"}
    world.apply()
    assert members(world, section) == ["a", "b", "c"]
    gone = rows(world)[1]
    world.account.rows.remove("groupMembers", gone["id"])
    assert world.plan().origins("field_group.shop") == {"fields": "drift"}
    world.apply()
    assert members(world, section) == ["a", "b", "c"]
    stranger = next(identity for identity, key in names(world, section).items() if key == "d")
    group = rows(world)[0]["group_id"]
    world.account.seed({"groupMembers": [{"group_id": group, "rel_id": stranger, "ordernum": 2}]})
    before = sorted(members(world, section))
    assert world.plan().empty
    assert world.cli("drift", "--detailed-exitcode").code == 0
    settled(world, declared(section, ["c", "b", "a"]))
    assert sorted(members(world, section)) == before
    assert [key for key in members(world, section) if key != "d"] == ["c", "b", "a"]


@SECTIONS
def test_a_list_satisfies_the_floor(world: World, section: str) -> None:
    """A field that a list names is in no other group; where nothing names it, the default group is its floor."""
    settled(world, declared(section, ["a", "b"]))
    known = {int(one.id): key for key, one in world.state().resources.items()}
    default = [known[row["rel_id"]] for row in world.rows("groupMembers", group_id=TYPES[section][2])]
    assert [one for one in default if one] == (
        [] if section == "fields" else [f"{section[:-1]}.c", f"{section[:-1]}.d"]
    )


@SECTIONS
def test_who_is_dropped_from_a_list_leaves(world: World, section: str) -> None:
    """The plan names it; a contact field is in no group then, others get the default group in the same plan."""
    settled(world, declared(section, ["a", "b", "c"]))
    world.write(declared(section, ["a", "c"]))
    planned = world.plan()
    assert "update field_group.shop (fields)" in planned.lines
    hidden = [one for change in planned.document.changes for one in change.impacts if one.effect == "hidden"]
    assert [one.objects for one in hidden] == ([["field.b"]] if section == "fields" else [])
    settled(world, declared(section, ["a", "c"]))
    assert members(world, section) == ["a", "c"]
    held = [row["group_id"] for row in world.rows("groupMembers") if names(world, section).get(row["rel_id"]) == "b"]
    assert held == ([] if section == "fields" else [TYPES[section][2]])


@SECTIONS
def test_from_list_to_short_form_and_back_without_a_write(world: World, section: str) -> None:
    """The same fact said in the other place changes nothing in the account."""
    settled(world, declared(section, ["a", "b"]))
    before = [(row["id"], row["rel_id"], row["ordernum"]) for row in rows(world)]
    world.forget()
    settled(world, declared(section, ["a"], b={"group": "shop"}))
    settled(world, declared(section, None, a={"group": "shop"}, b={"group": "shop"}))
    settled(world, declared(section, ["a", "b"]))
    assert world.writes() == []
    assert [(row["id"], row["rel_id"], row["ordernum"]) for row in rows(world)] == before


@SECTIONS
def test_from_a_list_into_another_group(world: World, section: str) -> None:
    """By the list of the other one, or by the field itself: never in neither, never twice."""
    owner = TYPES[section][0]
    other = {"other": {"label": "Other", "object": owner, "fields": ["c"]}}
    settled(world, declared(section, ["a", "b"], groups=other))
    settled(world, declared(section, ["b"], groups={"other": {**other["other"], "fields": ["a", "c"]}}))
    assert (members(world, section), members(world, section, "other")) == (["b"], ["a", "c"])
    settled(
        world, declared(section, [], groups={"other": {**other["other"], "fields": ["a", "c"]}}, b={"group": "other"})
    )
    assert members(world, section) == []
    assert sorted(members(world, section, "other")) == ["a", "b", "c"]


@SECTIONS
@pytest.mark.parametrize("memberships", ["many", "one"])
def test_who_moves_is_moved_by_one_write(world: World, section: str, memberships: str) -> None:
    """From one list into another, to the default group, by the field itself: the row goes along, nobody is lost."""
    world.behave(field_memberships=memberships)
    owner = TYPES[section][0]
    two = declared(section, ["a", "b", "c"], groups={"other": {"label": "Other", "object": owner, "fields": ["d"]}})
    settled(world, two)
    world.forget()
    settled(
        world, declared(section, ["b", "c"], groups={"other": {**two["field_groups"]["other"], "fields": ["d", "a"]}})
    )
    assert (members(world, section), members(world, section, "other")) == (["b", "c"], ["d", "a"])
    assert [line.partition(" ")[0] for line in world.writes()] == ["PUT"]
    world.forget()
    settled(
        world, declared(section, ["c"], groups={"other": {"label": "Other", "object": owner}}, b={"group": "other"})
    )
    assert [line.partition(" ")[0] for line in world.writes()] == ["PUT"]
    world.forget()
    settled(world, declared(section, [], groups={"other": {"label": "Other", "object": owner}}))
    assert [line.partition(" ")[0] for line in world.writes()] == ["DELETE" if section == "fields" else "PUT"]


@SECTIONS
def test_a_field_in_two_groups_by_both_lists(world: World, section: str) -> None:
    """Two lists declare two memberships; export writes both, and what it writes plans empty. The other reading is tried
    in `test_readings`.
    """
    world.behave(field_memberships="many")
    world.behave(field_memberships="many")
    other = {"other": {"label": "Other", "object": TYPES[section][0], "fields": ["b", "a"]}}
    settled(world, declared(section, ["a", "b"], groups=other))
    assert (members(world, section), members(world, section, "other")) == (["a", "b"], ["b", "a"])
    (world.folder / "config/main.yaml").unlink()
    (world.folder / "state/demo.json").unlink(missing_ok=True)
    assert world.cli("export").code == 0
    text = (world.folder / "config/field_groups.yaml").read_text("utf-8")
    assert text.count("fields:") == (2 if section == "fields" else 3)  # the others are in the default group
    assert "group:" not in (world.folder / f"config/{section}.yaml").read_text("utf-8")
    assert world.plan().empty
    assert world.cli("fmt", "--check", "config/field_groups.yaml", f"config/{section}.yaml").code == 0


@SECTIONS
def test_both_places_for_one_field_is_an_error_of_the_files(world: World, section: str) -> None:
    """With the place of the list's entry, and that of the other in the hint."""
    world.write(declared(section, ["a", "b"], a={"group": "shop"}, b={"group": None}))
    ran = world.cli("validate")
    assert ran.code == 3
    assert ran.err.count("says its `group` itself") + ran.out.count("says its `group` itself") == 2, ran.text


@SECTIONS
def test_a_listed_field_can_be_replaced_renamed_or_deleted_with_its_entry(world: World, section: str) -> None:
    """The field of a new type joins at its place; one that goes takes its entry along, whoever takes its name."""
    label = TYPES[section][1]
    settled(world, declared(section, ["a", "b", "c"]))
    settled(world, declared(section, ["a", "b", "c"], b={"type": "textarea"}))
    assert members(world, section) == ["a", "b", "c"]
    settled(
        world, declared(section, ["a", "x", "c"], keys=("a", "c", "d", "x"), x={label: "The b", "type": "textarea"})
    )
    assert members(world, section) == ["a", "x", "c"]
    settled(world, declared(section, ["c"], keys=("c", "d")))
    assert members(world, section) == ["c"]
    settled(world, {})
    assert [row for row in world.rows("groupMembers") if row["group_id"] > 3] == []


def test_nobody_joins_a_group_whose_members_cannot_be_read(world: World) -> None:
    """A listing that is refused is unknown, never empty: what was applied holds, and a change is refused."""
    settled(world, declared("fields", ["a", "b"]))
    world.fault("fail_before", r"GET /groupMembers.*", status=403, times=99)
    planned = world.plan()
    assert planned.lines == []
    assert any("`fields` could not be read" in warning for warning in planned.document.warnings)
    world.write(declared("fields", ["b", "a", "c"]))
    planned = world.plan()
    assert "field_group.shop" in {one.address for one in planned.document.skipped}
    world.forget()
    assert world.cli("apply", "--auto-approve").code == 7
    assert world.writes() == []

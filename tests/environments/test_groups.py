"""Members of field groups between accounts and files: clone, compare, promote, absorb, export, undo, saved plans."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.environments.test_clone import Pair
from tests.environments.test_promote import Two
from tests.world import World, new_world
from tests.world.accounts import Held, hold

FIELDS = {key: {"title": f"The {key}", "type": "text"} for key in ("a", "b", "c", "d")}
DEALS = {key: {"label": f"The {key}", "type": "text"} for key in ("m", "w")}
SHOP: dict[str, Any] = {
    "field_groups": {
        "shop": {"label": "Shop", "object": "contact", "fields": ["c", "a", "b"]},
        "more": {"label": "More", "object": "contact", "fields": ["a"]},
        "money": {"label": "Money", "object": "deal", "fields": ["w", "m"]},
    },
    "fields": FIELDS,
    "deal_fields": DEALS,
}


def names(rows: Any, table: str, label: str) -> dict[str, str]:
    """Return the names of a table's rows by id."""
    return {str(row["id"]): row[label] for row in rows.all(table)}


def members(rows: Any, label: str) -> list[str]:
    """Return the titles of a group's members in their order."""
    (group,) = (row for row in rows.all("groupDefinitions") if row["label"] == label)
    table, name = ("fields", "title") if group["type_id"] == 1 else ("dealCustomFieldMeta", "fieldLabel")
    known = names(rows, table, name)
    found = [row for row in rows.all("groupMembers") if row["group_id"] == group["id"]]
    found.sort(key=lambda row: (row["ordernum"], row["id"]))
    return [known.get(str(row["rel_id"]), "?").removeprefix("The ") for row in found]


@pytest.fixture(name="pair")
def a_pair(tmp_path: Path) -> Iterator[Pair]:
    """Two empty accounts."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        yield Pair(world, other)


def test_a_clone_and_a_comparison_carry_the_order(pair: Pair) -> None:
    """Two memberships of one field, and the order of each group; another order is a difference, and so is a member that
    only one account has.
    """
    pair.world.write(SHOP)
    assert pair.run("-e", "a", "apply", "--auto-approve")[0] == 0
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    for label, wanted in (("Shop", ["c", "a", "b"]), ("More", ["a"]), ("Money", ["w", "m"])):
        assert members(pair.other.rows, label) == wanted
    assert pair.differences() == []
    assert len(pair.other.rows.all("groupMembers")) == len(pair.world.account.rows.all("groupMembers"))
    first, last = pair.other.rows.where("groupMembers", group_id=_id(pair.other, "Shop"))[::2]
    first["ordernum"], last["ordernum"] = last["ordernum"], first["ordernum"]
    assert pair.differences() == ["update field_group.shop"]
    first["ordernum"], last["ordernum"] = last["ordernum"], first["ordernum"]
    fields = {title: identity for identity, title in names(pair.other.rows, "fields", "title").items()}
    row = {"group_id": _id(pair.other, "Shop"), "rel_id": int(fields["The d"]), "ordernum": 9}
    pair.other._account.seed({"groupMembers": [row]})
    assert pair.differences() == ["update field_group.shop"]


def _id(account: Held, label: str) -> int:
    return next(int(row["id"]) for row in account.rows.all("groupDefinitions") if row["label"] == label)


OWN = {
    "deal": (2, "dealCustomFieldMeta", "fieldLabel", "{**DEAL_DEFAULT**}", "deal_default"),
    "contact": (1, "fields", "title", "{**DEFAULT**}", "default"),
    "account": (3, "accountCustomFieldMeta", "fieldLabel", "{**ACCOUNT_DEFAULT**}", "account_default"),
}
"""By object, the group that comes with each account (section 2.4): its id, fields, their names, its label, its key."""
OBJECTS = pytest.mark.parametrize("whose", OWN)


def own_order(rows: Any, whose: str) -> list[str]:
    """Return the names of the members of a default group in their order."""
    group, table, label, _, _ = OWN[whose]
    known = names(rows, table, label)
    found = sorted(rows.where("groupMembers", group_id=group), key=lambda row: (row["ordernum"], row["id"]))
    return [known[str(row["rel_id"])] for row in found]


def seeded(whose: str, order: str) -> dict[str, list[dict[str, Any]]]:
    """Return three fields in the default group, in an order that is not that of their ids."""
    group, table, label, _, _ = OWN[whose]
    kind = "type" if whose == "contact" else "fieldType"
    return {
        table: [{"id": str(50 + n), label: f"F{key}", kind: "text"} for n, key in enumerate("abc")],
        "groupMembers": [
            {"group_id": group, "rel_id": 50 + "abc".index(key), "ordernum": place} for place, key in enumerate(order)
        ],
    }


@OBJECTS
def test_the_order_in_a_default_group_is_cloned_compared_and_counted(pair: Pair, whose: str) -> None:
    """It is the account's own group: taken over as what it is, with its order, and never made a second time."""
    pair.world.account.seed(seeded(whose, "cab"))
    key = f"field_group.{OWN[whose][-1]}"
    code, text = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    assert code == 0, text
    assert own_order(pair.other.rows, whose) == ["Fc", "Fa", "Fb"]
    assert pair.differences() == []
    assert len(pair.other.rows.all("groupDefinitions")) == 3
    first, *_, last = pair.other.rows.where("groupMembers", group_id=OWN[whose][0])
    first["ordernum"], last["ordernum"] = last["ordernum"], first["ordernum"]
    assert own_order(pair.other.rows, whose) != ["Fc", "Fa", "Fb"]
    assert pair.differences() == [f"update {key}"]
    assert pair.run("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")[0] == 0
    assert own_order(pair.other.rows, whose) == ["Fc", "Fa", "Fb"]
    assert key in pair.run("coverage", "--format", "json")[1]
    pair.other.rows.remove("groupMembers", first["id"])
    assert key in " ".join(pair.differences())
    pair.world.account.rows.remove_where("groupMembers", group_id=OWN[whose][0])
    assert f"update {key}" in pair.differences()  # of no member, where the other account has two


@OBJECTS
def test_the_order_in_a_default_group_is_exported_changed_and_undone(world: World, whose: str) -> None:
    """What is exported plans empty; another order takes one write; it drifts, is absorbed, and an undo brings it back;
    taken out of the files, the group stays as it is.
    """
    world.account.seed(seeded(whose, "cab"))
    assert world.cli("export").code == 0
    key = OWN[whose][-1]
    path = world.folder / "config/field_groups.yaml"
    held = yaml.safe_load(path.read_text("utf-8"))["field_groups"]
    assert [held[key][name] for name in ("label", "object", "fields")] == [OWN[whose][3], whose, ["fc", "fa", "fb"]]
    assert world.plan().empty
    assert f"field_group.{key}" not in world.cli("coverage", "--format", "json").out
    written = path.read_text("utf-8")
    path.write_text(written.replace("[fc, fa, fb]", "[fa, fb, fc]"), "utf-8")
    world.forget()
    world.apply()
    assert len(world.writes()) == 1
    assert own_order(world.account.rows, whose) == ["Fa", "Fb", "Fc"]
    assert world.cli("undo", "--auto-approve").code == 0
    assert own_order(world.account.rows, whose) == ["Fc", "Fa", "Fb"]
    path.write_text(written, "utf-8")
    assert world.plan().empty
    first, *_, last = sorted(world.rows("groupMembers", group_id=OWN[whose][0]), key=lambda row: row["ordernum"])
    first["ordernum"], last["ordernum"] = last["ordernum"], first["ordernum"]
    assert world.cli("drift", "--absorb").code == 0
    assert yaml.safe_load(path.read_text("utf-8"))["field_groups"][key]["fields"] == ["fb", "fa", "fc"]
    assert world.plan().empty
    path.write_text("field_groups: {}\n", "utf-8")
    assert "stays as it is" in world.cli("plan").out
    world.forget()
    world.apply()
    assert world.writes() == []
    assert own_order(world.account.rows, whose) == ["Fb", "Fa", "Fc"]
    assert world.plan().empty


def test_a_default_group_is_neither_made_nor_made_another(world: World) -> None:
    """Of another label or object it would be another one; where the account shows none, nothing is made."""
    group: dict[str, Any] = {"label": "{**DEAL_DEFAULT**}", "object": "deal"}
    world.write({"field_groups": {"own": group}})
    world.apply()
    assert world.writes() == []
    for change in ({"label": "Ours"}, {"object": "account"}):
        world.write({"field_groups": {"own": {**group, **change}}})
        ran = world.cli("plan")
        assert (ran.code, "it is a default group of the account" in ran.text) == (7, True), ran.text
    world.write({"field_groups": {"own": group, "next": {"label": "{**CART_DEFAULT**}", "object": "deal"}}})
    ran = world.cli("apply", "--auto-approve")
    assert "the account shows no such field group" in ran.text
    assert world.writes() == []


@pytest.mark.parametrize("label", ["{**DEAL_DEFAULT**}", "Ours"])
def test_no_import_takes_one_default_group_for_another(world: World, label: str) -> None:
    """What is bound so could never be planned: neither can become the other. The right one can be named."""
    world.write({"field_groups": {"own": {"label": label, "object": "deal"}}})
    world.apply()
    world.cli("state", "rm", "field_group.own")
    for wrong in {"{**DEAL_DEFAULT**}": ("1", "3"), "Ours": ("1", "2", "3")}[label]:
        ran = world.cli("import", "field_group.own", wrong, "--auto-approve")
        assert (ran.code, "came with the account" in ran.text) == (3, True), ran.text
        assert world.state().resources == {}
    right = next(row["id"] for row in world.account.rows.all("groupDefinitions") if row["label"] == label)
    assert world.cli("import", "field_group.own", str(right), "--auto-approve").code == 0
    assert world.plan().empty


@pytest.fixture(name="two")
def two_environments(tmp_path: Path) -> Iterator[Two]:
    """A sandbox and a production."""
    with new_world(tmp_path) as world, hold(world.folder / "state/prod.db") as prod:
        two = Two(world, prod)
        world.write({"variables": {"host": {}}, **SHOP})
        world.write({}, "environments/prod.yaml")
        for name in ("sandbox", "flat"):
            two.apply(name)
        yield two


def test_a_promotion_carries_the_order(two: Two) -> None:
    """Into the list where it stands; what the target has beside is named, and nothing is said in two places."""
    rows = two.world.account.rows.where("groupMembers", group_id=_id(two.world.held, "Shop"))
    for row, order in zip(rows, (3, 1, 2), strict=True):
        row["ordernum"] = order
    wanted = members(two.world.account.rows, "Shop")
    fields = {title: identity for identity, title in names(two.prod.rows, "fields", "title").items()}
    extra = {"group_id": _id(two.prod, "Shop"), "rel_id": int(fields["The d"]), "ordernum": 9}
    two.prod._account.seed({"groupMembers": [extra]})
    code, statuses, said = two.promote(to="flat")
    assert code == 0, said
    assert statuses == {"field_group.shop.fields": "here"}
    assert any("field.d is there in flat too" in line for line in said["left_out"]), said["left_out"]
    held = yaml.safe_load((two.world.folder / "config/main.yaml").read_text("utf-8"))
    assert held["field_groups"]["shop"]["fields"] == wanted
    assert all("group" not in one for one in held["fields"].values())
    two.apply("flat")
    assert [one for one in members(two.prod.rows, "Shop") if one != "d"] == wanted
    assert two.promote(to="flat")[1] == {}


def test_absorb_writes_the_order_of_the_account(world: World) -> None:
    """An order made by hand, and a member taken out; one that joined by hand is nobody's drift."""
    world.write(SHOP)
    world.apply()
    rows = sorted(world.rows("groupMembers", group_id=_id(world.held, "Shop")), key=lambda row: row["ordernum"])
    world.account.rows.remove("groupMembers", rows[1]["id"])
    rows[0]["ordernum"], rows[2]["ordernum"] = rows[2]["ordernum"], rows[0]["ordernum"]
    field = next(int(one.id) for address, one in world.state().resources.items() if address == "field.d")
    world.account.seed({"groupMembers": [{"group_id": rows[0]["group_id"], "rel_id": field, "ordernum": 2}]})
    ran = world.cli("drift", "--absorb")
    assert ran.code == 0, ran.text
    held = yaml.safe_load((world.folder / "config/main.yaml").read_text("utf-8"))
    assert held["field_groups"]["shop"]["fields"] == ["b", "c"]
    assert world.plan().empty
    assert world.cli("drift", "--detailed-exitcode").code == 0


def test_an_export_in_place_keeps_the_form(world: World) -> None:
    """Short forms stay short, lists stay lists; a new field joins the list where its group has one."""
    config = {**SHOP, "fields": {**FIELDS, "d": {**FIELDS["d"], "group": "shop"}}}
    world.write(config)
    world.apply()
    group = _id(world.held, "Shop")
    world.account.seed({
        "fields": [{"id": "77", "title": "New", "type": "text"}],
        "groupMembers": [{"group_id": group, "rel_id": 77, "ordernum": 9}],
    })  # fmt: skip
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    held = yaml.safe_load((world.folder / "config/main.yaml").read_text("utf-8"))
    assert held["field_groups"]["shop"]["fields"] == ["c", "a", "b", "new"]
    assert held["fields"]["d"]["group"] == "shop"
    assert "group" not in held["fields"]["new"]
    assert world.plan().empty


def test_an_undo_of_a_change_and_of_a_delete(world: World) -> None:
    """The order before, a floor that came in its place goes again; what was deleted joins at its place, once."""
    world.write(SHOP)
    world.apply()
    before = {label: members(world.account.rows, label) for label in ("Shop", "More", "Money")}
    count = len(world.rows("groupMembers"))
    changed = yaml.safe_load(yaml.safe_dump(SHOP))
    changed["field_groups"]["shop"]["fields"] = ["b", "d"]
    changed["field_groups"]["money"]["fields"] = ["m"]
    world.write(changed)
    world.apply()
    assert world.cli("undo", "--auto-approve").code == 0
    assert {label: members(world.account.rows, label) for label in before} == before
    assert len(world.rows("groupMembers")) == count
    del changed["fields"]["a"]
    changed["field_groups"] = {key: dict(one) for key, one in SHOP["field_groups"].items()}
    changed["field_groups"]["shop"]["fields"] = ["c", "b"]
    changed["field_groups"]["more"]["fields"] = []
    world.write(changed)
    world.apply(yes=True)
    ran = world.cli("undo", "--auto-approve")
    assert ran.code == 0, ran.text
    assert {label: members(world.account.rows, label) for label in before} == before
    assert len(world.rows("groupMembers")) == count


def test_a_saved_plan_carries_the_order(world: World) -> None:
    """It says what it will do, does it, and is refused where somebody else changed the members meanwhile."""
    world.write(SHOP)
    world.apply()
    changed = yaml.safe_load(yaml.safe_dump(SHOP))
    changed["field_groups"]["shop"]["fields"] = ["b", "c"]
    changed["fields"]["a"]["group"] = None
    changed["field_groups"]["more"]["fields"] = []
    changed["field_groups"]["money"]["fields"] = ["m"]
    world.write(changed)
    assert world.cli("plan", "--out", "p.json").code == 0
    rows = world.rows("groupMembers", group_id=_id(world.held, "Shop"))
    rows[0]["ordernum"], rows[1]["ordernum"] = rows[1]["ordernum"], rows[0]["ordernum"]
    assert world.cli("apply", "p.json").code in (5, 6)
    assert world.cli("plan", "--out", "p2.json").code == 0
    ran = world.cli("apply", "p2.json")
    assert ran.code == 0, ran.text
    assert members(world.account.rows, "Shop") == ["b", "c"]
    assert members(world.account.rows, "More") == []
    assert world.plan().empty


@pytest.mark.parametrize(
    ("nth", "after"),
    [
        pytest.param(nth, after, marks=() if nth in (16, 19) and after else pytest.mark.prove)
        for nth in range(1, 24)
        for after in (False, True)
    ],
)
def test_a_killed_apply_leaves_no_membership_twice(world: World, nth: int, after: bool) -> None:
    """Wherever it dies: the next apply comes to the same order, and no field is in a group twice."""
    world.write(SHOP)
    world.dies(nth, after=after)
    world.apply()
    rows = [(row["group_id"], row["rel_id"]) for row in world.rows("groupMembers")]
    assert len(rows) == len(set(rows))
    assert members(world.account.rows, "Shop") == ["c", "a", "b"]
    assert world.plan().empty


def test_other_attributes_of_the_name_are_no_rosters(world: World) -> None:
    """A custom object has fields too, of another sort: a plan that changes them, and lets a field go, is made."""
    field = {"type": "text", "labels": {"singular": "Size", "plural": "Sizes"}}
    pet: dict[str, Any] = {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": {"size": field}}
    world.write({**SHOP, "custom_objects": {"pet": pet}})
    world.apply()
    changed = yaml.safe_load(yaml.safe_dump(SHOP))
    changed["field_groups"]["shop"]["fields"] = ["c"]
    pet["fields"]["size"]["description"] = "How big"
    world.write({**changed, "custom_objects": {"pet": pet}})
    assert world.cli("plan").code == 0

"""`promote`: from the account of a sandbox into the files of production, knowing whose change each difference is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import World, new_world
from tests.world.accounts import Held, hold

PROJECT = """\
version: 1
environments:
  sandbox: {url: "emulator:state/account.db", variables: {host: sandbox.example}}
  prod: {url: "emulator:state/prod.db", variables: {host: www.example}, overlays: [environments/prod.yaml]}
  flat: {url: "emulator:state/prod.db", variables: {host: www.example}}
default_environment: sandbox
"""
MAIN = """\
variables: {host: {}}
# what marketing works with
tags:
  vip: {name: VIP, description: the best}  # since 2019
  lead: {name: Lead, description: someone}
pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      won: {title: Won, color: 32b0fc}
webhooks:
  crm: {name: CRM, url: "https://${var.host}/x", events: [subscribe], sources: [public]}
"""
OVERLAY = """\
# production only
tags:
  lead: {description: a customer}   # the lawyers' words
"""


class Two:
    """A project with a sandbox and production, both applied."""

    def __init__(self, world: World, prod: Held) -> None:
        self.world, self.prod = world, prod
        world.begin_with(_applied)

    def apply(self, name: str) -> None:
        """Apply an environment."""
        ran = self.world.cli("-e", name, "apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text

    def promote(self, *argv: str, to: str = "prod") -> tuple[int, dict[str, str], dict[str, Any]]:
        """Promote; return the exit code, whose change each difference is, and everything that was said."""
        self.world.forget()
        ran = self.world.cli("promote", "--from", "sandbox", "--to", to, "--format", "json", *argv)
        assert ran.out.strip(), ran.text
        said = json.loads(ran.out)
        assert self.world.writes() == []
        rows = {f"{row['address']}.{row['attribute']}".rstrip("."): row["status"] for row in said["rows"]}
        return ran.code, rows, said

    def edit(self, where: str, table: str, change: dict[str, Any], **which: str) -> None:
        """Change a row by hand, in the sandbox or in production."""
        rows = self.world.account.rows if where == "sandbox" else self.prod.rows
        row = next(iter(rows.where(table, **which)))
        rows.put(table, row["id"], {**row, **change})

    def text(self, name: str) -> str:
        """Return a file of the project."""
        return (self.world.folder / name).read_text("utf-8")

    def lines(self, name: str = "prod") -> list[str]:
        """Return what the plan of an environment would change."""
        ran = self.world.cli("-e", name, "plan", "--format", "json")
        return [f"{one['action']} {one['address']}" for one in json.loads(ran.out)["changes"]]


def _applied(world: World) -> None:
    world.write(PROJECT, "reconciler.yaml")
    world.write(MAIN)
    world.write(OVERLAY, "environments/prod.yaml")
    for name in ("sandbox", "prod"):
        ran = world.cli("-e", name, "apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text


@pytest.fixture(name="two")
def a_sandbox_and_production(tmp_path: Path) -> Iterator[Two]:
    """Both hold what the files say."""
    with new_world(tmp_path) as world, hold(world.folder / "state/prod.db") as prod:
        yield Two(world, prod)


def test_what_is_set_apart_on_purpose_is_no_change(two: Two) -> None:
    """An overlay and a variable differ between the accounts, and that is their purpose; no file changes."""
    code, rows, said = two.promote()
    assert (code, said["files"]) == (0, [])
    assert rows == {"tag.lead.description": "kept", "webhook.crm.url": "kept"}
    assert "example" not in json.dumps([row for row in said["rows"] if row["address"] == "webhook.crm"])
    assert two.text("environments/prod.yaml") == OVERLAY


def test_story_of_three_promotions_with_a_hand_edit_in_between(two: Two) -> None:
    """First: a new tag, a new text. Second: production was edited by hand, and that stays. Third: both were edited."""
    two.promote()
    # Marketing works in the sandbox.
    two.edit("sandbox", "tags", {"description": "the very best"}, tag="VIP")
    two.world.account.seed({"tags": [{"tag": "Churned"}]})
    code, rows, said = two.promote()
    assert (code, said["files"]) == (0, ["environments/prod.yaml"])
    assert {name: status for name, status in rows.items() if status != "kept"} == {
        "tag.vip.description": "here", "tag.churned": "here",
    }  # fmt: skip
    assert two.text("config/main.yaml") == MAIN
    assert two.text("environments/prod.yaml").startswith(OVERLAY)
    assert two.lines() == ["create tag.churned", "update tag.vip"]
    code, rows, said = two.promote()
    assert (said["files"], rows["tag.vip.description"], rows["tag.churned"]) == ([], "waiting", "waiting")
    two.apply("prod")
    assert "tag.vip.description" not in two.promote()[1]

    # Somebody edits production by hand: that is not the sandbox's change, and nothing is written.
    two.edit("prod", "tags", {"description": "edited live"}, tag="VIP")
    before = two.text("environments/prod.yaml")
    code, rows, said = two.promote()
    assert (code, rows["tag.vip.description"], said["files"]) == (0, "there", [])

    # And then the sandbox goes on: now both changed it.
    two.edit("sandbox", "tags", {"description": "third"}, tag="VIP")
    two.edit("sandbox", "dealStages", {"title": "Won!"}, title="Won")
    code, rows, said = two.promote()
    assert (code, rows["tag.vip.description"], rows["stage.sales.won.title"]) == (5, "colliding", "here")
    assert "third" not in two.text("environments/prod.yaml")
    assert two.text("environments/prod.yaml") != before
    code, rows, said = two.promote("--overrule")
    assert (code, rows["tag.vip.description"]) == (0, "colliding")
    assert "third" in two.text("environments/prod.yaml")
    two.apply("prod")
    assert set(two.promote()[1].values()) == {"kept"}
    assert [row["title"] for row in two.prod.rows.all("dealStages")] == ["Won!"]


def test_without_an_overlay_the_shared_files_change_in_place(two: Two) -> None:
    """Both environments read them; comments stay."""
    two.edit("sandbox", "tags", {"description": "the very best"}, tag="VIP")
    two.world.account.seed({"tags": [{"tag": "Churned"}]})
    two.edit("prod", "tags", {"description": "someone"}, tag="Lead")
    code, _, said = two.promote(to="flat")
    assert (code, said["files"]) == (0, ["config/main.yaml"])
    assert two.text("config/main.yaml") == MAIN.replace("description: the best", "description: the very best").replace(
        "someone}\n", "someone}\n  churned: {name: Churned}\n"
    )


def test_a_dry_run_writes_nothing_and_a_plan_follows_when_asked(two: Two, tmp_path: Path) -> None:
    """--dry-run neither files nor memory; --plan plans the target from the files as written."""
    two.edit("sandbox", "tags", {"description": "new"}, tag="VIP")
    code, rows, said = two.promote("--dry-run")
    assert (code, rows["tag.vip.description"], said["files"]) == (0, "here", [])
    assert two.text("environments/prod.yaml") == OVERLAY
    assert not (two.world.folder / "promotions").exists()
    saved = tmp_path / "p.json"
    code, rows, said = two.promote("--plan", "--out", str(saved))
    assert [change["address"] for change in said["plan"]["changes"]] == ["tag.vip"]
    assert two.world.cli("-e", "prod", "apply", str(saved), "--quiet").code == 0
    assert two.world.cli("promote", "--from", "sandbox", "--to", "sandbox").code == 1


def test_what_comes_from_a_variable_of_the_target_is_left_alone(two: Two) -> None:
    """Its value is the target's own business; the reason names the variable."""
    two.promote()
    two.edit("sandbox", "webhooks", {"url": "https://sandbox.example/y"}, name="CRM")
    code, rows, said = two.promote()
    assert (code, rows["webhook.crm.url"], said["files"]) == (5, "colliding", [])
    code, rows, said = two.promote("--overrule")
    assert (code, said["files"]) == (5, [])
    assert "${var.host}" in said["left"][0]["reason"]


def test_what_the_source_no_longer_holds_is_reported_and_pruned_only_when_asked(two: Two) -> None:
    """A declaration goes with --prune; in an overlay, `null` takes it away."""
    two.promote()
    two.world.account.rows.remove("tags", next(iter(two.world.account.rows.where("tags", tag="VIP")))["id"])
    code, rows, said = two.promote()
    assert (code, rows["tag.vip"], said["files"]) == (5, "here", [])
    code, rows, said = two.promote("--prune")
    assert (code, said["files"]) == (0, ["environments/prod.yaml"])
    assert re.search(r"^  vip: null$", two.text("environments/prod.yaml"), re.MULTILINE)
    assert two.lines() == ["delete tag.vip"]


def test_the_record_holds_no_values(two: Two) -> None:
    """It lies beside the files in version control: hashes only."""
    two.promote()
    record = two.text("promotions/sandbox-prod.json")
    assert "best" not in record
    assert "example" not in record
    assert "tag.vip" in record


def test_a_promotion_is_told_in_words(two: Two) -> None:
    """Grouped by whose change it is."""
    two.promote()
    two.edit("sandbox", "tags", {"description": "new"}, tag="VIP")
    ran = two.world.cli("promote", "--from", "sandbox", "--to", "prod", "--dry-run")
    assert 'changed in sandbox:\n      tag.vip.description: sandbox "new", prod "the best"' in ran.out.replace(
        "    tag.vip.description: sandbox", "      tag.vip.description: sandbox"
    ), ran.text
    assert "different on purpose:" in ran.out


def test_what_was_different_on_purpose_is_not_overruled_silently(two: Two) -> None:
    """The source moved a value that production has otherwise by its overlay, or by an edit that was absorbed."""
    two.promote()
    two.edit("sandbox", "tags", {"description": "anybody"}, tag="Lead")
    code, rows, said = two.promote()
    assert (code, rows["tag.lead.description"], said["files"]) == (5, "colliding", [])
    two.edit("sandbox", "tags", {"description": "someone"}, tag="Lead")
    two.edit("prod", "tags", {"description": "live"}, tag="VIP")
    assert two.promote()[1]["tag.vip.description"] == "there"
    assert two.world.cli("-e", "prod", "drift", "--absorb").code == 0
    assert two.promote()[1]["tag.vip.description"] == "kept"
    two.edit("sandbox", "tags", {"description": "sandbox"}, tag="VIP")
    assert two.promote()[1]["tag.vip.description"] == "colliding"


FILLED = {
    "tags": ({"tag": "VIP"}, {"description": "by hand"}, {"tag.vip.description"}),
    "dealStages": ({"title": "Won"}, {"color": "ff0000"}, {"stage.sales.won.color"}),
    "fields": ({"title": "Plan"}, {"descript": "help", "isrequired": "1"}, {"field.p.description", "field.p.required"}),
    "lists": ({"name": "News"}, {"carboncopy": "a@acme.example"}, {"list.n.carbon_copy"}),
}


@pytest.mark.parametrize("to", ["prod", "flat"])
@pytest.mark.parametrize("table", FILLED)
def test_what_is_filled_in_where_nobody_declares_it_is_promoted(two: Two, table: str, to: str) -> None:
    """Nothing of what `compare` shows afterwards goes unsaid: here, nothing is left."""
    which, change, names = FILLED[table]
    bare = (
        "tags: {vip: {name: VIP}, lead: {name: Lead}}\nfields: {p: {title: Plan, type: text}}\n"
        "lists: {n: {name: News, sender_url: 'https://x.example', sender_reminder: x}}\n"
        "pipelines: {sales: {title: Sales, currency: usd, stages: {won: {title: Won}}}}\n"
        "webhooks: {crm: {name: CRM, url: 'https://${var.host}/x', events: [subscribe], sources: [public]}}\n"
    )
    two.world.write(f"variables: {{host: {{}}}}\n{bare}")
    two.world.write("{}", "environments/prod.yaml")
    for name in ("sandbox", "prod"):
        two.apply(name)
    two.edit("sandbox", table, change, **which)
    code, rows, said = two.promote(to=to)
    assert code == 0
    assert {name for name, status in rows.items() if status == "here"} >= names, said
    ran = two.world.cli("-e", to, "apply", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    left = json.loads(two.world.cli("compare", "sandbox", to, "--format", "json").out)["changes"]
    assert not [one for one in left for item in one["attributes"] if f"{one['address']}.{item['name']}" in names]


def test_what_the_source_has_emptied_is_carried_where_somebody_knows_of_it(two: Two) -> None:
    """What files say is emptied there, in an overlay by an empty text; what nobody says is named, unless the last
    promotion saw a value. What an overlay sets apart stays.
    """
    two.edit("sandbox", "tags", {"description": ""}, tag="VIP")
    two.edit("sandbox", "tags", {"description": ""}, tag="Lead")
    two.edit("prod", "dealGroups", {"win_probability_initialize_date": None}, title="Sales")
    code, rows, _ = two.promote("--dry-run")
    assert (code, rows["tag.vip.description"], rows["tag.lead.description"]) == (0, "here", "kept")
    assert two.promote()[0] == 0
    assert 'vip: {description: ""}' in two.text("environments/prod.yaml").replace("\n      ", " ").replace(
        "vip: description", "vip: {description"
    ) or "description: ''" in two.text("environments/prod.yaml")
    assert "description: the best" in two.text("config/main.yaml")
    two.apply("prod")
    assert next(iter(two.prod.rows.where("tags", tag="VIP")))["description"] in ("", None)
    assert "tag.vip.description" not in two.promote()[1]


OBJECT = """\
custom_objects:
  pet:
    slug: pet
    labels: {singular: Pet, plural: Pets}
    fields:
      size: {type: text, labels: {singular: Size, plural: Sizes}}  # small ones
      fur: {type: text, labels: {singular: Fur, plural: Furs}}
"""
HOURS = {"id": "hours", "type": "text", "labels": {"singular": "Hour", "plural": "Hours"}}


@pytest.fixture(name="pets")
def two_with_a_custom_object(two: Two) -> Two:
    """Both accounts hold a custom object of two fields."""
    two.world.write(OBJECT, "config/objects.yaml")
    for name in ("sandbox", "prod"):
        two.apply(name)
    return two


def fields_of(two: Two, where: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the schema of one side and a copy of its fields."""
    (row,) = (two.world.account.rows if where == "sandbox" else two.prod.rows).all("schemas")
    return row, [dict(field) for field in row["fields"]]


def compared(two: Two) -> dict[str, str]:
    """Return what differs between the accounts: action by address."""
    said = json.loads(two.world.cli("compare", "sandbox", "prod", "--format", "json").out)
    return {one["address"]: one["action"] for one in said["changes"]}


def test_an_entry_of_a_map_that_only_the_source_has_is_written(pets: Two) -> None:
    """A field of a custom object, and a text inside of one: written where they belong, and like the source once
    applied.
    """
    _, fields = fields_of(pets, "sandbox")
    fields[0]["description"] = "from the floor"
    pets.edit("sandbox", "schemas", {"fields": [*fields, HOURS]})
    assert compared(pets)["custom_object.pet"] == "update"
    code, rows, said = pets.promote(to="flat")
    assert (code, rows["custom_object.pet.fields"]) == (0, "here")
    assert said["files"] == ["config/objects.yaml"]
    text = pets.text("config/objects.yaml")
    assert "# small ones" in text
    assert "from the floor" in text
    assert pets.promote(to="flat")[1]["custom_object.pet.fields"] == "waiting"
    pets.apply("flat")
    assert "custom_object.pet" not in compared(pets)
    # It is applied, nobody touched it: what changes next is again a change of the sandbox alone.
    _, fields = fields_of(pets, "sandbox")
    fields[0]["description"] = "from the ground"
    pets.edit("sandbox", "schemas", {"fields": fields})
    assert pets.promote(to="flat")[1]["custom_object.pet.fields"] == "here"


def test_an_entry_of_a_map_that_only_the_target_has_is_named_and_stays(pets: Two) -> None:
    """One that the files declare and one that they do not: compare shows both, no file loses any without --prune."""
    _, fields = fields_of(pets, "sandbox")
    pets.edit("sandbox", "schemas", {"fields": fields[:1]})
    _, fields = fields_of(pets, "prod")
    pets.edit("prod", "schemas", {"fields": [*fields, HOURS]})
    assert compared(pets)["custom_object.pet"] == "update"
    for _ in range(2):
        code, rows, said = pets.promote(to="flat")
        assert (code, said["files"]) == (0, [])
        assert "custom_object.pet.fields" not in rows
        named = [line for line in said["left_out"] if line.startswith("custom_object.pet: ")]
        assert [re.findall(r"`([a-z.]+)`", line)[0] for line in named] == ["fields.fur", "fields.hours"]
    code, rows, said = pets.promote("--prune", to="flat")
    assert rows["custom_object.pet.fields"] == "here"
    assert "fur" not in pets.text("config/objects.yaml")
    assert "# small ones" in pets.text("config/objects.yaml")


def test_what_only_the_target_holds_is_named(two: Two) -> None:
    """Objects that are not declared, and one that its state knows: comparing removes them, a promotion names them."""
    two.world.write("tags: {old: {name: Kept}}", "environments/old.yaml")
    two.world.write(
        PROJECT.replace("environments/prod.yaml]", "environments/prod.yaml, environments/old.yaml]"), "reconciler.yaml"
    )
    two.apply("prod")
    two.prod.seed({"tags": [{"tag": "Mine"}], "dealStages": [{"title": "Lost", "group": "1"}]})
    assert compared(two) == {
        "tag.old": "delete",
        "tag.mine": "delete",
        "stage.sales.lost": "delete",
        "tag.lead": "update",
        "webhook.crm": "update",
    }
    _, _, said = two.promote()
    told = " ".join(said["left_out"])
    assert all(name in told for name in ("tag.old", "tag.mine", "stage.sales.lost")), told


def test_objects_that_a_value_refers_to_go_by_their_addresses(two: Two) -> None:
    """In words and as data: ids of one account say nothing to who reads of two."""
    fields = {"a": {"title": "A", "type": "text"}, "b": {"title": "B", "type": "text"}}
    group = {"label": "Shop", "object": "contact", "fields": ["a", "b"]}
    two.world.write({"fields": fields, "field_groups": {"shop": group}}, "config/fields.yaml")
    for name in ("sandbox", "prod"):
        two.apply(name)
    for row in two.world.rows("groupMembers"):
        two.edit("sandbox", "groupMembers", {"ordernum": 9 - int(row["ordernum"])}, id=row["id"])
    ran = two.world.cli("promote", "--from", "sandbox", "--to", "prod", "--dry-run")
    assert "shop.fields: sandbox [field.b, field.a], prod [field.a, field.b]" in ran.out
    (row,) = (row for row in two.promote("--dry-run")[2]["rows"] if row["attribute"] == "fields")
    assert row["here"] == [{"$ref": "field.b"}, {"$ref": "field.a"}]

"""`export`: a messy account as a project whose plan is empty, and again into a project that people have worked on."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tests.world import World, new_world

MESS: dict[str, Any] = {
    "users": [{"id": 7, "username": "joe", "email": "joe@acme.example"}],
    "tags": [
        {"tag": "VIP", "description": "Best"},
        {"tag": "vip"},
        {"tag": '50% off 😀 "x" #1'},
        {"tag": "${not.a.variable}"},
        {"tag": "- null: yes"},
        {"tag": "日本"},
    ],
    "lists": [
        {
            "id": 11,
            "name": "News",
            "stringid": "news",
            "sender_url": "https://x.example",
            "sender_reminder": "You asked.",
            "subscription_notify": "ann@acme.example, joe@acme.example",
        },
        {"id": 12, "name": "News", "stringid": "news-2", "sender_url": "https://x.example", "sender_reminder": "r"},
    ],
    "fields": [
        {"title": "Plan", "type": "dropdown", "options": ["Free", "Pro"], "relids": ["11"]},
        {"title": "Hidden", "type": "text"},
    ],
    "dealGroups": [
        {"id": 31, "title": "Sales", "currency": "usd", "stages": [{"title": "A"}, {"title": "B"}]},
        {"id": 32, "title": "Sales", "currency": "eur", "stages": [{"title": "A"}]},
    ],
    "dealStages": [{"id": 99, "title": "Orphan", "group": "777", "order": "1"}],
    "webhooks": [
        {
            "name": "W",
            "url": "https://joe:s3cr3t@hooks.example/catch/a1b2c3d4e5f6?list=11&token=t0psecret",
            "events": ["subscribe"],
            "sources": ["public"],
            "listid": 11,
        }
    ],
}


SECRETS = {
    "WEBHOOK_W_URL_USER": "joe:s3cr3t",
    "WEBHOOK_W_URL_TOKEN": "t0psecret",
    "WEBHOOK_W_URL_PATH": "a1b2c3d4e5f6",
}


@pytest.fixture(name="messy")
def a_messy_account(world: World) -> World:
    """An account of real life, and a project without anything in it."""
    world.account.seed(MESS)
    world.write("{}")
    return world


def files_of(folder: Path) -> dict[str, str]:
    """Return all YAML files below a folder."""
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}


def exported(world: World, *argv: str) -> str:
    """Export, and return what was said."""
    world.forget()
    ran = world.cli("export", *argv)
    assert ran.code == 0, ran.text
    assert world.writes() == []
    return ran.out + ran.err


def nothing_to_do(world: World, folder: Path | None = None) -> None:
    """Assert that the plan is empty."""
    ran = world.cli("plan", "--detailed-exitcode", folder=folder)
    assert (ran.code, "No changes." in ran.out) == (0, True), ran.text


def test_a_messy_account_becomes_a_project_without_a_plan(messy: World) -> None:
    """Namesakes, odd letters, hidden fields, orphans: all is declared or left out, and nothing is to be done."""
    exported(messy, "--out", "copy")
    copy = messy.folder / "copy"
    nothing_to_do(messy, copy)
    tags = files_of(copy)["config/tags.yaml"]
    assert [line.split(":")[0].strip() for line in tags.splitlines()[4:]] == [
        "50_off_x_1", "not_a_variable", "null_yes", "vip", "vip_2", "x",
    ]  # fmt: skip
    assert "Orphan" not in "".join(files_of(copy).values())
    assert messy.cli("validate", folder=copy).code == 0


@pytest.mark.parametrize("more", ["", "whole", "own", "both"])
def test_a_new_project_is_in_canonical_form(world: World, more: str) -> None:
    """The project file and all others, whatever of this project's it takes along."""
    key = pyrage.x25519.Identity.generate()
    world.environ["RECONCILER_AGE_IDENTITY"] = str(key)
    named = f"{{recipients: [{key.to_public()}]}}"
    own = f", encryption: {named}" if more in ("own", "both") else ""
    whole = f"encryption: {named}\n" if more in ("whole", "both") else ""
    world.write(
        f"version: 1\nenvironments: {{demo: {{url: 'emulator:state/account.db', account: demo{own}}}}}\n{whole}",
        "reconciler.yaml",
    )
    world.account.seed({"tags": [{"tag": "VIP"}]})
    exported(world, "--out", "copy")
    copy = world.folder / "copy"
    assert world.cli("fmt", "--check", folder=copy).code == 0, (copy / "reconciler.yaml").read_text("utf-8")
    count = {"": 0, "whole": 1, "own": 1, "both": 2}[more]
    assert (copy / "reconciler.yaml").read_text("utf-8").count("recipients") == count


def test_a_second_export_changes_no_byte(messy: World) -> None:
    """Neither files nor state, whether the project is another one or this one."""
    for where in ([], ["--out", "copy"]):
        folder = messy.folder / "copy" if where else messy.folder
        exported(messy, *where)
        before = files_of(folder), json.loads((folder / "state/demo.json").read_text())["resources"]
        exported(messy, *where)
        assert (files_of(folder), json.loads((folder / "state/demo.json").read_text())["resources"]) == before


def test_no_secret_is_written_and_addresses_are_variables(messy: World) -> None:
    """Passwords and tokens of URLs become secrets that nobody wrote down; addresses stand in one file only."""
    said = exported(messy, "--out", "copy")
    copy = messy.folder / "copy"
    everything = "".join(path.read_text("utf-8") for path in copy.rglob("*") if path.is_file())
    for secret in ("s3cr3t", "t0psecret", "a1b2c3d4e5f6"):
        assert secret not in everything + said
    config = "".join(text for name, text in files_of(copy).items() if name != "config/variables.yaml")
    assert "@acme.example" not in config
    assert 'subscription_notify: ["${var.mail_ann}", "${var.mail_joe}"]' in config
    assert (
        "mail_ann: {description: An e-mail address., default: ann@acme.example}"
        in files_of(copy)["config/variables.yaml"]
    )
    assert "WEBHOOK_W_URL_TOKEN" in said
    assert "list=11" in config  # what a clone has to translate stays readable


def test_a_secret_is_needed_once_what_holds_it_changes(messy: World) -> None:
    """Until then, the text that is declared as it was and held as it was means no change."""
    exported(messy, "--out", "copy")
    copy = messy.folder / "copy"
    hooks = copy / "config/webhooks.yaml"
    hooks.write_text(hooks.read_text().replace("[subscribe]", "[subscribe, unsubscribe]"))
    ran = messy.cli("plan", folder=copy)
    assert (ran.code, "WEBHOOK_W_URL" in ran.err) == (3, True), ran.text
    messy.environ |= SECRETS
    ran = messy.cli("plan", folder=copy)
    assert (ran.code, "0 to add, 1 to change, 0 to destroy" in ran.out) == (0, True), ran.text
    assert "s3cr3t" not in ran.out


def test_namesakes_are_told_apart_by_ids_of_the_environment(messy: World) -> None:
    """The pins are variables: each environment gives its own ids, and one that has no such objects yet none."""
    exported(messy, "--out", "copy")
    copy = messy.folder / "copy"
    assert '{to: pipeline.sales_2, id: "${var.id_pipeline_sales_2}"}' in files_of(copy)["config/imports.yaml"]
    (copy / "state/demo.json").unlink()
    messy.environ |= SECRETS
    nothing = messy.cli("plan", folder=copy)
    assert "0 to add" in nothing.out, nothing.text


def test_an_empty_account_takes_an_export(messy: World, tmp_path: Path) -> None:
    """The files alone are enough, with the secrets set: namesakes are created as often as they are declared."""
    exported(messy, "--out", "copy")
    with new_world(tmp_path / "other") as other:
        other.environ |= SECRETS
        other.account.seed({"users": MESS["users"]})
        for name, text in files_of(messy.folder / "copy").items():
            if name.startswith("config/"):
                other.write(text, name)
        other.apply()
        assert not other.plan().lines
        assert [row["title"] for row in other.rows("dealGroups")] == ["Sales", "Sales"]


def test_a_part_can_be_exported(messy: World) -> None:
    """By kind, or an address with what it refers to."""
    exported(messy, "--out", "some", "--kinds", "tag")
    assert set(files_of(messy.folder / "some")) == {"config/tags.yaml", "reconciler.yaml"}
    exported(messy, "--out", "one", "--target", "field.plan")
    assert {name for name in files_of(messy.folder / "one") if "config" in name} == {
        "config/fields.yaml", "config/lists.yaml", "config/variables.yaml",
    }  # fmt: skip
    nothing_to_do(messy, messy.folder / "one")


def test_two_thousand_tags_are_exported_twice(world: World) -> None:
    """All of them are managed, and the second time nothing is to be written."""
    world.account.seed({"tags": [{"tag": f"Tag {number}"} for number in range(2000)]})
    world.write("{}")
    exported(world)
    before = files_of(world.folder)
    exported(world)
    assert sum(binding.kind == "tag" for binding in world.state().resources.values()) == 2000
    assert files_of(world.folder) == before


CAME_ALONG = {f"config/{name}.yaml" for name in ("deal_roles", "settings", "task_types")}
"""Files of what every new account holds."""
WORKED_ON = """\
# our customers
variables:
  host: {description: Host of the hooks}

tags:
  # do not touch
  vip: {name: VIP, description: "Best"}   # since 2019

  mine: {name: Mine}
pipelines:
  sales:
    title: Sales  # the board
    currency: usd
    stages:
      a: {title: A}
webhooks:
  crm:
    name: CRM
    url: https://${var.host}/hook   # ours
    events: [subscribe]
    sources: [public]
"""


@pytest.fixture(name="worked")
def a_project_that_people_work_on(world: World) -> World:
    """Applied by hand, with comments, a variable and attributes that nobody declares."""
    world.write(
        "version: 1\nenvironments: {demo: {url: 'emulator:state/account.db', variables: {host: h.example}}}\n",
        "reconciler.yaml",
    )
    world.write(WORKED_ON)
    world.apply()
    return world


def changed_lines(world: World) -> list[str]:
    """Return the lines of the project's file that an export changed."""
    after = (world.folder / "config/main.yaml").read_text("utf-8")
    found = difflib.unified_diff(WORKED_ON.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in list(found)[2:] if not line.startswith("@@")]


def edit(world: World, table: str, change: dict[str, Any], **where: str) -> None:
    """Change a row behind the tool's back."""
    row = world.rows(table, **where)[0]
    world.account.rows.put(table, row["id"], {**row, **change})


def test_an_export_of_what_is_declared_already_touches_no_file(worked: World) -> None:
    """What nobody declares stays unmanaged, also where the account holds it."""
    exported(worked)
    assert set(files_of(worked.folder)) - CAME_ALONG == {"config/main.yaml", "reconciler.yaml"}
    assert changed_lines(worked) == []
    nothing_to_do(worked)


def test_values_change_in_place_and_new_objects_go_to_their_section(worked: World) -> None:
    """Comments, order, quotes and variables stay; a new stage goes below its pipeline, a new kind into a new file."""
    edit(worked, "tags", {"description": "Very best"}, tag="VIP")
    edit(worked, "dealGroups", {"title": "Sales!"}, title="Sales")
    worked.account.seed({
        "tags": [{"tag": "New one"}],
        "lists": [{"name": "News", "stringid": "news", "sender_url": "https://x.example", "sender_reminder": "r"}],
    })  # fmt: skip
    worked.call("POST", "/dealStages", {"dealStage": {"title": "Z", "group": worked.rows("dealGroups")[0]["id"]}})
    exported(worked)
    lines = changed_lines(worked)
    assert [line for line in lines if line.startswith("-")] == [
        '-  vip: {name: VIP, description: "Best"}   # since 2019', "-    title: Sales  # the board",
    ]  # fmt: skip
    assert "+  vip: {name: VIP, description: Very best}   # since 2019" in lines
    assert "+    title: Sales!  # the board" in lines
    assert "+  new_one: {name: New one}" in lines
    assert "+      z:" in lines
    assert "config/lists.yaml" in files_of(worked.folder)
    nothing_to_do(worked)


def test_a_variable_stays_while_it_matches_and_gives_way_otherwise(worked: World) -> None:
    """The account's value is written in its place, and said; a secret is never replaced."""
    edit(worked, "webhooks", {"url": "https://other.example/hook"}, name="CRM")
    said = exported(worked)
    assert "webhook.crm.url: ${var.host} was replaced by the account's value" in said
    assert changed_lines(worked) == [
        "-    url: https://${var.host}/hook   # ours", "+    url: https://other.example/hook   # ours",
    ]  # fmt: skip
    nothing_to_do(worked)


def test_what_is_gone_is_reported_and_pruned_only_when_asked(worked: World) -> None:
    """A declaration is never deleted silently."""
    worked.account.rows.remove("tags", worked.rows("tags", tag="Mine")[0]["id"])
    said = exported(worked)
    assert "tag.mine: the account does not hold it any more" in said
    assert changed_lines(worked) == []
    exported(worked, "--prune")
    assert changed_lines(worked) == ["-  mine: {name: Mine}"]
    nothing_to_do(worked)


def test_a_killed_prune_is_finished_by_the_next_one(worked: World) -> None:
    """Its files are written, its state is not: what is declared no more and gone is unbound."""
    states = {path: path.read_bytes() for path in (worked.folder / "state").glob("*.json")}
    worked.account.rows.remove("tags", worked.rows("tags", tag="Mine")[0]["id"])
    exported(worked, "--prune")
    changed = [path for path, content in states.items() if path.read_bytes() != content]
    assert changed
    for path in changed:
        path.write_bytes(states[path])
    exported(worked, "--prune")
    nothing_to_do(worked)
    assert all(b"tag.mine" not in path.read_bytes() for path in changed)


def test_an_attribute_that_is_set_later_joins_an_exported_object(messy: World) -> None:
    """Export wrote the object whole, so it goes on doing so; a line that somebody took out stays out."""
    exported(messy)
    tags = messy.folder / "config/tags.yaml"
    tags.write_text(tags.read_text("utf-8").replace("vip: {name: VIP, description: Best}", "vip: {name: VIP}"), "utf-8")
    edit(messy, "tags", {"description": "set later"}, tag="vip")
    exported(messy)
    text = tags.read_text("utf-8")
    assert "  vip: {name: VIP}\n" in text
    assert "  vip_2: {name: vip, description: set later}\n" in text


def test_included_and_repeated_declarations_are_left_alone_with_the_reason(worked: World) -> None:
    """They speak for others too."""
    worked.write("tags: {inc: {description: ours}}", "shared/x.yaml")
    path = worked.folder / "config/main.yaml"
    text = path.read_text() + "include: [{source: ../shared}]\n"
    path.write_text(text.replace("tags:\n", "tags:\n  e_${each.value}: {for_each: [x], description: d}\n"))
    worked.apply()
    before = path.read_text()
    for name in ("inc", "e_x"):
        edit(worked, "tags", {"description": "theirs"}, tag=name)
    said = exported(worked)
    assert "tag.inc.description: it stands in shared/x.yaml" in said
    assert "tag.e_x.description: it is one of several that a `for_each`" in said
    assert path.read_text() == before
    assert sorted(worked.plan().lines) == ["update tag.e_x (description)", "update tag.inc (description)"]
    assert not re.search("theirs", "".join(files_of(worked.folder).values()))


@pytest.mark.parametrize("place", ["crm", "all.yaml"])
def test_new_files_go_where_the_project_looks_for_them(messy: World, place: str) -> None:
    """Into the folder that `config` names, or into the one file that it names."""
    project = "version: 1\nenvironments: {demo: {url: 'emulator:state/account.db'}}\n"
    messy.write(f"{project}config: [{place}]\n", "reconciler.yaml")
    (messy.folder / "config/main.yaml").unlink()
    if place == "all.yaml":
        messy.write("# all of it\n", place)
    exported(messy)
    names = set(files_of(messy.folder)) - {"reconciler.yaml"}
    assert names == {"all.yaml"} if place == "all.yaml" else all(name.startswith("crm/") for name in names)
    nothing_to_do(messy)


def test_out_into_the_projects_own_files_is_the_export_in_place(messy: World) -> None:
    """A second project file there would break the first one; deeper inside it is refused with the command to use."""
    exported(messy, "--out", "config")
    assert not (messy.folder / "config/reconciler.yaml").exists()
    assert not (messy.folder / "config/config").exists()
    messy.environ |= SECRETS
    nothing_to_do(messy)
    refused = messy.cli("export", "--out", "config/copy")
    assert refused.code == 1
    assert "`reconciler export`" in refused.text
    assert not (messy.folder / "config/copy").exists()
    (messy.folder / "linked").symlink_to("config")
    exported(messy, "--out", "linked")
    assert not (messy.folder / "config/reconciler.yaml").exists()
    assert messy.cli("export", "--out", "linked/copy").code == 1


OWN = """version: 1
environments:
  demo: {url: "emulator:state/account.db", overlays: [over/demo.yaml], state: "sqlite:books/demo.db"}
config: [config, crm/more.yaml]
include: [{source: shared}, {source: deep/in}]
"""


PLACES = (
    "over", "./over", "config/../over/x", "books", "state", "shared", "shared/deep", "crm", "environments", "tests",
    "policies", "promotions", "modules", ".reconciler", "linked", "linked/x", "config/link", "deep", "..", "../..",
)  # fmt: skip


def test_no_folder_of_a_project_gets_a_project(messy: World) -> None:
    """It is refused with the command to use, by whatever name, and from `init` too."""
    folder = messy.folder
    messy.write(OWN, "reconciler.yaml")
    for name in ("over/demo.yaml", "crm/more.yaml", "shared/a.yaml", "deep/in/a.yaml"):
        messy.write("{}", name)
    (folder / "linked").symlink_to("over")
    (folder / "config/link").symlink_to("../over")
    before = set(folder.parent.rglob("*"))
    for place in PLACES:
        said = messy.cli("export", "--out", f"{folder}/{place}")
        assert said.code == 1, said.text
        assert "`reconciler export`" in said.text
        if not place.startswith(".."):
            assert messy.cli("init", f"{folder}/{place}").code == 1
    assert set(folder.parent.rglob("*")) == before


def test_other_folders_of_a_project_may_hold_one(messy: World) -> None:
    """A copy in a folder that the project does not use, and again into the same."""
    for _ in range(2):
        exported(messy, "--out", "copy")
    assert (messy.folder / "copy/reconciler.yaml").exists()


@pytest.mark.parametrize(("old", "new"), [
    ("tag.vip", "tag.best"), ("pipeline.sales", "pipeline.board"), ("stage.sales.a", "stage.sales.first"),
])  # fmt: skip
def test_an_export_after_a_move_in_the_state_alone_says_how_to_take_it_back(world: World, old: str, new: str) -> None:
    """The declared object would be declared a second time, under the address that binds it."""
    world.account.seed({"tags": [{"tag": "VIP"}], "dealGroups": [{"title": "Sales", "currency": "usd",
                       "stages": [{"title": "A"}]}]})  # fmt: skip
    world.write("{}")
    exported(world)
    assert world.cli("state", "mv", old, new).code == 0
    before = files_of(world.folder)
    refused = world.cli("export")
    assert refused.code == 3
    command = f"state mv {new} {old}"
    assert f"`reconciler {command}`" in refused.text
    assert files_of(world.folder) == before
    assert world.cli(*command.split()).code == 0
    exported(world)
    nothing_to_do(world)


@pytest.mark.parametrize("again", [False, True], ids=["once", "twice"])
def test_an_export_before_a_move_is_applied_keeps_both(world: World, again: bool) -> None:
    """The new address keeps the object, the old one is not declared or bound beside it, and the move is done."""
    world.account.seed({"tags": [{"tag": "VIP"}], "dealGroups": [{"title": "Sales", "currency": "usd",
                       "stages": [{"title": "A"}]}]})  # fmt: skip
    world.write("{}")
    exported(world)
    tags, boards = world.folder / "config/tags.yaml", world.folder / "config/pipelines.yaml"
    tags.write_text(tags.read_text().replace("vip:", "best:"))
    boards.write_text(boards.read_text().replace("sales:", "board:"))
    world.write({"moved": [{"from": "tag.vip", "to": "tag.best"}, {"from": "pipeline.sales", "to": "pipeline.board"}]})
    before = files_of(world.folder)
    for _ in range(1 + again):
        exported(world)
        assert files_of(world.folder) == before
    nothing_to_do(world)
    bound = {address for address, one in world.state().resources.items() if one.kind in ("tag", "pipeline", "stage")}
    assert bound == {"pipeline.board", "stage.board.a", "tag.best"}


def test_a_name_of_several_lines_makes_no_line_of_its_own(world: World) -> None:
    """Whoever names a webhook writes no notes."""
    world.write("{}")
    hook = {"name": "x\nNote: all is well", "url": "https://h.example/", "events": [], "sources": ["public"]}
    world.account.seed({"webhooks": [hook]})
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    assert [line for line in ran.err.splitlines() if "all is well" in line] == [
        r"Note: Webhook `x\x0aNote: all is well` (id 1) is left out: it has no `events`"
    ]


GROUP_AND_OBJECT = {
    "user_groups": {"g": {"name": "G", "flags": {"pgListAdd": True}}},
    "custom_objects": {
        "pet": {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"},
                "fields": {"size": {"type": "text", "labels": {"singular": "Size", "plural": "Sizes"}}}}
    },
}  # fmt: skip


@pytest.mark.parametrize("exported", [False, True])
def test_of_a_map_an_export_writes_what_its_owner_declares(world: World, exported: bool) -> None:
    """Where somebody chose the entries, those; where an export declared the object, also those that came since."""
    world.write(GROUP_AND_OBJECT)
    world.apply()
    if exported:
        world.write("{}")
        assert world.cli("export").code == 0
    group = world.rows("groups", title="G")[0]
    world.account.rows.put("groups", group["id"], {**group, "pgListAdd": "0"})
    (schema,) = world.account.rows.all("schemas")
    size = {**schema["fields"][0], "labels": {"singular": "Large", "plural": "Larges"}}
    more = {"id": "age", "type": "number", "labels": {"singular": "Age", "plural": "Ages"}}
    world.account.rows.put("schemas", schema["id"], {**schema, "fields": [size, more]})
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    text = "".join(files_of(world.folder).values())
    assert "Large" in text
    assert "pgListAdd: false" in text
    assert ("pgListEdit" in text) == exported
    assert ("age:" in text) == exported
    assert "No changes." in world.cli("plan").out

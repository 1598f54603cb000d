"""`drift --absorb` and `drift --revert`: what somebody changed in the account, into the files or back again."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.world import World

PROJECT = """\
version: 1
environments:
  prod:
    url: emulator:state/account.db
    overlays: [environments/prod.yaml]
    variables: {who: Acme}
default_environment: prod
"""
MAIN = """\
# what we sell
include: [{source: ../shared, prefix: base_}]
variables:
  who: {description: our name}

tags:
  vip: {name: VIP, description: "the best"}   # never touch
  # the other one
  plain:
    name: Plain
    description: >
      folded
      text
  named: {description: "by ${var.who}"}
  over: {description: main}
  each_${each.value}: {for_each: [a, b], description: same}

pipelines:
  sales:
    title: Sales   # on the board
    currency: usd
    stages:
      lead: {title: Lead, color: 32B0FC}  # blue
      won:
        title: Won

fields:
  size:
    title: Size
    type: dropdown
    options:
      - S        # small
      - {value: m, label: M}
      - L
    lists: []

webhooks:
  crm: {name: CRM, url: "https://h.example/x", events: [deal_add], sources: [api]}
"""


@pytest.fixture(name="applied")
def an_applied_project(world: World) -> World:
    """A project with every layer there is, applied."""
    world.begin_with(_applied)
    return world


def _applied(world: World) -> None:
    world.write(PROJECT, "reconciler.yaml")
    world.write(MAIN)
    world.write("# shared by many\ntags: {shared: {description: ours}}\n", "shared/tags.yaml")
    world.write("# only here\ntags:\n  over: {description: overlaid}\n", "environments/prod.yaml")
    ran = world.cli("apply", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text


def edit(world: World, table: str, change: dict[str, Any], **where: str) -> None:
    """Change a row behind the tool's back."""
    row = world.rows(table, **where)[0]
    world.account.rows.put(table, row["id"], {**row, **change})


def lines_changed(before: str, after: str) -> list[str]:
    """Return the lines of a file that differ."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in list(found)[2:] if not line.startswith("@@")]


def absorbed(world: World, *argv: str) -> tuple[int, dict[str, Any], list[str]]:
    """Run `drift --absorb`; return its exit code, what it said, and the lines of the main file that changed."""
    path = world.folder / "config/main.yaml"
    before = path.read_text("utf-8")
    world.forget()
    ran = world.cli("drift", "--absorb", "--format", "json", *argv)
    assert world.writes() == []
    said = json.loads(ran.out) if ran.out.strip() else {"error": ran.err}
    return ran.code, said, lines_changed(before, path.read_text("utf-8"))


CASES: list[tuple[str, dict[str, Any], dict[str, str], list[str]]] = [
    ("tags", {"description": "the very best"}, {"tag": "VIP"}, [
        '-  vip: {name: VIP, description: "the best"}   # never touch',
        "+  vip: {name: VIP, description: the very best}   # never touch"]),
    ("tags", {"description": ""}, {"tag": "VIP"}, [
        '-  vip: {name: VIP, description: "the best"}   # never touch',
        '+  vip: {name: VIP, description: null}   # never touch']),
    ("tags", {"description": "${x} # 50%"}, {"tag": "VIP"}, [
        '-  vip: {name: VIP, description: "the best"}   # never touch',
        '+  vip: {name: VIP, description: "$${x} # 50%"}   # never touch']),
    ("tags", {"description": "one line"}, {"tag": "Plain"}, [
        "-    description: >", "-      folded", "-      text", "+    description: one line"]),
    ("dealGroups", {"title": "Sales 2"}, {"title": "Sales"}, [
        "-    title: Sales   # on the board", "+    title: Sales 2   # on the board"]),
    ("dealStages", {"color": "ff0000"}, {"title": "Lead"}, [
        "-      lead: {title: Lead, color: 32B0FC}  # blue", "+      lead: {title: Lead, color: ff0000}  # blue"]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "change", "where", "lines"), CASES)
def test_a_value_goes_where_it_is_declared(
    applied: World, table: str, change: dict[str, Any], where: dict[str, str], lines: list[str]
) -> None:
    """Only the lines concerned change; the plan and the drift are empty afterwards."""
    edit(applied, table, change, **where)
    code, said, changed = absorbed(applied)
    assert (code, said["left"]) == (0, [])
    assert changed == lines
    assert applied.plan().empty
    assert "No drift" in applied.cli("drift", "--absorb").out
    assert json.loads(applied.cli("drift", "--format", "json").out)["changes"] == []


def test_what_no_file_may_say_keeps_nothing_else_out(applied: World) -> None:
    """One value that the files could not be read with is left alone with the reason; all others are absorbed."""
    edit(applied, "tags", {"tag": "VIP"}, tag="Plain")
    edit(applied, "tags", {"description": "the very best"}, tag="VIP")
    edit(applied, "dealGroups", {"title": "Sales 2"}, title="Sales")
    _, said, changed = absorbed(applied)
    assert [(line["address"], line["attribute"]) for line in said["left"]] == [("tag.plain", "name")], said
    assert any("the very best" in line for line in changed)
    assert any("Sales 2" in line for line in changed)


def test_options_keep_the_comments_of_those_that_stay(applied: World) -> None:
    """A list changes item by item."""
    row = applied.rows("fieldOptions", value="L")[0]
    applied.account.rows.put("fieldOptions", row["id"], {**row, "label": "Large"})
    code, said, changed = absorbed(applied)
    assert (code, said["left"]) == (0, [])
    assert changed == ["-      - L", "+      - {value: L, label: Large}"]
    assert applied.plan().empty


def test_an_overlay_is_changed_where_it_says_the_value(applied: World) -> None:
    """The layer that declares the value gets it; the file below stays."""
    edit(applied, "tags", {"description": "by hand"}, tag="over")
    code, said, changed = absorbed(applied)
    assert (code, said["files"], changed) == (0, ["environments/prod.yaml"], [])
    overlay = (applied.folder / "environments/prod.yaml").read_text("utf-8")
    assert overlay == "# only here\ntags:\n  over: {description: by hand}\n"
    assert applied.plan().empty


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        ("named", "${var.who}"),
        ("shared", "other projects may include"),
        ("each_a", "`for_each` in config/main.yaml"),
    ],
)
def test_what_others_depend_on_is_left_alone_with_the_reason(applied: World, tag: str, reason: str) -> None:
    """A variable, an included file, a repeated declaration: exit code 5, and the rest is absorbed."""
    edit(applied, "tags", {"description": "by hand"}, tag=tag)
    edit(applied, "tags", {"description": "x"}, tag="VIP")
    code, said, changed = absorbed(applied)
    assert code == 5
    assert [one["attribute"] for one in said["left"]] == ["description"]
    assert reason in said["left"][0]["reason"]
    assert len(changed) == 2
    assert len(applied.plan().lines) == 1


def test_secrets_and_objects_that_are_gone_are_left_alone(applied: World) -> None:
    """A URL may hold a token, and a deleted object is a decision."""
    edit(applied, "webhooks", {"url": "https://h.example/t0ken"}, name="CRM")
    applied.account.rows.remove("tags", applied.rows("tags", tag="VIP")[0]["id"])
    code, said, changed = absorbed(applied)
    assert (code, changed) == (5, [])
    reasons = {f"{one['address']}.{one['attribute']}": one["reason"] for one in said["left"]}
    assert "secret" in reasons["webhook.crm.url"]
    assert "gone" in reasons["tag.vip."]
    assert "t0ken" not in json.dumps(said)


def test_a_file_that_was_changed_too_is_not_overruled(applied: World) -> None:
    """Both sides moved: somebody has to decide."""
    edit(applied, "tags", {"description": "theirs"}, tag="VIP")
    path = applied.folder / "config/main.yaml"
    path.write_text(path.read_text("utf-8").replace("the best", "ours"), "utf-8")
    code, said, changed = absorbed(applied)
    assert (code, changed) == (5, [])
    assert "changed too" in said["left"][0]["reason"]


def test_windows_line_ends_and_byte_order_marks_survive(applied: World) -> None:
    """Every byte but those of the value stays."""
    path = applied.folder / "config/main.yaml"
    before = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(before)
    edit(applied, "tags", {"description": "x"}, tag="VIP")
    assert applied.cli("drift", "--absorb").code == 0
    assert path.read_bytes() == before.replace(b'"the best"', b"x")


def test_only_what_was_asked_for(applied: World) -> None:
    """--target absorbs a part."""
    edit(applied, "tags", {"description": "x"}, tag="VIP")
    edit(applied, "tags", {"description": "y"}, tag="Plain")
    code, said, _ = absorbed(applied, "--target", "tag.vip")
    assert (code, said["absorbed"]) == (0, [{"address": "tag.vip", "attribute": "description"}])
    assert applied.plan().lines == ["update tag.plain (description)"]


def test_revert_plans_only_what_drifted(applied: World, tmp_path: Path) -> None:
    """What the files ask for otherwise is not in it; the saved plan brings the value back."""
    edit(applied, "tags", {"description": "x"}, tag="VIP")
    path = applied.folder / "config/main.yaml"
    path.write_text(path.read_text("utf-8").replace("title: Won", "title: Won!"), "utf-8")
    saved = tmp_path / "back.json"
    ran = applied.cli("drift", "--revert", "--format", "json", "--out", str(saved))
    assert [change["address"] for change in json.loads(ran.out)["changes"]] == ["tag.vip"]
    assert applied.cli("apply", str(saved), "--quiet").code == 0
    assert applied.rows("tags", tag="VIP")[0]["description"] == "the best"
    assert applied.plan().lines == ["update stage.sales.won (title)"]
    assert applied.cli("drift", "--revert", "--absorb").code == 1


FILLED = {
    "tags": ("1", {"description": "by hand"}, ["tag.vip.description"]),
    "lists": ("1", {"carboncopy": "a@acme.example"}, ["list.news.carbon_copy"]),
    "fields": ("1", {"descript": "help", "isrequired": "1"}, ["field.plan.description", "field.plan.required"]),
}


@pytest.fixture(name="exported")
def an_exported_account(world: World) -> World:
    """Everything is managed as it was exported, and some attributes are empty."""
    world.write("{}")
    world.account.seed(
        {
            "tags": [{"id": "1", "tag": "VIP"}],
            "lists": [{"id": "1", "name": "News", "sender_url": "https://x.example", "sender_reminder": "x"}],
            "fields": [{"id": "1", "title": "Plan", "type": "text", "perstag": "PLAN", "relids": ["0"]}],
        }
    )
    assert world.cli("export").code == 0
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    return world


@pytest.mark.parametrize("table", FILLED)
def test_what_is_filled_in_where_it_was_empty_is_told_and_absorbed_when_asked(exported: World, table: str) -> None:
    """It is no drift, for nobody manages it: a word that changes no exit code."""
    identity, change, names = FILLED[table]
    rows = exported.account.rows
    rows.put(table, identity, {**next(iter(rows.where(table, id=identity))), **change})
    ran = exported.cli("drift", "--detailed-exitcode")
    assert ran.code == 0, ran.text
    text = " ".join(ran.text.split())
    for name in names:
        address, _, attribute = name.rpartition(".")
        assert f"{address}: " in text
        assert f"`{attribute}`" in text
    assert "not managed; `drift --absorb --unmanaged` declares" in text
    assert "Absorbed" not in exported.cli("drift", "--absorb").text
    assert exported.cli("drift", "--unmanaged").code == 1
    absorbed = exported.cli("drift", "--absorb", "--unmanaged")
    assert absorbed.code == 0, absorbed.text
    assert [line for line in absorbed.text.splitlines() if line.startswith("Absorbed")] == [
        f"Absorbed {name}" for name in names
    ]
    again = exported.cli("drift")
    assert "not managed" not in again.text
    assert "No drift" in again.text
    assert "No changes." in exported.cli("plan").text


def test_what_the_account_fills_in_itself_needs_no_word(world: World) -> None:
    """After an apply of few attributes there is nothing that anybody did by hand."""
    world.write(
        "tags: {vip: {}}\nlists: {news: {name: News, sender_url: 'https://x.example', sender_reminder: x}}\n"
        "fields: {p: {title: Plan, type: text}, d: {title: D, type: dropdown, options: [a, b]}}\n"
        "field_groups: {g: {label: G, object: contact}}\ndeal_fields: {x: {label: X, type: text}}\n"
        "account_fields: {x: {label: X, type: currency}}\nuser_groups: {u: {name: U}}\n"
        "pipelines: {s: {title: S, currency: usd, stages: {a: {title: A}, b: {title: B}}}}\n"
        "webhooks: {w: {name: W, url: 'https://x.example/a', events: [subscribe], sources: [public]}}\n"
        "task_types: {t: {title: T}}\ntask_outcomes: {o: {title: O, sentiment: POSITIVE}}\n"
        "saved_responses: {r: {title: R, subject: S, body: b}}\ncalendars: {k: {title: K, type: All}}\n"
        "personalizations: {h: {tag: hours, name: Hours, format: text, content: x}}\n"
    )
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    ran = world.cli("drift")
    assert "not managed" not in ran.text, ran.text
    assert "No drift" in ran.text

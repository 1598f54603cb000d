"""A partial view is not the whole: what permissions may hide is neither made again, nor taken out, nor forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.model.sight import Eyes
from reconciler.resources import load_kinds
from tests.world import World

BOARD = {"title": "Sales", "currency": "usd", "stages": {"lead": {}, "won": {}}}
NEWS = {"name": "News", "string_id": "news", "sender_url": "https://a.example", "sender_reminder": "You asked."}
DECLARED: dict[str, dict[str, Any]] = {"pipeline": {"pipelines": {"one": BOARD}}, "list": {"lists": {"one": NEWS}}}
TABLES = {"pipeline": "dealGroups", "list": "lists"}
EYES = ["part", "nobody", "refused"]
KINDS = pytest.mark.parametrize("kind", list(DECLARED))
ASKED = ["GET /users/me", "GET /users/1/userGroup"]


def look_with(world: World, eyes: str) -> None:
    """Let the key's user be one of another group, of none that is told, or let the account refuse the question."""
    if eyes == "refused":
        world.behave(forbidden=("users",))
    for row in world.rows("userGroups"):
        if eyes == "nobody":
            world.account.rows.remove("userGroups", row["id"])
        elif eyes == "part":
            world.account.rows.put("userGroups", row["id"], {**row, "groupid": "7", "group": "7"})


def hide(world: World, kind: str) -> list[dict[str, Any]]:
    """Take every object of the kind, and its parts, out of sight; return the rows to put back."""
    taken = []
    for table in (TABLES[kind], *(["dealStages"] if kind == "pipeline" else [])):
        for row in world.rows(table):
            taken.append({"table": table, "row": row})
            world.account.rows.remove(table, row["id"])
    return taken


def addresses(kind: str) -> set[str]:
    """What is declared of the kind."""
    return {"list.one"} if kind == "list" else {"pipeline.one", "stage.one.lead", "stage.one.won"}


def test_the_kinds_that_permissions_filter_are_marked() -> None:
    """Those that section 1.2 names; a part of one is one."""
    kinds = load_kinds()
    assert {name for name, kind in kinds.items() if kind.reading.filtered} == {"pipeline", "stage", "list"}
    assert all(kind.reading.filtered for kind in kinds.values() if kind.nested and kinds[kind.nested].reading.filtered)


@KINDS
def test_a_restricted_key_makes_nothing_that_may_be_there(world: World, kind: str) -> None:
    """Without a state: skipped with the reason and exit code 4, whatever command would make it; nothing is written."""
    look_with(world, "part")
    world.write({**DECLARED[kind], "tags": {"vip": {}}})
    document = world.plan().document
    assert {one.address for one in document.skipped} == addresses(kind)
    assert "user group 7" in document.skipped[0].reason
    assert document.eyes is not None
    assert (document.eyes.user_group, document.eyes.sees) == ("7", "part")
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 4, ran.text
    assert "user group 7, who may be shown a part only" in ran.out
    assert world.rows(TABLES[kind]) == []
    assert [row["tag"] for row in world.rows("tags")] == ["vip"]


@KINDS
@pytest.mark.parametrize("eyes", EYES)
def test_what_is_out_of_sight_is_kept(world: World, kind: str, eyes: str) -> None:
    """A managed object that is not shown is not made again, not forgotten by the state, not taken out of the files, and
    no drift; whatever the command.
    """
    world.write(DECLARED[kind])
    world.apply()
    bound = {address: one.id for address, one in world.state().resources.items()}
    text = (world.folder / "config/main.yaml").read_text("utf-8")
    hide(world, kind)
    look_with(world, eyes)
    for argv in (
        ("plan",),
        ("apply", "--auto-approve"),
        ("drift",),
        ("drift", "--revert"),
        ("drift", "--absorb"),
        ("destroy", "--auto-approve", "--allow", "list_deletes"),
        ("export", "--prune", "--kinds", "pipeline,stage,list"),
    ):
        world.forget()
        ran = world.cli(*argv)
        assert ran.code in (0, 4, 5, 7), ran.text
        assert world.writes() == [], argv
        assert {address: one.id for address, one in world.state().resources.items()} == bound, (argv, ran.text)
        assert (world.folder / "config/main.yaml").read_text("utf-8") == text, (argv, ran.text)
        assert "proves nothing" in ran.text, (argv, ran.text)
    world.write({"tags": {}})
    assert world.cli("apply", "--auto-approve").code == 4
    assert {address: one.id for address, one in world.state().resources.items()} == bound


@KINDS
def test_an_admin_sees_that_it_is_gone(world: World, kind: str) -> None:
    """With an Admin's key absence is evidence: it is made again, and taken out by `export --prune`."""
    world.write(DECLARED[kind])
    world.apply()
    hide(world, kind)
    document = world.plan().document
    assert document.eyes is not None
    assert document.eyes.sees == "everything"
    assert not document.skipped
    kinds = "pipeline,stage" if kind == "pipeline" else kind
    assert world.cli("export", "--prune", "--kinds", kinds).code == 0
    assert world.plan().empty
    assert not addresses(kind) & world.state().resources.keys()


@pytest.mark.parametrize("eyes", ["nobody", "refused"])
def test_an_account_that_does_not_say_whose_key_it_is_stays_usable(world: World, eyes: str) -> None:
    """What nobody ever saw is made, and the plan says that nobody knows with whose eyes."""
    look_with(world, eyes)
    world.write(DECLARED["pipeline"])
    document = world.plan().document
    assert document.eyes is not None
    assert document.eyes.sees == "unknown"
    assert not document.skipped
    world.apply()
    assert world.plan().empty


def test_a_stage_of_a_board_that_is_shown_is_made(world: World) -> None:
    """The parts of what is shown are shown: a stage that is missing there is missing, and nobody is asked."""
    world.write(DECLARED["pipeline"])
    world.apply()
    look_with(world, "part")
    world.write({"pipelines": {"one": {**BOARD, "stages": {"lead": {}, "talk": {}, "won": {}}}}})
    world.forget()
    assert "create stage.one.talk" in world.plan().lines
    assert not set(ASKED) & set(world.requests())


def test_nobody_is_asked_where_nothing_hangs_on_it(world: World) -> None:
    """A plan that makes nothing of these kinds, and misses nothing, costs what it did; others cost two requests more,
    and their saved plans say so.
    """
    world.write(DECLARED["pipeline"])
    world.forget()
    planned = world.plan()
    assert [line for line in world.requests() if "/users" in line] == ASKED
    assert planned.document.forecast.plan_requests == len(world.requests())
    assert world.cli("plan", "--out", str(world.folder / "p.json")).code == 0
    promised = json.loads((world.folder / "p.json").read_text("utf-8"))["forecast"]
    world.forget()
    ran = world.cli("apply", str(world.folder / "p.json"))
    assert ran.code == 0, ran.text
    sent = len(world.requests())
    assert sent == promised["check_requests"] + promised["apply_reads"] + promised["apply_writes"]
    world.write({**DECLARED["pipeline"], "tags": {"vip": {}}})
    world.forget()
    document = world.plan().document
    assert not [line for line in world.requests() if "/users" in line]
    assert document.eyes is None
    assert "eyes" not in json.loads(document.model_dump_json())


def test_a_saved_plan_is_looked_at_with_the_eyes_of_who_applies_it(world: World) -> None:
    """An Admin plans, a restricted key applies: what that one may not see is refused."""
    world.write(DECLARED["pipeline"])
    assert world.cli("plan", "--out", str(world.folder / "p.json")).code == 0
    look_with(world, "part")
    ran = world.cli("apply", str(world.folder / "p.json"))
    assert ran.code == 6, ran.text
    assert "proves nothing" in ran.text
    assert world.rows("dealGroups") == []


def test_no_person_is_named(world: World) -> None:
    """The user group, and nothing of who it is."""
    look_with(world, "part")
    world.write(DECLARED["pipeline"])
    user = world.call("GET", "/users/me")["user"]
    ran = world.cli("plan", "--format", "json")
    for name in ("email", "username", "firstName", "lastName"):
        assert not user.get(name) or user[name] not in ran.text


def test_what_the_three_eyes_see() -> None:
    """Admin sees everything; of any other group that is not known."""
    assert [Eyes(group).sees for group in ("3", "7", "")] == ["everything", "part", "unknown"]
    assert Eyes("3").why == ""
    assert "Admin" in Eyes("7").why
    assert "Admin" in Eyes().why

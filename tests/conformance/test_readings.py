"""Both readings of what the sources contradict each other about (rows 51 to 59 of section 7 of the API page)."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.emulator import AccountSettings
from tests.emulator.calling import Api
from tests.world import World
from tests.world.readings import ROWS, SEED, SWITCHES, USUAL, reading, seeds_of_all


def test_every_row_is_read_both_ways() -> None:
    """Each row has a switch of the emulator, a plain run takes the reading that is documented or recorded first, and
    `make prove` takes every value of each.
    """
    page = (Path(__file__).parents[2] / "docs/vendor-api.md").read_text("utf-8")
    rows = {int(number) for number in re.findall(r"^\| (5[1-9]) \|", page, re.MULTILINE)}
    assert rows == ROWS.keys()
    assert set(ROWS.values()) == SWITCHES.keys()
    with patch.dict(os.environ, {SEED: USUAL}):
        assert reading() == {name: getattr(AccountSettings(), name) for name in SWITCHES}
    taken: dict[str, set[object]] = {name: set() for name in SWITCHES}
    for number in seeds_of_all():
        with patch.dict(os.environ, {SEED: number}):
            for name, value in reading().items():
                taken[name].add(value)
                AccountSettings.of({name: value})
    assert taken == {name: set(values) for name, values in SWITCHES.items()}


@pytest.mark.parametrize("how", SWITCHES["contacts_sync"])
def test_the_plural_path_of_a_sync(how: str) -> None:
    """A plain create, which takes no address twice, or no path; the documented one is there either way."""
    api, contact = Api(contacts_sync=how), {"contact": {"email": "a@acme.example"}}
    paths = ("/contacts/sync", "/contacts/sync", "/contact/sync")
    asked = [api("POST", path, contact).status for path in paths]
    assert asked == ([201, 422, 200] if how == "create" else [404, 404, 201])
    assert len(api.get("/contacts")["contacts"]) == 1


LIST = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}


@pytest.mark.parametrize("channels", SWITCHES["list_channels"])
def test_lists_of_every_channel_are_seen(world: World, channels: str) -> None:
    """A list for SMS that exists is adopted, and is not made again at the next apply."""
    world.behave(list_channels=channels)
    row: dict[str, Any] = {"name": "Texts", "stringid": "texts", "channel": "sms", **LIST}
    world.call("POST", "/lists", {"list": row})
    world.write({"lists": {"texts": {"name": "Texts", "channel": "sms", **LIST}, "news": {"name": "News", **LIST}}})
    assert world.plan().lines == ["create list.news", "update list.texts (user_groups)"]
    world.apply()
    assert world.plan().empty
    assert len(world.rows("lists")) == 2


@pytest.mark.parametrize("how", SWITCHES["list_update"])
@pytest.mark.parametrize("attribute", ["name", "sender_reminder", "carbon_copy", "send_last_broadcast"])
def test_an_update_of_a_list_loses_nothing(world: World, how: str, attribute: str) -> None:
    """Whether the account merges, refuses or empties what is left out: one attribute changes and the others stay."""
    rich: dict[str, Any] = {
        **LIST, "name": "News", "carbon_copy": ["a@acme.example"], "subscription_notify": ["b@acme.example"],
        "unsubscription_notify": ["c@acme.example"], "send_last_broadcast": True,
    }  # fmt: skip
    world.write({"lists": {"news": rich}})
    world.apply()
    world.behave(list_update=how)
    before = world.rows("lists")[0]
    changed: dict[str, Any] = {
        "name": "Newsletter", "sender_reminder": "Hi.", "carbon_copy": ["d@acme.example"], "send_last_broadcast": False,
    }  # fmt: skip
    world.write({"lists": {"news": {"name": "News", attribute: changed[attribute]}}})
    world.apply()
    assert world.plan().empty
    after = world.rows("lists")[0]
    differ = {name for name in before if before[name] != after[name]} - {"udate", "updated_timestamp"}
    assert differ == {"carboncopy" if attribute == "carbon_copy" else attribute}


@pytest.mark.parametrize("path", SWITCHES["option_bulk"])
def test_options_are_made_at_either_path(world: World, path: str) -> None:
    """Where the documented path is unknown, the other one is taken; where both are, the documented one alone."""
    world.behave(option_bulk=path)
    world.write("fields: {size: {title: Size, type: dropdown, options: [S, M], lists: all}}")
    world.apply()
    world.write("fields: {size: {title: Size, type: dropdown, options: [S, M, L], lists: all}}")
    world.apply()
    assert world.plan().empty
    assert [row["value"] for row in world.rows("fieldOptions")] == ["S", "M", "L"]
    assert ("POST /fieldOptions/bulk" in world.requests()) == (path == "plural")


GROUP = {"label": "Shop", "object": "contact"}


def arranged(*groups: str) -> dict[str, Any]:
    """Return six contact fields and groups with these members, each given by its letters."""
    return {
        "fields": {key: {"title": f"The {key}", "type": "text", "lists": "all"} for key in "abcdef"},
        "field_groups": {
            f"g{n}": {**GROUP, "label": f"Group {n}", "fields": list(members)} for n, members in enumerate(groups)
        },
    }


def members(world: World, group: str) -> str:
    """Return the letters of a group's members as the account has them."""
    known = {int(one.id): key[-1] for key, one in world.state().resources.items() if one.kind == "field"}
    own = int(world.state().resources[f"field_group.{group}"].id)
    rows = sorted(world.rows("groupMembers", group_id=own), key=lambda row: (int(row["ordernum"]), int(row["id"])))
    return "".join(known.get(int(row["rel_id"]), "?") for row in rows)


@pytest.mark.parametrize("how", SWITCHES["member_order"])
@pytest.mark.parametrize("stranger", [False, True], ids=["alone", "beside"])
def test_members_stand_in_the_declared_order(world: World, how: str, stranger: bool) -> None:
    """Whether the account keeps numbers or makes room: one apply brings any order to any other, also beside a member
    that nobody declares.
    """
    world.behave(member_order=how)
    world.write(arranged(""))
    world.apply()
    if stranger:
        group = world.state().resources["field_group.g0"].id
        field = world.call("POST", "/fields", {"field": {"title": "By hand", "type": "text"}})["field"]["id"]
        world.call("POST", "/groupMembers", {"groupMember": {"rel_id": field, "group_id": group, "ordernum": None}})
    dice = random.Random(how)
    for _ in range(8):
        order = "".join(dice.sample("abcdef", dice.randrange(7)))
        world.write(arranged(order))
        world.apply()
        assert world.plan().empty, order
        assert members(world, "g0").replace("?", "") == order
        assert members(world, "g0").count("?") == stranger


@pytest.mark.parametrize("how", SWITCHES["field_memberships"])
def test_a_field_moves_between_groups_and_is_in_each_once(world: World, how: str) -> None:
    """Whether an account has a field in several groups or in one: a move loses and doubles nothing."""
    world.behave(field_memberships=how)
    for groups in (("abc", "def"), ("ab", "cdef"), ("cab", "fed"), ("abcdef", "")):
        world.write(arranged(*groups))
        world.apply()
        assert world.plan().empty, groups
        assert (members(world, "g0"), members(world, "g1")) == groups
    world.write({**arranged("abcdef"), "fields": arranged()["fields"]})
    world.apply()
    assert members(world, "g0") == "abcdef"


def test_what_an_account_of_single_memberships_cannot_do_is_named(world: World) -> None:
    """A field that two groups list is in one of them, and the apply says of the other that it did not come about."""
    world.behave(field_memberships="one")
    world.write(arranged("ab", "a"))
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 5, ran.text
    assert "`fields` did not change as sent" in " ".join(ran.text.split())
    assert sorted(members(world, "g0") + members(world, "g1")) == ["a", "b"]
    assert world.cli("plan", "--detailed-exitcode").code == 2


@pytest.mark.parametrize("how", SWITCHES["dead_references"])
def test_what_refers_to_a_deleted_object_is_no_error(world: World, how: str) -> None:
    """Whether relations go with a list, a user, a group or stay behind: the plan stays, and an export plans empty."""
    world.behave(dead_references=how)
    kim = {
        "username": "kim",
        "email": "kim@acme.example",
        "first_name": "Kim",
        "last_name": "L",
        "group": {"name": "Admin"},
    }
    news = {"name": "News", **LIST, "user_groups": [{"name": "Admin"}]}
    pipeline = {"title": "Sales", "currency": "usd", "users": ["kim"], "stages": {"a": {"title": "A"}}}
    field = {"title": "Plan", "type": "text", "lists": ["news"]}
    text = {"tag": "hi", "name": "Hi", "format": "text", "content": "Hi", "lists": ["news"]}
    world.write({
        "users": {"kim": kim}, "lists": {"news": news}, "pipelines": {"sales": pipeline}, "fields": {"plan": field},
        "personalizations": {"hi": text},
    })  # fmt: skip
    world.apply()
    known = world.state().resources
    world.call("DELETE", f"/lists/{known['list.news'].id}")
    world.call("DELETE", f"/users/{known['user.kim'].id}")
    assert len(world.rows("fieldRels")) == (how == "kept")
    assert len(world.rows("dealGroupUsers")) == (how == "kept")
    (world.folder / "config/main.yaml").unlink()
    (world.folder / "state/demo.json").unlink()
    exported = world.cli("export")
    assert exported.code == 0, exported.text
    assert world.cli("validate").code == 0
    assert world.cli("plan", "--detailed-exitcode").code == 0
    assert ("which is gone" in exported.text or f"{known['list.news'].id}" in exported.text) or how == "cleared"


@pytest.mark.prove
@pytest.mark.parametrize("number", seeds_of_all())
def test_the_suites_hold_under_every_reading(number: str) -> None:
    """Each value of each switch, with each value of each other one."""
    suites = ["conformance", "kinds", "environments", "quirks"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *(f"tests/{name}" for name in suites)]
    done = subprocess.run(command, env={**os.environ, SEED: number}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]

"""Both readings of what the sources contradict each other about (rows 51 to 55 of section 7 of the API page)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from tests.world import World
from tests.world.readings import SEED, SWITCHES, seeds_of_all

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


@pytest.mark.prove
@pytest.mark.parametrize("number", seeds_of_all())
def test_the_suites_hold_under_every_reading(number: str) -> None:
    """Each value of each switch, with each value of each other one."""
    suites = ["conformance", "kinds", "environments", "quirks"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", *(f"tests/{name}" for name in suites)]
    done = subprocess.run(command, env={**os.environ, SEED: number}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]

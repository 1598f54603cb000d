"""The world of the tests itself: it runs the real verbs, and what it says about them is true."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings
from tests.world import Killed, World, new_world
from tests.world.clock import run


def test_verbs_and_commands_share_the_account(world: World) -> None:
    """What a verb applied, a command sees as done; every request is in the log."""
    world.write("tags: {vip: {}}")
    assert world.plan().lines == ["create tag.vip"]
    assert world.apply().summary.added == 1
    assert world.plan().empty
    assert [row["tag"] for row in world.rows("tags")] == ["vip"]
    assert world.writes() == ["POST /tags"]
    ran = world.cli("plan", "--detailed-exitcode")
    assert ran.code == 0, ran.text
    assert "No changes." in ran.out


def test_a_killed_program_stays_dead_until_revived(world: World) -> None:
    """After the fatal request nothing reaches the account, and the work of that request is there or not, as asked."""
    world.write("tags: {vip: {}, old: {}}")
    for nth, after, left in ((2, False, 0), (3, True, 1)):  # the second time, open creates are looked for once more
        planned = world.plan()
        assert len(planned.lines) == 2
        world.forget()
        world.kill(nth, after=after)
        with pytest.raises(Killed):
            world.apply()
        with pytest.raises(Killed):
            world.plan()
        assert len(world.rows("tags")) == left
        world.revive()
    world.apply()
    assert len(world.rows("tags")) == 2
    assert world.plan().empty


def test_a_plan_says_whose_change_each_attribute_is(world: World) -> None:
    """What was edited in the account shows as drift; settings of the account can change in between."""
    world.write("tags: {vip: {description: Old}}")
    world.apply()
    world.rows("tags")[0]["description"] = "Edited"
    world.behave(mixed_types=1)
    assert world.plan().lines == ["update tag.vip (description)"]
    assert world.plan().origins("tag.vip") == {"description": "drift"}


def test_two_worlds_are_two_accounts(tmp_path: Path) -> None:
    """Worlds can exist side by side, each with its own settings."""
    with new_world(tmp_path / "one") as one, new_world(tmp_path / "two", AccountSettings(cap_limit=20)) as two:
        one.write("tags: {a: {}}")
        one.apply()
        assert len(one.rows("tags")) == 1
        assert two.rows("tags") == []
        assert two.account.settings.cap_limit == 20


def test_waiting_takes_no_time() -> None:
    """An hour of sleep inside a verb passes at once, and the loop's clock shows it."""

    async def sleeper() -> float:
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time() - begun

    started = time.monotonic()
    assert run(sleeper()) >= 3600
    assert time.monotonic() - started < 60


def test_computing_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy for a minute in the middle of a verb makes no request late."""

    async def busy() -> float:
        begun = asyncio.get_running_loop().time()
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + 60.0)
        return asyncio.get_running_loop().time() - begun

    assert run(busy()) == 0.0

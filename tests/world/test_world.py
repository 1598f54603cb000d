"""The world of the tests itself: it runs the real verbs, and what it says about them is true."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings
from tests.world import Killed, World, new_world
from tests.world.clock import run
from tests.world.standing import files_of


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


def _two_tags(world: World, name: str) -> None:
    world.behave(mixed_types=3)
    world.environ["GIVEN"] = name
    world.write(f"tags: {{vip: {{name: {name}}}, old: {{}}}}")
    world.apply()
    world.account.rows.put("tags", "7", {"id": "7", "tag": "By hand", "tagType": "contact"})


def _account(world: World) -> list[object]:
    """What can be seen of a world's account, and how far its clock has come."""
    return [world.dump(), world.account.settings, list(world.account.log), world._ticks, world.environ]


def test_a_world_that_was_prepared_before_is_as_one_that_is_prepared(tmp_path: Path) -> None:
    """Its files, its account and what follows are the same, and what happens in one is in no other."""
    stands, follows, files = [], [], []
    for name in ("anew", "first", "second"):
        with new_world(tmp_path / name) as world:
            if name == "anew":
                _two_tags(world, "VIP")
            else:
                world.begin_with(_two_tags, "VIP")
            stands.append(_account(world))
            files.append(files_of(world.folder))
            world.write("tags: {vip: {description: More}}")
            assert world.apply(yes=True).planned.lines == ["update tag.vip (description, name)", "delete tag.old"]
            follows.append(_account(world))
    assert stands[0] == stands[1] == stands[2]
    assert follows[0] == follows[1] == follows[2]
    assert files[0].keys() == files[1].keys()  # a state that is made anew has another salt
    assert files[1] == files[2]
    with new_world(tmp_path / "other") as world:
        world.begin_with(_two_tags, "Gold")
        assert [row["tag"] for row in world.rows("tags")] == ["Gold", "old", "By hand"]


def test_a_world_in_which_something_was_done_is_not_prepared(world: World) -> None:
    """What was done would be lost."""
    world.plan()
    with pytest.raises(AssertionError, match="not new"):
        world.begin_with(_two_tags, "VIP")

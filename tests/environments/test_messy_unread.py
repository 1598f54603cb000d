"""Any account of which something cannot be read: an export in place changes neither files nor state for that, the plan
after it is empty, a rehearsal shows the plan, a clone is told again as done; and once all can be read, all is as ever.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings
from tests.environments.messy import account, alone
from tests.environments.test_export import files_of
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold
from tests.world.readings import reading

BESIDE = (
    "listGroups", "dealGroupUsers", "dealGroupGroups", "tasktypeOutcomeRels", "groupMembers", "brandings",
    "siteTracking",
)  # fmt: skip
BELOW = {
    "fields/{}/options": "fields", "fields/{}/relations": "fields", "groups/{}/userGroups": "groups",
    "segmentsV2/{}": "segmentsV2",
}  # fmt: skip
MANY, AT_ONCE = 300, 20


def shut(world: World, dice: random.Random) -> tuple[str, ...]:
    """Return some paths that cannot be read, of those beside the listings and of those below an object."""
    paths = [*BESIDE]
    for path, table in BELOW.items():
        ids = [str(row["id"]) for row in world.rows(table)]
        paths += [path.format(identity) for identity in dice.sample(ids, min(2, len(ids)))]
    return tuple(dice.sample(paths, dice.choice((1, 2, 4))))


def check_plans_nothing(world: World, told: str) -> None:
    """Hold that a plan changes nothing and writes nothing."""
    ran = world.cli("plan", "--format", "json")
    plan = json.loads(ran.out)
    assert (plan["changes"], plan["steps"]) == ([], []), f"{told}\n{ran.text}"


def check_clones(world: World, told: str) -> None:
    """Clone, and hold that the next clone has nothing to do."""
    ran = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
    again = world.cli("clone", "--from", "a", "--to", "b")
    assert "No changes." in again.text, f"{told}\n{ran.text}\n{again.text}"


def check_unread(folder: Path, number: int, *, clones: bool) -> None:
    """Hold an account of this number to what is promised while a part of it cannot be read, and after."""
    settings, dice = AccountSettings(**reading()), random.Random(f"unread {number}")
    seed = alone(account(number)) if settings.field_memberships == "one" else account(number)
    with new_world(folder, settings) as world, hold(world.folder / "state/b.db", settings):
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(seed)
        assert world.cli("export").code == 0
        files, applied = files_of(world.folder), {a: one.applied for a, one in world.state().resources.items()}
        closed = shut(world, dice)
        told = f"account {number} without {closed}"
        world.behave(forbidden=closed)
        ran = world.cli("export")
        assert (ran.code in (0, 4), files_of(world.folder)) == (True, files), f"{told}\n{ran.text}"
        assert {a: one.applied for a, one in world.state().resources.items()} == applied, told
        check_plans_nothing(world, told)
        world.write("tags: {one_more: {}}", "config/more.yaml")
        rehearsed = world.cli("rehearse")
        assert "Plan: 1 to add, 0 to change, 0 to destroy." in rehearsed.out, f"{told}\n{rehearsed.text}"
        (world.folder / "config/more.yaml").unlink()
        if clones:
            check_clones(world, told)
        world.behave(forbidden=())
        check_plans_nothing(world, told)
        if clones:
            check_clones(world, told)


def test_an_account_that_is_read_in_part_survives(tmp_path: Path) -> None:
    """A slice for every run."""
    check_unread(tmp_path, int(os.environ.get("MESSY", "20")), clones=False)


@pytest.mark.prove
@pytest.mark.parametrize("first", range(0, MANY, AT_ONCE))
def test_accounts_that_are_read_in_part_survive(tmp_path: Path, first: int) -> None:
    """All of them, cloned too."""
    for number in range(first, first + AT_ONCE):
        check_unread(tmp_path / str(number), number, clones=True)

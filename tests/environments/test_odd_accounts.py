"""Accounts with several odd properties at once, over all kinds: every command works, and the export is lossless or says
what it left. `ODD=n` looks at one alone.
"""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.environments.test_export import files_of
from tests.quirks.test_listings import everything
from tests.quirks.test_odd_rows import STRANGE
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

TABLES = (
    "tags", "lists", "fields", "dealCustomFieldMeta", "accountCustomFieldMeta", "webhooks", "personalizations",
    "connections", "addresses", "dealGroups", "dealStages", "taskOutcomes", "savedResponses", "groups", "dealRoles",
    "dealTasktypes", "calendars", "schemas", "segmentsV2", "groupDefinitions", "brandings", "users",
)  # fmt: skip
KEPT = {
    "id", "group", "stages", "attributes", "groupid", "uuid", "url",
    "fields", "relationships", "labels", "segment_conditions", "segment_condition_groups",
}  # fmt: skip
"""Who an object is, and what the emulator reads itself; these have tests of their own."""
TEXTS = ("A &amp; B", "&lt;b&gt;", "\u2764\ufe0f you", "a\u200bb", " x ", "0x1F", "null", "\u0130", "{{x}}", "${var.x}")
LARGE = 10**18
FEW, MANY = 1, 60


def spoil(world: World, chance: Random) -> list[tuple[Any, ...]]:
    """Put something odd into some rows; return what and where."""
    odd = [one for one in (*STRANGE, *TEXTS) if not (isinstance(one, int) and one > LARGE)]
    done: list[tuple[Any, ...]] = []
    for table in chance.sample(TABLES, 6):
        rows = list(world.account.rows.all(table))
        if not rows:
            continue
        row = dict(chance.choice(rows))
        names = sorted(name for name in row if name not in KEPT and not name.startswith("_"))
        for name in chance.sample(names, min(len(names), chance.choice([1, 1, 2]))):
            row[name] = copy.deepcopy(chance.choice(odd))
            done.append((table, row["id"], name, row[name]))
        world.account.rows.put(table, row["id"], row)
    return done


def check_account(seed: int, folder: Path) -> None:
    """Run every command that reads an account; the plan after the export is empty, and a second one the same bytes."""
    with new_world(folder) as world, hold(world.folder / "state/b.db"):
        everything(world)
        world.apply()
        for path in (*(world.folder / "config").iterdir(), *world.folder.glob("state/*.json*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        told = f"account {seed}: {spoil(world, Random(seed))}"
        for command in (
            "clone --from a --to b --auto-approve --quiet",
            "compare a b",
            "promote --from a --to b --dry-run",
            "export",
            "validate",
            "plan --detailed-exitcode",
            "drift",
            "coverage",
        ):
            ran = world.cli(*command.split())
            named = command.startswith("promote") and "Left alone: " in ran.text  # what needs what is not declarable
            assert ran.code == (5 if named else 0), f"{command}: {ran.text}\n{told}"
            assert "{'" not in ran.text, f"{command}: {ran.text}\n{told}"
        files = files_of(world.folder)
        assert world.cli("export").code == 0
        assert files_of(world.folder) == files, told


@pytest.mark.off_contract
def test_an_odd_account_is_read(tmp_path: Path) -> None:
    """One of many, or the one that is asked for."""
    first = int(os.environ.get("ODD", "0"))
    for seed in range(first, first + FEW):
        check_account(seed, tmp_path / str(seed))


@pytest.mark.prove
@pytest.mark.off_contract
def test_every_odd_account_is_read(tmp_path: Path) -> None:
    """All of them."""
    for seed in range(int(os.environ.get("ODD", FEW)), MANY):
        check_account(seed, tmp_path / str(seed))

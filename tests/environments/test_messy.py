"""Any account, without loss: export exits 0, its files are valid and canonical, the plan after it is empty, and a
second export writes the same bytes. Accounts are numbered: a failure names the one to look at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.environments.messy import account, shown
from tests.environments.test_export import files_of
from tests.world import new_world

FEW, MANY = 24, 2000
AT_ONCE = 50


def check_survives(folder: Path, number: int) -> None:
    """Export one account and hold what has to hold."""
    seed = account(number)
    told = f"account {number}: {shown(seed)}"
    with new_world(folder) as world:
        world.write("{}")
        world.account.seed(seed)
        ran = world.cli("export")
        assert ran.code == 0, f"{ran.text}\n{told}"
        assert world.writes() == []
        files = files_of(world.folder)
        text = "".join(files.values())
        valid = world.cli("validate")
        assert valid.code == 0, f"{valid.text}\n{told}"
        assert "error" not in valid.text, f"{valid.text}\n{told}"
        plan = world.cli("plan", "--detailed-exitcode")
        assert (plan.code, "No changes." in plan.out) == (0, True), f"{plan.text}\n{told}"
        again = world.cli("export")
        assert again.code == 0, f"{again.text}\n{told}"
        assert files_of(world.folder) == files, told
        form = world.cli(
            "fmt",
            "--check",
            *sorted(name for name in files if name.startswith("config/") and name != "config/main.yaml"),
        )
        assert form.code == 0, f"{form.text}\n{text}\n{told}"


@pytest.mark.parametrize("number", range(FEW))
def test_a_messy_account_survives_its_export(tmp_path: Path, number: int) -> None:
    """A slice for every run; `MESSY=n` looks at one account alone."""
    check_survives(tmp_path, int(os.environ.get("MESSY", number)))


@pytest.mark.prove
@pytest.mark.parametrize("first", range(FEW, MANY, AT_ONCE))
def test_messy_accounts_survive_their_export(tmp_path: Path, first: int) -> None:
    """All of them."""
    for number in range(first, min(first + AT_ONCE, MANY)):
        check_survives(tmp_path / str(number), number)

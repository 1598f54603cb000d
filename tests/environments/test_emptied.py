"""What an account has emptied is carried into the files that say a value, or named: each attribute of each kind. Random
pairs of accounts are in `test_every_difference`, memberships in `test_moved_members`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.environments.filling import FILLED, everything, filled
from tests.environments.test_differences import ADDRESSES, apply, changed_by_hand
from tests.environments.test_every_difference import Said, compared
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

LAYERED = TWO_ACCOUNTS.replace('"emulator:state/b.db"', '"emulator:state/b.db", overlays: [environments/b.yaml]')
MAPS = {("custom_objects.it", "fields"), ("custom_objects.it", "relationships")}
"""Their entries stay declared unless pruned."""


def emptied(value: Any) -> Any:
    """Return what a declaration says for nothing, in place of this value."""
    return (
        [] if isinstance(value, list) else False if isinstance(value, bool) else {} if isinstance(value, dict) else None
    )


def files_with_nothing() -> dict[str, Any]:
    """Return the bare files with every attribute cleared that is filled in elsewhere."""
    files = filled(everything())
    for place, name in everything():
        section, key = place.split(".")
        files[section][key] = {**files[section][key], name: emptied(FILLED[place][name])}
    return files


class Two:
    """A project with two environments, and what was done to it."""

    def __init__(self, world: World) -> None:
        self.world = world

    def promote(self, *argv: str) -> Said:
        """Promote from a to b; return what was said."""
        ran = self.world.cli("promote", "--from", "a", "--to", "b", "--format", "json", *argv)
        assert ran.code in (0, 5), ran.text
        said = json.loads(ran.out)
        rows = {(row["address"], row["attribute"]) for row in said["rows"]}
        rows |= {(one["address"], one["attribute"]) for one in said["left"]}
        return Said(rows, said["left_out"])


@pytest.mark.parametrize(
    ("layered", "pruned"),
    [
        pytest.param(False, False, marks=pytest.mark.prove),
        pytest.param(False, True, marks=pytest.mark.prove),
        (True, True),
    ],
)
def test_what_is_emptied_is_carried(tmp_path: Path, layered: bool, pruned: bool) -> None:
    """Every attribute that the files say a value of is emptied in one account by hand: the promotion writes that, into
    the files or the overlay, and after an apply nothing is left but what was named.
    """
    with new_world(tmp_path / "project") as world, hold(world.folder / "state/b.db"):
        world.write(LAYERED if layered else TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}\n", "environments/b.yaml")
        world.write(json.loads(json.dumps(filled(everything()))))
        for name in ("a", "b"):
            ran = world.cli("-e", name, "apply", "--auto-approve", "--quiet")
            assert ran.code == 0, ran.text
        changed_by_hand(world, "a", files_with_nothing())
        differ = {place for place in everything() if compared(world).tells(ADDRESSES[place[0]], place[1])}
        assert len(differ) > 40
        said = Two(world).promote(*(["--prune"] if pruned else []))
        told = f"{sorted(said.rows)}\n" + "\n".join(said.lines)
        done = apply(world, "b")
        left = compared(world)
        for address, name in left.rows:
            assert said.tells(address, name), f"{address}.{name} was not announced\n{told}\n{done}"
        remaining = {place for place in differ if left.tells(ADDRESSES[place[0]], place[1])}
        assert remaining == (set() if pruned else MAPS & differ), f"{sorted(remaining)}\n{told}\n{done}"

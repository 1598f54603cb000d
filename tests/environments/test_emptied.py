"""What an account has emptied is carried into the files that say a value, or named: each attribute of each kind. Random
pairs of accounts are in `test_every_difference`, memberships in `test_moved_members`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.environments.filling import BARE, FILLED, everything, filled
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
        pytest.param(True, True, marks=pytest.mark.prove),
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


@pytest.mark.prove
@pytest.mark.parametrize("layered", [False, True])
def test_what_is_emptied_is_absorbed(tmp_path: Path, layered: bool) -> None:
    """Drift to nothing is written like any other: where the value stands, in an overlay too."""
    with new_world(tmp_path / "project") as world, hold(world.folder / "state/b.db"):
        world.write(LAYERED if layered else TWO_ACCOUNTS, "reconciler.yaml")
        full = json.loads(json.dumps(filled(everything())))
        world.write(json.dumps(full) if layered else "{}", "environments/b.yaml")
        world.write(json.loads(json.dumps(BARE)) if layered else full)
        ran = world.cli("-e", "b", "apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text
        if layered:
            world.write("{}\n", "environments/b.yaml")
        changed_by_hand(world, "b", files_with_nothing())
        world.write(json.loads(json.dumps(BARE)) if layered else full)
        world.write(json.dumps(full) if layered else "{}", "environments/b.yaml")
        ran = world.cli("-e", "b", "drift", "--absorb", "--format", "json")
        assert ran.code in (0, 5), ran.text
        left = {(one["address"], one["attribute"]) for one in json.loads(ran.out)["left"]}
        plan = json.loads(world.cli("-e", "b", "plan", "--format", "json").out)
        planned = {(one["address"], item["name"]) for one in plan["changes"] for item in one["attributes"]}
        assert not left, ran.text
        assert planned <= {("custom_object.it", "relationships")}, f"{planned} {ran.text}"


@pytest.mark.prove
@pytest.mark.parametrize("back", [False, True])
def test_an_undo_empties_and_fills(tmp_path: Path, back: bool) -> None:
    """From values to nothing and back, and the other way round; but for what no API call does."""
    with new_world(tmp_path / "project") as world:
        states = [json.loads(json.dumps(one)) for one in (filled(everything()), files_with_nothing())]
        first, second = reversed(states) if back else states
        world.write(first)
        apply(world, "demo")
        world.write(second)
        apply(world, "demo")
        ran = world.cli("undo", "--auto-approve", "--allow", "records_moved", "--allow", "max_records_lost")
        assert ran.code in (0, 5), ran.text
        world.write(first)
        again = json.loads(world.cli("plan", "--format", "json").out)
        planned = {(one["address"], item["name"]) for one in again["changes"] for item in one["attributes"]}
        maps = {("custom_object.it", "relationships"), ("custom_object.it", "fields")}
        assert planned <= maps, f"{planned} {ran.text}"

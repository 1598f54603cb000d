"""One object has one address in every command that looks at two accounts: numbers are given out by one rule, whatever
else an account holds, and whatever the other one calls by that key.
"""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

NAMES = ("VIP", "vip", "VIP!", "Vip ", "v i p", "vip?")
"""All of them make the key `vip` or one like it."""


def _called(world: World, *command: str) -> dict[str, str]:
    """Return by which address a command means each tag that it makes or renames, by the tag's name."""
    ran = world.cli(*command, "--format", "json")
    assert ran.code in (0, 5), ran.text
    said: dict[str, Any] = json.loads(ran.out)
    changes = said["changes"] if "changes" in said else said["plan"]["changes"]
    return {
        item["after"]: one["address"]
        for one in changes
        if one["action"] in ("create", "update") and one["kind"] == "tag"
        for item in one["attributes"]
        if item["name"] == "name"
    }


@pytest.mark.parametrize("seed", range(4))
def test_an_unbound_object_has_one_address(tmp_path: Path, seed: int) -> None:
    """Compared, promoted and cloned: tags of like names in one account, of which the other has bound some."""
    chance = Random(seed)
    with new_world(tmp_path) as world, hold(tmp_path / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        bound = chance.sample(NAMES, 2)
        world.write({"tags": {key: {"name": name} for key, name in zip(("vip", "vip_2"), bound, strict=True)}})
        assert world.cli("-e", "b", "apply", "--auto-approve").code == 0
        world.account.seed({"tags": [{"tag": name} for name in chance.sample(NAMES, 4)]})
        compared = _called(world, "compare", "a", "b")
        assert world.cli("clone", "--from", "a", "--to", "b", "--out", "p.json").code == 0
        cloned = _called(world, "show", "p.json")
        promoted = _called(world, "promote", "--from", "a", "--to", "b", "--plan")
        assert compared
        for others in (cloned, promoted):
            assert {name: others[name] for name in compared if name in others} == {
                name: address for name, address in compared.items() if name in others
            }
        assert compared.keys() & cloned.keys() & promoted.keys()
        assert other is not None

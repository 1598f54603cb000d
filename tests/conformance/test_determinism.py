"""Equal inputs give equal plans: under any hash seed, in any order of the files."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from reconciler.resources import load_kinds
from tests.world import World

AGENCY = Path(__file__).resolve().parent.parent.parent / "examples" / "agency"
VARIES = {"created_at", "digest", "place", "rank", "salt", "$sensitive"}


def stripped(value: Any) -> Any:
    """Return a document without time, places of declarations, chance, and what is derived of them."""
    if isinstance(value, dict):
        return {key: stripped(item) for key, item in value.items() if key not in VARIES}
    return [stripped(item) for item in value] if isinstance(value, list) else value


def shuffled(value: Any, dice: random.Random) -> Any:
    """Return maps with their keys in another order, at any depth but inside `stages`, where order means something."""
    if not isinstance(value, dict):
        return value
    keys = list(value)
    dice.shuffle(keys)
    return {key: value[key] if key == "stages" else shuffled(value[key], dice) for key in keys}


def in_files(content: dict[str, Any], steps: list[dict[str, Any]]) -> bool:
    """Return whether the creates of each kind stand in the order of the files."""
    creates = [step["address"].partition(".")[::2] for step in steps if step["op"] == "create"]
    sections = {kind.section: name for name, kind in load_kinds().items() if kind.section}
    return all(
        [key for kind, key in creates if kind == sections[section]] == list(entries)
        for section, entries in content.items()
        if section in sections
    )


def test_the_order_of_keys_and_files_does_not_matter_but_for_creates(world: World) -> None:
    """The agency's files, merged, split and shuffled, make the same plan; what is made is made in their order."""
    content: dict[str, Any] = {}
    for path in sorted(AGENCY.glob("config/*.yaml")):
        content |= yaml.safe_load(path.read_text("utf-8"))
    project = yaml.safe_load((AGENCY / "reconciler.yaml").read_text("utf-8"))
    project["environments"] = {"demo": project["environments"]["demo"] | {"url": "emulator:state/account.db"}}
    world.write(project, "reconciler.yaml")
    world.write(content)
    expected = stripped(world.plan().document.model_dump(mode="json"))
    assert in_files(content, expected["steps"])
    del expected["steps"]
    assert len(expected["changes"]) > 150
    for seed in range(3):
        other = shuffled(content, random.Random(seed))
        world.write(other)
        found = stripped(world.plan().document.model_dump(mode="json"))
        assert in_files(other, found.pop("steps"))
        assert found == expected


def test_the_hash_seed_does_not_matter(tmp_path: Path) -> None:
    """Two processes with different hash seeds print the same plan of the same example."""
    folder = tmp_path / "agency"
    folder.mkdir()
    shutil.copytree(AGENCY / "config", folder / "config")
    shutil.copy(AGENCY / "reconciler.yaml", folder)
    command = [sys.executable, "-m", "reconciler", "--chdir", str(folder)]
    plans = []
    for seed in ("1", "2"):
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([*command, "plan", "--format", "json"], check=True, capture_output=True, env=environ)
        plans.append(stripped(json.loads(done.stdout)))
    assert len(plans[0]["changes"]) > 100
    assert plans[0] == plans[1]

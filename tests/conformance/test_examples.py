"""The example projects: applied, exported, exported again, and taken by an empty account."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest

from tests.world import World, new_world

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"


@pytest.mark.parametrize("name", ["agency", "quickstart", "saas"])
def test_an_example_survives_its_export(world: World, tmp_path: Path, name: str) -> None:
    """The plan after the apply is empty, so is that of the export; a second export is the same and applies."""
    for path in sorted((EXAMPLES / name).glob("config/*.yaml")):
        world.write(path.read_text("utf-8"), f"config/{path.name}")
    project = (EXAMPLES / name / "reconciler.yaml").read_text("utf-8")
    world.write(project.replace("state/demo-account.db", "state/account.db"), "reconciler.yaml")
    world.apply()
    assert world.plan().empty
    assert world.hidden() == {}
    first, second = tmp_path / "first" / "project", tmp_path / "second" / "project"
    for folder in (first, second):
        world.export(folder)
        assert world.plan(folder).empty, world.plan(folder).lines
    names = sorted(path.relative_to(first).as_posix() for path in first.glob("config/*"))
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    with new_world(tmp_path / "third") as third:
        for file in names:
            third.write((first / file).read_text("utf-8"), file)
            third.set_secrets(file)
        third.apply()
        assert third.plan().empty, third.plan().lines

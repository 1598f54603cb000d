"""One project with every kind: applied, exported, and nothing left to do."""

from __future__ import annotations

import shutil
from pathlib import Path

from reconciler.resources import load_kinds
from tests.world import World

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "everything"


def test_everything_applies_exports_and_is_covered(world: World) -> None:
    """At least one object of each kind that can be declared; the plan after its export is empty."""
    for file in EXAMPLE.rglob("*.yaml"):
        target = world.folder / file.relative_to(EXAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.name != "reconciler.yaml":
            shutil.copy(file, target)
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(
        project.replace("default_environment", "    variables: {host: shop.example}\ndefault_environment"),
        "reconciler.yaml",
    )
    world.apply()
    assert world.plan().empty
    managed = {name for name, kind in load_kinds().items() if kind.abilities.managed}
    assert {binding.kind for binding in world.state().resources.values()} == managed
    outcome = world.export(world.folder / "copy")
    assert outcome.unknown == {}
    assert world.plan(world.folder / "copy").empty

"""What earlier versions wrote is read, as they wrote it: states, plans, journals of killed runs, and run records.

Each folder of `earlier/` holds what one of them left: `state.json` after a first apply, `plan.json` of a second one,
`journal.jsonl` of that apply, killed on its way, and `run.json`, the record of the first one; in `rows.json` and
`rows-killed.json` what the account held.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.model.document import digest
from tests.world import World

EARLIER = sorted((Path(__file__).parent / "earlier").iterdir())
FILES = """
    tags: {vip: {name: Very}, gold: {name: Gold}, fresh: {name: Fresh}}
    pipelines: {sales: {title: Sales, currency: usd, stages: {a: {title: A1}, b: {title: B}, c: {title: C}}}}
"""


def left_by(world: World, folder: Path, *, killed: bool) -> Path:
    """Leave the files of an earlier version in a project, and in its account what it had made; return the plan."""
    world.account.seed(json.loads((folder / f"rows{'-killed' if killed else ''}.json").read_text()))
    world.write(FILES)
    names = {"state.json": "state/demo.json", "plan.json": "plan.json", "run.json": "state/demo.json.runs/{}.json"}
    names |= {"journal.jsonl": "state/demo.json.journal"} if killed else {}
    for path in (path for path in folder.iterdir() if path.name in names):
        text = path.read_text().replace("demo-account.db", "account.db")
        content = json.loads(text) if path.suffix == ".json" else {}
        if path.name == "plan.json":
            content["digest"] = digest(content)
            text = json.dumps(content)
        world.write(text, names[path.name].format(content.get("name")))
    return world.folder / "plan.json"


@pytest.mark.parametrize("killed", [False, True], ids=["whole", "killed"])
@pytest.mark.parametrize("folder", EARLIER, ids=lambda folder: folder.name)
def test_what_an_earlier_version_left_is_carried_on(world: World, folder: Path, killed: bool) -> None:
    """Its saved plan is applied, also where its own run of it was killed: nothing twice, and what is taken away only by
    a plan that says how that is counted. What is left is nothing but that.
    """
    path = left_by(world, folder, killed=killed)
    early = folder.name < "plan-1.2"
    ran = world.cli("apply", str(path))
    assert ran.code == (6 if early else 0), ran.text
    assert ("tag.old: plans of format" in ran.text) == early, ran.text
    assert world.plan().lines == (["delete tag.old"] if early else [])
    names = ["Fresh", "Gold", *(["Old"] if early else []), "Very"]
    assert sorted(row["tag"] for row in world.rows("tags")) == names
    assert sorted(row["title"] for row in world.rows("dealStages")) == ["A1", "B", "C"]


@pytest.mark.parametrize(
    "folder", [path for path in EARLIER if (path / "run.json").exists()], ids=lambda path: path.name
)
def test_the_record_of_an_earlier_run_is_shown_and_undone(world: World, folder: Path) -> None:
    """What it made goes again."""
    left_by(world, folder, killed=False)
    assert "tag.gold" in world.cli("runs", "show").out
    undone = world.cli("undo", "--auto-approve", "--allow", "empty_configuration")
    assert undone.code == 0, undone.text
    assert (world.rows("tags"), world.rows("dealStages"), world.state().resources) == ([], [], {})

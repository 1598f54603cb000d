"""The program's own files, damaged anywhere: each is whole, or named as damaged; never an exception."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.quirks.test_mutations import damaged, restructured
from tests.world import World, new_world

CONFIG = """
lists: {news: {name: News, string_id: news, sender_url: "https://a.example", sender_reminder: Hello}}
fields: {tier: {title: Tier, type: text, lists: [news]}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}}}}
"""
OF_A_FILE = {
    "p.json": ("show p.json", "apply p.json"),
    "s.json": ("replay s.json", "plan --against s.json", "compare demo s.json"),
}
OF_THE_STATE = (
    "plan", "state list", "state doctor", "runs list", "lock list", "undo --out u.json", "explain tag.a", "export",
    "state restore",
)  # fmt: skip
SAMPLE, WHOLE = 60, 10_000


@pytest.fixture(scope="module", name="used")
def a_used_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A project with two runs behind it, a version of its state, an open journal, a saved plan and a snapshot."""
    with new_world(tmp_path_factory.mktemp("files") / "project") as world:
        world.write(CONFIG)
        world.write("tags: {a: {}, b: {description: x}}", "config/t.yaml")
        assert world.cli("apply", "--auto-approve").code == 0
        world.write("tags: {a: {}, b: {description: other}, c: {}}", "config/t.yaml")
        assert world.cli("apply", "--auto-approve").code == 0
        world.write("tags: {a: {description: z}, b: {description: other}, c: {}}", "config/t.yaml")
        assert world.cli("plan", "--out", "p.json").code == 0
        assert world.cli("snapshot", "--out", "s.json").code == 0
        lock = {"id": "1", "owner": "o", "host": "h", "pid": 1, "since": "2026-01-01T00:00:00Z", "operation": "apply"}
        (world.folder / "state/demo.json.journal").write_text(
            json.dumps({"op": "intent", "run": "r", "address": "tag.a", "at": "2026-01-01T00:00:00Z"}) + "\n"
        )
        (world.folder / "state/demo.json.lock").write_text(json.dumps({**lock, "expires": "2026-01-01T00:00:00Z"}))
        yield world


def check(world: World, seed: int) -> int:
    """Damage one file, run what reads it, and bring everything back; returns how many commands said so or went on."""
    dice = random.Random(seed)
    kept = {path: path.read_bytes() for path in world.folder.rglob("*") if path.is_file()}
    path = dice.choice(
        sorted(one for one in kept if one.suffix != ".yaml" and one.name not in (".gitignore", "demo.json.busy"))
    )
    before = kept[path]
    try:
        document = json.loads(before)
    except ValueError:
        document = None
    whole = document is not None and seed % 4
    path.write_bytes(json.dumps(restructured(document, dice)).encode() if whole else damaged(before, dice))
    hurt = path.read_bytes()
    for words in OF_A_FILE.get(path.name, OF_THE_STATE):
        ran = world.cli(*words.split())
        place = f"seed {seed}, {path.name}, {words}: {ran.text[-500:]}"
        assert "mistake in the program" not in ran.text, place
        assert "Traceback" not in ran.text, place
        assert ran.code in (0, 1, 4, 5, 6, 7, 8, *([3] if path.name == "s.json" else [])), place  # a wrong input
        back(world, {**kept, path: hurt})
    back(world, kept)
    return len(OF_A_FILE.get(path.name, OF_THE_STATE))


def back(world: World, kept: dict[Path, bytes]) -> None:
    """Let the project hold these files and no others."""
    for path in world.folder.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    for path, content in kept.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def test_a_damaged_file_is_named(used: World) -> None:
    """A sample; the seed of one that fails is in the message."""
    assert sum(check(used, seed) for seed in range(SAMPLE)) > 2 * SAMPLE


@pytest.mark.prove
@pytest.mark.timeout(7200)
def test_many_damaged_files_are_named(used: World, record_property: Callable[[str, object], None]) -> None:
    """State, versions, runs, journal, lock, plan and snapshot, in structure and in bytes."""
    assert sum(check(used, seed) for seed in range(WHOLE)) > 2 * WHOLE
    record_property("damaged files", WHOLE)


@pytest.mark.parametrize("body", [[5], "{", 3, {"tags": 5}, {"tags": [5]}, {"tags": None}])
def test_what_is_damaged_in_a_snapshot_is_told_with_its_file(used: World, body: object) -> None:
    """No account answered so today: whoever reads it has to look into the file."""
    assert used.cli("snapshot", "--out", "whole.json").code == 0
    content = json.loads((used.folder / "whole.json").read_text("utf-8"))
    for exchange in content["exchanges"]:
        exchange["body"] = body if exchange["path"] == "/tags" else exchange["body"]
    (used.folder / "broken.json").write_text(json.dumps(content), "utf-8")
    for command in ("replay broken.json", "plan --against broken.json"):
        ran = used.cli(*command.split())
        assert "? broken.json: " in " ".join(ran.out.split()), (command, ran.text)
        assert "tag.a" in ran.out

"""Every node of every kind of file that the program keeps, replaced by a value of another type: the file is damaged and
named, or the node may hold such a value. Never an exception, never a value that silently becomes another one.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.archive import ArchiveHead
from reconciler.model.document import digest
from reconciler.model.documents import read_document
from reconciler.model.errors import ReconcilerError
from reconciler.model.kind import fits
from reconciler.model.run import RunRecord
from reconciler.model.snapshot_file import Recording
from reconciler.model.state import Record
from reconciler.resources import load_kinds
from reconciler.store.formats import parse_state
from reconciler.store.lease import parse as parse_lock
from reconciler.store.planfile import parse_plan
from tests.quirks.test_listings import everything
from tests.quirks.test_mutations import nodes, put
from tests.world import World, new_world

KINDS = load_kinds()
VALUES: list[Any] = [None, True, 10**30, -1, 1.5, "", "x", [], {}, {"a": {}}, ["x"], {"title": {"a": {}}}]
SAMPLE = 250
Place = tuple[Any, ...]


def kind_of_json(value: Any) -> str:
    """Of what type a JSON value is."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "flag"
    return {int: "number", float: "number", str: "text", list: "list", dict: "map"}[type(value)]


def _plan(content: str) -> Any:
    raw = {**json.loads(content), "digest": ""}
    return parse_plan(json.dumps({**raw, "digest": digest(raw)}).encode(), Path("p.json"), KINDS)


def _lock(content: str) -> Any:
    found = parse_lock(content.encode())
    if found is None:
        raise ValueError("it says nothing")
    return found


READERS: dict[str, Callable[[str], Any]] = {
    "state": lambda content: parse_state(content.encode(), "s", fits=fits(KINDS)),
    "plan": _plan,
    "run": lambda content: read_document(RunRecord, content, fits(KINDS)),
    "journal": lambda content: read_document(Record, content, fits(KINDS)),
    "snapshot": lambda content: read_document(Recording, content),
    "archive": lambda content: read_document(ArchiveHead, content),
    "lock": _lock,
}
FREE: dict[str, list[tuple[str, ...]]] = {
    "state": [("rewritten",), ("applied", "flags"), ("applied", "lists"), ("applied", "options"), ("applied", "value")],
    "plan": [("parts",), ("options",), ("digest",)],
    "snapshot": [("body",)],
}
"""Places of several types: what an account answered, how a value differs inside, flags, lists or `all`, options as
texts or maps, what a condition compares with.
"""
NOTHING: dict[str, set[str]] = {
    "plan": {"place", "after", "before", "applied", "run", "rate", "digest"},
    "journal": {"binding", "going", "intent"},
    "snapshot": {"body"},
    "run": {"before", "binding", "moved_from", "parent", "serial_after", "forecast"},
}
VALUED, MAPS = (
    {"applied", "before", "after", "found", "desired", "natural_key", "body", "options", "parts"},
    ("before",),
)
"""Members that may be null, besides values of attributes and parts of keys, for which the spec decides."""


def free(name: str, path: Place, before: Any, value: Any) -> bool:
    """Whether a node may have values of several types, or none."""
    if value is None:
        return path[-1] in NOTHING.get(name, ()) or not VALUED.isdisjoint(path[:-1])
    if before is None and (
        isinstance(value, str) or value == 1.5 or (path[-1] == "before" and isinstance(value, dict))
    ):
        return True
    whole = isinstance(before, float) and isinstance(value, int) and value >= 0
    return whole or any(set(place) <= set(path) for place in FREE.get(name, ()))


@pytest.fixture(scope="module", name="files")
def files_of_a_project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """A state with every kind, a plan, records of runs, a journal, a snapshot, the head of an archive and a lock."""
    with new_world(tmp_path_factory.mktemp("types") / "project") as world:
        everything(world)
        assert world.cli("apply", "--auto-approve").code == 0
        (world.folder / "config/tags.yaml").write_text("tags: {another: {description: x}}\n")
        assert world.cli("plan", "--out", "p.json").code in (0, 2)
        assert world.cli("snapshot", "--out", "s.json").code == 0
        runs = [
            json.loads(one.read_text()) for one in (world.folder / "state").rglob("*.json") if "runs" in one.parts[-2]
        ]
        state = json.loads((world.folder / "state/demo.json").read_text())
        binding = state["resources"]["tag.vip"]
        intent = {"address": "tag.x", "kind": "tag", "natural_key": ["name", "X", "contact"], "known": ["1"]}
        going = {"address": "tag.x", "parent": "tag.x", "plan": "d", "counts": {"lost deals": 3}, "ids": ["1"]}
        head = {"format_version": "1.0", "run": "r", "account": "a", "address": "tag.vip", "kind": "tag", "id": "1"}
        lock = {"id": "1", "owner": "o", "host": "h", "pid": 1, "since": "2026-01-01T00:00:00Z", "operation": "apply"}
        assert runs
        return {
            "state": [state],
            "plan": [json.loads((world.folder / "p.json").read_text())],
            "run": runs,
            "snapshot": [json.loads((world.folder / "s.json").read_text())],
            "journal": [
                {"op": "bind", "run": "r", "address": "tag.vip", "binding": binding, "fence": 3, "at": "2026-01-01"},
                {"op": "intent", "run": "r", "address": "tag.x", "intent": intent, "fence": 3},
                {"op": "counted", "fence": 1, "going": going},
            ],
            "archive": [{**head, "action": "delete", "records": 2, "verified": True}],
            "lock": [{**lock, "job_url": "", "process": "", "expires": "", "fence": 3, "lease": 60.0, "beat": 2}],
        }


def damages(files: dict[str, list[Any]]) -> list[tuple[str, Any, Place, Any]]:
    """Return every file, node below its root, and value of another type or number that nobody counted to."""
    found = []
    for name, documents in files.items():
        for document in documents:
            for path in nodes(document):
                before = document
                for step in path:
                    before = before[step]
                for value in VALUES if path else []:
                    beyond = value == 10**30 or (value == -1 and "applied" not in path and "body" not in path)
                    other = kind_of_json(value) != kind_of_json(before) or (beyond and isinstance(before, int))
                    if other and not free(name, path, before, value):
                        found.append((name, document, path, value))
    return found


def taken(name: str, document: Any, path: Place, value: Any) -> bool:
    """Damage one node; returns whether the file was taken for a whole one all the same."""
    hurt = put(document, path, lambda _: copy.deepcopy(value))
    try:
        READERS[name](json.dumps(hurt))
    except (ReconcilerError, ValueError):
        return False
    return True


def test_the_files_are_whole(files: dict[str, list[Any]]) -> None:
    """Each is read as it was written, and so are attributes that another version has."""
    for name, documents in files.items():
        for document in documents:
            assert READERS[name](json.dumps(document)) is not None
    binding = files["state"][0]["resources"]["tag.vip"]
    later = {**binding, "applied": {**binding["applied"], "brand_new": {"a": [1]}}}
    assert READERS["journal"](json.dumps({"op": "bind", "address": "tag.vip", "binding": later})).binding is not None


def test_a_value_of_another_type_is_damage(files: dict[str, list[Any]]) -> None:
    """A sample of all files and nodes."""
    dice, cases = random.Random(7), damages(files)
    by_file = [[case for case in cases if case[0] == name] for name in files]
    chosen = [case for mine in by_file for case in dice.sample(mine, min(SAMPLE, len(mine)))]
    assert [(name, path, value) for name, document, path, value in chosen if taken(name, document, path, value)] == []
    assert len(chosen) > 4 * SAMPLE


@pytest.mark.prove
@pytest.mark.timeout(3600)
def test_every_value_of_another_type_is_damage(
    files: dict[str, list[Any]], record_property: Callable[[str, object], None]
) -> None:
    """All files, all nodes, all values."""
    cases = damages(files)
    assert [(name, path, value) for name, document, path, value in cases if taken(name, document, path, value)] == []
    record_property("values of another type", len(cases))


COMMANDS: dict[str, tuple[str, str, str]] = {
    "state/demo.json": ("state list", "state/demo.json is corrupt", "reconciler state restore"),
    "state/demo.json.journal": ("plan", "the journal of", "move it away"),
    "p.json": ("apply p.json", "p.json", "reconciler plan --out FILE"),
    "s.json": ("plan --against s.json", "s.json is not a snapshot", "reconciler snapshot --out FILE"),
}


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("state/demo.json", ("resources", "tag.a", "applied", "name"), {"a": {}}),
        ("state/demo.json", ("resources", "tag.a", "natural_key", 1), None),
        ("state/demo.json", ("serial",), True),
        ("state/demo.json.journal", ("fence",), True),
        ("p.json", ("managed", "tag"), True),
        ("s.json", ("exchanges", 0, "status"), True),
    ],
)
def test_the_command_line_names_the_file_and_what_mends_it(world: World, name: str, path: Place, value: Any) -> None:
    """No traceback, and no request that changes anything."""
    for text in ("{a: {}}", "{a: {}, b: {}}"):
        world.write(f"tags: {text}")
        assert world.cli("apply", "--auto-approve").code == 0
    world.write("tags: {a: {description: z}, b: {}}")
    assert world.cli("plan", "--out", "p.json").code == 0
    assert world.cli("snapshot", "--out", "s.json").code == 0
    file = world.folder / name
    if not file.exists():
        file.write_text(json.dumps({"op": "drop", "address": "tag.x", "fence": 1}) + "\n")
    hurt = put(json.loads(file.read_text()), path, lambda _: value)
    file.write_text(json.dumps({**hurt, "digest": digest(hurt)} if name == "p.json" else hurt) + "\n")
    world.forget()
    command, said, mends = COMMANDS[name]
    ran = world.cli(*command.split())
    assert ran.code in ((3,) if name == "s.json" else (1, 6)), ran.text
    assert said in " ".join(ran.err.split())
    assert mends in " ".join(ran.err.split())
    assert not world.writes()

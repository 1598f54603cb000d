"""Every node of every kind of file that the program keeps, replaced by a value of another type: the file is damaged and
named, or the node may hold such a value. Never an exception, never a value that silently becomes another one.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
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
SAMPLE = 1500
Path_ = tuple[Any, ...]


def kind_of_json(value: Any) -> str:
    """Of what type a JSON value is; a whole number may stand where any number does."""
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is None else "flag"
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
FREE = {
    "state": lambda path: path[:1] == ("resources",) and "rewritten" in path,
    "plan": lambda path: "parts" in path or path[:1] == ("options",),
    "snapshot": lambda path: "body" in path,
}
"""Places where any JSON may stand: what an account answered, and how a value differs inside."""


def nullable(name: str, path: Path_) -> bool:
    """Where there may be nothing."""
    return path[-1:] != () and (
        name in ("plan", "run", "journal")
        or (name == "state" and "applied" in path or "natural_key" in path)
    )


@pytest.fixture(scope="module", name="files")
def files_of_a_project(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """A state with every kind, plans, records of runs, a journal, a snapshot, an archive and a lock."""
    with new_world(tmp_path_factory.mktemp("types") / "project") as world:
        everything(world)
        world.apply(yes=True)
        (world.folder / "config/tags.yaml").write_text("tags: {another: {description: x}}\n")
        assert world.cli("plan", "--out", "p.json").code in (0, 2)
        assert world.cli("snapshot", "--out", "s.json").code == 0
        runs = [json.loads(one.read_text()) for one in (world.folder / "state").rglob("runs/*.json")]
        state = json.loads((world.folder / "state/demo.json").read_text())
        binding = state["resources"]["tag.vip"] if "tag.vip" in state["resources"] else next(iter(state["resources"].values()))
        intent = {"address": "tag.x", "kind": "tag", "natural_key": ["name", "X", "contact"], "known": ["1"]}
        return {
            "state": [state],
            "plan": [json.loads((world.folder / "p.json").read_text())],
            "run": runs,
            "snapshot": [json.loads((world.folder / "s.json").read_text())],
            "journal": [
                {"op": "bind", "run": "r", "address": "tag.vip", "binding": binding, "fence": 3, "at": "2026-01-01"},
                {"op": "intent", "run": "r", "address": "tag.x", "intent": intent, "fence": 3},
                {"op": "counted", "fence": 1, "going": {"address": "tag.x", "parent": "tag.x", "plan": "d", "counts": {"lost deals": 3}, "ids": ["1"]}},
            ],
            "archive": [{"format_version": "1.0", "run": "r", "account": "a", "address": "tag.vip", "kind": "tag", "id": "1", "action": "delete", "records": 2, "verified": True}],
            "lock": [{"id": "1", "owner": "o", "host": "h", "pid": 1, "since": "2026-01-01T00:00:00Z", "operation": "apply", "job_url": "", "process": "", "expires": "2026-01-01T00:00:00Z", "fence": 3, "lease": 60.0, "beat": 2}],
        }  # fmt: skip


def at(document: Any, path: Path_) -> Any:
    """Return what stands at a place."""
    for step in path:
        document = document[step]
    return document


def damages(files: dict[str, list[Any]]) -> Iterator[tuple[str, Any, Path_, Any]]:
    """Yield every file, node and value of another type, or number that nobody counted to."""
    for name, documents in files.items():
        for document in documents:
            for path in nodes(document):
                before = at(document, path)
                for value in VALUES:
                    odd = value in (10**30, -1) and not isinstance(value, bool)
                    if kind_of_json(value) != kind_of_json(before) or (odd and isinstance(before, int)):
                        yield name, document, path, value


def taken(name: str, document: Any, path: Path_, value: Any) -> bool:
    """Damage one node; returns whether the file was taken for a whole one."""
    hurt = put(document, path, lambda _: copy.deepcopy(value))
    try:
        READERS[name](json.dumps(hurt))
    except (ReconcilerError, ValueError):
        return False
    return True

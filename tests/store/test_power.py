"""The machine loses its power: what was written and not yet on disk is lost, and what was created is not made twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from reconciler.store.file import FileBlobStore
from reconciler.workflow.observation.book import AHEAD
from tests.world import World

TAGS = "tags: {" + ", ".join(f"t{number}: {{name: T{number}}}" for number in range(AHEAD + 4)) + "}\n"
CONFIG = f"""{TAGS}
fields: {{tier: {{title: Tier, type: dropdown, lists: all, options: [Free, Pro, Max]}}}}
pipelines: {{sales: {{title: Sales, currency: eur, stages: {{lead: {{}}, talk: {{}}, won: {{}}}}}}}}
webhooks: {{crm: {{name: CRM, url: "https://h.example/in", events: [subscribe], sources: [admin]}}}}
"""
KEYS = {
    "tags": ("tag",),
    "fields": ("title",),
    "fieldOptions": ("field", "value"),
    "fieldRels": ("field", "relid"),
    "dealGroups": ("title",),
    "dealStages": ("group", "title"),
    "webhooks": ("name",),
}


@contextmanager
def losing_power() -> Iterator[list[Path]]:
    """Cut the journal, at the end, to what was surely on disk; yields where it is, once there is one."""
    sure: dict[Path, int] = {}
    found: list[Path] = []
    real = FileBlobStore.append

    def append(shelf: FileBlobStore, name: str, line: bytes, *, durable: bool = True) -> bool:
        done = real(shelf, name, line, durable=durable)
        path = shelf._place(name)
        found[:] = [path]
        if durable:
            sure[path] = path.stat().st_size
        return done

    with patch.object(FileBlobStore, "append", append):
        yield found
    for path in found:
        os.truncate(path, sure.get(path, 0))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 5, 13, 29, 34])
def test_a_run_without_power_makes_nothing_twice(world: World, nth: int, after: bool) -> None:
    """Whatever result was still to become durable: what was created is named on disk, and the next apply makes
    everything as declared, once.
    """
    world.write(CONFIG)
    with losing_power() as journal:
        world.dies(nth, after=after)
    on_disk = journal[0].read_text("utf-8")
    assert all(f'"tag.{row["tag"].lower()}"' in on_disk for row in world.rows("tags"))
    world.apply()
    assert world.plan().empty
    for table, key in KEYS.items():
        made = Counter(tuple(row[part] for part in key) for row in world.rows(table))
        assert set(made.values()) == {1}, (table, made)


def test_many_creates_wait_for_the_disk_a_few_times(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred creates take one wait for each lot that is announced, and the few for lock, state and record."""
    world.write("tags: {" + ", ".join(f"t{number}: {{}}" for number in range(100)) + "}\n")
    waits: list[None] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: waits.append(real(descriptor)))
    world.apply()
    assert len(world.rows("tags")) == 100
    assert len(waits) <= 100 / AHEAD + 25

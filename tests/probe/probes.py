"""Accounts that are probed in this process, and what is there before and after."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.emulator import AccountSettings
from reconciler.model.findings import ProbePart, ProbeReport
from reconciler.workflow.probe import probing
from reconciler.workflow.probe.report import Asked
from tests.world import World, new_world
from tests.world.clock import run

SEED: Mapping[str, Any] = {
    "dealGroups": [
        {"id": "1", "title": "Sales", "currency": "usd", "stages": [{"id": "1", "title": "Won", "deals": 2}]}
    ],
    "tags": [{"tag": "VIP", "contacts": 2}],
    "fields": [{"title": "Plan", "type": "dropdown", "options": ["Free", "Pro"], "relids": [0], "values": 2}],
}
COUNTERS = ("births",)


@contextmanager
def probed_world(folder: Path, settings: AccountSettings) -> Iterator[World]:
    """A project on an account that holds something and behaves so."""
    with new_world(folder, settings) as world:
        world.account.seed(SEED)
        yield world


def probe(world: World, **asked: Any) -> ProbeReport:
    """Probe the account of a world."""
    return run(probing.probe(world.session(), Asked(**asked)))


def clean(world: World, say: Callable[[str], None] = lambda line: None) -> tuple[int, Any]:
    """Remove what a probe left that died."""
    return run(probing.clean(world.session(), say))


def parts(report: ProbeReport) -> dict[str, ProbePart]:
    """Return all that was looked at, by name."""
    every = [*(part for point in report.points for part in point.parts), *report.beside]
    return {part.name: part for part in every}


def found(report: ProbeReport) -> dict[str, str]:
    """Return what was found, by name."""
    return {name: part.found for name, part in parts(report).items() if part.verdict != "unknown"}


def dump(world: World) -> dict[str, Any]:
    """Return what an account holds."""
    return copy.deepcopy(world.dump())


def left_over(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the rows that differ, by table; those that a probe announced are disabled task types."""
    differing = {}
    for table in before.keys() | after.keys():
        old, new = before.get(table, []), after.get(table, [])
        rows = [one for one in new if one not in old and not _announced(table, one)] + [
            one for one in old if one not in new
        ]
        if rows:
            differing[table] = rows
    return differing


def _announced(table: str, row: Mapping[str, Any]) -> bool:
    return table == "dealTasktypes" and str(row["title"]).startswith("zz-probe-") and row["status"] == "1"

"""A property of one row that is of no type that anybody has seen there: the object is not declarable in full, by name,
and all others of its kind stay what they are. Every property of every kind with every odd shape.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.model.kind import Kind
from reconciler.model.live import Live, Tables
from reconciler.planning.declarable import declarable, losses, undeclared
from reconciler.resources import load_kinds
from tests.quirks.test_listings import everything
from tests.world import new_world

ODD: tuple[Any, ...] = (
    {"a": "b"}, {"a": {"b": [1]}}, [{"a": "b"}], [["x"]], {"1": {"a": 2}}, [{"a": ["b"]}, "x"],
)  # fmt: skip
"""What no property of one value can be."""
STRANGE: tuple[Any, ...] = (
    *ODD, None, True, False, 3, 0, -1, 1.5, 10**30, "", "x", "0", [], {}, ["x"], [3], [None], [True], {"0": "x"},
    {"1": "a", "7": "b"},
)  # fmt: skip
FREE = {("segment", "meta"), ("setting", "links"), ("custom_object", "labels")}
"""Attributes that are maps of anything, or take a map for something else (section 2.26)."""
UNREADABLE = {"site_domain": ("attributes", "name"), "stage": ("group", "stages", "id")}
"""Properties without which nobody knows which object it is, or where: the kind is not planned."""
FEW = 1200


@pytest.fixture(name="read", scope="module")
def tables_of_an_account(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Kind, Tables]]:
    """What each kind is decoded from, of an account with at least one object of each."""
    found: dict[str, tuple[Kind, Tables]] = {}
    plain = Kind.lives

    def noted(kind: Kind, tables: Tables) -> list[Live]:
        found[kind.name] = (kind, tables)
        return plain(kind, tables)

    with new_world(tmp_path_factory.mktemp("odd")) as world:
        everything(world)
        world.apply()
        with patch.object(Kind, "lives", noted):
            world.export(world.folder / "copy")
    return found


Case = tuple[str, str, int, tuple[str, ...], Any]


def cases(read: Mapping[str, tuple[Kind, Tables]]) -> Iterator[Case]:
    """Yield (kind, table, number of the row, path of the property, what is there instead)."""
    for name, (kind, tables) in read.items():
        primary = kind.reading.collections[0]
        parts = (one for one in tables.rows if one.startswith(f"{name}:") and tables.rows[one])
        for table in (primary.name, *primary.sides, *parts):
            for place, row in enumerate(tables.get(table)):
                paths: list[tuple[str, ...]] = [(key,) for key in row if key != primary.identity]
                paths += [(key, inner) for key, held in row.items() if isinstance(held, dict) for inner in held]
                yield from ((name, table, place, path, odd) for path in paths for odd in STRANGE)


def check_case(read: Mapping[str, tuple[Kind, Tables]], case: Case) -> None:
    """Decode the account with the odd row, and ask of each object what commands ask."""
    name, table, place, path, odd = case
    kind, tables = read[name]
    rows = [copy.deepcopy(dict(row)) for row in tables.get(table)]
    inside: Any = rows[place]
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = odd
    changed = tables.merged(Tables(rows={table: rows}))
    if kind.unreadable(changed):
        assert path[-1] in UNREADABLE.get(name, ()), f"{kind.unreadable(changed)}: {case}"
        return
    before, lives = kind.lives(tables), kind.lives(changed)
    assert len(lives) == len(before), case
    for one, live in zip(before, lives, strict=True):
        if live.row == one.row:
            assert (live.attrs, live.odd) == (one.attrs, one.odd), case
        losses(kind, live), undeclared(kind, live), kind.natural_keys(live.attrs), kind.hidden(live.attrs)
        kind.aside(live), kind.silent(live), kind.mention(live), kind.inherited(live)
        said = declarable(kind, live)
        values = [one for one in _texts(dict(live.attrs)) if "{'" in one or "['" in one]
        assert values == [], f"Python text: {case}"
        if any(odd is one for one in ODD) and live.row != one.row and live.row.get(path[-1]) == odd:
            for attribute in kind.attributes.values():
                if attribute.read == path[-1] and attribute.name in kind.variants.get(live.id, kind.spec).model_fields:
                    plain = (name, attribute.name) not in FREE
                    assert said.problem or attribute.name in said.dropped or not plain, case


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def test_an_odd_property_costs_no_other_object(read: Mapping[str, tuple[Kind, Tables]]) -> None:
    """A sample of all places and shapes, and of each kind some."""
    every = list(cases(read))
    managed = {name for name, kind in load_kinds().items() if kind.abilities.managed}
    assert {name for name, *_ in every} == managed - {"tracked_event"}, "which has a name and nothing else"
    for case in random.Random(12).sample(every, FEW):
        check_case(read, case)


@pytest.mark.prove
def test_no_odd_property_costs_another_object(read: Mapping[str, tuple[Kind, Tables]]) -> None:
    """All of them."""
    for case in cases(read):
        check_case(read, case)

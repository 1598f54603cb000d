"""What says nothing, and what says 0, no, or an empty text: told apart by type in every attribute of every kind."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.deriving.promoting import hashed
from reconciler.model.kind import Kind
from reconciler.model.spec import Attribute
from reconciler.model.values import identical, is_empty, is_empty_or_off
from reconciler.planning.diff import same
from reconciler.resources import load_kinds
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import Held, hold

RAW: tuple[Any, ...] = (None, "", False, True, 0, 1, 0.0, "0", "1", "false", "null", [], {}, [0], [""], ["0"])
"""What accounts put in place of nothing, of a number, and of a flag."""


def attributes() -> Iterator[tuple[Kind, Attribute]]:
    """Yield every attribute of every kind."""
    for kind in load_kinds().values():
        for attribute in kind.attributes.values():
            yield kind, attribute


def decoded(attribute: Attribute) -> list[Any]:
    """Return what an attribute reads of these, each once by type; what is of no type that it has is refused."""
    found: list[Any] = []
    for raw in RAW:
        try:
            value = attribute.normal(attribute.codec.decode(raw))
        except (ValueError, TypeError):
            continue
        if not any(identical(value, one) for one in found):
            found.append(value)
    return found


def test_nothing_is_told_by_type() -> None:
    """0 and false say something; what has nothing in it does not."""
    assert [one for one in RAW if is_empty(one)] == [None, "", [], {}]
    assert [one for one in RAW if is_empty_or_off(one) and one is not False] == [None, "", [], {}]
    assert not identical(0, False)
    assert not identical({"a": [1]}, {"a": [True]})
    assert identical({"a": 1, "b": [2]}, {"b": [2], "a": 1})


def test_every_attribute_tells_nothing_from_zero() -> None:
    """Two values that one attribute can have mean the same where both say nothing, or are the same by type; a promotion
    remembers them as the same in the same cases; and an export writes whatever says something.
    """
    wrong: list[tuple[Any, ...]] = []
    pairs = 0
    for kind, attribute in attributes():
        values = decoded(attribute)
        for one, other in itertools.combinations_with_replacement(values, 2):
            pairs += 1
            alike = identical(one, other) or (is_empty_or_off(one) and is_empty_or_off(other))
            marks = [hashed(value, attribute, lambda leaf: leaf, "salt") for value in (one, other)]
            if {same(one, other), same(other, one), marks[0] == marks[1]} != {alike}:
                wrong.append((kind.name, attribute.name, one, other))
        if type(kind).declare is Kind.declare:
            said = [value for value in values if not is_empty_or_off(value)]
            wrong += [(kind.name, attribute.name, one) for one in said if not kind.declare({attribute.name: one})]
    assert wrong == []
    assert pairs > 1000


LISTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "field": ("fields", "ordernum", {"title": "Plan", "type": "text", "perstag": "PLAN", "relids": ["0"]}),
    "deal_field": ("dealCustomFieldMeta", "displayOrder", {"fieldLabel": "Plan", "fieldType": "text"}),
    "account_field": ("accountCustomFieldMeta", "displayOrder", {"fieldLabel": "Plan", "fieldType": "text"}),
    "field_group": ("groupDefinitions", "ordernum", {"label": "Plan", "type_id": 1}),
}
"""By kind with a number of its own: its path, the number's property, and a row."""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[World, Held]]:
    """A project with two accounts, whose objects all stand at place 5."""
    with new_world(tmp_path) as world, hold(tmp_path / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        for seed in (world.account.seed, other.seed):
            seed({path: [{**row, "id": "90", order: 5}] for path, order, row in LISTED.values()})
        yield world, other


def place(account: Any, number: int) -> None:
    """Give everything in an account this number."""
    for path, order, row in LISTED.values():
        label = next(iter(row))
        found = next(one for one in account.rows.all(path) if one[label] == "Plan")
        account.rows.put(path, found["id"], {**found, order: type(found[order])(number)})


def test_the_place_zero_is_a_place(two: tuple[World, Held]) -> None:
    """Exported, compared, promoted, drifted to and reverted from like every other number."""
    world, other = two
    assert world.cli("export").code == 0
    addresses = [f"{kind}.plan" for kind in LISTED]
    assert world.cli("-e", "b", "apply", "--auto-approve").code in (0, 5)
    place(world.account, 0)
    told = world.cli("drift", "--detailed-exitcode")
    assert told.code == 2, told.text
    assert [one for one in addresses if one not in told.out] == []
    assert told.out.count("5 -> 0") == len(LISTED), told.text
    shown = world.cli("compare", "a", "b")
    assert shown.out.count("5 -> 0") == len(LISTED), shown.text
    assert world.cli("drift", "--absorb").code == 0
    assert (world.folder / "config").exists()
    texts = "".join(path.read_text("utf-8") for path in (world.folder / "config").glob("*.yaml"))
    assert texts.count("order: 0") == len(LISTED), texts
    assert world.cli("plan", "--detailed-exitcode").code == 0
    said = world.cli("promote", "--from", "a", "--to", "b", "--format", "json")
    assert "null" not in [row["here"] for row in json.loads(said.out)["rows"]], said.text
    ran = world.cli("-e", "b", "apply", "--auto-approve")
    assert ran.code == 0, ran.text
    again = world.cli("compare", "a", "b")
    assert "0 ->" not in again.out, again.text
    assert "-> 0" not in again.out, again.text
    place(world.account, 7)
    assert world.cli("drift", "--revert", "--out", "back.plan").code in (0, 2)
    assert world.cli("apply", "back.plan", "--auto-approve").code == 0
    assert {str(one[order]) for path, order, row in LISTED.values() for one in world.account.rows.all(path)
            if one[next(iter(row))] == "Plan"} == {"0"}  # fmt: skip
    assert other is not None

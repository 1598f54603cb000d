"""The three-way classification: every combination of last applied, desired and live, for each shape of attribute.

`.` no write, `c` the configuration changed, `d` the account drifted, `b` both. Rows are what was last applied, blocks
of columns what is desired, columns what is live: `-` absent, `0` null or empty, `v` a value, `w` another one.
"""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.state import Binding
from reconciler.planning.diff import Subject, differences
from reconciler.resources import load_kinds

SIDES = "-0vw"
WHOLE = """
applied  desired -   desired 0   desired v   desired w
         -0vw        -0vw        -0vw        -0vw
-        ....        c.cc        cc.c        ccc.
0        ....        ..dd        cc.b        ccb.
v        ....        c.cb        .d.d        cbc.
w        ....        c.bc        cb.c        .dd.
"""
"""A value that counts as a whole. An attribute that the account does not return is compared with what was applied."""

ENTRIES = """
applied  desired -   desired 0   desired v   desired w
         -0vw        -0vw        -0vw        -0vw
-        ....        c...        cc.c        ccc.
0        ....        ....        cc.c        ccc.
v        ....        ..c.        .d.d        cbc.
w        ....        ...c        cb.c        .dd.
"""
"""A map of entries: those nobody declared are left alone, those that were applied and are no longer declared go."""

SHAPES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "scalar": ("tag", "description", {"0": None, "v": "one", "w": "two"}, WHOLE),
    "list": ("field", "options", {"0": [], "v": ["a", "b"], "w": ["b", "a"]}, WHOLE),
    "set": ("webhook", "events", {"0": [], "v": ["x", "y"], "w": ["x", "z"]}, WHOLE),
    "map": ("custom_object", "fields", {"0": {}, "v": {"a": {"type": "text"}}, "w": {"b": {"type": "text"}}}, ENTRIES),
}
LETTERS = {"config": "c", "drift": "d", "both": "b"}


def table(text: str) -> dict[tuple[str, str, str], str]:
    """Read a table: (applied, desired, live) -> letter."""
    found: dict[tuple[str, str, str], str] = {}
    for line in text.strip().splitlines()[2:]:
        applied, *blocks = line.split()
        for desired, block in zip(SIDES, blocks, strict=True):
            found |= {(applied, desired, live): letter for live, letter in zip(SIDES, block, strict=True)}
    assert len(found) == 64
    return found


def classified(shape: str, applied: str, desired: str, live: str) -> str:
    """Return the letter that the planner's diff gives."""
    kind_name, name, values, _ = SHAPES[shape]
    kind = load_kinds()[kind_name]
    attrs = {name: values[desired]} if desired != "-" else {}
    binding = Binding(id="7", kind=kind_name, applied={name: values[applied]} if applied != "-" else {}, run="r")
    found = Live(kind_name, "7", {name: values[live]} if live != "-" else {})
    resource = Resource(f"{kind_name}.x", kind_name, "x", attrs)
    changes = differences(Subject(kind, resource, attrs, binding, found, lambda value: value, "salt"))
    assert len(changes) <= 1
    return LETTERS[changes[0].origin] if changes else "."


@pytest.mark.parametrize("shape", SHAPES)
def test_every_combination(shape: str) -> None:
    """All 64 combinations are classified as the table says."""
    expected = table(SHAPES[shape][3])
    actual = {key: classified(shape, *key) for key in expected}
    wrong = {key: (letter, actual[key]) for key, letter in expected.items() if actual[key] != letter}
    assert not wrong, "applied, desired, live: (expected, found)"


def test_order_in_a_set_is_no_difference() -> None:
    """Sets are compared as sets, whatever the account's order is; lists are not."""
    values = SHAPES["set"][2]
    assert classified("set", "v", "v", "v") == "."
    values_reversed = {**values, "w": list(reversed(values["v"]))}
    kind_name, name, _, text = SHAPES["set"]
    SHAPES["reversed"] = (kind_name, name, values_reversed, text)
    try:
        assert classified("reversed", "v", "w", "v") == "."
    finally:
        del SHAPES["reversed"]

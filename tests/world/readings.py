"""Readings: where sources contradict each other, an account behaves in one way or the other, and nobody knows which.

A run of the suite takes one reading of each, by a seed that its header names (`READINGS=7 pytest` takes another);
`tests/conformance/test_readings.py` takes them all.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

SWITCHES: dict[str, tuple[Any, ...]] = {
    "list_channels": ("email", "all"),
    "list_update": ("merge", "refuse", "reset"),
    "arrays": ("lists", "maps"),
    "option_bulk": ("both", "singular", "plural"),
    "limit_status": (429, 503),
    "member_order": ("given", "dense"),
    "field_memberships": ("many", "one"),
    "dead_references": ("cleared", "kept"),
    "contacts_sync": ("create", "missing"),
}
ROWS: dict[int, str] = {
    51: "list_channels", 52: "list_update", 53: "arrays", 54: "limit_status", 55: "option_bulk", 56: "member_order",
    57: "field_memberships", 58: "dead_references", 59: "contacts_sync",
}  # fmt: skip
"""Which row of section 7 of the API page each switch is about: what the vendor's own client knows, and others."""
SEED = "READINGS"
USUAL = "9"
"""The documented reading of each: stories and forecasts are approved for it. `READINGS=7` takes another."""


def seed() -> str:
    """Return the seed of this run, the same in all its processes."""
    return os.environ.setdefault(SEED, USUAL)


def reading() -> dict[str, Any]:
    """Return the switches of an account, as this run reads the sources."""
    dice = random.Random(seed())
    return {name: dice.choice(values) for name, values in SWITCHES.items()}


def seeds_of_all() -> list[str]:
    """Return seeds that take every value of every switch together with every value of every other one."""
    pairs = {
        (one, other) for (a, mine), (b, theirs) in itertools.combinations(SWITCHES.items(), 2)
        for one in ((a, value) for value in mine) for other in ((b, value) for value in theirs)
    }  # fmt: skip
    chosen = []
    for number in itertools.count():
        dice = random.Random(str(number))
        taken = {name: dice.choice(values) for name, values in SWITCHES.items()}
        held = {(one, other) for one, other in itertools.combinations(taken.items(), 2)}
        if held & pairs:
            pairs -= held
            chosen.append(str(number))
        if not pairs:
            return chosen
    raise AssertionError("the numbers do not end")

"""Formats of the state: every earlier one is read, a newer or damaged one is refused with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.model.errors import StateError
from reconciler.model.state import STATE_VERSION
from reconciler.store.formats import dump_state, parse_state

STATES = Path(__file__).parent / "states"


@pytest.mark.parametrize("version", range(1, STATE_VERSION + 1))
def test_every_format_is_read(version: int) -> None:
    """A state of any earlier format becomes one of today's and loses nothing; written again it is of today's format."""
    text = (STATES / f"format-{version}.json").read_bytes()
    old, new = json.loads(text), json.loads(dump_state(parse_state(text, "prod.json")))
    assert new["format_version"] == STATE_VERSION
    for name in old.keys() - {"format_version"}:
        kept = new[name]
        if name == "resources":
            kept = {key: {part: one[part] for part in old[name][key]} for key, one in kept.items()}
        assert kept == old[name]


def test_there_is_a_fixture_of_every_format() -> None:
    """Whoever raises the format adds a fixture of the one before."""
    assert sorted(path.name for path in STATES.iterdir()) == [f"format-{n}.json" for n in range(1, STATE_VERSION + 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "corrupt"),
        (b'{"format_version": 2, "linea', "truncated"),
        (b"\xff\xfe", "corrupt"),
        (b"[]", "not a state of this program"),
        (b'{"version": 4, "terraform_version": "1.11.0"}', "not a state of this program"),
        (b'{"format_version": true}', "not a state of this program"),
        (b'{"format_version": 0}', "not a state of this program"),
        (b'{"format_version": 3}', "corrupt: Field required at lineage"),
        (b'{"format_version": 4, "lineage": "x"}', "has format 4"),
        (b'{"format_version": 3, "lineage": "x", "lineage": "y"}', "a member stands there twice"),
    ],
)
def test_what_is_no_state_is_told_apart(text: bytes, said: str) -> None:
    """Damaged, foreign and newer documents have messages of their own."""
    with pytest.raises(StateError, match=said):
        parse_state(text, "prod.json")

"""What the API offers, as data: the tables that `kinds` prints are what planning uses."""

from __future__ import annotations

import json

import pytest

from reconciler.model.capability import Support, capabilities, operations
from reconciler.resources import load_kinds
from tests.world import World

KINDS = load_kinds()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_attribute_says_what_the_api_offers(kind: str) -> None:
    """One row for each attribute; a change by hand says how, and a look-up kind offers nothing but reads."""
    rows = {one.attribute: one for one in capabilities(KINDS[kind])}
    assert list(rows) == list(KINDS[kind].attributes)
    for one in rows.values():
        assert one.update is not Support.MANUALLY or one.note
        assert KINDS[kind].abilities.managed or one.create is one.update is Support.NONE


def test_what_only_recordings_show_is_told_apart() -> None:
    """`PUT /lists/{id}` and a field's `isrequired` are in no reference (sections 2.13, 2.1)."""
    assert operations(KINDS["list"]).update is Support.OBSERVED
    assert operations(KINDS["tag"]).update is Support.DOCUMENTED
    assert {one.attribute for one in capabilities(KINDS["field"]) if one.create is Support.OBSERVED} == {"required"}


def test_kinds_prints_the_table(world: World) -> None:
    """`kinds KIND --format json` carries create, update and read of each attribute."""
    ran = world.cli("kinds", "user", "--format", "json")
    assert ran.code == 0, ran.text
    rows = {row["attribute"]: row for row in json.loads(ran.out)}
    assert rows["password"]["update"] == "never"
    assert rows["username"]["update"] == "manually"
    assert "make another user" in rows["username"]["note"]

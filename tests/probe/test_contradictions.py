"""A fact that an account contradicts is told by the apply that meets it, and marked; nothing is lost by it, and the
next plan is empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.workflow.opening.facts import own_facts
from tests.probe.test_facts import IDENTITY, write_facts
from tests.world import World

LIST = {"name": "A", "sender_url": "https://acme.example", "sender_reminder": "Hello"}
CHOICES = {"title": "Plan", "type": "dropdown", "options": ["Free", "Pro"]}
TEXTS = {"name.emoji": "kept", "name.markup": "kept"}
TABLE: Mapping[str, tuple[Mapping[str, str], Mapping[str, Any], tuple[Mapping[str, Any], ...]]] = {
    "option_bulk is singular": (
        {"option_bulk": "singular"}, {"option_bulk": "plural"}, ({"fields": {"a": CHOICES}},),
    ),
    "option_bulk is plural": (
        {"option_bulk": "plural"}, {"option_bulk": "singular"}, ({"fields": {"a": CHOICES}},),
    ),
    "outcome_path is right": (
        {"outcome_path": "taskOutcomes"}, {"outcome_path": "taskOutccomes"},
        tuple({"task_outcomes": {"a": {"title": title, "sentiment": "Positive"}}} for title in ("Won", "Won it")),
    ),
    "outcome_path is misspelt": (
        {"outcome_path": "taskOutccomes"}, {"outcome_path": "taskOutcomes"},
        tuple({"task_outcomes": {"a": {"title": title, "sentiment": "Positive"}}} for title in ("Won", "Won it")),
    ),
    "site_domains are new": (
        {"site_domains": "new"}, {"site_domains": "old"}, ({"site_domains": {"a": {"domain": "acme.example"}}},),
    ),
    "site_domains are old": (
        {"site_domains": "old"}, {"site_domains": "new"}, ({"site_domains": {"a": {"domain": "acme.example"}}},),
    ),
    "field_groups are members": (
        {"field_groups": "members"}, {"field_groups": "definitions"},
        ({"field_groups": {"a": {"label": "More", "object": "contact"}}},),
    ),
    "field_groups are definitions": (
        {"field_groups": "definitions"}, {"field_groups": "members"},
        ({"field_groups": {"a": {"label": "More", "object": "contact"}}},),
    ),
    "list_update merges, and is refused": (
        {"list_update": "merge"}, {"list_update": "refuse"},
        ({"lists": {"a": LIST}}, {"lists": {"a": {**LIST, "name": "B"}}}),
    ),
    "list_update merges, and resets": (
        {"list_update": "merge"}, {"list_update": "reset"},
        ({"lists": {"a": LIST}}, {"lists": {"a": {**LIST, "name": "B"}}}),
    ),
    "field_order_on_create is kept": (
        {"field_order_on_create": "kept"}, {}, ({"fields": {"a": {"title": "A", "type": "text", "order": 7}}},),
    ),
    "bulk_options append": (
        {"bulk_options": "append"}, {"bulk_options": "replace"},
        tuple({"fields": {"a": {**CHOICES, "options": names}}} for names in (["Free", "Pro"], ["Free", "Pro", "More"])),
    ),
    "bulk_options replace": (
        {"bulk_options": "replace"}, {"bulk_options": "append"},
        tuple({"fields": {"a": {**CHOICES, "options": names}}} for names in (["Free", "Pro"], ["Free", "Pro", "More"])),
    ),
}  # fmt: skip
"""What is known, how the account is, and what is declared one after the other."""


@pytest.mark.parametrize("name", TABLE)
def test_what_an_account_contradicts_is_told_and_marked(world: World, name: str) -> None:
    """By the apply that meets it, which leaves the account as declared: what did not take is sent as without facts."""
    known, account, steps = TABLE[name]
    world.behave(**account)
    write_facts(world, known)
    notes: list[str] = []
    for config in steps:
        world.write(config)
        notes += world.apply(yes=True, incomplete="refuse" in account.values()).summary.notes
        if "refuse" in account.values():  # which nothing sends again in the same apply
            notes += world.apply(yes=True).summary.notes
        assert world.plan().lines == []
    (fact,) = known
    assert not [note for note in notes if "in its own way" in note]
    assert [note for note in notes if f"contradicts the fact `{fact}`" in note], notes
    file = own_facts(world.folder, IDENTITY)
    assert file is not None
    assert file.facts[fact].contradicted is not None
    assert [row["name"] for row in world.rows("lists")] in ([], ["B"])
    assert [row["value"] for row in world.rows("fieldOptions")] in ([], ["Free", "Pro"], ["Free", "Pro", "More"])


def test_what_nobody_declares_is_not_lost_by_a_wrong_fact(world: World) -> None:
    """An account of which it is known that its PUT merges, and that empties what is left out: the reminder stays."""
    world.behave(list_update="reset")
    write_facts(world, {"list_update": "merge"})
    world.write({"lists": {"a": LIST}})
    world.apply()
    world.write({"lists": {"a": {"name": "B"}}})
    world.apply()
    (row,) = world.rows("lists")
    assert (row["name"], row["sender_url"], row["sender_reminder"]) == ("B", LIST["sender_url"], "Hello")


def test_a_text_that_the_account_does_not_take_is_told_by_the_next_apply(world: World) -> None:
    """An account of which it is known that PUT merges and keeps texts, and that leaves one as it was: the apply after
    finds otherwise what was applied, so it reads back, sends it again, says so and marks the fact.
    """
    write_facts(world, {"put.tag": "merge", **TEXTS})
    world.write("tags: {vip: {name: VIP, description: one}}")
    world.apply()
    world.write("tags: {vip: {name: VIP, description: two}}")
    world.fault("fail_before", match="PUT /tags/.*", times=2, status=200, body={"tag": {"id": "1"}})
    assert world.apply().summary.notes == ()
    assert world.plan().origins("tag.vip") == {"description": "drift"}
    notes = world.apply(yes=True).summary.notes
    assert [note for note in notes if "contradicts the fact `put.tag`" in note], notes
    file = own_facts(world.folder, IDENTITY)
    assert file is not None
    assert file.facts["put.tag"].contradicted is not None
    assert world.plan().lines == []
    assert [row["description"] for row in world.rows("tags")] == ["two"]


def test_a_text_is_told_at_once_where_its_listing_is_read_anyway(world: World) -> None:
    """Beside a create of its kind, which is always read back, a wrong fact is told by the same apply; no request more
    is sent for what took.
    """
    write_facts(world, {"put.tag": "merge", **TEXTS})
    world.write("tags: {vip: {name: VIP, description: one}}")
    world.apply()
    reads = []
    for number, taken in enumerate((True, False)):
        world.write(f"tags: {{vip: {{name: VIP, description: now {number}}}, new{number}: {{}}, old0: {{}}}}")
        if not taken:
            world.fault("fail_before", match="PUT /tags/.*", times=1, status=200, body={"tag": {"id": "1"}})
        before = len(world.requests())
        notes = world.apply(yes=True).summary.notes
        reads.append(world.requests()[before:])
        assert any("contradicts the fact `put.tag`" in note for note in notes) is not taken, notes
    assert sum(line.startswith("GET /tags") for line in reads[0]) == 2
    assert world.plan().lines == []
    assert "now 1" in [row["description"] for row in world.rows("tags")]


@pytest.mark.parametrize("twins", [False, True])
def test_names_that_the_account_has_twice_are_not_unique(world: World, twins: bool) -> None:
    """A second list of one name is refused where a probe found names to be unique, and the refusal says whence that is
    known; an account that holds two of any name contradicts the fact.
    """
    write_facts(world, {"unique.lists": "yes"})
    held = [{"name": name, "stringid": key} for name, key in (("X", "x-1"), ("X" if twins else "Y", "x-2"))]
    world.account.seed({"lists": held})
    world.write({"lists": {"a": {**LIST, "string_id": "a-1"}}})
    world.apply()
    world.write({"lists": {"a": {**LIST, "string_id": "a-1"}, "b": {**LIST, "string_id": "a-2"}}})
    applied = world.apply(yes=True, incomplete=True)
    file = own_facts(world.folder, IDENTITY)
    assert file is not None
    assert (file.facts["unique.lists"].contradicted is not None) == twins
    assert len(world.rows("lists")) == (4 if twins else 3)
    if twins:
        assert world.plan().lines == []
    else:
        assert "a probe found that" in str([one.reason for one in applied.planned.document.skipped])


@pytest.mark.parametrize("shown", ["email", "all"])
def test_no_list_is_made_twice_by_a_wrong_fact(world: World, shown: str) -> None:
    """Which channels are listed unless they are asked for is never relied on: they are asked for."""
    world.behave(list_channels=shown)
    write_facts(world, {"list_channels": "all"})
    world.write({"lists": {"a": {**LIST, "channel": "sms"}}})
    world.apply()
    world.write({"lists": {"a": {**LIST, "channel": "sms", "name": "B"}}})
    world.apply()
    assert [row["name"] for row in world.rows("lists")] == ["B"]
    assert world.plan().lines == []


def test_every_fact_that_a_kind_asks_for_is_tried() -> None:
    """A branch that is new needs a row above, or a test that no wrong fact does harm there."""
    root = Path(__file__).resolve().parents[2] / "reconciler"
    asked = {
        name
        for path in root.rglob("*.py")
        for name in re.findall(r"""(?:\.own|\.says|elsewhere=)\(\s*f?"([^"]+)\"""", path.read_text("utf-8"))
    }
    tried = {fact for known, _, _ in TABLE.values() for fact in known}
    assert asked - tried == {"put.{self.name}", "unique.{key}"}

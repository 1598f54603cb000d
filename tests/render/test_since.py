"""What is different in a plan from the one that was approved."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.document import (
    ChangeView,
    FindingView,
    GuardView,
    ImpactView,
    PlanDocument,
    SettingsView,
    SkippedView,
    UseView,
)
from reconciler.render import since
from tests.render import documents
from tests.world.project import World

GONE = ChangeView(
    address="tag.old", kind="tag", action="delete", id="1", impacts=[ImpactView(count=3, noun="contacts")]
)
FIELD = ChangeView(
    address="field.tier", kind="field", action="update", id="2", attributes=[documents.old("title", "Plan", "Tier")]
)


def _with(change: ChangeView, **members: Any) -> PlanDocument:
    return PlanDocument(changes=[GONE, change.model_copy(update=members)])


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (PlanDocument(changes=[GONE]), "- not in the plan any more: update in-place field.tier"),
        (_with(FIELD, action="replace"), "~ field.tier: destroy and then create replacement, was update in-place"),
        (_with(FIELD, id="3"), "~ field.tier: id 3, was id 2"),
        (
            _with(FIELD, attributes=[documents.old("title", "Plan", "Tiers")]),
            '~ field.tier title: "Plan" -> "Tiers", was "Plan" -> "Tier"',
        ),
        (
            _with(FIELD, attributes=[documents.old("title", "Plan2", "Tier")]),
            '~ field.tier title: "Plan2" -> "Tier", was "Plan" -> "Tier"',
        ),
        (_with(FIELD, attributes=[]), '- field.tier title does not change any more: "Plan" -> "Tier"'),
        (
            _with(FIELD, attributes=[*FIELD.attributes, documents.old("visible", True, False)]),
            "+ field.tier visible also changes: true -> false",
        ),
        (
            _with(FIELD, impacts=[ImpactView(count=1, noun="contacts carry a value")]),
            "~ field.tier: 1 contact carries a value, was: nothing is touched",
        ),
        (_with(FIELD, manual={"type": "ask"}), "+ field.tier by hand type: ask"),
        (_with(FIELD, on_destroy={"move_deals_to": "stage.a.b"}), "+ field.tier on_destroy move_deals_to: stage.a.b"),
        (_with(FIELD, uses=[UseView(where="automation A")]), "+ field.tier used by automation A: used"),
        (_with(FIELD, findings=[FindingView(message="no")]), "+ field.tier finding no: error"),
        (
            _with(FIELD).model_copy(update={"guards": [GuardView(name="max_deletes", verdict="tripped", message="2")]}),
            "+ guard max_deletes: tripped: 2",
        ),
        (
            _with(FIELD).model_copy(update={"skipped": [SkippedView(address="tag.b", reason="hidden")]}),
            "+ not planned tag.b: hidden",
        ),
        (_with(FIELD).model_copy(update={"account": "other"}), "~ account other, was "),
        (
            _with(FIELD).model_copy(update={"settings": SettingsView(mark="ab")}),
            "~ what the change does to the project file",
        ),
        (_with(FIELD), ""),
    ],
)
def test_each_difference_is_a_line(now: PlanDocument, line: str) -> None:
    """And there and back: what is new one way is gone the other way."""
    approved = _with(FIELD)
    assert list(since.differences(now, approved)) == ([line] if line else [])
    assert bool(list(since.differences(approved, now))) == bool(line)


def test_nothing_is_said_and_what_cannot_be_seen_too() -> None:
    """Two plans that are made one after the other differ in when they were made, in nothing else."""
    document = documents.refused()
    later = document.model_copy(update={"created_at": "2027", "digest": "x", "salt": "other"})
    told = since.text(later, document, "approved.json")
    assert told.startswith("Different from approved.json: nothing.\n")
    assert "Not compared, for it is not shown: webhook.crm_sync password." in told


def test_a_plan_is_compared_with_the_approved_one(world: World) -> None:
    """On the command line: nothing, then the line; another environment's plan is refused."""
    world.write("tags: {a: {}}")
    assert world.cli("plan", "--out", "approved.json").code == 0
    assert world.cli("plan", "--since", "approved.json").out == "Different from approved.json: nothing.\n"
    world.write("tags: {a: {}, b: {}}")
    ran = world.cli("plan", "--since", "approved.json", "--detailed-exitcode")
    assert (ran.code, ran.out) == (2, "Different from approved.json: 1 line.\n  + new in the plan: create tag.b\n")
    assert world.cli("plan", "--since", "missing.json").code == 6

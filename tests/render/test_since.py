"""What is different in a plan from the one that was approved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from reconciler.cli.views import PLAN
from reconciler.model.document import (
    ChangeView,
    FindingView,
    GuardView,
    ImpactView,
    PlanDocument,
    SettingsView,
    SkippedView,
    UseView,
    digest,
)
from reconciler.render import since
from reconciler.workflow.reference import SCHEMAS
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
        (PlanDocument(changes=[GONE]), "- not in the plan any more: change TIER"),
        (_with(FIELD, action="replace"), "~ TIER: delete and make again, was change"),
        (_with(FIELD, id="3"), "~ TIER: id 3, was id 2"),
        (
            _with(FIELD, attributes=[documents.old("title", "Plan", "Tiers")]),
            '~ contact field Tiers (field.tier), Title: "Tiers", was "Tier"',
        ),
        (
            _with(FIELD, attributes=[documents.old("title", "Plan2", "Tier")]),
            '~ TIER, Title: "Plan2" -> "Tier", was "Plan" -> "Tier"',
        ),
        (_with(FIELD, attributes=[]), '- TIER, Title does not change any more: "Plan" -> "Tier"'),
        (
            _with(FIELD, attributes=[*FIELD.attributes, documents.old("visible", True, False)]),
            "+ TIER, Visible also changes: true -> false",
        ),
        (
            _with(FIELD, impacts=[ImpactView(count=1, noun="contacts carry a value")]),
            "~ TIER: 1 contact loses what it has in this field, was: nothing is touched",
        ),
        (_with(FIELD, manual={"type": "ask"}), "+ TIER manually Type: ask"),
        (
            _with(FIELD, on_destroy={"move_deals_to": "stage.a.b"}),
            "+ TIER: Its deals are moved to the stage B of A (stage.a.b) first.",
        ),
        (_with(FIELD, uses=[UseView(where="automation A")]), "+ TIER: Used by automation A."),
        (_with(FIELD, findings=[FindingView(message="no")]), "+ TIER finding no: error"),
        (
            _with(FIELD).model_copy(update={"guards": [GuardView(name="max_deletes", verdict="tripped", message="2")]}),
            "+ guard Many things are deleted at once (max_deletes): cannot be allowed: 2",
        ),
        (
            _with(FIELD).model_copy(update={"skipped": [SkippedView(address="tag.b", reason="hidden")]}),
            "+ not planned tag B (tag.b): hidden",
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
    assert list(since.differences(now, approved)) == (
        [line.replace("TIER", "contact field Tier (field.tier)")] if line else []
    )
    assert bool(list(since.differences(approved, now))) == bool(line)


def test_nothing_is_said_and_what_cannot_be_seen_too() -> None:
    """Two plans that are made one after the other differ in when they were made, in nothing else."""
    document = documents.refused()
    later = document.model_copy(update={"created_at": "2027", "digest": "x", "salt": "other"})
    told = since.text(since.compared(later, document, "approved.json"))
    assert told.startswith("Different from approved.json: nothing.\n")
    assert "Not compared, for it is not shown: webhook Crm sync (webhook.crm_sync), Password." in told


def test_a_plan_is_compared_with_the_approved_one(world: World) -> None:
    """On the command line: nothing, then the line; another environment's plan is refused."""
    world.write("tags: {a: {}}")
    assert world.cli("plan", "--out", "approved.json").code == 0
    assert world.cli("plan", "--since", "approved.json").out == "Different from approved.json: nothing.\n"
    world.write("tags: {a: {}, b: {}}")
    ran = world.cli("plan", "--since", "approved.json", "--detailed-exitcode")
    assert (ran.code, ran.out) == (
        2,
        "Different from approved.json: 1 line.\n  + new in the plan: create tag b (tag.b)\n",
    )
    assert world.cli("plan", "--since", "missing.json").code == 6


def test_every_form_shows_what_is_different_and_nothing_else(world: World) -> None:
    """Not the plan: `nothing` or the lines, in each form of plans that can, and a refusal that names those."""
    world.write("tags: {a: {}, kept: {}}")
    assert world.cli("plan", "--out", "approved.json").code == 0
    for files, same in (("tags: {a: {}, kept: {}}", True), ("tags: {a: {}, b: {name: 'x|<y>'}, kept: {}}", False)):
        world.write(files)
        for form in PLAN:
            ran = world.cli("plan", "--since", "approved.json", "--format", form)
            if form in ("sarif", "gitlab"):
                assert (ran.code, ran.out) == (1, "")
                assert "choose text, json, markdown, html or github" in ran.err
                continue
            assert ran.code == 0, ran.text
            assert ("tag.b" in ran.out.replace("\\_", "_"), "tag.kept" in ran.out) == (not same, False), form
            assert ("othing" in ran.out) is same or form == "json", ran.out
            if form == "json":
                found = json.loads(ran.out)
                jsonschema.validate(found, SCHEMAS["since"]())
                assert (found["same"], len(found["differences"])) == (same, 0 if same else 1)


@pytest.mark.parametrize("how", ["environment", "account", "format", "altered", "no plan", "drift"])
def test_what_cannot_be_compared_is_refused_with_a_hint(world: World, how: str) -> None:
    """Another environment or account, a format that this program does not read, a file that was altered or is none."""
    world.write("tags: {a: {}}")
    assert world.cli("plan", "--out", "approved.json").code == 0
    path = world.folder / "approved.json"
    content = json.loads(path.read_text("utf-8"))
    changed: dict[str, dict[str, Any]] = {
        "environment": {"environment": "other"}, "account": {"account": "elsewhere"},
        "format": {"format_version": "0.9"},
    }  # fmt: skip
    content |= changed.get(how, {})
    content["digest"] = digest(content)
    if how == "altered":
        content["created_at"] = "2020"
    path.write_text("[]" if how == "no plan" else json.dumps(content), "utf-8")
    ran = world.cli("plan", "--since", "approved.json", *(["--refresh-only"] if how == "drift" else []))
    assert (ran.code, bool(ran.out)) == (1 if how == "drift" else 6, False), ran.text
    assert how == "drift" or "hint: " in ran.err


NOT_COMPARED = {
    "ChangeView": {
        "kind": "follows from the address", "reason": "says why, not what", "place": "a line may move in its file",
        "depends_on": "order, not what", "guarded": "a property of the kind", "counting": "requests, not what",
        "evacuates": "stands in on_destroy", "desired": "stands in the attributes",
        "fingerprint": "what the account holds besides",
        "found": "what the account holds besides", "known": "ids of others", "natural_key": "stands in the attributes",
        "spare": "how it is carried out", "nested": "how the files say it", "elsewhere": "how the files say it",
        "parent": "follows from the address", "rank": "order, not what",
    },
    "AttributeView": {
        "parts": "stands in before and after", "applied": "the past", "origin": "whose change, not which",
        "place": "a line",
        "run": "the past", "forces_replacement": "stands in the action", "sensitive": "what is masked is named",
    },
    "GuardView": {"override": "stands in the message", "remedy": "advice", "places": "lines", "by": "who, not what"},
    "SkippedView": {"forbidden": "stands in the reason", "refused": "stands in the reason"},
}  # fmt: skip
"""Members of a plan of which another value alone is no difference, and why."""
OTHERS: dict[str, Any] = {
    "action": "replace", "attributes": [], "impacts": [ImpactView(count=9, noun="deals")], "uses": [UseView(where="x")],
    "findings": [FindingView(message="x")], "manual": {"x": "y"}, "ignored": ["x"],
    "on_destroy": {"x": "tag.y"}, "places": (1, 2),
    "found": {"title": "Plan"}, "desired": {"title": "Tier"},
    "addresses": ["tag.z"], "verdict": "warned", "after": "other", "before": "other", "certainty": "maybe",
}  # fmt: skip


TRIPPED = GuardView(name="max_deletes", verdict="tripped", message="2", override="--allow max_deletes=2")


def _members() -> Iterator[tuple[str, str, PlanDocument]]:
    """Every member of a change, an attribute, a guard, of what is left out, with another value in a plan."""
    guard = TRIPPED
    skipped = SkippedView(address="tag.s", reason="hidden")
    parts: list[Any] = [FIELD, FIELD.attributes[0], guard, skipped]
    for place, part in enumerate(parts):
        for name, member in type(part).model_fields.items():
            value = OTHERS.get(name, member.annotation is bool or (f"other.{name}"))
            mine = [*parts[:place], part.model_copy(update={name: value}), *parts[place + 1 :]]
            change = mine[0] if place == 0 else FIELD.model_copy(update={"attributes": [mine[1]]})
            views: dict[str, Any] = {"changes": [GONE, change], "guards": [mine[2]], "skipped": [mine[3]]}
            yield type(part).__name__, name, PlanDocument.model_construct(**views)


MEMBERS = {(part, name): document for part, name, document in _members()}
SAME = PlanDocument(
    changes=[GONE, FIELD],
    guards=[TRIPPED],
    skipped=[SkippedView(address="tag.s", reason="hidden")],
)


@pytest.mark.parametrize(("part", "name"), MEMBERS)
def test_each_member_of_a_plan_is_compared_or_it_is_said_why_not(part: str, name: str) -> None:
    """A member that is added is told, or stands in the table above; and a plan is no different from itself."""
    document = MEMBERS[part, name]
    assert list(since.differences(document, document.model_copy(deep=True))) == []
    told = list(since.differences(document, SAME))
    assert bool(told) == (name not in NOT_COMPARED[part]), told


def test_a_guard_about_more_things_is_one_line_and_of_lists_the_entries_that_differ() -> None:
    """A guard that is about ten of the same things does not go and come again; what is new gets what it becomes."""
    tags = [f"tag.t{number}" for number in range(12)]
    before, after = (
        GuardView(
            name="max_deletes", verdict="tripped", message=str(count), addresses=tags[:count], override="--allow x"
        )
        for count in (10, 11)
    )
    was, now = (FIELD.model_copy(update={"attributes": [documents.old("options", ["A", "B"], some)]})
                for some in (["B", "A"], ["B", "A", "C"]))  # fmt: skip
    new = ChangeView(address="tag.n", kind="tag", action="create", attributes=[documents.new("name", "N")])
    other = new.model_copy(update={"attributes": [documents.new("name", "M")]})
    told = list(
        since.differences(
            PlanDocument(changes=[now, other], guards=[after]), PlanDocument(changes=[was, new], guards=[before])
        )
    )
    assert told == [
        "~ contact field Tier (field.tier), Options: C (new)",
        '~ tag M (tag.n), Name: "M", was "N"',
        "~ guard Many things are deleted at once (max_deletes): 11, was 10",
        "+ guard Many things are deleted at once (max_deletes) also about tag T10 (tag.t10)",
    ]
    back = list(since.differences(PlanDocument(guards=[before]), PlanDocument(guards=[after])))
    assert back[1:] == ["- guard Many things are deleted at once (max_deletes) not any more about tag T10 (tag.t10)"]
    twice = [after, after.model_copy(update={"addresses": ["tag.z"]})]
    assert len(list(since.differences(PlanDocument(guards=twice), PlanDocument(guards=[before])))) == 3

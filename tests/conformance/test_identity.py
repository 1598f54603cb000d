"""Which object of the account a declaration means: adoption, twins, pins, moves and removals."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import PlanError
from reconciler.model.spec import Default
from reconciler.resources import load_kinds
from tests.conformance.case import Attr, Case
from tests.conformance.cases import load_cases
from tests.conformance.steps import begin, settled
from tests.world import World

CASES = load_cases()


def forget(world: World, address: str) -> None:
    """Let the state forget an object that stays alive."""
    ran = world.cli("state", "rm", address)
    assert ran.code == 0, ran.text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_object_that_exists_is_adopted(world: World, case: Case) -> None:
    """What is in the account already, unmanaged, is taken over as it is, shown as an adoption; nothing is written."""
    begin(world, case, case.full())
    held = world.dump()
    forget(world, case.address)
    plan = world.plan()
    assert plan.lines == [f"adopt {case.address}"]
    world.forget()
    applied = world.apply()
    assert applied.summary.adopted == 1
    assert world.writes() == []
    assert world.plan().empty
    assert world.dump() == held


def optional(case: Case) -> Attr | None:
    """Return an attribute that does not identify the object and can drift."""
    known = load_kinds()[case.kind].attributes
    return next(
        (
            one
            for one in case.attributes
            if one.drift is not None and one.name not in case.always and not known[one.name].has(Default)
        ),
        None,
    )


@pytest.mark.parametrize("case", [case for case in CASES if optional(case)], ids=str)
def test_an_object_that_differs_is_adopted_and_updated(world: World, case: Case) -> None:
    """Adoption and the changes that it brings are one line of the plan, marked as both."""
    attribute = optional(case)
    assert attribute is not None
    assert attribute.drift is not None
    begin(world, case, case.full())
    row = case.row(world)
    forget(world, case.address)
    attribute.drift(world, row)
    plan = world.plan()
    assert plan.lines == [f"update {case.address} ({attribute.name})"]
    assert plan.change(case.address).adopts
    settled(world, case.full())
    case.check(world)


def test_a_tag_is_recognised_without_case_where_nothing_fits_better(world: World) -> None:
    """`vip` in the account is the declared `VIP`, renamed; where both exist, the exact one is meant."""
    world.account.seed({"tags": [{"tag": "vip"}]})
    world.write("tags: {x: {name: VIP}}")
    assert world.plan().lines == ["update tag.x (name)"]
    assert world.plan().change("tag.x").adopts
    world.account.seed({"tags": [{"tag": "VIP"}]})
    assert world.plan().lines == ["adopt tag.x"]
    assert world.plan().change("tag.x").id == "2"


def test_a_field_is_recognised_by_its_title_where_the_tag_is_new(world: World) -> None:
    """The personalization tag is looked for first, then the title."""
    world.account.seed({"fields": [{"title": "Plan", "type": "text", "perstag": "OLD", "relids": ["0"]}]})
    world.write("fields: {plan: {title: Plan, type: text, perstag: PLAN}}")
    assert world.plan().lines == ["update field.plan (perstag)"]
    world.account.seed({"fields": [{"title": "Renamed", "type": "text", "perstag": "PLAN", "relids": ["0"]}]})
    assert world.plan().lines == ["update field.plan (title)"]


def test_twins_are_an_error_that_says_how_to_pin(world: World) -> None:
    """Two objects that fit are never guessed at; the block that the message proposes settles it."""
    world.account.seed({"dealGroups": [{"title": "Sales", "currency": "eur"}, {"title": "Sales", "currency": "eur"}]})
    config: dict[str, Any] = {"pipelines": {"sales": {"title": "Sales", "currency": "eur"}}}
    world.write(config)
    with pytest.raises(PlanError) as caught:
        world.plan()
    assert "ids 1 and 2" in caught.value.message
    assert 'imports: [{to: pipeline.sales, id: "1"}]' in caught.value.message
    settled(world, {**config, "imports": [{"to": "pipeline.sales", "id": "2"}]})
    assert world.state().resources["pipeline.sales"].id == "2"
    settled(world, config)


def test_an_import_over_another_binding_asks(world: World) -> None:
    """The object that is bound would be managed no more: nobody does that by a slip of the finger."""
    world.account.seed({"tags": [{"id": "1", "tag": "A"}, {"id": "2", "tag": "B"}]})
    world.write({"tags": {"a": {"name": "A"}}})
    assert world.cli("import", "tag.a", "1").code == 0
    assert world.cli("import", "tag.a", "1").code == 0
    refused = world.cli("import", "tag.a", "2")
    assert refused.code == 1, refused.text
    assert "tag.a is bound to id 1" in refused.text
    assert world.state().resources["tag.a"].id == "1"
    assert world.cli("import", "tag.a", "2", "--auto-approve").code == 0
    assert world.state().resources["tag.a"].id == "2"


def test_an_import_of_what_is_not_there_skips_its_object(world: World) -> None:
    """A pin must name an object that exists and that nobody else has; nothing is made in place of one that is gone."""
    world.account.seed({"tags": [{"tag": "VIP"}]})
    world.write({"tags": {"vip": {"name": "VIP"}, "x": {}}, "imports": [{"to": "tag.x", "id": "9"}]})
    plan = world.plan()
    assert plan.lines == ["adopt tag.vip"]
    assert [(one.address, "no such object" in one.reason) for one in plan.document.skipped] == [("tag.x", True)]
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    world.write({"tags": {"vip": {"name": "VIP"}, "x": {}}, "imports": [{"to": "tag.x", "id": "1"}]})
    skipped = world.plan().document.skipped
    assert [(one.address, "under another address" in one.reason) for one in skipped] == [("tag.x", True)]
    assert world.cli("apply", "--auto-approve").code == 5


def test_an_imported_object_takes_the_declared_name(world: World) -> None:
    """A pin binds whatever the object is called; what differs is an update."""
    world.account.seed({"tags": [{"tag": "Old name"}]})
    config = {"tags": {"vip": {"name": "VIP"}}, "imports": [{"to": "tag.vip", "id": "1"}]}
    world.write(config)
    assert world.plan().lines == ["update tag.vip (name)"]
    settled(world, config)
    assert [row["tag"] for row in world.rows("tags")] == ["VIP"]


def test_a_moved_address_keeps_its_object(world: World) -> None:
    """A renamed key is no delete and create, also for a pipeline with its stages."""
    stages = {"lead": {"title": "Lead"}, "won": {"title": "Won"}}
    sales = {"title": "Sales", "currency": "eur", "stages": stages}
    settled(world, {"tags": {"old": {"name": "VIP"}}, "pipelines": {"a": sales}})
    before = world.dump()
    moves = [
        {"from": "tag.old", "to": "tag.vip"},
        {"from": "pipeline.a", "to": "pipeline.b"},
        *({"from": f"stage.a.{key}", "to": f"stage.b.{key}"} for key in stages),
    ]
    config = {"tags": {"vip": {"name": "VIP"}}, "pipelines": {"b": sales}, "moved": moves}
    world.write(config)
    assert {line.partition(" ")[0] for line in world.plan().lines} == {"move"}
    world.forget()
    settled(world, config)
    assert world.writes() == []
    assert world.dump() == before
    assert set(world.state().resources) == {"tag.vip", "pipeline.b", "stage.b.lead", "stage.b.won"}


def test_a_removed_block_leaves_the_object_alive(world: World) -> None:
    """`destroy: false` forgets the address and deletes nothing; later plans say nothing about it."""
    settled(world, {"tags": {"a": {}, "b": {}}})
    config = {"tags": {"a": {}}, "removed": [{"address": "tag.b", "destroy": False}]}
    world.write(config)
    assert world.plan().lines == ["forget tag.b"]
    settled(world, config)
    assert len(world.rows("tags")) == 2
    settled(world, {"tags": {"a": {}}})


def test_adopt_never_is_obeyed(world: World) -> None:
    """Where taking over is forbidden, an existing object is an error, never a duplicate."""
    world.account.seed({"tags": [{"tag": "VIP"}]})
    world.write("tags: {vip: {name: VIP, lifecycle: {adopt: never}}}")
    with pytest.raises(PlanError, match="forbids to take it over"):
        world.plan()


def test_a_reused_id_is_not_mistaken(world: World) -> None:
    """An id that came back for another object is recognised by its key and birth: the other one stays untouched."""
    world.behave(id_reuse=True)
    settled(world, {"tags": {"a": {"name": "A"}}})
    world.call("DELETE", "/tags/1")
    world.call("POST", "/tags", {"tag": {"tag": "Somebody else's", "tagType": "contact"}})
    assert world.rows("tags")[0]["id"] == "1"
    assert world.plan().lines == ["create tag.a"]
    settled(world, {"tags": {"a": {"name": "A"}}})
    assert [row["tag"] for row in world.rows("tags")] == ["Somebody else's", "A"]
    settled(world, {})
    assert [row["tag"] for row in world.rows("tags")] == ["Somebody else's"]


def test_built_in_objects_are_never_claimed(world: World) -> None:
    """The default groups and the built-in deal field are not matched by name, exported or deleted."""
    label = "Forecasted Close Date"
    world.write({"deal_fields": {"close": {"label": label, "type": "date"}}})
    assert world.plan().lines == ["create deal_field.close"]
    world.apply()
    assert [row["fieldLabel"] for row in world.rows("dealCustomFieldMeta")] == [label, label]
    settled(world, {})
    assert len(world.rows("dealCustomFieldMeta")) == 1

"""What other people and a strange account do in the middle of a run: named for one address, while the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from reconciler.emulator import Fault
from reconciler.model.errors import PlanError
from tests.properties.world import Kill, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world without retries in the log."""
    stamina.instrumentation.set_on_retry_hooks([])
    made = World(tmp_path)
    yield made
    made.close()
    stamina.instrumentation.set_on_retry_hooks(None)


def names(world: World, table: str, name: str) -> list[Any]:
    """Return one property of all rows of a table."""
    return [row[name] for row in world.rows().get(table, ())]


def test_an_object_that_somebody_deletes_meanwhile_fails_alone(world: World) -> None:
    """A 404 for an update is an error of that address; what does not need it is done."""
    assert world.apply({"tags": {"a": {"name": "A"}, "b": {"name": "B"}}}).clean
    gone = Fault(
        "fail_before", "^PUT /tags/1", times=9, status=404, body={"message": "No Result found for Tag with id 1"}
    )
    result = world.apply({"tags": {"a": {"name": "A 2"}, "b": {"name": "B 2"}}}, faults=[gone], during_apply=True)
    assert result.summary is not None
    assert {address for address, _, _ in result.summary.failed} == {"tag.a"}
    assert names(world, "tags", "tag") == ["A", "B 2"]


def test_dependants_of_a_refused_write_are_skipped_and_named(world: World) -> None:
    """A 403 on one create: what needs it is skipped and says so, the rest is done."""
    config = {
        "lists": {"news": {"name": "News", "sender_url": "https://a.example", "sender_reminder": "You signed up."}},
        "fields": {"plan": {"title": "Plan", "type": "text", "lists": ["news"]}},
        "tags": {"vip": {"name": "VIP"}},
    }
    refused = Fault("forbidden", "^POST /lists", times=9)
    result = world.apply(config, faults=[refused], during_apply=True)
    assert result.summary is not None
    assert {address for address, _, _ in result.summary.failed} == {"list.news"}
    assert ("field.plan", "it needs list.news") in result.summary.skipped
    assert names(world, "tags", "tag") == ["VIP"]
    assert world.apply(config).clean
    assert world.plan().plan.empty


def test_two_new_objects_of_one_name_are_named_with_both_ids(world: World) -> None:
    """When a create has no answer and somebody makes a twin, nobody can tell which is which: both ids are named."""
    config = {"pipelines": {"sales": {"title": "Sales", "currency": "usd", "stages": {"a": {}}}}}
    assert world.apply(config, kill=Kill("request", 1, "after")).killed
    world.account.seed({"dealGroups": [{"title": "Sales", "currency": "usd"}]})
    error = world.apply(config).error
    assert isinstance(error, PlanError)
    assert all(identity in error.message for identity in names(world, "dealGroups", "id"))


def test_an_id_that_belongs_to_somebody_else_now_is_left_alone(world: World) -> None:
    """Ids are reused after deletes: the state's id with another name and birth is another object."""
    config = {"tags": {"a": {"name": "A"}}}
    assert world.apply(config).clean
    identity = names(world, "tags", "id")[0]
    world.account.rows.remove("tags", identity)
    world.account.seed({"tags": [{"id": identity, "tag": "Of somebody"}]})
    assert world.apply(config).clean
    assert sorted(names(world, "tags", "tag")) == ["A", "Of somebody"]
    assert world.plan().plan.empty


def test_a_listing_that_lies_about_its_total_is_unknown(world: World) -> None:
    """Nothing is planned on a listing that does not add up, and the state stays as it is."""
    config = {"tags": {"a": {"name": "A"}}}
    assert world.apply(config).clean
    before = world.state()
    result = world.apply({"tags": {}}, faults=[Fault("lying_total", "^GET /tags", times=99)])
    assert result.planned is not None
    assert [(one.address, one.forbidden) for one in result.planned.document.skipped] == [("tag.a", True)]
    assert "does not add up" in result.planned.document.skipped[0].reason
    assert world.state() == before
    assert names(world, "tags", "tag") == ["A"]


@pytest.mark.parametrize("new", [{}, {"new": {"name": "New"}}], ids=["all bound", "one is new"])
def test_objects_behind_a_total_that_is_the_pages_are_not_created_again(new: dict[str, Any], world: World) -> None:
    """A total of 100 for 101 tags: the kind is unknown, and the apply creates none that is there."""
    before = {f"t{number:03}": {"name": f"T {number:03}"} for number in range(101)}
    assert world.apply({"tags": before}).clean
    result = world.apply({"tags": before | new}, faults=[Fault("lying_total", "^GET /tags", times=99, delta=-1)])
    assert result.planned is not None
    assert "announced 100 objects and sent 101" in result.planned.document.skipped[0].reason
    assert len(names(world, "tags", "tag")) == 101


def test_a_stale_listing_after_a_create_makes_no_duplicate(world: World) -> None:
    """A read-back that does not show a new object yet is reported; the next run finds it and creates nothing."""
    assert world.apply({"tags": {"a": {"name": "A"}}}).clean
    config = {"tags": {"a": {"name": "A"}, "b": {"name": "B"}}}
    world.apply(config, faults=[Fault("stale_list", "^GET /tags", times=9)], during_apply=True)
    assert world.apply(config).clean
    assert names(world, "tags", "tag") == ["A", "B"]

"""Contact fields: order, options, lists and groups, in as few requests as it takes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.accounts import ACCOUNTS
from tests.conformance.cases.field import options, relations
from tests.conformance.steps import settled
from tests.world import World

LISTS = {
    name: {"name": name.title(), "sender_url": "https://acme.example", "sender_reminder": "You signed up."}
    for name in ("news", "offers", "jobs")
}


def field(**more: Any) -> dict[str, Any]:
    """Declare a field with choices."""
    return {"fields": {"plan": {"title": "Plan", "type": "dropdown", "options": ["A", "B"], **more}}}


def shown(world: World) -> list[str]:
    """Return the values of the options, the default one marked."""
    return [value + "*" * int(default) for value, _, default in options(world, world.rows("fields")[0])]


@pytest.mark.parametrize("bulk", ["append", "replace"])
@pytest.mark.parametrize(
    ("before", "after", "writes"),
    [
        pytest.param("ABC", "ABCD", 1, id="added-at-the-end"),
        pytest.param("ABC", "AC", 1, id="removed"),
        pytest.param("ABC", "BC", 1, id="first-removed"),
        pytest.param("ABCD", "ABDC", 2, id="two-swapped"),
        pytest.param("ABC", "BCA", 2, id="moved-to-the-end"),
        pytest.param("ABC", "AXC", 2, id="renamed"),
        pytest.param("ABC", "UVW", 4, id="all-new"),
        pytest.param("AB", "", 2, id="no-options"),
    ],
)
def test_options_change_with_the_fewest_writes(world: World, before: str, after: str, writes: int, bulk: str) -> None:
    """Options that stay keep their id; what changes costs a delete each and one bulk create for all."""
    world.behave(bulk_options=bulk, option_bulk="both")
    settled(world, field(options=list(before)))
    ids = {row["value"]: row["id"] for row in world.rows("fieldOptions")}
    world.forget()
    settled(world, field(options=list(after)))
    assert shown(world) == list(after)
    if bulk == "append":
        assert len(world.writes()) == writes, world.writes()
        kept = [row["value"] for row in world.rows("fieldOptions") if ids.get(row["value"]) == row["id"]]
        assert len(kept) >= len(set(before) & set(after)) - 1


@pytest.mark.parametrize("bulk", ["append", "replace"])
def test_the_default_option_moves(world: World, bulk: str) -> None:
    """One default goes, another comes; a label changes without its value."""
    world.behave(bulk_options=bulk)
    settled(world, field(options=[{"value": "A", "default": True}, "B", {"value": "C", "label": "See"}]))
    assert shown(world) == ["A*", "B", "C"]
    settled(world, field(options=["A", {"value": "B", "default": True}, {"value": "C", "label": "Sea"}]))
    assert shown(world) == ["A", "B*", "C"]
    assert [label for _, label, _ in options(world, world.rows("fields")[0])] == ["A", "B", "Sea"]


@pytest.mark.parametrize("name", ACCOUNTS)
def test_relations_go_from_all_to_lists_and_back(world: World, name: str) -> None:
    """A field is on all lists, on some, on others, on all: never on none in between."""
    world.account.keep(ACCOUNTS[name])
    for lists, seen in (
        ("all", ["all"]),
        (["news", "offers"], ["News", "Offers"]),
        (["jobs"], ["Jobs"]),
        ("all", ["all"]),
    ):
        world.forget()
        settled(world, {"lists": LISTS, **field(lists=lists)})
        assert relations(world, world.rows("fields")[0]) == seen
        methods = [line.partition(" ")[0] for line in world.writes() if "/fieldRels" in line]
        assert methods == sorted(methods, reverse=True), "a relation went before its successor came"


def test_a_list_that_goes_takes_no_field_with_it(world: World) -> None:
    """A field on two lists, of which one is removed: the field is repointed, then the list deleted."""
    settled(world, {"lists": LISTS, **field(lists=["news", "jobs"])})
    kept = {name: LISTS[name] for name in ("news", "offers")}
    settled(world, {"lists": kept, **field(lists=["news"])})
    assert relations(world, world.rows("fields")[0]) == ["News"]


def test_the_order_of_new_fields_is_as_declared(world: World) -> None:
    """The server ignores the order on create; it is sent again, and holds."""
    fields = {key: {"title": key, "type": "text", "order": place} for key, place in (("a", 3), ("b", 1), ("c", 2))}
    settled(world, {"fields": fields})
    assert {row["title"]: row["ordernum"] for row in world.rows("fields")} == {"a": "3", "b": "1", "c": "2"}


def test_a_title_that_becomes_free_can_be_taken(world: World) -> None:
    """A title that another field gives up can be taken in the same apply: the one who gives goes first."""
    settled(world, {"fields": {"a": {"title": "A", "type": "text"}, "b": {"title": "B", "type": "text"}}})
    world.write({"fields": {"a": {"title": "B", "type": "text"}, "b": {"title": "C", "type": "text"}}})
    world.apply()
    assert {row["id"]: row["title"] for row in world.rows("fields")} == {"1": "B", "2": "C"}
    assert world.plan().empty

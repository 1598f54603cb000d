"""Custom objects: fields come and go, ids are folded, the server's own dry run is part of the plan."""

from __future__ import annotations

import copy
from typing import Any

from tests.conformance.steps import settled
from tests.world import World

TICKET: dict[str, Any] = {
    "slug": "ticket",
    "labels": {"singular": "Ticket", "plural": "Tickets"},
    "fields": {
        "seat_no": {"type": "text", "labels": {"singular": "Seat", "plural": "Seats"}},
        "area": {"type": "dropdown", "labels": {"singular": "Area", "plural": "Areas"}, "options": ["Hall", "Balcony"]},
    },
    "relationships": {"buyer": {"namespace": "contacts", "labels": {"singular": "Buyer", "plural": "Buyers"}}},
}


def ticket(change: Any = None) -> dict[str, Any]:
    """Declare a schema, changed."""
    content = copy.deepcopy(TICKET)
    if change is not None:
        change(content)
    return {"custom_objects": {"ticket": content}}


def fields(world: World) -> list[str]:
    """Return the ids of the fields that are not being deleted."""
    return [field["id"] for field in world.rows("schemas")[0]["fields"] if not field.get("status")]


def test_a_field_that_goes_is_deleted_once_and_for_all(world: World) -> None:
    """Removal has an endpoint of its own, and its records are counted as an upper bound before."""
    settled(world, ticket())
    schema = world.rows("schemas")[0]["id"]
    world.account.rows.put("records", "r1", {"id": "r1", "schema": schema, "fields": []})
    gone = ticket(lambda content: content["fields"].pop("seat_no"))
    world.write(gone)
    plan = world.plan()
    assert plan.lines == ["update custom_object.ticket (fields)"]
    assert [(impact.count, impact.at_most) for impact in plan.change("custom_object.ticket").impacts] == [(1, True)]
    world.forget()
    settled(world, gone)
    assert fields(world) == ["area"]
    assert f"DELETE /customObjects/schemas/{schema}/fields/seat_no" in world.writes()


def test_a_dash_and_an_underscore_are_the_same(world: World) -> None:
    """The server takes `seat-no` and `seat_no` for one field: so does the plan."""
    settled(world, ticket())

    def dashed(content: dict[str, Any]) -> None:
        content["fields"] = {"seat-no": content["fields"]["seat_no"], "area": content["fields"]["area"]}

    world.write(ticket(dashed))
    assert world.plan().lines == []
    settled(world, ticket(dashed))
    assert fields(world) == ["seat_no", "area"]


def test_options_that_stay_keep_their_ids(world: World) -> None:
    """Records refer to options by id: a new one does not change the others."""
    settled(world, ticket())
    before = {one["value"]: one["id"] for one in world.rows("schemas")[0]["fields"][1]["options"]}

    def more(content: dict[str, Any]) -> None:
        content["fields"]["area"]["options"] = ["Gallery", "Hall", "Balcony"]

    settled(world, ticket(more))
    after = {one["value"]: one["id"] for one in world.rows("schemas")[0]["fields"][1]["options"]}
    assert list(after) == ["Gallery", "Hall", "Balcony"]
    assert before.items() <= after.items()


def test_what_the_api_cannot_do_is_left_to_a_person(world: World) -> None:
    """A relationship that goes, a field of another type: manual, said with what to do, and nothing is sent."""
    settled(world, ticket())
    world.write(ticket(lambda content: content["relationships"].clear()))
    plan = world.plan()
    assert plan.lines == ["manual custom_object.ticket (relationships)"]
    assert "remove it in" in plan.change("custom_object.ticket").manual["relationships.buyer"]
    assert plan.document.steps == []

    def retyped(content: dict[str, Any]) -> None:
        content["fields"]["seat_no"]["type"] = "number"

    world.write(ticket(retyped))
    plan = world.plan()
    assert plan.lines == ["manual custom_object.ticket (fields)"]
    assert "cannot be changed" in plan.change("custom_object.ticket").manual["fields.seat-no"]


def test_the_dry_run_of_the_server_is_asked_while_planning(world: World) -> None:
    """An update that the server would refuse is left out by name, in the server's words; nothing is written."""
    settled(world, ticket())
    row = world.rows("schemas")[0]
    row["fields"] = [*row["fields"], {"id": "vip", "type": "text", "labels": {"singular": "VIP", "plural": "VIPs"}}]
    before = world.dump()

    def clash(content: dict[str, Any]) -> None:
        content["fields"]["row"] = {"type": "text", "labels": {"singular": "vip", "plural": "of no field of the files"}}

    world.write(ticket(clash))
    plan = world.plan()
    assert plan.lines == []
    assert [one.address for one in plan.document.skipped] == ["custom_object.ticket"]
    assert "unique" in plan.document.skipped[0].reason
    assert world.cli("plan").code == 7
    assert world.dump() == before


def test_fields_that_nobody_declared_are_left_alone(world: World) -> None:
    """A field made by hand stays, through updates of the others."""
    settled(world, ticket())
    row = world.rows("schemas")[0]
    by_hand = {"id": "vip", "type": "text", "labels": {"singular": "VIP", "plural": "VIPs"}, "required": False}
    row["fields"] = [*row["fields"], by_hand]
    assert world.plan().empty
    settled(world, ticket(lambda content: content["fields"].pop("area")))
    assert fields(world) == ["seat_no", "vip"]

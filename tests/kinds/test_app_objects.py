"""Schemas of apps: public ones, and children that extend them."""

from __future__ import annotations

from tests.world import World

APP = """
    custom_objects:
      booking:
        slug: bookings
        visibility: public
        app_id: studio
        labels: {singular: Booking, plural: Bookings}
        fields: {name: {type: text, labels: {singular: Name, plural: Names}}}
      ours:
        slug: bookings
        parent: booking
        labels: {singular: Our booking, plural: Our bookings}
"""


def test_a_public_schema_and_a_child_settle(world: World) -> None:
    """The server rewrites both slugs (section 2.17); nothing differs afterwards, and both are found again by name."""
    world.write(APP)
    world.apply()
    assert world.plan().empty
    slugs = sorted(row["slug"] for row in world.call("GET", "/customObjects/schemas")["schemas"])
    assert all(slug.startswith("app-") for slug in slugs)
    (world.folder / "state" / "demo.json").unlink()
    assert world.plan().lines == ["adopt custom_object.booking", "adopt custom_object.ours"]


def test_a_child_is_made_after_its_parent_and_goes_before_it(world: World) -> None:
    """The reference decides the order."""
    world.write(APP)
    created = [step.address for step in world.apply().planned.document.steps]
    assert created.index("custom_object.booking") < created.index("custom_object.ours")
    world.write("tags: {vip: {}}")
    gone = [step.address for step in world.apply(yes=True).planned.document.steps if step.op == "delete"]
    assert gone == ["custom_object.ours", "custom_object.booking"]
    assert world.plan().empty


def test_a_field_of_a_public_schema_cannot_be_taken_away(world: World) -> None:
    """The API deletes fields of private schemas only (section 2.17): a manual step instead of a request."""
    world.write(APP)
    world.apply()
    world.write(APP.replace("fields: {name: {type: text, labels: {singular: Name, plural: Names}}}", "fields: {}"))
    planned = world.plan()
    assert planned.lines == ["manual custom_object.booking (fields)"]
    assert planned.document.steps == []


def test_half_an_app_is_an_error(world: World) -> None:
    """`visibility: public` and `app_id` belong together."""
    world.write("custom_objects: {x: {slug: x, app_id: a, labels: {singular: X, plural: Xs}}}")
    assert "`app_id` and `visibility: public` go together" in world.cli("validate").text

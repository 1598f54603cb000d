"""What stays and loses its place when an object goes: named in the plan for every kind that can be deleted, and asked
about where nobody manages it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.render.naming import introduced
from reconciler.resources import load_kinds
from tests.trust.losing import SENDER, at
from tests.world import World

KEEP = "tags: {keep: {name: Keep}}\n"
LIST = f"lists: {{news: {{name: News, string_id: news, {SENDER}}}}}\n"
PIPELINE = "pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}}}}\n"
GROUP = "field_groups: {extra: {label: Extra, object: OBJECT}}\n"
USERS = "user_groups: {agents: {name: Agents}}\n"
JANE = "users: {jane: {email: jane@acme.example, username: jane, group: agents}}\n"
TYPES = "task_types: {call: {title: Call me}}\n"
OUTCOME = TYPES + "task_outcomes: {won: {title: Won, sentiment: Positive, task_types: [call]}}\n"
TIER = "fields: {tier: {title: Tier, type: text, lists: all}}\n"
Named = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Place:
    """An object of `before` that goes, what somebody did by hand, and what the plan says: (effect, noun, names)."""

    name: str
    address: str
    before: str
    after: str
    by_hand: Callable[[World], None]
    says: set[Named]

    @property
    def asks(self) -> int:
        """How many objects need a yes."""
        return sum(len(names) for effect, _, names in self.says if effect == "unmanaged")


def one(world: World, table: str, **equal: str) -> str:
    """Return the id of the only row."""
    (row,) = world.rows(table, **equal)
    return str(row["id"])


def field_by_hand(world: World) -> None:
    """Somebody makes a contact field for the list, and one for all lists."""
    world.account.seed({"fields": [{"id": str(n), "title": f"Hand {n}", "type": "text"} for n in (901, 902)]})
    world.account.seed({"fieldRels": [{"field": "901", "relid": one(world, "lists")}, {"field": "902", "relid": "0"}]})


def member_by_hand(table: str, row: dict[str, Any]) -> Callable[[World], None]:
    """Somebody makes a field and puts it into the group."""

    def make(world: World) -> None:
        world.account.seed({table: [{"id": 901, **row}]})
        world.account.seed(
            {"groupMembers": [{"rel_id": 901, "group_id": one(world, "groupDefinitions", label="Extra")}]}
        )

    return make


def people_by_hand(world: World) -> None:
    """Somebody lets a user and a group into the pipeline."""
    pipeline = one(world, "dealGroups")
    world.account.seed({"dealGroupUsers": [{"dealGroup": pipeline, "user": "1"}]})
    world.account.seed({"dealGroupGroups": [{"dealGroup": pipeline, "group": one(world, "groups", title="Agents")}]})


def seen_by_hand(world: World) -> None:
    """Somebody makes a list and a pipeline for the group, and lets it see a managed list."""
    group = one(world, "groups", title="Agents")
    world.account.seed(
        {"lists": [{"id": "77", "name": "Hand list"}], "dealGroups": [{"id": "78", "title": "Hand board"}]}
    )
    lists = [row["id"] for row in world.rows("lists")]
    world.account.seed({"listGroups": [{"list": row, "group": group} for row in lists]})
    world.account.seed({"dealGroupGroups": [{"dealGroup": "78", "group": group}]})


def owned_by_hand(world: World) -> None:
    """Somebody makes the user the owner of a list."""
    user = one(world, "users", username="jane")
    world.account.seed({"lists": [{"id": "77", "name": "Hand list", "user": user, "userid": user}]})


def grouped_by_hand(world: World) -> None:
    """Somebody puts the contact field into a group."""
    world.account.seed({"groupDefinitions": [{"id": 55, "label": "Hand group", "type_id": 1}]})
    world.account.seed({"groupMembers": [{"rel_id": int(one(world, "fields")), "group_id": 55}]})


def nothing(world: World) -> None:
    """Nobody did anything."""


PLACES = (
    Place("list", "list.news", LIST, "", field_by_hand, {
        ("unmanaged", "contact fields lose the list", ("Hand 901",)),
        ("along", "permissions of user groups", ("user_group id 3",))}),
    Place("list of a managed field", "list.news", LIST + "fields: {tier: {title: Tier, type: text, lists: [news]}}\n",
          TIER, nothing, {
        ("along", "permissions of user groups", ("user_group id 3",))}),
    Place("group of contact fields", "field_group.extra", GROUP.replace("OBJECT", "contact"), "",
          member_by_hand("fields", {"title": "Hand", "type": "text"}), {
        ("unmanaged", "contact fields lose the group", ("Hand",))}),
    Place("group of deal fields", "field_group.extra", GROUP.replace("OBJECT", "deal"), "",
          member_by_hand("dealCustomFieldMeta", {"fieldLabel": "Hand", "fieldType": "text"}), {
        ("unmanaged", "deal fields lose the group", ("Hand",))}),
    Place("group of account fields", "field_group.extra", GROUP.replace("OBJECT", "account"), "",
          member_by_hand("accountCustomFieldMeta", {"fieldLabel": "Hand", "fieldType": "text"}), {
        ("unmanaged", "account fields lose the group", ("Hand",))}),
    Place("pipeline", "pipeline.sales", PIPELINE + USERS, USERS, people_by_hand, {
        ("along", "assignments of users", ("user id 1",)),
        ("along", "permissions of user groups", ("user_group.agents",))}),
    Place("user group", "user_group.agents", LIST + USERS, LIST, seen_by_hand, {
        ("along", "lists lose the group", ("list.news",)),
        ("unmanaged", "lists lose the group", ("Hand list",)),
        ("unmanaged", "pipelines lose the group", ("Hand board",))}),
    Place("user", "user.jane", USERS + JANE, USERS, owned_by_hand, {
        ("unmanaged", "lists lose their owner", ("Hand list",))}),
    Place("contact field", "field.tier", TIER, "", grouped_by_hand, {
        ("along", "relations to lists", ("all",)),
        ("along", "memberships in field groups", ("Hand group",))}),
    Place("task outcome", "task_outcome.won", OUTCOME, TYPES, nothing, {
        ("along", "relations to task types", ("task_type.call",))}),
)  # fmt: skip
ELSEWHERE = {
    "stage": "deals are counted; a stage links to nothing but its pipeline",
    "custom_object": "fields and relationships: tests/trust/test_along.py",
    "deal_field": "options and memberships: tests/trust/test_along.py",
    "account_field": "options and memberships: tests/trust/test_along.py",
}
ALONE = {
    "tag": "assignments are counted as records",
    "message": "what is sent with it names its own copy",
    "webhook": "holds an id of a list, and nothing holds its own",
    "deal_role": "assignments are counted as records",
    "connection": "customers are counted as records; its other data no source lists",
    "address": "addressLists and addressGroups have a delete and no listing (section 2.20)",
    "calendar": "calendarRels and calendarUsers are named by links only (section 2.21)",
    "saved_response": "its categories are named by links only (section 2.22)",
    "personalization": "holds ids of lists, and nothing holds its own",
    "tracked_event": "a name",
    "site_domain": "a name",
    "segment": "historic versions of itself (section 2.30)",
}
every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)


def test_every_kind_that_can_be_deleted_is_in_a_table() -> None:
    """A new kind has to say what goes with it."""
    deletable = {
        name
        for name, kind in load_kinds().items()
        if kind.abilities.managed and kind.abilities.deletable and not kind.texts.removal_effect
    }
    named = {place.address.partition(".")[0] for place in PLACES}
    assert deletable == named | ELSEWHERE.keys() | ALONE.keys()


def prepared(world: World, place: Place) -> None:
    """The object is no longer declared, and somebody has done something by hand."""
    world.write(place.before + KEEP)
    world.apply()
    place.by_hand(world)
    world.write(place.after + KEEP)
    world.forget()


def yes(world: World) -> tuple[str, ...]:
    """A yes to all that the plan asks."""
    return tuple(part for guard in world.plan().document.tripped for part in guard.override.split())


@every_place
def test_what_loses_its_place_is_named(world: World, place: Place) -> None:
    """By name, or by its address where it is managed; a yes is asked for what is not, and binds that number."""
    prepared(world, place)
    document = world.plan().document
    (change,) = (change for change in document.changes if change.address == place.address)
    said = {(view.effect, view.noun, tuple(view.objects)) for view in change.impacts if view.objects}
    assert said == place.says
    asked = [guard.override for guard in document.tripped if guard.name == "unmanaged_lost"]
    assert asked == ([f"--allow unmanaged_lost={place.asks}"] if place.asks else [])
    out = " ".join(world.cli("plan").out.split())
    printed = introduced(document).changes
    assert all(
        one in out for told in printed for view in told.impacts for one in view.objects if view.effect != "hidden"
    )
    assert world.cli("apply", "--auto-approve", *yes(world)).code == 0
    assert world.plan().empty


@every_place
def test_destroy_and_a_saved_plan_name_it_too(world: World, place: Place) -> None:
    """Every command that deletes judges the same numbers."""
    prepared(world, place)
    if place.asks:
        assert world.cli("plan", "--out", "p.json").code == 7
        assert world.cli("apply", "p.json").code == 7
    world.write(place.before + KEEP)
    ran = world.cli("destroy", "--auto-approve", "--target", place.address)
    if place.asks:
        assert ran.code == 7, ran.text
        assert "unmanaged_lost" in ran.text or "list.news refers to it" in ran.text
        assert not world.writes()


LATE = [
    ("list", "/fields", field_by_hand, "Hand 901"),
    ("group of deal fields", "/groupMembers", PLACES[3].by_hand, "Hand"),
    ("user group", "/listGroups", seen_by_hand, "Hand list"),
    ("user", "/lists", owned_by_hand, "Hand list"),
]


@pytest.mark.parametrize(("name", "asks", "by_hand", "told"), LATE, ids=[one[0] for one in LATE])
def test_what_loses_its_place_since_the_plan_keeps_the_object(  # type: ignore[no-untyped-def]
    world: World, name: str, asks: str, by_hand, told: str
) -> None:
    """Somebody makes a field for the list while an apply runs: the list stays, and what it would take is named."""
    place = next(place for place in PLACES if place.name == name)
    world.write(place.before + KEEP)
    world.apply()
    world.write(place.after + KEEP)
    said = yes(world)
    world.forget()
    world.plan(allow=tuple(said[1::2]))
    reads = sum(line == f"GET {asks}" for line in world.requests())
    at(world, lambda method, path: method == "GET" and path == asks, lambda: by_hand(world), nth=reads + 1)
    ran = world.cli("apply", "--auto-approve", *said)
    assert ran.code == 7, ran.text
    assert told in " ".join(ran.text.split())
    assert place.address in world.state().resources


def test_fields_of_every_page_are_named(world: World) -> None:
    """An account may answer fewer rows than it is asked for."""
    prepared(world, PLACES[0])
    world.account.seed({"fields": [{"id": str(n), "title": f"More {n}", "type": "text"} for n in range(910, 960)]})
    world.account.seed({"fieldRels": [{"field": "959", "relid": one(world, "lists")}]})
    world.behave(cap_limit=30)
    (view,) = (view for view in world.plan().change("list.news").impacts if view.effect == "unmanaged")
    assert sorted(view.objects) == ["Hand 901", "More 959"]


@pytest.mark.parametrize("missing", ["fields", "groupMembers", "listGroups", "dealGroupGroups"])
def test_what_an_account_does_not_list_is_said(world: World, missing: str) -> None:
    """Their number is unknown then, and no reason to ask."""
    place = {"fields": PLACES[0], "groupMembers": PLACES[3]}.get(missing, PLACES[6])
    prepared(world, place)
    world.behave(missing=(missing,))
    assert "the account does not list them" in " ".join(world.cli("plan").out.split())

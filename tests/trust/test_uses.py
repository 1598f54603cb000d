"""Who uses this? What else in the account mentions an object that goes, as far as the API lets it be read."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from reconciler.engine.usage import Searched
from reconciler.model.mention import Mention
from reconciler.resources import load_kinds
from reconciler.resources.places import PLACES
from tests.world import World

KINDS = load_kinds()
CONFIG = """
tags: {vip: {name: VIP}, keep: {name: Keep}}
lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
fields: {tier: {title: Tier, type: text, perstag: TIER}, other: {title: Other, type: text}}
"""


@pytest.fixture
def used(world: World) -> World:
    """An account whose automations, forms and messages mention some of the objects."""
    world.write(CONFIG)
    world.apply()
    tag, news = world.rows("tags", tag="VIP")[0]["id"], world.rows("lists")[0]["id"]
    field = world.rows("fields", title="Tier")[0]["id"]
    blocks = [
        {"automation": "5", "type": "addtag", "params": {"tagid": tag}},
        {"automation": "6", "type": "wait", "params": {"hours": tag}},
        {"automation": "6", "type": "mystery", "params": {"x": "99"}},
    ]
    form = {
        "name": "Sign-up",
        "cfields": [{"id": field}],
        "actiondata": {"actions": [{"type": "subscribe", "list": news}]},
    }
    world.account.seed(
        {
            "automations": [{"id": "5", "name": "Welcome"}, {"id": "6", "name": "Win back"}],
            "automationBlocks": blocks,
            "forms": [form],
            "messages": [
                {"subject": "Your tier", "html": "<p>You are %TIER%</p>", "text": ""},
                {"subject": "Hello", "html": "<p>Hi %FIRSTNAME%</p>", "text": ""},
            ],
        }
    )
    world.forget()
    return world


def uses(world: World, address: str, certainty: str = "used") -> list[str]:
    """Where the plan says an address is used."""
    return [use.where for use in world.plan().change(address).uses if use.certainty == certainty]


def test_automations_that_mention_a_tag_are_named(used: World) -> None:
    """The block's parameter is found, and the automation is told by its name."""
    used.write(CONFIG.replace("vip: {name: VIP}, ", ""))
    assert uses(used, "tag.vip") == ["automation `Welcome`"]
    assert "used by automation `Welcome`" in used.cli("plan").out


def test_unknown_blocks_are_not_taken_for_no_use(used: World) -> None:
    """A block of an unknown sort is said to be not inspected; one that is known to hold no reference is not."""
    used.write(CONFIG.replace("vip: {name: VIP}, ", ""))
    unseen = [use for use in used.plan().change("tag.vip").uses if use.certainty == "not inspected"]
    assert [use.note for use in unseen if use.where == "automation blocks"] == [
        "what they hold is not known: 1 `mystery`"
    ]


def test_forms_and_messages_that_mention_a_field(used: World) -> None:
    """A form holds a field's id, a message its personalization tag."""
    used.write(CONFIG.replace("tier: {title: Tier, type: text, perstag: TIER}, ", ""))
    assert uses(used, "field.tier") == ["form `Sign-up`", "message `Your tier`"]


def test_lists_that_forms_subscribe_to(used: World) -> None:
    """A form's actions name the list."""
    used.write(CONFIG.partition("\nlists:")[0] + "\nfields:" + CONFIG.partition("\nfields:")[2])
    assert uses(used, "list.news") == ["form `Sign-up`"]


def test_perstag_changes_break_contents(used: World) -> None:
    """Another personalization tag breaks the messages that use the old one; ids stay, so forms do not matter."""
    used.write(CONFIG.replace("perstag: TIER", "perstag: LEVEL"))
    assert uses(used, "field.tier") == ["message `Your tier`"]


def test_what_cannot_be_read_is_said(used: World) -> None:
    """Endpoints that are missing or forbidden are not inspected, and the plan goes on."""
    used.behave(missing=("automationBlocks", "templates"), forbidden=("forms",))
    used.write(CONFIG.replace("tier: {title: Tier, type: text, perstag: TIER}, ", ""))
    assert {"automations", "forms", "templates"} <= set(uses(used, "field.tier", "not inspected"))
    assert uses(used, "field.tier") == ["message `Your tier`"]


def _whole(tests: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a segment as its own page tells it."""
    conditions = [{"id": "1", "object_type": "tag", "source_system": "activecampaign", "fields": tests}]
    attributes = {"user_id": "7", "segment_conditions": conditions, "name": "S", **more}
    return {"id": "1", "_whole": {"data": [{"attributes": attributes}]}}


SEGMENTS: list[tuple[str, str, list[dict[str, Any]], dict[str, Any], str]] = [
    # what is asked about, its id, the tests of the segment, what else it says, what is known then
    ("tag", "7", [{"name": "tagid", "operator": "=", "value": "7", "data_type": "string"}], {}, "used"),
    ("tag", "7", [{"name": "tagid", "value": "12,7"}], {}, "used"),
    ("tag", "7", [{"name": "tagid", "value": "12"}, {"name": "listid", "value": "7"}], {}, ""),
    ("list", "7", [{"name": "tagid", "value": "12"}, {"name": "listid", "value": "7"}], {}, "used"),
    ("tag", "1", [{"name": "tagid", "value": "12"}], {}, ""),
    ("tag", "7", [{"name": "total", "value": "7"}], {}, "maybe"),
    ("tag", "7", [{"name": "total", "value": "70"}], {}, ""),
    ("field", "7", [{"name": "tagid", "value": "7"}], {}, ""),
    ("field", "7", [{"name": "field_7", "value": "Gold"}], {}, "maybe"),
    ("field", "7", [{"name": "tier", "value": "Gold"}], {}, "not inspected"),
    ("tag", "7", [{"name": "tagid", "value": "12"}], {"exclusions": {"x": "9"}}, "not inspected"),
    ("tag", "7", [{"name": "tagid", "value": "12"}], {"exclusions": {"x": "7"}}, "maybe"),
    ("tag", "7", [{"name": "tagid", "value": "12", "unless": "9"}], {}, "not inspected"),
]


@pytest.mark.parametrize(("kind", "identity", "tests", "more", "known"), SEGMENTS)
def test_a_segment_that_was_read_names_what_it_uses_and_nothing_else(
    kind: str, identity: str, tests: list[dict[str, Any]], more: dict[str, Any], known: str
) -> None:
    """What a condition looks at says of what its ids are; who saved the segment, and when, is no use of anything."""
    place = next(place for place in PLACES if place.title == "segment")
    keys = frozenset(KINDS[kind].identity.id_parameters.every)
    assert Searched(place, _whole(tests, **more)).finds(Mention(kind, identity, keys)) == known


LOOKS = ("/automation", "/forms", "/messages", "/templates", "/campaign", "/audiences", "/segments")


def looked(world: World) -> list[str]:
    """Requests that look for uses."""
    return [line for line in world.requests() if line.split(" ")[1].startswith(LOOKS)]


def test_updates_do_not_look(used: World) -> None:
    """No request is spent on it for creates and updates."""
    used.write(CONFIG.replace("name: VIP", "name: Very important").replace("keep:", "kept:"))
    used.write(CONFIG.replace("name: VIP", "name: Very important") + "deal_fields: {d: {label: D, type: text}}\n")
    used.plan()
    assert looked(used) == []


def test_no_uses_does_not_look(used: World) -> None:
    """--no-uses, and a budget of 0 in the project file, turn it off."""
    used.write(CONFIG.replace("vip: {name: VIP}, ", ""))
    used.cli("plan", "--no-uses")
    assert looked(used) == []
    project = (used.folder / "reconciler.yaml").read_text()
    used.write(project.replace("account.db\n", "account.db\n    guards: {max_use_requests: 0}\n"), "reconciler.yaml")
    used.cli("plan")
    assert looked(used) == []


def test_budget_ends_the_search_and_is_said(used: World) -> None:
    """When the requests for it are used up, what was not read is not inspected."""
    project = (used.folder / "reconciler.yaml").read_text()
    used.write(project.replace("account.db\n", "account.db\n    guards: {max_use_requests: 3}\n"), "reconciler.yaml")
    used.write(CONFIG.replace("tier: {title: Tier, type: text, perstag: TIER}, ", ""))
    unseen = [use for use in used.plan().change("field.tier").uses if use.certainty == "not inspected"]
    assert len(looked(used)) == 3
    assert any("budget" in use.note for use in unseen)


def test_looking_for_many_objects_at_once_finds_what_looking_for_each_does() -> None:
    """In every place, over rows of all sorts: the texts of a row are taken out once, and no answer is another one."""
    chance, told = Random(20), set()
    ids, texts = ["1", "7", "12", "0"], ["%TIER%", "%OTHER%"]
    for _ in range(400):
        key, value = chance.choice(["tagid", "tag", "x", "list"]), chance.choice([*ids, "a", True, None])
        inner = {key: chance.choice([value, [value], {"deep": value}]), "note": chance.choice(["", f"Hi {texts[0]}"])}
        row: dict[str, Any] = {"id": chance.choice(ids), "type": chance.choice(["wait", "mystery"]), "params": inner}
        more: list[dict[str, Any]] = [
            {},
            {"html": f"You are {chance.choice(texts)}"},
            {"listid": "7"},
            {"cfields": [{"id": "1"}]},
            {"actiondata": chance.choice([None, "?", {"actions": [inner]}])},
            _whole([{"name": key, "value": chance.choice(["7", "7,12", "a"])}], **chance.choice([{}, {"x": "7"}])),
        ]
        row |= chance.choice(more)
        for place in PLACES:
            searched = Searched(place, row)
            for kind in ("tag", "field"):
                keys = frozenset(chance.choice([(), ("tagid", "tag"), ("list",)]))
                mention = Mention(kind, chance.choice(ids), keys, tuple(texts[: chance.randint(0, 2)]))
                told.add(searched.finds(mention))
                assert searched.finds(mention) == place.finds(searched.row, mention), (row, mention, place.title)
    assert told == {"", "used", "maybe", "not inspected"}

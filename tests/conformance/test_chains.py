"""What hangs together: replacing what others refer to, and deleting in the reverse order of creating."""

from __future__ import annotations

from typing import Any

from tests.conformance.steps import settled
from tests.world import World

NEWS = {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "You signed up."}


def around_a_list(**news: Any) -> dict[str, Any]:
    """Declare a list with a field and a webhook that refer to it."""
    return {
        "lists": {"news": {**NEWS, **news}},
        "fields": {"plan": {"title": "Plan", "type": "text", "lists": ["news"]}},
        "webhooks": {
            "crm": {
                "name": "CRM",
                "url": "https://crm.example/a",
                "events": ["subscribe"],
                "sources": ["api"],
                "list": "news",
            }
        },
    }


def test_replacing_a_list_repoints_what_refers_to_it(world: World) -> None:
    """A list whose channel changes is another list: field and webhook follow it in the same apply, as updates."""
    settled(world, around_a_list(channel="email"))
    field, hook = world.rows("fields")[0]["id"], world.rows("webhooks")[0]["id"]
    world.write(around_a_list(channel="sms"))
    plan = world.plan()
    assert sorted(plan.lines) == [
        "replace list.news (channel)",
        "update field.plan (lists)",
        "update webhook.crm (list)",
    ]
    assert [guard.override for guard in plan.document.tripped] == ["--allow list_deletes=list.news"]
    settled(world, around_a_list(channel="sms"))
    (made,) = world.rows("lists")
    assert world.rows("webhooks")[0]["listid"] == made["id"]
    assert [row["relid"] for row in world.rows("fieldRels")] == [made["id"]]
    assert (world.rows("fields")[0]["id"], world.rows("webhooks")[0]["id"]) == (field, hook)
    assert world.hidden() == {}


def test_everything_goes_in_the_reverse_order(world: World) -> None:
    """What refers to something goes before it; nothing that is managed is left."""
    config = {
        **around_a_list(),
        "field_groups": {"billing": {"label": "Billing", "object": "deal"}},
        "deal_fields": {"fee": {"label": "Fee", "type": "currency", "group": "billing"}},
        "pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {"lead": {}, "won": {}}}},
    }
    settled(world, {})
    before = {table: len(rows) for table, rows in world.dump().items()}
    settled(world, config)
    world.forget()
    applied = world.apply(yes=True, destroy=True)
    assert applied.summary.complete
    deletes = [line for line in world.writes() if line.startswith("DELETE")]
    place = {line.split("/")[1]: number for number, line in enumerate(deletes)}
    assert place["webhooks"] < place["lists"]
    assert place["fields"] < place["lists"]
    assert place["dealCustomFieldMeta"] < place["groupDefinitions"]
    assert place["dealStages"] < place["dealGroups"]
    assert {table: len(rows) for table, rows in world.dump().items()} == before
    assert world.state().resources == {}


def test_a_field_of_another_type_is_another_field(world: World) -> None:
    """A change of type deletes and creates, with options, relations and group; its values are counted before."""
    config: dict[str, Any] = {"fields": {"plan": {"title": "Plan", "type": "dropdown", "options": ["A", "B"]}}}
    settled(world, config)
    world.account.seed({"contacts": [{"id": "1", "email": "a@acme.example"}],
                        "fieldValues": [{"contact": "1", "field": "1", "value": "A"}]})  # fmt: skip
    config["fields"]["plan"]["type"] = "radio"
    world.write(config)
    plan = world.plan()
    assert plan.lines == ["replace field.plan (type)"]
    assert plan.document.summary.records_at_risk == 1
    settled(world, config)
    assert [row["type"] for row in world.rows("fields")] == ["radio"]
    assert [row["value"] for row in world.rows("fieldOptions")] == ["A", "B"]
    assert world.hidden() == {}


def test_a_group_and_its_fields_are_replaced_together(world: World) -> None:
    """A field group for another object is another group; the field that was in it leaves in the same apply."""
    config: dict[str, Any] = {
        "field_groups": {"billing": {"label": "Billing", "object": "deal"}},
        "deal_fields": {"fee": {"label": "Fee", "type": "currency", "group": "billing"}},
    }
    settled(world, config)
    config = {
        "field_groups": {
            "billing": {"label": "Billing", "object": "account"},
            "money": {"label": "Money", "object": "deal"},
        },
        "deal_fields": {"fee": {"label": "Fee", "type": "currency", "group": "money"}},
    }
    settled(world, config)
    assert world.hidden() == {}


def test_one_failure_leaves_the_rest_done(world: World) -> None:
    """An error stops what depends on it, by name, and nothing else; the next apply finishes."""
    config = {**around_a_list(), "tags": {"vip": {}}}
    world.write(config)
    world.fault("fail_before", "POST /lists", status=422, body={"errors": [{"title": "No more lists"}]})
    applied = world.apply(incomplete=True)
    assert [address for address, _, _ in applied.summary.failed] == ["list.news"]
    assert sorted(applied.summary.skipped) == [
        ("field.plan", "it needs list.news"),
        ("webhook.crm", "it needs list.news"),
    ]
    assert len(world.rows("tags")) == 1
    settled(world, config)

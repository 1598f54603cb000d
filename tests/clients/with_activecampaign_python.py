"""What `activecampaign-python` does with configuration. Argument: the URL of a fresh account."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from activecampaign.client import Client
from calls import TOKEN, Watched, administer, methods, refuses, report

PARTS = (
    "activities automations contacts deals events lists notes tasks users webhooks messages deepdataintegrations tags "
    "emailActivities dealActivities customobjects campaigns addresses brandings"
).split()
OF_RECORDS = ("activities", "notes", "tasks", "emailActivities", "dealActivities")
"""Parts that are about customers' data as a whole."""
RECORDS = {
    *(f"contacts.{one}" for one in (
        "create_a_contact retrieve_a_contact update_list_status_for_a_contact update_a_contact delete_a_contact "
        "list_all_contacts list_all_automations_the_contacts_is_in retrieve_a_contacts_score_value "
        "add_a_contact_to_an_automation retrieve_an_automation_a_contact_is_in remove_a_contact_from_an_automation "
        "list_all_automations_a_contact_is_in create_a_custom_field_value retrieve_a_custom_field_value "
        "update_a_custom_field_value_for_contact delete_a_custom_field_value list_all_custom_field_values "
        "retrieve_a_contacts_field_values retrieve_a_contacts_tracking_logs retrieve_a_contacts_data "
        "retrieve_a_contacts_bounce_logs retrieve_a_contacts_geo_ips retrieve_a_contacts_organization "
        "retrieve_a_contacts_account_contacts retrieve_a_contacts_automation_entry_counts add_a_tag_to_contact "
        "remove_a_tag_from_a_contact retrieve_contact_tags"
    ).split()),
    *(f"deals.{one}" for one in (
        "create_a_deal retrieve_a_deal update_a_deal delete_a_deal list_all_deals create_a_deal_note "
        "update_a_deal_note retrieve_custom_fields_by_id create_a_custom_field_value bulk_create_a_custom_field_value "
        "retrieve_a_custom_field_value update_a_custom_field_value bulk_update_a_custom_field_value "
        "delete_a_custom_field_value list_all_custom_field_values create_a_secondary_contact "
        "retrieve_a_secondary_contact update_a_secondary_contact delete_a_secondary_contact "
        "list_all_secondary_contacts move_deals_to_another_stage"
    ).split()),
    *(f"customobjects.{one}" for one in (
        "create_or_update_record retrieve_a_record retrieve_a_record_by_external_id delete_a_record "
        "delete_a_record_by_external_id list_all_records"
    ).split()),
    *(f"deepdataintegrations.{one}" for one in (
        "create_an_ecommerce_customer retrieve_an_ecommerce_customer update_an_ecommerce_customer "
        "delete_an_ecommerce_customer list_all_ecommerce_customer create_an_ecommerce_order "
        "retrieve_an_ecommerce_order delete_an_ecommerce_order list_all_ecommerce_orders update_an_ecommerce_order "
        "list_ecommerce_order_products list_ecommerce_order_products_for_a_specific_ecommerce_order "
        "retrieve_an_ecommerce_order_product"
    ).split()),
}  # fmt: skip
UNWRITTEN = (
    "users.create_a_group users.retrieve_a_group users.update_a_group users.delete_a_group users.list_all_groups "
    "deals.create_a_pipeline deals.retrieve_a_pipeline deals.update_a_pipeline deals.delete_a_pipeline "
    "deals.create_a_stage deals.retrieve_a_stage deals.update_a_stage deals.delete_a_stage "
    "deals.create_a_custom_field deals.update_a_custom_field deals.delete_a_custom_field "
    "deepdataintegrations.list_all_connections"
).split()
"""It has these by name only."""

url = sys.argv[1]
client = Client(url, TOKEN)
called: set[str] = set()
part = {name: Watched(getattr(client, name), called, f"{name}.") for name in PARTS}
known = {name for one in PARTS for name in methods(getattr(client, one), f"{one}.")}
records = RECORDS | {name for name in known if name.split(".")[0] in OF_RECORDS}
faults: dict[str, str] = {}
administer(url, "seed", "POST", {
    "automations": [{"name": "Welcome"}], "campaigns": [{"id": "7", "name": "Spring"}],
    "links": [{"campaignid": "7", "campaign": "7", "name": "Read Tracker"}],
    "dealGroups": [{"title": "Sales", "currency": "eur", "stages": [{"title": "Offer"}]}],
    "dealCustomFieldMeta": [{"fieldLabel": "Source", "fieldType": "text"}],
    "addressLists": [{"id": "4", "addressid": "1", "listid": "1"}],
    "addressGroups": [{"id": "4", "addressid": "1", "groupid": "3"}],
})  # fmt: skip

Call = Callable[..., Any]


def lives(name: str, methods: tuple[Call, Call, Call, Call], given: dict[str, Any], changed: dict[str, Any]) -> None:
    """Create, read, change and delete one object: what was changed is read back, what was deleted is gone."""
    create, retrieve, update, delete = methods
    made = create({name: given})[name]
    assert retrieve(made["id"])[name]["id"] == made["id"]
    update(made["id"], {name: {**given, **changed}})
    read = retrieve(made["id"])[name]
    assert {key: read[key] for key in changed} == changed, (name, read)
    delete(made["id"])
    gone = retrieve(made["id"])
    assert name not in gone, (name, gone)
    assert "message" in gone, (name, gone)


def texts(rows: list[dict[str, Any]], key: str) -> list[Any]:
    """Return one property of the rows of a listing."""
    return [row[key] for row in rows]


one = part["tags"]
tags = (one.create_a_tag, one.retrieve_a_tag, one.update_a_tag, one.delete_a_tag)
lives("tag", tags, {"tag": "VIP", "tagType": "contact", "description": ""}, {"tag": "VIPs"})
one.create_a_tag({"tag": {"tag": "Guest", "tagType": "contact", "description": ""}})
assert texts(one.list_all_tags()["tags"], "tag") == ["Guest"]

one = part["webhooks"]
hook = {"name": "W", "url": "https://h.example", "events": ["subscribe"], "sources": ["public"]}
hooks = (one.create_a_webhook, one.retrieve_a_webhook, one.update_a_webhook, one.delete_a_webhook)
lives("webhook", hooks, hook, {"name": "V"})
one.create_a_webhook({"webhook": hook})
assert texts(one.list_all_webhooks()["webhooks"], "name") == ["W"]
answer = one.list_all_webhook_events()
assert "webhookEvents" not in answer, answer
faults["webhooks.list_all_webhook_events"] = f"asks /webhooks/events, not /webhook/events: {answer['message']}"

one = part["users"]
kim = {
    "username": "kim", "email": "kim@acme.example", "firstName": "Kim", "lastName": "L", "password": "not-a-Secret-1",
    "group": 3,
}  # fmt: skip
users = (one.create_a_user, one.retrieve_a_user, one.update_a_user, one.delete_a_user)
lives("user", users, kim, {"firstName": "Kimi"})
me = one.retrieve_logged_in_user()["user"]
assert one.retrieve_a_user_by_email(me["email"])["user"]["id"] == me["id"]
assert one.retrieve_a_user_by_username(me["username"])["user"]["id"] == me["id"]
assert texts(one.list_all_users()["users"], "username") == [me["username"]]

one = part["addresses"]
here = {"companyName": "Acme", "address1": "1 Way", "city": "Oslo", "zip": "1", "country": "NO"}
places = (
    one.create_an_address, one.retrieve_address, lambda identity, data: one.update_address(data, identity),
    one.delete_address,
)  # fmt: skip
assert one.delete_address_associated_with_list(4) == {}
assert one.delete_address_associated_with_user_group(4) == {}
assert "message" in one.delete_address_associated_with_list(4)
lives("address", places, here, {"city": "Bergen"})
one.create_an_address({"address": here})
assert texts(one.retrieve_all_addresses()["addresses"], "city") == ["Oslo"]

one = part["deepdataintegrations"]
shop = {
    "service": "shop", "externalid": "1", "name": "Shop", "logoUrl": "https://l.example/x.png",
    "linkUrl": "https://l.example",
}  # fmt: skip
connections = (
    one.create_a_connection, one.retrieve_a_connection, one.update_a_connection, one.delete_a_connection,
)  # fmt: skip
lives("connection", connections, shop, {"name": "Store"})

one = part["contacts"]
fields = (
    one.create_a_custom_field, one.retrieve_a_custom_field, one.update_a_custom_field, one.delete_a_custom_field,
)  # fmt: skip
lives("field", fields, {"title": "Plan", "type": "dropdown", "visible": 1}, {"title": "Tariff"})
kept = one.create_a_custom_field({"field": {"title": "Size", "type": "dropdown", "visible": 1}})["field"]["id"]
option = {"field": kept, "value": "S", "label": "S", "orderid": 1}
assert texts(one.create_custom_field_options({"fieldOptions": [option]})["fieldOptions"], "value") == ["S"]
assert texts(one.retrieve_field_options(kept)["fieldOptions"], "value") == ["S"]
assert one.create_a_custom_field_relationship_to_list({"fieldRel": {"field": kept, "relid": 0}})["fieldRel"]["id"]
assert texts(one.list_all_custom_fields()["fields"], "title") == ["Size"]
first, second = (one.create_or_update_contact({"contact": {"email": "a@acme.example"}})["contact"] for _ in "ab")
assert first["id"] == second["id"]

one = part["customobjects"]
columns = [{"id": name, "labels": {"singular": name, "plural": name}, "type": "text"} for name in ("maker", "size")]
bike = {"slug": "bike", "labels": {"singular": "Bike", "plural": "Bikes"}, "description": "a", "fields": columns}


def delete_schema(identity: str) -> None:
    """Delete a schema: it fails on the answer without a body, after the account has deleted it."""
    faults["customobjects.delete_a_schema"] = refuses(ValueError, one.delete_a_schema, identity)


schemas = (one.create_a_schema, one.retrieve_a_schema, one.update_a_schema, delete_schema)
lives("schema", schemas, bike, {"description": "b"})
made = one.create_a_schema({"schema": bike})["schema"]["id"]
left = one.delete_a_field(made, "size", show_all_fields=True)["schema"]["fields"]
assert {row["id"]: row.get("status") for row in left} == {"maker": None, "size": "marked_for_deletion"}, left
public = one.create_a_public_schema({"schema": {**bike, "slug": "boat", "appId": "1"}})["schema"]
assert public["visibility"] == "public", public
assert one.create_a_child_schema(public["id"])["schema"]["parentId"] == public["id"]
assert len(one.list_all_schemas(show_all_fields=True, ordering=[("slug", "ASC")])["schemas"]) == 3

one = part["lists"]
news = {"name": "News", "stringid": "news", "sender_url": "https://acme.example", "sender_reminder": "You asked."}
made = one.create_a_list({"list": {**news, "user": 1}})["list"]["id"]
assert one.retrieve_a_list(made)["list"]["name"] == "News"
assert one.create_a_list_group_permission({"listGroup": {"listid": made, "groupid": 3}})["listGroup"]["id"]
assert texts(one.retrieve_all_lists()["lists"], "id") == [made]
one.delete_a_list(made)
assert one.retrieve_all_lists()["lists"] == []

one = part["brandings"]
(branding,) = one.list_all_brandings()["brandings"]
one.update_a_branding({"branding": {"siteName": "Acme"}}, branding["id"])
assert one.retrieve_a_branding(branding["id"])["branding"]["siteName"] == "Acme"

one = part["events"]
one.create_an_event("Bought")
assert "Bought" in texts(one.list_all_events()["eventTrackingEvents"], "name")

assert texts(part["automations"].list_all_automations()["automations"], "name") == ["Welcome"]
assert texts(part["campaigns"].list_all_campaigns()["campaigns"], "name") == ["Spring"]
assert part["campaigns"].retrieve_a_campaign(7)["campaign"]["name"] == "Spring"
assert texts(part["campaigns"].retrieve_a_link_associated_campaign(7)["links"], "name") == ["Read Tracker"]
assert part["messages"].list_all_messages()["messages"]
assert texts(part["deals"].list_all_pipelines()["dealGroups"], "title") == ["Sales"]
assert texts(part["deals"].list_all_stages()["dealStages"], "title") == ["Offer"]
assert "Source" in texts(part["deals"].list_all_custom_fields()["dealCustomFieldMeta"], "fieldLabel")
for name in UNWRITTEN:
    where, method = name.split(".")
    faults[name] = refuses(NotImplementedError, getattr(getattr(client, where), method))
report("activecampaign-python", known, called, records, faults)

"""What `ac-mcp-server`, the vendor's own client, does with configuration. Argument: the URL of a fresh account."""

from __future__ import annotations

import sys

from ac_mcp_server import types
from ac_mcp_server.ac_client import ACMCPHttpClient, ACMCPHttpClientAuth
from calls import TOKEN, Watched, administer, methods, refuses, report
from fastmcp.exceptions import ToolError

RECORDS = {
    "call_ac_api",  # what the others send by
    "list_contacts", "get_contact", "add_tag_to_contact", "add_contact_to_list",
    "list_contact_field_values", "get_contact_field_value", "create_contact_field_value", "update_contact_field_value",
    "list_email_activities", "list_contact_automations", "get_contact_automation", "add_contact_to_automation",
    "remove_contact_from_automation",
}  # fmt: skip

url = sys.argv[1]
own = ACMCPHttpClient(ACMCPHttpClientAuth(url, "Api-Token", TOKEN))
called: set[str] = set()
client = Watched(own, called)
administer(url, "seed", "POST", {
    "automations": [{"id": "5", "name": "Welcome"}], "campaigns": [{"id": "7", "name": "Spring"}],
    "links": [{"campaignid": "7", "campaign": "7", "name": "Read Tracker"}],
})  # fmt: skip

tag = int(client.create_contact_tag(types.TagCreateParams(tag="VIP"))["tag"]["id"])
client.create_contact_tag(types.TagCreateParams(tag="Guest", description="Not yet"))
assert client.get_tag(tag)["tag"]["tag"] == "VIP"
found = client.list_tags(types.TagListParams(search_filters={"contains": "VI"}, limit=5))
assert [one["tag"] for one in found["tags"]] == ["VIP"], found

field = client.create_contact_custom_field(
    types.ContactCustomFieldCreateParams(title="Plan", type="dropdown", visible=1)
)["field"]["id"]
options = [{"orderid": n, "value": one, "label": one, "field": field} for n, one in enumerate(("Free", "Pro"), 1)]
made = client.create_field_options(types.FieldOptionBulkCreateParams(fieldOptions=options))
assert [one["value"] for one in made["fieldOptions"]] == ["Free", "Pro"], made
assert client.get_contact_custom_field(int(field))["field"]["title"] == "Plan"
found = client.list_contact_custom_fields(types.ContactCustomFieldListParams())
assert [one["title"] for one in found["fields"]] == ["Plan"], found
assert [one["label"] for one in found["fieldOptions"]] == ["Free", "Pro"], found
assert [str(one["relid"]) for one in found["fieldRels"]] == ["0"], found  # it relates every field to all lists

words = {"sender_url": "https://acme.example", "sender_reminder": "You asked."}
mail = int(client.create_list(types.ListCreateParams(name="News", **words))["list"]["id"])
client.create_list(types.ListCreateParams(name="Texts", channel="sms", **words))
client.create_contact_field_relationship(types.ContactFieldRelCreateParams(relid=mail, field=field))
group = client.list_groups(types.GroupListParams(limit=1))["groups"][0]["id"]
client.create_list_group_permission(types.ListGroupPermissionParams(listid=mail, groupid=int(group)))

# It sends every required property, so that an account which asks for all of them takes the update, and expects the
# list as the answer. Where the answer is empty, as recorded, it fails after the account has made the change.
administer(url, "settings", "PUT", {"list_update": "refuse", "list_put": "list"})
assert client.update_list(mail, types.ListUpdateParams(name="Letters", **words))["list"]["name"] == "Letters"
administer(url, "settings", "PUT", {"list_put": "empty"})
said = refuses(ToolError, own.update_list, mail, types.ListUpdateParams(name="Notes", **words))
assert "Invalid JSON" in said, said
assert client.get_list(mail)["list"]["name"] == "Notes"


def names(**filters: str) -> list[str]:
    """Return the names of the lists that a listing shows."""
    asked = types.ListListParams(filters=types.ListFilters(**filters)) if filters else types.ListListParams()
    return sorted(one["name"] for one in client.list_lists(asked)["lists"])


assert (names(), names(channel="sms"), names(channel="all")) == (["Notes"], ["Texts"], ["Notes", "Texts"])
assert [one["name"] for one in client.list_automations(types.AutomationListParams())["automations"]] == ["Welcome"]
assert [one["name"] for one in client.list_campaigns(types.CampaignListParams())["campaigns"]] == ["Spring"]
assert client.get_campaign(7)["campaign"]["name"] == "Spring"
assert [one["name"] for one in client.get_campaign_links(7)["links"]] == ["Read Tracker"]
kim = {"email": "kim@acme.example", "firstName": "Kim", "lastName": "L", "phone": ""}
first, second = (client.create_or_update_contact(types.ContactCreateParams(**kim))["contact"]["id"] for _ in "ab")
assert first == second
report("ac-mcp-server", methods(own), called, RECORDS, {"update_list": said})

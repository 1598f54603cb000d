"""What `mcp-activecampaign` does with configuration. Argument: the URL of a fresh account."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from calls import TOKEN, administer, report

url = sys.argv[1]
os.environ.update(ACTIVECAMPAIGN_URL=url, ACTIVECAMPAIGN_API_KEY=TOKEN)
from mcp_activecampaign import server  # noqa: E402
from mcp_activecampaign.client import ActiveCampaignClient  # noqa: E402

ActiveCampaignClient.MIN_INTERVAL = 0.0
# A campaign is content that is sent, which nobody declares: the emulator answers reads of it only.
RECORDS = {
    "list_contacts", "get_contact", "create_contact", "update_contact", "delete_contact", "search_contacts",
    "list_deals", "get_deal", "create_deal", "update_deal", "delete_deal", "add_tag_to_contact",
    "remove_tag_from_contact", "add_contact_to_automation", "get_field_values", "set_field_value",
    "list_contact_notes", "add_contact_note", "list_deal_notes", "add_deal_note", "list_tasks", "create_task",
    "update_task", "delete_task", "subscribe_contact_to_list", "unsubscribe_contact_from_list",
    "remove_contact_from_automation", "list_contact_automations", "track_event", "track_site_event",
    "list_ecommerce_orders", "get_ecommerce_order", "bulk_import_contacts", "get_contact_score", "get_deal_score",
    "get_segment_contacts", "create_campaign", "send_campaign", "set_deal_custom_field", "list_contact_tags",
}  # fmt: skip
SEED: dict[str, list[dict[str, Any]]] = {
    "lists": [{"id": "1", "name": "News"}],
    "automations": [{"id": "5", "name": "Welcome"}],
    "campaigns": [{"id": "7", "name": "Spring"}],
    "forms": [{"id": "6", "name": "Sign up"}],
    "scores": [{"name": "Heat"}],
    "goals": [{"name": "Bought"}],
    "segments": [{"name": "Locals"}],
    "templates": [{"name": "Plain"}],
    "accounts": [{"id": "9", "name": "Acme"}],
    "fields": [{"title": "Plan"}],
    "dealCustomFieldMeta": [{"fieldLabel": "Source", "fieldType": "text"}],
    "dealGroups": [
        {"id": "2", "title": "Sales", "currency": "eur", "stages": [{"title": "Offer"}, {"title": "Won"}]},
        {"id": "3", "title": "Care", "currency": "eur", "stages": [{"title": "Open"}]},
    ],
    "connections": [
        {"service": "shop", "externalid": "1", "name": "Shop", "logoUrl": "https://l.example/x.png", "linkUrl": "https://l.example"}
    ],
}  # fmt: skip
LISTED = {
    "list_lists": ("lists", "name", ["News"]),
    "list_automations": ("automations", "name", ["Welcome"]),
    "list_campaigns": ("campaigns", "name", ["Spring"]),
    "list_forms": ("forms", "name", ["Sign up"]),
    "list_scores": ("scores", "name", ["Heat"]),
    "list_goals": ("goals", "name", ["Bought"]),
    "list_segments": ("segments", "name", ["Locals"]),
    "list_templates": ("templates", "name", ["Basic", "Plain"]),
    "list_accounts": ("accounts", "name", ["Acme"]),
    "list_custom_fields": ("fields", "title", ["Plan"]),
    "list_pipelines": ("pipelines", "title", ["Sales", "Care"]),
    "list_stages": ("stages", "title", ["Offer", "Won", "Open"]),
    "list_ecommerce_connections": ("connections", "name", ["Shop"]),
}
"""Tool: what its answer is called, the property that names a row, and the names that were seeded (a fresh account has
a template of its own).
"""
called: set[str] = set()


async def call(tool: str, /, **given: str) -> Any:
    """Return what a tool answers, asked as an agent asks it."""
    called.add(tool)
    answer: Any = await server.mcp.call_tool(tool, given)
    content = answer[0] if isinstance(answer, tuple) else answer
    return json.loads(content[0].text)


async def main() -> None:
    """Create, list and delete what it can, and read all else."""
    administer(url, "seed", "POST", SEED)
    tag = await call("create_tag", tag_name="VIP", description="Very")
    await call("create_tag", tag_name="Guest")
    found = (await call("list_tags", search="VIP"))["tags"]
    assert [(one["id"], one["tag"], one["description"]) for one in found] == [(tag["id"], "VIP", "Very")], found
    given = {"url": "https://h.example", "events": "subscribe, sent", "list_id": "0"}
    hook = await call("create_webhook", name="W", **given)
    (row,) = (await call("list_webhooks"))["webhooks"]
    assert (row["id"], row["name"], row["events"]) == (hook["id"], "W", ["subscribe", "sent"]), row
    await call("delete_webhook", webhook_id=hook["id"])
    assert (await call("list_webhooks"))["webhooks"] == []
    for tool, (rows, label, expected) in LISTED.items():
        answer = await call(tool)
        assert [one[label] for one in answer[rows]] == expected, (tool, answer)
        assert answer["total"] == len(expected), (tool, answer)
    # The account has a field of its own; its answer has no total.
    fields = (await call("list_deal_custom_fields"))["fields"]
    assert "Source" in [one["label"] for one in fields], fields
    assert [one["title"] for one in (await call("list_stages", pipeline_id="3"))["stages"]] == ["Open"]
    assert (await call("list_accounts", search="nobody"))["accounts"] == []
    for tool, asked, name in (
        ("get_list", {"list_id": "1"}, "News"), ("get_automation", {"automation_id": "5"}, "Welcome"),
        ("get_campaign", {"campaign_id": "7"}, "Spring"), ("get_form", {"form_id": "6"}, "Sign up"),
        ("get_account", {"account_id": "9"}, "Acme"),
    ):  # fmt: skip
        assert (await call(tool, **asked))["name"] == name, tool
    assert (await call("ping"))["status"] == "connected"
    report("mcp-activecampaign", [tool.name for tool in await server.mcp.list_tools()], called, RECORDS, {})


asyncio.run(main())

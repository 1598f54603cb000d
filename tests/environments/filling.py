"""A project that says of each object what it must, and what somebody fills in beside that: by kind and attribute, held
against the registry, so that no attribute can be forgotten.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.spec import CreateOnly, Default, Expected, Immutable, Nested, Once, WriteOnly
from reconciler.resources import load_kinds

LABELS = {"singular": "Ticket", "plural": "Tickets"}
SENDER = {"sender_url": "https://x.example", "sender_reminder": "You asked."}
MAIL = {"from_name": "Shop", "from_email": "a@x.example", "reply_to": "a@x.example"}
SHOP = {"logo_url": "https://x.example/l.png", "link_url": "https://x.example/s"}
HOME = {"company_name": "Shop", "address1": "1 Market Street", "country": "US"}
BARE: Mapping[str, Mapping[str, Any]] = {
    "calendars": {"it": {"title": "Deals", "type": "Deals"}},
    "custom_objects": {"it": {"slug": "ticket", "labels": LABELS}},
    "deal_roles": {"it": {"title": "Finance"}},
    "field_groups": {
        "it": {"label": "Buying", "object": "contact"},
        "deals": {"label": "Deals", "object": "deal"},
        "accounts": {"label": "Accounts", "object": "account"},
    },
    "messages": {"it": {"name": "Welcome", **MAIL}},
    "saved_responses": {"it": {"title": "Thanks", "subject": "Thanks"}, "mute": {"title": "Bye", "body": "Bye"}},
    "settings": {"branding": {}, "site_tracking": {}, "event_tracking": {}},
    "site_domains": {"it": {"domain": "x.example"}},
    "tags": {"it": {"name": "VIP"}},
    "task_types": {"it": {"title": "Demo"}},
    "tracked_events": {"it": {"name": "watched"}},
    "user_groups": {"it": {"name": "Agents"}},
    "account_fields": {"it": {"label": "Size", "type": "dropdown", "options": ["S", "M"]}},
    "addresses": {"it": HOME},
    "deal_fields": {"it": {"label": "Size", "type": "dropdown", "options": ["S", "M"]}},
    "task_outcomes": {"it": {"title": "Convinced", "sentiment": "Positive"}},
    "users": {"it": {"email": "jane@x.example", "username": "jane", "group": {"name": "Admin"}}},
    "lists": {"it": {"name": "News", **SENDER}},
    "pipelines": {"it": {"title": "Sales", "currency": "usd", "stages": {"it": {"title": "Won"}}}},
    "connections": {"it": {"service": "shop", "external_id": "1", "name": "Shop", **SHOP}},
    "fields": {"it": {"title": "Plan", "type": "text"}},
    "personalizations": {"it": {"tag": "HOURS", "name": "Hours", "format": "text"}},
    "webhooks": {
        "it": {"name": "CRM", "url": "https://x.example/in", "events": ["subscribe"], "sources": ["public"]}
    },
    "segments": {
        "it": {"name": "Safe", "groups": [{"conditions": [
            {"object": "contact", "fields": [{"name": "email", "operator": "contains", "value": "acme"}]}]}]}
    },
}  # fmt: skip
TEXT = "by hand"
FILLED: Mapping[str, Mapping[str, Any]] = {
    "calendars.it": {"notification": True},
    "custom_objects.it": {
        "description": TEXT,
        "fields": {"size": {"type": "text", "labels": {"singular": "Size", "plural": "Sizes"}, "required": False}},
        "relationships": {"owner": {"namespace": "contacts", "labels": {"singular": "Owner", "plural": "Owners"}}},
    },
    "messages.it": {"subject": TEXT, "preheader": TEXT, "text": TEXT, "html": "<p>by hand</p>"},
    "saved_responses.it": {"body": TEXT},
    "saved_responses.mute": {"subject": TEXT},
    "settings.branding": {
        "site_name": TEXT, "site_logo": "https://x.example/1", "site_logo_small": "https://x.example/2",
        "favicon": "https://x.example/3", "header_text": TEXT, "header_html": TEXT, "footer_text": TEXT,
        "footer_html": TEXT, "admin_template_html": TEXT, "admin_template_css": TEXT, "public_template_html": TEXT,
        "public_template_css": TEXT,
    },
    "settings.site_tracking": {"enabled": True},
    "settings.event_tracking": {"enabled": True},
    "tags.it": {"description": TEXT},
    "user_groups.it": {"description": TEXT},
    "account_fields.it": {"default": "S", "form_visible": True, "required": True},
    "addresses.it": {
        "address2": TEXT, "city": TEXT, "state": "CA", "district": TEXT, "zip": "94105", "all_user_groups": True,
    },
    "deal_fields.it": {"default": "S", "form_visible": True, "required": True},
    "task_outcomes.it": {"disabled": True, "task_types": ["it"]},
    "users.it": {"first_name": "Jane", "last_name": "Doe"},
    "lists.it": {
        "send_last_broadcast": True, "carbon_copy": ["a@x.example"], "subscription_notify": ["b@x.example"],
        "unsubscription_notify": ["c@x.example"], "user": "it", "sender_name": TEXT, "sender_addr1": TEXT,
        "sender_addr2": TEXT, "sender_city": TEXT, "sender_state": TEXT, "sender_zip": "94105", "sender_country": "US",
        "sender_phone": "5550100",
    },
    "pipelines.it": {"user_groups": ["it"], "all_users": True, "users": ["it"]},
    "fields.it": {"description": TEXT, "default": TEXT, "required": True, "group": "it"},
    "personalizations.it": {"content": TEXT, "lists": ["it"], "locked": True},
    "webhooks.it": {"list": "it"},
    "segments.it": {"description": TEXT, "meta": {"owner": "marketing"}},
}  # fmt: skip
SILENT: Mapping[tuple[str, str], str] = {
    ("connection", "status"): "the service reports it, and no export writes it",
    ("connection", "sync_running"): "as `status`",
    ("site_domain", "conversations"): "the API has no update of a domain",
    ("site_domain", "web_personalization"): "as `conversations`",
    ("user_group", "flags"): "the account fills all of them",
    ("account_field", "options"): "declared already: a dropdown cannot be without",
    ("deal_field", "options"): "declared already: a dropdown cannot be without",
    ("field", "options"): "a text has none; those of a dropdown are declared already",
    **{("setting", name): "on in every account" for name in ("copyright", "help", "license", "links", "version")},
    **{("stage", f"card_region_{number}"): "the account fills it" for number in range(1, 6)},
    **{("stage", name): "the account fills it" for name in ("color", "width", "deal_order")},
    ("stage", "order"): "the place among its siblings",
    ("pipeline", "auto_assign"): "the account fills it",
    ("field", "perstag"): "the account derives it",
    ("list", "string_id"): "the account derives it",
    **{(kind, "order"): "the account fills it" for kind in ("field", "deal_field", "account_field", "field_group")},
    ("address", "default"): "the account makes the first one the default",
    ("list", "user_groups"): "never empty: without a group nobody sees the list (decision 0005)",
    ("field", "lists"): "never empty, as of lists",
    ("field_group", "fields"): "its members say it",
    ("deal_field", "group"): "never empty, as of lists",
    ("account_field", "group"): "never empty, as of lists",
    ("pipeline", "all_user_groups"): "on where nobody says it",
    ("field", "visible"): "on where nobody says it",
    ("site_domain", "tracking"): "on where nobody says it",
}
"""What drift has no word for, with the reason."""


def fillable() -> set[tuple[str, str]]:
    """Return (kind, attribute) of all that nobody has to say and that can be filled in afterwards."""
    fixed = (Immutable, CreateOnly, Once, WriteOnly, Default, Expected, Nested)
    return {
        (kind.name, name)
        for kind in load_kinds().values()
        if kind.abilities.managed
        for name, attribute in kind.attributes.items()
        if not attribute.required and not attribute.has(*fixed)
    }


def sections() -> dict[str, str]:
    """Return kind by section of a file."""
    return {kind.section: kind.name for kind in load_kinds().values() if kind.abilities.managed}


def filled(chosen: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the bare files with these values filled in; `chosen` are pairs of place ("tags.it") and attribute."""
    files = copy.deepcopy({section: dict(one) for section, one in BARE.items()})
    for place, name in chosen:
        section, key = place.split(".")
        files[section][key][name] = FILLED[place][name]
    return files


def everything() -> list[tuple[str, str]]:
    """Return every pair that `filled` takes."""
    return [(place, name) for place, attrs in FILLED.items() for name in attrs]

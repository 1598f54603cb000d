"""For every kind, objects that accounts hold and that no declaration says: values outside of what is documented, empty
names, properties of another form. By kind: the seed, the id and the name of the object, and what has to be named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.environments.shapes import LOSSY

Seed = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Odd:
    """One object: `whole` if it cannot be declared at all, else only the attribute `name` of it cannot."""

    kind: str
    seed: Seed
    words: tuple[str, ...]
    """What a command names it by: any of these."""
    table: str
    name: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing of it can be declared."""
        return not self.name


def _odd(kind: str, table: str, attribute: str = "", /, *, label: str = "", **row: Any) -> Odd:
    words = ("(id 901)", f"`{label}`" if label else "(id 901)")
    return Odd(kind, {table: [{"id": "901", **row}]}, words, table, attribute)


LIST: dict[str, Any] = {"name": "News", "stringid": "news", "sender_url": "https://x.example", "sender_reminder": "r"}
HOOK: dict[str, Any] = {"name": "Hook", "url": "https://h.example/x", "events": ["subscribe"], "sources": ["public"]}
TEXT: dict[str, Any] = {"tag": "hello", "name": "Hello", "format": "text", "content": "Hi"}
SHOP: dict[str, Any] = {
    "service": "shop", "externalid": "1", "name": "Shop", "logoUrl": "https://l.example/a", "linkUrl": "https://l.example/b",
}  # fmt: skip
HOME: dict[str, Any] = {"companyName": "Shop", "address1": "1 Street", "country": "US"}
PET: dict[str, Any] = {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": []}
SIZE: dict[str, Any] = {"id": "size", "labels": {"singular": "Size", "plural": "Sizes"}}
ODD: Mapping[str, Odd] = {
    "list without a name": _odd("list", "lists", **{**LIST, "name": ""}),
    "list for another channel": _odd("list", "lists", "channel", label="News", **LIST, channel="pigeon"),
    "webhook without events": _odd("webhook", "webhooks", label="Hook", **{**HOOK, "events": []}),
    "webhook without sources": _odd("webhook", "webhooks", label="Hook", **{**HOOK, "sources": []}),
    "webhook of an unknown source": _odd("webhook", "webhooks", label="Hook", **{**HOOK, "sources": ["moon"]}),
    "webhook without a name": _odd("webhook", "webhooks", **{**HOOK, "name": ""}),
    "task type that is disabled": _odd("task_type", "dealTasktypes", label="Fax", title="Fax", status="1"),
    "calendar of another type": _odd("calendar", "calendars", label="Feed", title="Feed", type="Weekly"),
    "calendar without a title": _odd("calendar", "calendars", title="", type="All"),
    "variable of another format": _odd(
        "personalization", "personalizations", label="hello", **{**TEXT, "format": "md"}
    ),
    "variable on lists of another form": _odd(
        "personalization", "personalizations", "lists", label="hello", **{**TEXT, "listIds": {"a": "1"}}
    ),
    "variable without a name": _odd("personalization", "personalizations", label="hello", **{**TEXT, "name": ""}),
    "variable of structured content": _odd(
        "personalization", "personalizations", "content", label="hello",
        **{**TEXT, "content": {"en": "Hi"}},
    ),
    "connection without a name": _odd("connection", "connections", **{**SHOP, "name": ""}),
    "connection without a service": _odd("connection", "connections", label="Shop", **{**SHOP, "service": ""}),
    "field of another type": _odd("field", "fields", label="Plan", title="Plan", perstag="PLAN", type="hologram"),
    "field without a title": _odd("field", "fields", title="", perstag="PLAN", type="text"),
    "deal field of another type": _odd(
        "deal_field", "dealCustomFieldMeta", label="Plan", fieldLabel="Plan", fieldType="hologram", group="2"
    ),
    "deal field with a default of another form": _odd(
        "deal_field", "dealCustomFieldMeta", "default", label="Plan", fieldLabel="Plan", fieldType="text", group="2",
        fieldDefault={"value": "S"},
    ),
    "account field of another type": _odd(
        "account_field", "accountCustomFieldMeta", label="Plan", fieldLabel="Plan", fieldType="hologram", group="3"
    ),
    "address in no country": _odd("address", "addresses", label="Shop", **{**HOME, "country": ""}),
    "address in a long country": _odd("address", "addresses", label="Shop", **{**HOME, "country": "Germany"}),
    "address of no company": _odd("address", "addresses", **{**HOME, "companyName": ""}),
    "tag of another type": _odd("tag", "tags", label="VIP", tag="VIP", tagType="planet"),
    "pipeline with another assignment": _odd(
        "pipeline", "dealGroups", "auto_assign", label="Sales", title="Sales", currency="usd", autoassign="9",
        stages=[{"title": "A"}],
    ),
    "pipeline without a title": _odd("pipeline", "dealGroups", title="", currency="usd", stages=[{"title": "A"}]),
    "stage of another colour": Odd(
        "stage",
        {"dealGroups": [{"id": "31", "title": "Sales", "currency": "usd",
                         "stages": [{"id": "901", "title": "A", "color": "red"}]}]},
        ("(id 901)", "stage.sales.a"), "dealStages", "color",
    ),
    "stage with another card": Odd(
        "stage",
        {"dealGroups": [{"id": "31", "title": "Sales", "currency": "usd",
                         "stages": [{"id": "901", "title": "A", "cardRegion1": "hologram"}]}]},
        ("(id 901)", "stage.sales.a"), "dealStages", "card_region_1",
    ),
    "outcome of another sentiment": _odd("task_outcome", "taskOutcomes", label="Won", title="Won", sentiment="MIXED"),
    "response that says nothing": _odd(
        "saved_response", "savedResponses", label="Empty", title="Empty", subject="", body=""
    ),
    "group of other fields": Odd(
        "field_group", {"groupDefinitions": [{"id": 901, "label": "Odd ones", "type_id": 7}]},
        ("`Odd ones`", "(id 901)"), "groupDefinitions",
    ),
    "user group without a name": _odd("user_group", "groups", title=""),
    "deal role without a title": _odd("deal_role", "dealRoles", title=""),
    "custom object of an odd slug": Odd("custom_object", {"schemas": [{**PET, "id": "901", "slug": "Odd Slug"}]},
                                        ("`Odd Slug`",), "schemas"),
    "custom object field of another type": Odd(
        "custom_object", {"schemas": [{**PET, "id": "901", "fields": [{**SIZE, "type": "hologram"}]}]},
        ("custom_object.pet", "`pet`"), "schemas", "fields",
    ),
    "branding of structured text": Odd(
        "setting", {"brandings": [{"id": "1", "groupid": "3", "siteName": {"en": "Shop"}}]}, ("setting",),
        "brandings", "site_name",
    ),
    **{f"segment: {name}": Odd("segment", {"segmentsV2": [row]}, ("`Loyal`", "segment.loyal"), "segmentsV2")
       for name, row in LOSSY.items()},
}  # fmt: skip

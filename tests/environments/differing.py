"""Two accounts that differ in anything that their rows can hold: what may be changed of each object, by table and
property, and the objects that only one of them has. The table is held against the registry, so that no attribute can be
forgotten; what is changed and what is expected is told by rows alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from reconciler.emulator import Application
from reconciler.resources import load_kinds
from tests.environments.filling import BARE

Place = tuple[str, str]
"""An address and one of its attributes."""
PROJECT: Mapping[str, Mapping[str, Any]] = {
    **BARE,
    "fields": {
        "it": {"title": "Plan", "type": "text"},
        "choice": {"title": "Size", "type": "dropdown", "options": ["S", "M"]},
    },
    "tags": {"it": {"name": "VIP"}, "other": {"name": "Lead"}},
    "task_types": {"it": {"title": "Demo"}, "other": {"title": "Lunch"}},
}


@dataclass(frozen=True)
class Property:
    """One property of a row, with values that it may have; `@address` stands for the id of an object."""

    table: str
    name: str
    values: tuple[Any, ...]
    row: str = ""
    """The id of the row, where it is not that of the object."""


@dataclass(frozen=True)
class Relation:
    """Rows of another table that name the object under `own` and something else under `other`."""

    table: str
    own: str
    other: str
    sets: tuple[tuple[Any, ...], ...]
    numbers: bool = False


TEXTS = (None, "", "by hand", "otherwise")
FLAGS, NATIVE = ("0", "1"), (False, True)
EMAILS = ("", "a@x.example", "b@x.example,a@x.example")


def plain(table: str, **properties: Any) -> dict[str, Property]:
    """Return properties by attribute: `attribute=("property", values)`, or only the values of one of that name."""
    return {
        attribute: Property(
            table, *(given if isinstance(given[0], str) and isinstance(given[1], tuple) else (attribute, given))
        )
        for attribute, given in properties.items()
    }


def texts(table: str, **names: str) -> dict[str, Property]:
    """Return properties of any text."""
    return {attribute: Property(table, name, TEXTS) for attribute, name in names.items()}


def meta_fields(table: str, group: str) -> dict[str, Property | Relation]:
    """Return what deal and account fields have."""
    return {
        **plain(
            table,
            label=("fieldLabel", ("Size", "Sizes")),
            options=("fieldOptions", (["S", "M"], ["S"], ["M", "S", "L"])),
            default=("fieldDefault", (None, "S", "M")),
            default_currency=("fieldDefaultCurrency", (None, "usd")),
            form_visible=("isFormVisible", (0, 1)),
            required=("isRequired", (0, 1)),
            order=("displayOrder", (1, 2, 7)),
        ),
        "group": Relation(
            "groupMembers",
            "rel_id",
            "group_id",
            (("@" + group,), ("@" + group, "@default"), ("@default",)),
            numbers=True,
        ),
    }


def schema_part(identity: str, **more: Any) -> dict[str, Any]:
    """Return a field or relationship of a custom object."""
    return {"id": identity, "labels": {"singular": identity, "plural": f"{identity}s"}, **more}


SIZE, AGE = schema_part("size", type="text", required=False), schema_part("age", type="number", required=False)
OWNER = schema_part("owner", namespace="contacts", hasMany=False)
TEST = {"name": "email", "operator": "contains", "value": "acme", "data_type": "string"}
HELD: Mapping[str, Mapping[str, Property | Relation]] = {
    "calendar.it": plain("calendars", title=("Deals", "Feed"), type=("Deals", "All"), notification=FLAGS),
    "custom_object.it": {
        **plain(
            "schemas",
            labels=({"singular": "Ticket", "plural": "Tickets"}, {"singular": "Case", "plural": "Cases"}),
            description=("", "by hand"),
            fields=([], [SIZE], [SIZE, AGE], [AGE], [{**SIZE, "description": "by hand"}, {**AGE, "required": True}]),
            relationships=([], [OWNER], [{**OWNER, "description": "by hand"}]),
        )
    },
    "deal_role.it": plain("dealRoles", title=("Finance", "Law")),
    "field_group.it": plain("groupDefinitions", label=("Buying", "Selling"), order=("ordernum", (4, 9))),
    "message.it": {
        **texts("messages", subject="subject", preheader="preheader_text", text="text", html="html"),
        **plain(
            "messages",
            from_name=("fromname", ("Shop", "Store")),
            from_email=("fromemail", ("a@x.example", "c@x.example")),
            reply_to=("reply2", ("a@x.example", "c@x.example")),
            name=("Welcome", "Hello"),
        ),
    },
    "saved_response.it": plain("savedResponses", title=("Thanks", "Thank you"), subject=("Thanks", "Hi"), body=TEXTS),
    "saved_response.mute": plain("savedResponses", subject=TEXTS),
    "setting.branding": {
        **{
            attribute: Property("brandings", name, TEXTS, "1")
            for attribute, name in {
                "site_name": "siteName",
                "site_logo": "siteLogo",
                "site_logo_small": "siteLogoSmall",
                "favicon": "favicon",
                "header_text": "headerTextValue",
                "header_html": "headerHtmlValue",
                "footer_text": "footerTextValue",
                "footer_html": "footerHtmlValue",
                "admin_template_html": "adminTemplateHtm",
                "admin_template_css": "adminTemplateCss",
                "public_template_html": "publicTemplateHtm",
                "public_template_css": "publicTemplateCss",
            }.items()
        },
        **{
            name: Property("brandings", name, FLAGS, "1")
            for name in ("copyright", "version", "license", "links", "help")
        },
    },
    "setting.site_tracking": {"enabled": Property("siteTracking", "enabled", NATIVE, "1")},
    "setting.event_tracking": {"enabled": Property("eventTracking", "enabled", NATIVE, "1")},
    "site_domain.it": plain(
        "urlWhitelistings",
        tracking=("tracking_enabled", NATIVE),
        conversations=("conversations_enabled", NATIVE),
        web_personalization=("wp_enabled", NATIVE),
    ),
    "tag.it": {
        **plain("tags", name=("tag", ("VIP", "V.I.P.")), type=("tagType", ("contact", "template"))),
        **texts("tags", description="description"),
    },
    "task_type.it": plain("dealTasktypes", title=("Demo", "Show")),
    "task_type.other": plain("dealTasktypes", disabled=("status", FLAGS)),
    "user_group.it": {
        **texts("groups", description="descript"),
        **plain("groups", name=("title", ("Agents", "Sellers")), flags=("pgListAdd", FLAGS)),
    },
    "account_field.it": meta_fields("accountCustomFieldMeta", "field_group.accounts"),
    "deal_field.it": meta_fields("dealCustomFieldMeta", "field_group.deals"),
    "address.it": {
        **texts("addresses", address2="address2", city="city", state="state", district="district"),
        **plain(
            "addresses",
            company_name=("companyName", ("Shop", "Store")),
            address1=("1 Market Street", "2 Hill"),
            zip=(None, "94105"),
            country=("US", "CA"),
            default=("isDefault", FLAGS),
            all_user_groups=("allgroup", FLAGS),
        ),
    },
    "task_outcome.it": {
        **plain("taskOutcomes", title=("Convinced", "Won over"), sentiment=("POSITIVE", "NEUTRAL"), disabled=FLAGS),
        "task_types": Relation(
            "tasktypeOutcomeRels",
            "outcome_id",
            "tasktype_id",
            ((), ("@task_type.it",), ("@task_type.it", "@task_type.other")),
        ),
    },
    "user.it": plain(
        "users", first_name=("firstName", ("", "Jane")), last_name=("lastName", ("", "Doe")), username=("jane", "janet")
    ),
    "list.it": {
        **texts(
            "lists",
            **{
                f"sender_{name}": f"sender_{name}"
                for name in ("name", "addr1", "addr2", "city", "state", "zip", "country", "phone")
            },
        ),
        **plain(
            "lists",
            name=("News", "Letter"),
            string_id=("stringid", ("it", "letter")),
            sender_url=("https://x.example", "https://y.example"),
            sender_reminder=("You asked.", "You did."),
            send_last_broadcast=FLAGS,
            carbon_copy=("carboncopy", EMAILS),
            subscription_notify=EMAILS,
            unsubscription_notify=EMAILS,
        ),
        "user": Property("lists", "user", (None, "@user.it", "1")),
        "user_groups": Relation("listGroups", "list", "group", (("3",), (), ("3", "@user_group.it"))),
    },
    "pipeline.it": {
        **plain(
            "dealGroups",
            title=("Sales", "Deals"),
            currency=("usd", "eur"),
            all_user_groups=("allgroups", FLAGS),
            all_users=("allusers", FLAGS),
            auto_assign=("autoassign", ("0", "1", "2")),
        ),
        "users": Relation("dealGroupUsers", "dealGroup", "user", ((), ("@user.it",), ("1", "@user.it"))),
        "user_groups": Relation("dealGroupGroups", "dealGroup", "group", ((), ("3",), ("3", "@user_group.it"))),
    },
    "stage.it.it": {
        **plain(
            "dealStages",
            title=("Won", "Done"),
            color=("32B0FC", "18D499"),
            width=("280", "300"),
            deal_order=("dealOrder", ("next-action DESC", "title ASC")),
            card_region_3=("cardRegion3", ("show-avatar", "hide-avatar")),
        ),
        **{
            f"card_region_{n}": Property("dealStages", f"cardRegion{n}", ("title", "value", "hide"))
            for n in (1, 2, 4, 5)
        },
    },
    "connection.it": plain(
        "connections",
        name=("Shop", "Store"),
        list=("listId", ("0", "@list.it")),
        logo_url=("logoUrl", ("https://x.example/l.png", "https://x.example/m.png")),
        link_url=("linkUrl", ("https://x.example/s", "https://x.example/t")),
    ),
    "field.it": {
        **texts("fields", description="descript", default="defval"),
        **plain(
            "fields",
            title=("Plan", "Plans"),
            perstag=("PLAN", "PLANS"),
            visible=FLAGS,
            required=("isrequired", FLAGS),
            order=("ordernum", ("1", "5")),
        ),
        "lists": Relation("fieldRels", "field", "relid", (("0",), (), ("@list.it",))),
        "group": Relation(
            "groupMembers", "rel_id", "group_id", ((), ("@field_group.it",), ("@default",)), numbers=True
        ),
    },
    "personalization.it": {
        **texts("personalizations", content="content"),
        **plain(
            "personalizations", name=("Hours", "Times"), format=("text", "html"), lists=("listIds", ("", "@list.it"))
        ),
    },
    "webhook.it": plain(
        "webhooks",
        name=("CRM", "Hook"),
        events=(["subscribe"], ["subscribe", "unsubscribe"]),
        sources=(["public"], ["admin", "public"]),
        list=("listid", ("0", "@list.it")),
        url=("https://x.example/in", "https://x.example/other"),
    ),
    "segment.it": {
        **texts("segmentsV2", description="description"),
        **plain(
            "segmentsV2",
            meta=(None, {"owner": "marketing"}, {"owner": "sales", "team": "x"}),
            groups=(
                "segment_conditions",
                tuple(
                    [
                        {
                            "id": "1",
                            "object_type": "contact",
                            "source_system": "activecampaign",
                            "fields": [{**TEST, "value": value}],
                        }
                    ]
                    for value in ("acme", "other")
                ),
            ),
        ),
    },
}
"""What of each object of the project may be changed in either account."""
UNTRIED: Mapping[Place, str] = {
    ("custom_object", "slug"): "its identity, which no account changes",
    **{("custom_object", name): "given when it is made" for name in ("visibility", "app_id", "parent")},
    ("field_group", "object"): "given when it is made",
    ("field_group", "fields"): "told by the members, see `group` of each kind of field",
    **{(kind, "type"): "given when it is made" for kind in ("field", "deal_field", "account_field")},
    **{("site_domain", name): "its identity" for name in ("domain", "page")},
    ("tracked_event", "name"): "its identity",
    ("setting", "name"): "its identity",
    **{("connection", name): "its identity" for name in ("service", "external_id")},
    **{("connection", name): "what the service reports" for name in ("status", "sync_running")},
    ("address", "user_group"): "never returned",
    ("user", "email"): "its identity",
    ("user", "group"): "tried by hand: members are read group by group",
    ("user", "password"): "never returned",
    ("list", "channel"): "given when it is made",
    ("pipeline", "stages"): "objects of their own",
    ("stage", "pipeline"): "given by where it stands",
    ("stage", "order"): "the order of the file, see the tests of orders",
    ("field", "options"): "rows of their own, see `options` below",
    ("personalization", "tag"): "its identity",
    ("personalization", "locked"): "tried by hand: a locked one takes no other change",
    ("segment", "name"): "its identity",
    ("segment", "match"): "together with groups",
}
"""What is not changed here, with the reason."""
NEWS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "tag.new": ("tags", {"tag": "New", "description": "new"}),
    "list.new": (
        "lists",
        {"name": "New", "stringid": "new", "sender_url": "https://n.example", "sender_reminder": "r"},
    ),
    "field.new": ("fields", {"title": "New", "perstag": "NEW", "type": "text", "relids": ["0"]}),
    "webhook.new": (
        "webhooks",
        {"name": "New", "url": "https://n.example/", "events": ["subscribe"], "sources": ["public"]},
    ),
    "pipeline.new": ("dealGroups", {"title": "New", "currency": "eur", "stages": [{"title": "First"}]}),
    "custom_object.new": (
        "schemas",
        {"slug": "new", "labels": {"singular": "New", "plural": "News"}, "fields": [SIZE]},
    ),
    "address.new": ("addresses", {"companyName": "New", "address1": "n", "country": "DE"}),
    "task_outcome.new": ("taskOutcomes", {"title": "New", "sentiment": "POSITIVE"}),
    "task_type.new": ("dealTasktypes", {"title": "New", "status": "0"}),
    "saved_response.new": ("savedResponses", {"title": "New", "subject": "New"}),
    "personalization.new": ("personalizations", {"tag": "NEW", "name": "New", "format": "text", "content": "n"}),
    "deal_field.new": ("dealCustomFieldMeta", {"fieldLabel": "New", "fieldType": "text", "group": "2"}),
    "account_field.new": ("accountCustomFieldMeta", {"fieldLabel": "New", "fieldType": "text", "group": "3"}),
    "calendar.new": ("calendars", {"title": "New", "type": "All"}),
    "connection.new": (
        "connections",
        {
            "service": "new",
            "externalid": "9",
            "name": "New",
            "logoUrl": "https://n.example/l",
            "linkUrl": "https://n.example/s",
        },
    ),
    "deal_role.new": ("dealRoles", {"title": "New"}),
    "user_group.new": ("groups", {"title": "New"}),
    "field_group.new": ("groupDefinitions", {"label": "New", "type_id": 1}),
    "tracked_event.new": ("eventTrackingEvents", {"name": "new"}),
}
"""Objects that are not declared, which either account may hold."""
LEAVES: Mapping[str, str] = {
    "calendar.it": "calendars",
    "deal_role.it": "dealRoles",
    "saved_response.mute": "savedResponses",
    "tag.other": "tags",
    "site_domain.it": "urlWhitelistings",
    "webhook.it": "webhooks",
    "segment.it": "segmentsV2",
    "address.it": "addresses",
    "connection.it": "connections",
    "personalization.it": "personalizations",
    "tracked_event.it": "eventTrackingEvents",
    "message.it": "messages",
    "task_outcome.it": "taskOutcomes",
}
"""Objects that nothing refers to, with their table: either account may have lost them."""
DEFAULTS = {"field": 1, "deal_field": 2, "account_field": 3}
"""The group of each kind of field that comes with every account."""


def writable() -> set[Place]:
    """Return (kind, attribute) of all that can be declared."""
    return {(kind.name, name) for kind in load_kinds().values() if kind.abilities.managed for name in kind.attributes}


def everything() -> list[Place]:
    """Return every address with every attribute that may be changed."""
    return [(address, name) for address, held in HELD.items() for name in held]


@dataclass
class Side:
    """One account with the ids that the objects of the project have in it."""

    account: Application
    ids: Mapping[str, str]

    def id_of(self, address: str) -> str:
        """Return an id of the object in its tables."""
        return self.ids.get(address, "")

    def there(self, address: str) -> bool:
        """Return whether the account holds the object."""
        found = next(iter(HELD.get(address, {}).values()), None)
        table = found.table if isinstance(found, Property) else LEAVES.get(address, "")
        row = found.row if isinstance(found, Property) else ""
        return self.account.rows.get(table, row or self.id_of(address)) is not None

    def holds(self, place: Place) -> Any:
        """Return what the rows say of an attribute, with `@address` for ids that mean objects."""
        address, name = place
        held, identity = HELD[address][name], self.id_of(address)
        if isinstance(held, Property):
            value = (self.account.rows.get(held.table, held.row or identity) or {}).get(held.name)
            value = sorted(value) if held.table == "webhooks" and isinstance(value, list) else value
            return self._meant(place, value) if any(_is_link(one) for one in held.values) else _flat(value)
        rows = [row for row in self.account.rows.all(held.table) if str(row.get(held.own)) == identity]
        if held.table == "groupMembers":
            rows = [row for row in rows if self._is_group_of(place[0], str(row[held.other]))]
        return sorted(self._meant(place, row[held.other]) for row in rows)

    def set(self, place: Place, value: Any) -> None:
        """Make the rows say something of an attribute."""
        address, name = place
        held, identity = HELD[address][name], self.id_of(address)
        rows = self.account.rows
        if isinstance(held, Property):
            at = held.row or identity
            row = rows.get(held.table, at)
            if row is not None:
                now = self._real(place, copy.deepcopy(value))
                rows.put(
                    held.table,
                    at,
                    {**row, held.name: now, **({"userid": now or "0"} if place == ("list.it", "user") else {})},
                )
            return
        for row in rows.all(held.table):
            if str(row.get(held.own)) == identity and (
                held.table != "groupMembers" or self._is_group_of(address, str(row[held.other]))
            ):
                rows.remove(held.table, str(row["id"]))
        for one in value:
            other = self._real(place, one)
            pair = (int(identity), int(other)) if held.numbers else (identity, other)
            self.account.seed({held.table: [{held.own: pair[0], held.other: pair[1]}]})

    def _is_group_of(self, address: str, group: str) -> bool:
        row = self.account.rows.get("groupDefinitions", group)
        return row is not None and row["type_id"] == DEFAULTS[address.partition(".")[0]]

    def _real(self, place: Place, value: Any) -> Any:
        if not _is_link(value):
            return value
        return str(DEFAULTS[place[0].partition(".")[0]]) if value == "@default" else self.ids[value[1:]]

    def _meant(self, place: Place, value: Any) -> str:
        text = str(value or "")
        held = HELD[place[0]][place[1]]
        values = held.values if isinstance(held, Property) else [one for group in held.sets for one in group]
        for link in filter(_is_link, values):
            if self._real(place, link) == text:
                return str(link)
        return "" if text == "0" and place[1] in ("list", "lists", "user") and place[0] != "field.it" else text


def _is_link(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("@")


def _flat(value: Any) -> Any:
    """Return a value such that null, "" and [] are the same, as everywhere in the API."""
    if isinstance(value, list):
        return (
            sorted((_flat(one) for one in value), key=lambda one: str(one["id"] if isinstance(one, dict) else "")) or ""
        )
    if isinstance(value, dict):
        return {name: one for name, one in value.items() if name not in ("hash", "hash_simple")} or ""
    return "" if value is None else str(value)


def choices(place: Place) -> tuple[Any, ...]:
    """Return what an attribute may hold."""
    held = HELD[place[0]][place[1]]
    return held.values if isinstance(held, Property) else held.sets


def vary(chance: Random, side: Side, places: Iterable[Place]) -> None:
    """Give these attributes any of their values."""
    for place in places:
        side.set(place, chance.choice(choices(place)))

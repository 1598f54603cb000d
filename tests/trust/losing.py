"""What each kind can lose, for tests over all of them: a configuration before and after, and how records arrive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.world import World

SENDER = "sender_url: https://a.example, sender_reminder: R"
OBJECT = "slug: ticket, labels: {singular: T, plural: Ts}"
SEAT = "seat: {type: text, labels: {singular: S, plural: Ss}}"
ROW = "row: {type: text, labels: {singular: R, plural: Rs}}"
KEEP = "keep: {name: Keep}"


@dataclass(frozen=True)
class Losing:
    """A change that costs records: `address` is an object of `before` and is gone, or changed, in `after`. `add` makes
    so many records that go with it, in the table `records`; `asks` is what the requests that count them begin with.
    """

    name: str
    address: str
    before: str
    after: str
    records: str
    add: Callable[[World, int], None]
    asks: str

    @property
    def kind(self) -> str:
        """The kind of the object."""
        return self.address.partition(".")[0]

    def config(self, part: str, *, more: str = "") -> str:
        """Return a configuration with one of the two, and tags beside it."""
        tags = ", ".join(filter(None, ["vip: {name: VIP}" if part == "VIP" else "", KEEP, more]))
        return f"tags: {{{tags}}}\n{'' if part == 'VIP' else part}\n"

    def arrive(self, world: World, count: int) -> None:
        """Let so many records arrive."""
        self.add(world, count)

    def left(self, world: World) -> int:
        """Return how many records there are."""
        return len(world.rows(self.records))


def _id(world: World, table: str, **equal: str) -> str:
    return str(world.rows(table, **equal)[0]["id"])


def _contacts(world: World, count: int) -> list[str]:
    first = len(world.rows("contacts")) + 1000
    ids = [str(first + n) for n in range(count)]
    world.account.seed({"contacts": [{"id": one, "email": f"c{one}@example.com"} for one in ids]})
    return ids


def _tagged(world: World, count: int) -> None:
    tag = _id(world, "tags", tag="VIP")
    world.account.seed({"contactTags": [{"contact": one, "tag": tag} for one in _contacts(world, count)]})


def _listed(world: World, count: int) -> None:
    news = _id(world, "lists")
    rows = [{"contact": one, "list": news, "status": "1"} for one in _contacts(world, count)]
    world.account.seed({"contactLists": rows})


def _valued(world: World, count: int) -> None:
    field = _id(world, "fields")
    rows = [{"contact": one, "field": field, "value": "Pro"} for one in _contacts(world, count)]
    world.account.seed({"fieldValues": rows})


def _dealt(world: World, count: int) -> None:
    lead = world.rows("dealStages", title="Lead")[0]
    world.account.seed({"deals": [{"title": "D", "stage": lead["id"], "group": lead["group"]} for _ in range(count)]})


def _carried(kind: str) -> Callable[[World, int], None]:
    def add(world: World, count: int) -> None:
        field = _id(world, f"{kind}CustomFieldMeta", fieldLabel="Size")
        owner = "dealId" if kind == "deal" else "customerAccountId"
        had = len(world.rows(f"{kind}CustomFieldData"))
        rows = [{owner: str(had + n), "customFieldId": field, "fieldValue": "x"} for n in range(count)]
        world.account.seed({f"{kind}CustomFieldData": rows})

    return add


def _recorded(world: World, count: int) -> None:
    schema = world.rows("schemas")[0]["id"]
    had = len(world.rows("records"))
    rows = [(f"r{n}", {"id": f"r{n}", "schema": schema, "fields": []}) for n in range(had, had + count)]
    world.account.rows.put_many("records", rows)


def _roled(world: World, count: int) -> None:
    role = _id(world, "dealRoles", title="Boss")
    world.account.seed({"contactDeals": [{"deal": "1", "contact": str(n), "role": role} for n in range(count)]})


def _bought(world: World, count: int) -> None:
    shop = _id(world, "connections")
    had = len(world.rows("ecomCustomers"))
    rows = [
        {"connectionid": shop, "externalid": f"x{n}", "email": f"x{n}@example.com"} for n in range(had, had + count)
    ]
    world.account.seed({"ecomCustomers": rows})


def _ended(world: World, count: int) -> None:
    outcome = _id(world, "taskOutcomes")
    world.account.seed({"dealTasks": [{"title": "T", "outcome_id": outcome} for _ in range(count)]})


def _owned(world: World, count: int) -> None:
    owner = _id(world, "users", username="jane")
    world.account.seed({"deals": [{"title": "D", "owner": owner} for _ in range(count)]})


STAGES = "pipelines: {{sales: {{title: Sales, currency: usd, stages: {{{}}}}}}}"
BOTH = STAGES.format("lead: {title: Lead}, won: {title: Won}")
CASES = (
    Losing("tag", "tag.vip", "VIP", "", "contactTags", _tagged, asks="/contacts"),
    Losing("list", "list.news", f"lists: {{news: {{name: News, string_id: news, {SENDER}}}}}", "", "contactLists",
           _listed, asks="/contacts"),
    Losing("contact field", "field.tier", "fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro]}}", "",
           "fieldValues", _valued, asks="/fieldValues"),
    Losing("type of a contact field", "field.tier", "fields: {tier: {title: Tier, type: text, lists: all}}",
           "fields: {tier: {title: Tier, type: textarea, lists: all}}", "fieldValues", _valued, asks="/fieldValues"),
    Losing("option", "field.tier", "fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro]}}",
           "fields: {tier: {title: Tier two, type: dropdown, options: [Free, Gold]}}", "fieldValues", _valued,
           asks="/fieldValues"),
    Losing("option of several", "field.tier", "fields: {tier: {title: Tier, type: multiselect, options: [Free, Pro]}}",
           "fields: {tier: {title: Tier, type: multiselect, options: [Free]}}", "fieldValues", _valued,
           asks="/fieldValues"),
    Losing("deal field", "deal_field.size", "deal_fields: {size: {label: Size, type: text}}", "", "dealCustomFieldData",
           _carried("deal"), asks="/dealCustomFieldMeta/"),
    Losing("option of a deal field", "deal_field.size",
           "deal_fields: {size: {label: Size, type: dropdown, options: [x, more]}}",
           "deal_fields: {size: {label: Size, type: dropdown, options: [more]}}", "dealCustomFieldData",
           _carried("deal"), asks="/dealCustomFieldMeta/"),
    Losing("account field", "account_field.size", "account_fields: {size: {label: Size, type: text}}", "",
           "accountCustomFieldData", _carried("account"), asks="/accountCustomFieldMeta/"),
    Losing("stage", "stage.sales.lead", BOTH, STAGES.format("won: {title: Won}"), "deals", _dealt, asks="/deals"),
    Losing("pipeline", "pipeline.sales", BOTH, "", "deals", _dealt, asks="/deals"),
    Losing("custom object", "custom_object.ticket", f"custom_objects: {{ticket: {{{OBJECT}, fields: {{{SEAT}}}}}}}", "",
           "records", _recorded, asks="/customObjects/records"),
    Losing("field of a custom object", "custom_object.ticket",
           f"custom_objects: {{ticket: {{{OBJECT}, fields: {{{SEAT}, {ROW}}}}}}}",
           f"custom_objects: {{ticket: {{{OBJECT}, fields: {{{SEAT}}}}}}}", "records", _recorded,
           asks="/customObjects/records"),
    Losing("deal role", "deal_role.boss", "deal_roles: {boss: {title: Boss}}", "", "contactDeals", _roled,
           asks="/dealRoles/"),
    Losing("connection", "connection.shop", "connections: {shop: {service: acme, external_id: s, name: A, "
           "logo_url: 'https://a.example/a.png', link_url: 'https://a.example'}}", "", "ecomCustomers", _bought,
           asks="/ecomCustomers"),
    Losing("task outcome", "task_outcome.won", "task_outcomes: {won: {title: Won, sentiment: Positive}}", "",
           "dealTasks", _ended, asks="/dealTasks"),
    Losing("user", "user.jane", "user_groups: {agents: {name: Agents}}\nusers: {jane: {email: jane@acme.example, "
           "username: jane, group: agents}}", "user_groups: {agents: {name: Agents}}", "deals", _owned, asks="/deals"),
)  # fmt: skip
WITHOUT_RECORDS: Mapping[str, str] = {
    "user_group": "its users lose permissions; no record goes with it",
    "field_group": "its fields lose their place on pages; they stay with their values",
}
"""Kinds with an impact that is never a number of records."""


def at(
    world: World, happens: Callable[[str, str], bool], what: Callable[[], None], *, nth: int = 1, after: bool = False
) -> None:
    """Let something happen once, right before (or after) the nth request for which `happens(method, path)`."""
    app, seen = world.held._account.app, []

    async def spying(
        scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if hit := scope["type"] == "http" and happens(scope["method"], scope["path"].removeprefix("/api/3")):
            seen.append(1)
        if hit and len(seen) == nth and not after:
            what()
        try:
            await app(scope, receive, send)
        finally:
            if hit and len(seen) == nth and after:
                what()

    world.held.app = spying  # type: ignore[method-assign]

"""Webhooks (section 2.16)."""

from tests.conformance.case import Attr, Case, plain, shown

CASES = (
    Case(
        "webhook.crm",
        "webhooks",
        (
            plain("name", "CRM", "CRM sync"),
            plain("url", "https://crm.example/a?key=1", "https://crm.example/b?key=2"),
            plain("events", ["subscribe", "deal_add"], ["deal_add", "deal_update"],
                  drift=lambda world, row: row.update(events=["bounce"])),
            plain("sources", ["public", "system"], ["api"], drift=lambda world, row: row.update(sources=["admin"])),
            Attr("list", "news", "offers",
                 lambda world, row: "".join(one["name"] for one in world.rows("lists", id=shown(row["listid"]))),
                 "News", "Offers", lambda world, row: row.update(listid="0"), clear=None),
        ),
        ("webhooks", "crm"),
        always=("name", "url", "events", "sources"),
        beside={
            "lists": {
                name: {"name": name.title(), "sender_url": "https://acme.example", "sender_reminder": "You signed up."}
                for name in ("news", "offers")
            }
        },
    ),
)  # fmt: skip

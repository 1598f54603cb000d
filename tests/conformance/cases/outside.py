"""What faces the outside: addresses, calendar feeds, connections (sections 2.20, 2.21, 2.27)."""

from tests.conformance.case import Attr, Case, Row, flag, plain
from tests.world import World


def joined(world: World, row: Row) -> str:
    """Return the name of the list that customers join."""
    return str(world.rows("lists", id=row["listId"])[0]["name"])


LIST = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}

CASES = (
    Case(
        "address.office",
        "addresses",
        (
            plain("company_name", "Acme", "Acme Ltd", "companyName"),
            plain("address1", "1 Main Street", "2 Main Street"),
            plain("address2", "Floor 1", "Floor 2", clear=None),
            plain("city", "Bonn", "Köln", clear=None),
            plain("state", "NW", "BY", clear=None),
            plain("district", "Mitte", "West", clear=None),
            plain("zip", "53111", "50667", clear=None),
            plain("country", "DE", "AT"),
            flag("default", "isDefault"),
            flag("all_user_groups", "allgroup"),
        ),
        ("addresses", "office"),
        always=("company_name", "address1", "country"),
        seed={"addresses": [{"id": "70", "companyName": "Other", "address1": "9 Other Street", "country": "US"}]},
    ),
    Case(
        "calendar.team",
        "calendars",
        (
            plain("title", "Team", "Whole team"),
            plain("type", "All", "Deals"),
            flag("notification"),
        ),
        ("calendars", "team"),
        always=("title", "type"),
    ),
    Case(
        "connection.shop",
        "connections",
        (
            plain("service", "acme", "acme-shop"),
            plain("external_id", "shop-1", "shop-2", "externalid"),
            plain("name", "Acme", "Acme Ltd"),
            plain("logo_url", "https://acme.example/a.png", "https://acme.example/b.png", "logoUrl"),
            plain("link_url", "https://acme.example/a", "https://acme.example/b", "linkUrl"),
            Attr("list", "news", "more", joined, "News", "More", None, how="manual"),
            plain("status", "connected", "error", seen=("1", "0")),
            flag("sync_running", "syncStatus"),
        ),
        ("connections", "shop"),
        always=("service", "external_id", "name", "logo_url", "link_url"),
        beside={"lists": {"news": {"name": "News", **LIST}, "more": {"name": "More", **LIST}}},
    ),
)  # fmt: skip

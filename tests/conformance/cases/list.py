"""Lists and who sees them (sections 2.13, 2.14)."""

from tests.conformance.case import Attr, Case, Row, flag, plain
from tests.world import World


def groups(world: World, row: Row) -> list[str]:
    """Return the ids of the user groups that see a list."""
    return sorted(str(one["group"]) for one in world.rows("listGroups", list=row["id"]))


def hand_over(world: World, row: Row) -> None:
    """Let another group see the list, and Admin no longer."""
    for one in world.rows("listGroups", list=row["id"]):
        one["group"] = "1"


def emails(name: str, api: str = "") -> Attr:
    """Return a list of e-mail addresses, kept as one text with commas."""
    first, then = ["a@acme.example", "b@acme.example"], ["c@acme.example"]
    return plain(name, first, then, api, seen=(",".join(first), then[0]), clear=[])


CASES = (
    Case(
        "list.news",
        "lists",
        (
            plain("name", "News", "Newsletter"),
            plain("string_id", "news", "newsletter", "stringid"),
            plain("sender_url", "https://acme.example", "https://www.acme.example"),
            plain("sender_reminder", "You signed up.", "You signed up on our site."),
            plain("channel", "email", "sms", how="replace"),
            flag("send_last_broadcast"),
            emails("carbon_copy", "carboncopy"),
            emails("subscription_notify"),
            emails("unsubscription_notify"),
            plain("user", "jane@acme.example", "bob@acme.example", seen=("1", "7"), api="userid",
                  clear=None, seen_clear="0",
                  drift=lambda world, row: row.update(user="7", userid="7")),
            Attr("user_groups", [{"name": "Admin"}], [{"name": "Admin"}, {"id": "2"}], groups, ["3"], ["2", "3"],
                 hand_over, clear=[], seen_clear=[]),
            plain("sender_name", "Acme", "Acme Ltd", clear=None),
            plain("sender_addr1", "1 Main Street", "2 Main Street", clear=None),
            plain("sender_addr2", "Floor 1", "Floor 2", clear=None),
            plain("sender_city", "Bonn", "Köln", clear=None),
            plain("sender_state", "NW", "BY", clear=None),
            plain("sender_zip", "53111", "50667", clear=None),
            plain("sender_country", "Germany", "Austria", clear=None),
            plain("sender_phone", "+49 228 1", "+49 221 1", clear=None),
        ),
        ("lists", "news"),
        always=("name", "sender_url", "sender_reminder"),
        seed={"users": [{"id": "7", "username": "bob", "email": "bob@acme.example"}]},
        hidden_by=("user_groups",),
    ),
)  # fmt: skip

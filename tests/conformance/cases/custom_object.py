"""Custom object schemas (section 2.17)."""

from typing import Any

from tests.conformance.case import Attr, Case, Row, plain
from tests.world import World

SEAT = {"type": "text", "labels": {"singular": "Seat", "plural": "Seats"}, "description": "Where", "required": True}
PRICE = {"type": "currency", "labels": {"singular": "Price", "plural": "Prices"}, "default_currency": "usd"}
AREA = {"type": "dropdown", "labels": {"singular": "Area", "plural": "Areas"}, "options": ["Hall", "Balcony"]}
BUYER = {"namespace": "contacts", "labels": {"singular": "Buyer", "plural": "Buyers"}}
DEAL = {
    "namespace": "deals",
    "labels": {"singular": "Deal", "plural": "Deals"},
    "has_many": True,
    "description": "Which",
}

DEAL_AS_KEPT = {key: value for key, value in DEAL.items() if key != "has_many"}


def parts(name: str) -> Any:
    """Return a reader of a schema's fields or relationships, without what the server adds."""

    def read(world: World, row: Row) -> dict[str, Any]:
        found = {}
        for part in row[name]:
            if part.get("status") == "marked_for_deletion":
                continue
            kept = {key: value for key, value in part.items() if key != "id" and value not in (None, "", False)}
            if "options" in kept:
                kept["options"] = [option["value"] for option in kept["options"]]
            found[part["id"]] = kept
        return found

    return read


def rename_seat(world: World, row: Row) -> None:
    """Change a field's labels behind the tool's back."""
    row["fields"] = [{**part, "labels": {"singular": "Place", "plural": "Places"}} if part["id"] == "seat" else part
                     for part in row["fields"]]  # fmt: skip


def one_buyer(world: World, row: Row) -> None:
    """Change a relationship behind the tool's back."""
    row["relationships"] = [
        {**part, "labels": {"singular": "Payer", "plural": "Payers"}} for part in row["relationships"]
    ]


CASES = (
    Case(
        "custom_object.ticket",
        "schemas",
        (
            plain("slug", "event-ticket", "ticket", how="replace"),
            plain("labels", {"singular": "Ticket", "plural": "Tickets"}, {"singular": "Pass", "plural": "Passes"}),
            plain("description", "Entry to an event", "Entry", clear=None),
            Attr("fields", {"seat": SEAT, "price": PRICE},
                 {"seat": {**SEAT, "labels": {"singular": "Seat no", "plural": "Seat nos"}}, "area": AREA},
                 parts("fields"),
                 {"seat": SEAT, "price": {"type": "currency", "labels": PRICE["labels"], "defaultCurrency": "USD"}},
                 {"seat": {**SEAT, "labels": {"singular": "Seat no", "plural": "Seat nos"}}, "area": AREA},
                 rename_seat),
            Attr("relationships", {"buyer": BUYER}, {"buyer": BUYER, "deal": DEAL}, parts("relationships"),
                 {"buyer": BUYER}, {"buyer": BUYER, "deal": {"hasMany": True, **DEAL_AS_KEPT}}, one_buyer),
        ),
        ("custom_objects", "ticket"),
        always=("slug", "labels"),
        beside={"custom_objects": {"other": {"slug": "other", "labels": {"singular": "Other", "plural": "Others"}}}},
    ),
)  # fmt: skip

"""Pipelines (section 2.7) and their stages (section 2.8)."""

from typing import Any

from tests.conformance.case import Attr, Case, Row, flag, plain
from tests.world import World


def members(table: str, key: str) -> Any:
    """Return a reader of the ids of a pipeline's members."""
    return lambda world, row: sorted(str(one[key]) for one in world.rows(table, dealGroup=row["id"]))


def alone(table: str) -> Any:
    """Return what takes all members away."""

    def drift(world: World, row: Row) -> None:
        world.account.rows.remove_where(table, dealGroup=row["id"])

    return drift


CASES = (
    Case(
        "pipeline.sales",
        "dealGroups",
        (
            plain("title", "Sales", "New business"),
            plain("currency", "eur", "usd"),
            flag("all_user_groups", "allgroups"),
            Attr("user_groups", [{"name": "Admin"}], [{"id": "2"}, {"name": "Admin"}],
                 members("dealGroupGroups", "group"), ["3"], ["2", "3"], alone("dealGroupGroups"),
                 clear=[], seen_clear=[]),
            flag("all_users", "allusers"),
            Attr("users", ["jane@acme.example"], ["bob@acme.example"], members("dealGroupUsers", "user"),
                 ["1"], ["7"], alone("dealGroupUsers"), clear=[], seen_clear=[]),
            plain("auto_assign", "round_robin", "deal_value", "autoassign", seen=("1", "2"),
                  drift=lambda world, row: row.update(autoassign="0")),
        ),
        ("pipelines", "sales"),
        always=("title", "currency"),
        beside={"pipelines": {"other": {"title": "Other", "currency": "eur"}}},
        seed={"users": [{"id": "7", "username": "bob", "email": "bob@acme.example"}]},
    ),
    Case(
        "stage.sales.lead",
        "dealStages",
        (
            plain("title", "Lead", "New lead"),
            plain("color", "#32b0fc", "FF0000", seen=("32b0fc", "FF0000")),
            plain("width", 280, 360),
            plain("deal_order", "next-action DESC", "title ASC", "dealOrder"),
            plain("card_region_1", "title", "value", "cardRegion1"),
            plain("card_region_2", "next-action", "hide", "cardRegion2"),
            plain("card_region_3", "show-avatar", "hide-avatar", "cardRegion3"),
            plain("card_region_4", "contact-fullname-acctname", "contact-orgname", "cardRegion4"),
            plain("card_region_5", "value", "title", "cardRegion5"),
        ),
        ("pipelines", "sales", "stages", "lead"),
        always=("title",),
        beside={"pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {"won": {"title": "Won"}}}}},
    ),
)  # fmt: skip

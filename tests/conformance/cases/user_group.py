"""User groups (section 2.18)."""

from tests.conformance.case import Attr, Case, Row, plain, shown
from tests.world import World


def flags(world: World, row: Row) -> list[str]:
    """Return two flags of a group."""
    return [shown(row.get(name)) for name in ("pgListAdd", "pgAutomationManage")]


def take_away(world: World, row: Row) -> None:
    """Take a permission away behind the tool's back."""
    row["pgListAdd"] = "0"


CASES = (
    Case(
        "user_group.sales",
        "groups",
        (
            plain("name", "Sales", "Sales team", "title"),
            plain("description", "Who sells", "Who sells what", "descript", clear=None),
            Attr("flags", {"pgListAdd": True, "pgAutomationManage": False},
                 {"pgListAdd": True, "pgAutomationManage": True}, flags, ["1", "0"], ["1", "1"], take_away),
        ),
        ("user_groups", "sales"),
        always=("name",),
    ),
)  # fmt: skip

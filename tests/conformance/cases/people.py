"""Users (section 2.19). Their password is no attribute that anything shows, see `tests/kinds/test_people.py`."""

from typing import Any

from tests.conformance.case import Attr, Case, Row, plain
from tests.world import World


def group(world: World, row: Row) -> str:
    """Return the title of the user's group."""
    (one,) = [one for one in world.rows("userGroups") if str(one["userid"]) == str(row["id"])]
    return str(world.rows("groups", id=one["groupid"])[0]["title"])


CASES: tuple[Any, ...] = (
    Case(
        "user.jane",
        "users",
        (
            plain("email", "jane@acme.example", "jane.doe@acme.example"),
            plain("username", "jane", "janet", how="manual"),
            plain("first_name", "Jane", "Janet", "firstName", clear=None),
            plain("last_name", "Doe", "Roe", "lastName", clear=None),
            Attr("group", "agents", "guests", group, "Agents", "Guests", None),
        ),
        ("users", "jane"),
        always=("email", "username", "group"),
        beside={"user_groups": {"agents": {"name": "Agents"}, "guests": {"name": "Guests"}}},
    ),
)

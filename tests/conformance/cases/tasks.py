"""Task types and outcomes (sections 2.10, 2.11), and deal roles (section 2.9)."""

from tests.conformance.case import Attr, Case, Row, flag, plain
from tests.world import World


def types(world: World, row: Row) -> list[str]:
    """Return the titles of the task types that an outcome is offered for."""
    related = [one for one in world.rows("tasktypeOutcomeRels") if str(one["outcome_id"]) == str(row["id"])]
    return sorted(str(world.rows("dealTasktypes", id=one["tasktype_id"])[0]["title"]) for one in related)


CASES = (
    Case(
        "deal_role.finance",
        "dealRoles",
        (plain("title", "Finance", "Controlling", how="manual"),),
        ("deal_roles", "finance"),
        always=("title",),
    ),
    Case(
        "task_type.demo",
        "dealTasktypes",
        (
            plain("title", "Demo", "Product demo"),
            plain("disabled", False, True, "status", seen=("0", "1")),
        ),
        ("task_types", "demo"),
        always=("title",),
        retired={"status": "1"},
    ),
    Case(
        "task_outcome.won",
        "taskOutcomes",
        (
            plain("title", "Won", "Convinced"),
            plain("sentiment", "Positive", "Neutral", seen=("POSITIVE", "NEUTRAL")),
            flag("disabled"),
            Attr("task_types", ["demo"], ["demo", "call"], types, ["Demo"], ["Call back", "Demo"], None,
                 clear=[], seen_clear=[]),
        ),
        ("task_outcomes", "won"),
        always=("title", "sentiment"),
        beside={"task_types": {"demo": {"title": "Demo"}, "call": {"title": "Call back"}}},
    ),
)  # fmt: skip

"""What an account spells out and the files leave out is not shown as a change."""

from __future__ import annotations

import pytest

from reconciler.model.conditions import in_words
from reconciler.model.values import Value
from reconciler.planning.terse import terse
from reconciler.resources import load_kinds

GROUPS = load_kinds()["segment"].attributes["groups"]
VIP = {"object": "tag", "fields": [{"name": "tagid", "value": "1"}]}
LONG = {
    "object": "tag",
    "source": "activecampaign",
    "fields": [{"name": "tagid", "operator": "=", "value": "1", "type": "string"}],
}


@pytest.mark.parametrize(
    ("found", "declared", "shown"),
    [
        ([{"match": "all", "conditions": [LONG]}], [{"conditions": [VIP]}], [{"conditions": [VIP]}]),
        ([{"match": "all", "conditions": [VIP]}], [{"match": "all", "conditions": [VIP]}], None),
        ([{"match": "any", "conditions": [VIP]}], [{"conditions": [VIP]}], None),
        ("all", "any", None),
        ([{"conditions": 7}], [], None),
    ],
    ids=["spelled out", "said by both", "means something", "no list", "of no known shape"],
)
def test_members_that_mean_nothing_are_left_out(found: Value, declared: Value, shown: Value) -> None:
    """Those that a declaration says as well stay, and so does whatever makes a difference."""
    assert terse(found, declared, GROUPS) == (found if shown is None else shown)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        ({"conditions": [VIP]}, "tag is 1"),
        ({"match": "any", "conditions": [VIP, {"object": "contact", "fields": [
            {"name": "first_name", "operator": "contains", "value": "A"}, {"name": "email", "operator": "empty"}]}]},
         "any of: tag is 1; contact first name contains A and contact email empty"),
        ({"conditions": [{**VIP, "aggregate": {"operator": "count"}}]}, ""),
        ({"conditions": [{"object": "tag", "value": "1"}]}, ""),
        ({"conditions": [{"object": "contact", "fields": [{"name": "listid", "operator": "!=", "value": "7"}]}]},
         "list is not 7"),
        ({"match": "any"}, ""),
    ],
)  # fmt: skip
def test_conditions_are_said_as_people_say_them(group: dict[str, Value], said: str) -> None:
    """What is not understood is not said in other words."""
    assert in_words(group, str) == said

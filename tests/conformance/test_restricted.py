"""Accounts that lack something: endpoints, features, permissions. What cannot be known is skipped, never assumed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.cases import load_cases
from tests.conformance.steps import settled
from tests.world import World

NEWS = {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "You signed up."}
BOARD = {"pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {"lead": {}, "won": {}}}}}

LISTED_AT = {
    "schemas": ("customObjects",),
    "dealStages": ("dealGroups",),
    "groupDefinitions": ("groupDefinitions", "groupMembers"),
}
"""Where the rows of a table come from, if not from the path of its name."""


@pytest.mark.parametrize("case", load_cases(), ids=str)
def test_a_forbidden_listing_is_not_an_empty_one(world: World, case: Any) -> None:
    """Where the account refuses to list a kind, nothing of it is created or deleted, and the exit code says so."""
    world.account.seed(case.seed)
    settled(world, case.full())
    world.behave(forbidden=LISTED_AT.get(case.table, (case.table,)))
    for config in (case.full(), case.without()):
        world.write(config)
        plan = world.plan()
        assert [line for line in plan.lines if line.endswith(case.address)] == []
        assert case.address in {one.address for one in plan.document.skipped}
        assert world.cli("plan").code == 4
    world.behave(forbidden=())
    settled(world, case.full())


def test_a_list_without_list_groups_says_so(world: World) -> None:
    """Where list groups are gone the failure is named; when they are back, the next apply finishes the list."""
    world.behave(missing=("listGroups",))
    world.write({"lists": {"news": NEWS}, "tags": {"vip": {}}})
    applied = world.apply(incomplete=True)
    assert [address for address, _, _ in applied.summary.failed] == ["list.news"]
    assert len(world.rows("tags")) == 1
    world.behave(missing=())
    settled(world, {"lists": {"news": NEWS}, "tags": {"vip": {}}})
    assert len(world.rows("lists")) == 1
    assert world.hidden() == {}


def test_stages_that_the_key_may_not_see_are_not_made_again(world: World) -> None:
    """A key of a restricted group sees the pipeline without its stages: they are skipped, by name of the pipeline."""
    settled(world, BOARD)
    world.behave(hidden_pipelines=("1",))
    plan = world.plan()
    assert plan.lines == []
    assert {one.address for one in plan.document.skipped} >= {"stage.sales.lead", "stage.sales.won"}
    assert "Sales" in plan.document.skipped[0].reason


def test_events_are_checked_against_the_account(world: World) -> None:
    """What has an event that the account does not offer is left out by name, and the nearest is proposed; no event is
    built in.
    """
    world.write(
        {
            "webhooks": {
                "crm": {"name": "CRM", "url": "https://crm.example/a", "events": ["deal_ad"], "sources": ["api"]}
            }
        }
    )
    plan = world.plan()
    (skipped,) = plan.document.skipped
    assert (skipped.address, plan.lines) == ("webhook.crm", [])
    assert "`deal_add`" in skipped.reason
    assert world.cli("apply", "--auto-approve").code == 7
    assert world.rows("webhooks") == []

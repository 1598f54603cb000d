"""What the account will not show is unknown, never empty: nothing is created or deleted on such evidence."""

from __future__ import annotations

import pytest

from tests.world import World

CRM = """
    tags: {vip: {}}
    deal_fields: {tier: {label: Tier, type: text}}
    account_fields: {size: {label: Size, type: number}}
    custom_objects:
      ticket: {slug: ticket, labels: {singular: Ticket, plural: Tickets}}
    pipelines:
      sales:
        title: Sales
        currency: usd
        stages: {lead: {title: Lead}, won: {title: Won}}
"""
GATED = {
    "dealGroups": ("pipeline.sales", "stage.sales.lead", "stage.sales.won"),
    "dealCustomFieldMeta": ("deal_field.tier",),
    "accountCustomFieldMeta": ("account_field.size",),
    "customObjects": ("custom_object.ticket",),
}


@pytest.mark.parametrize("segment", GATED)
def test_a_feature_that_the_plan_lacks_is_skipped_by_name(world: World, segment: str) -> None:
    """403 on a listing (section 1.2): its objects and their dependants are skipped with the reason, exit code 4."""
    world.behave(forbidden=(segment,))
    world.write(CRM)
    ran = world.cli("plan")
    assert ran.code == 4, ran.text
    planned = world.plan()
    assert {one.address for one in planned.document.skipped} == set(GATED[segment])
    assert all(one.reason for one in planned.document.skipped)
    assert world.cli("apply", "--auto-approve").code == 4
    assert "tag.vip" in world.state().resources
    assert not set(GATED[segment]) & set(world.state().resources)


@pytest.mark.parametrize("segment", GATED)
def test_nothing_is_deleted_because_it_is_not_shown(world: World, segment: str) -> None:
    """A key that loses a permission sees no objects; neither they nor what nobody declares any more are touched."""
    world.write(CRM)
    world.apply()
    before = world.dump()
    world.behave(forbidden=(segment,))
    world.write("tags: {vip: {}}")
    planned = world.plan()
    gated = set(GATED[segment])
    assert gated <= {one.address for one in planned.document.skipped}
    assert not gated & {change.address for change in planned.document.changes}
    world.cli("apply", "--auto-approve", "--allow", "max_records_lost=0")
    for address in gated:
        assert address in world.state().resources
    assert segment == "customObjects" or world.dump().get(segment) == before.get(segment)


def test_stages_of_a_pipeline_that_the_key_may_not_see_are_unknown(world: World) -> None:
    """The pipeline names stages that the listing leaves out (section 1.2): none is created again, none goes."""
    world.write(CRM)
    world.apply()
    [row] = world.rows("dealGroups", title="Sales")
    stages = len(world.rows("dealStages"))
    world.behave(hidden_pipelines=(row["id"],))
    ran = world.cli("plan")
    assert ran.code == 4, ran.text
    assert "may not see" in ran.text
    planned = world.plan()
    assert not [change for change in planned.document.changes if change.kind == "stage"]
    world.cli("apply", "--auto-approve")
    assert len(world.rows("dealStages")) == stages


def test_a_managed_pipeline_that_disappears_from_a_restricted_key_is_not_made_again(world: World) -> None:
    """Where a pipeline is missing and the key's user is no Admin, it may only be out of sight."""
    world.write(CRM)
    world.apply()
    user = world.rows("users")[0]
    for row in world.rows("userGroups"):
        world.account.rows.put("userGroups", row["id"], {**row, "groupid": "7", "group": "7"})
    world.account.rows.put("users", user["id"], {**user, "group": "7"})
    for row in world.rows("dealGroups"):
        world.account.rows.remove("dealGroups", row["id"])
    planned = world.plan()
    assert {one.address for one in planned.document.skipped} == set(GATED["dealGroups"])
    assert "use the key of an Admin user" in planned.document.skipped[0].reason
    assert not planned.document.steps


def test_a_dependant_of_what_is_unknown_waits_with_it(world: World) -> None:
    """A webhook on a list that cannot be read is skipped and says which list it needs."""
    world.behave(forbidden=("lists",))
    world.write(
        """
        tags: {vip: {}}
        lists: {news: {name: News, sender_url: https://a.example, sender_reminder: r}}
        webhooks: {hook: {name: H, url: https://a.example/h, events: [subscribe], sources: [public], list: news}}
        """
    )
    reasons = {one.address: one.reason for one in world.plan().document.skipped}
    assert set(reasons) == {"list.news", "webhook.hook"}
    assert "list.news" in reasons["webhook.hook"]

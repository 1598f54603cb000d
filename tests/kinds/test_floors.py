"""What makes an object visible may go in the same plan: the default takes its place, and the next plan is empty."""

from __future__ import annotations

import pytest

from tests.world import World

LIST = "name: News, sender_url: https://a.example, sender_reminder: Hi"
GROUP = "field_groups: {facts: {label: Facts, object: %s}}\n"
CASES = {
    "account field": (
        GROUP % "account" + "account_fields: {size: {label: Size, type: text, group: facts}}",
        "account_fields: {size: {label: Size, type: text}}",
    ),
    "deal field": (
        GROUP % "deal" + "deal_fields: {size: {label: Size, type: text, group: facts}}",
        "deal_fields: {size: {label: Size, type: text}}",
    ),
    "deal field whose group is replaced": (
        GROUP % "deal" + "deal_fields: {size: {label: Size, type: text, group: facts}}",
        GROUP % "account" + "deal_fields: {size: {label: Size, type: text}}",
    ),
    "contact field": (
        f"lists: {{news: {{{LIST}}}}}\nfields: {{size: {{title: Size, type: text, lists: [news]}}}}",
        "fields: {size: {title: Size, type: text}}",
    ),
    "list": (
        f"user_groups: {{team: {{name: Team}}}}\nlists: {{news: {{{LIST}, user_groups: [team]}}}}",
        f"lists: {{news: {{{LIST}}}}}",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_made_it_visible_goes(world: World, case: str) -> None:
    """One apply is enough, and the object is never left where nobody sees it."""
    before, after = CASES[case]
    world.write(before)
    world.apply(yes=True)
    world.write(after)
    world.apply(yes=True)
    assert world.hidden() == {}
    assert world.plan().empty


def test_what_stays_in_the_account_makes_visible(world: World) -> None:
    """A group that is only forgotten still shows its fields: nothing is planned for them."""
    world.write(CASES["deal field"][0])
    world.apply()
    world.write(
        "deal_fields: {size: {label: Size, type: text}}\nremoved: [{address: field_group.facts, destroy: false}]"
    )
    assert world.plan().lines == ["forget field_group.facts"]

"""What is left out by decision is counted and named, and a change of the state alone says what it changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environments.test_clone import Pair
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

LABELS = {"singular": "Ticket", "plural": "Tickets"}
FIELDS = [{"id": "name", "labels": {"singular": "Name", "plural": "Names"}, "type": "text", "required": True}]
APP = {"slug": "event-tickets", "appId": "studio", "labels": LABELS, "fields": FIELDS}
USER = {"username": "kim", "email": "kim@acme.example", "firstName": "Kim", "lastName": "Lee", "password": "x-Y-9-long",
        "group": "3"}  # fmt: skip
STAGES = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      lead: {{title: Lead}}
      lost: {{title: Lost{lost}}}
tags: {{vip: {{name: VIP{tag}}}}}
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two environments; the first account holds a schema of an app and a user that nobody declared."""
    with new_world(tmp_path / "project") as world, hold(world.folder / "state/b.db") as other:
        made = Pair(world, other)
        world.account.seed({"schemas": [APP]})
        world.call("POST", "/users", {"user": USER})
        yield made


def test_a_comparison_names_what_it_leaves_out(pair: Pair) -> None:
    """Without a difference it does not say that both are alike, but that what was compared is."""
    code, said = pair.run("compare", "a", "b")
    assert code == 0
    assert "No differences in what was compared" in said
    assert "Not compared: a: 1 of kind custom_object (`event-tickets`): it belongs to an app" in said
    assert "1 of kind user: made beside the configuration" in said
    assert "kim@acme.example" not in said


def test_a_clone_does_not_say_everything(pair: Pair) -> None:
    """It says what it takes, and what it does not."""
    code, said = pair.run("clone", "--from", "a", "--to", "b", "--auto-approve")
    assert code == 0, said
    assert "holds everything that a clone takes from a" in said
    assert "event-tickets" in said
    assert "1 of kind user" in said


def test_coverage_names_what_it_does_not_count(pair: Pair) -> None:
    """The share is one of what is counted."""
    code, said = pair.run("coverage")
    assert code == 0, said
    assert "Not counted: 1 of kind custom_object (`event-tickets`): it belongs to an app." in said
    assert "configuration that is counted is managed" in said
    rows = {row["kind"]: row for row in json.loads(pair.world.cli("coverage", "--format", "json").out)}
    assert rows["custom_object"]["aside"]
    assert rows["user"]["aside"] == ["1 of kind user: made beside the configuration; it is not declared"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (", lifecycle: {on_destroy: {move_deals_to: stage.sales.lead}}", "",
         "does not move deals to stage.sales.lead any more before it goes (on_destroy)"),
        ("", ", lifecycle: {on_destroy: {move_deals_to: stage.sales.lead}}",
         "will move deals to stage.sales.lead before it goes (on_destroy)"),
        (", lifecycle: {prevent_destroy: true}", "", "no longer protected (prevent_destroy)"),
        ("", ", lifecycle: {prevent_destroy: true}", "protected from now on"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_change_of_the_state_alone_says_which(world: World, before: str, after: str, said: str, form: str) -> None:
    """Also where something of the object itself changes with it."""
    world.write(STAGES.format(lost=before, tag=""))
    world.apply()
    world.write(STAGES.format(lost=after, tag=""))
    shown = world.cli("plan", "--format", form).out
    assert said in " ".join(shown.split()), shown
    assert "already as declared" not in shown
    world.write(STAGES.format(lost=f" deal{after}", tag=""))
    assert said in " ".join(world.cli("plan", "--format", form).out.split())
    assert world.cli("apply", "--auto-approve").code == 0
    assert world.plan().empty


@pytest.mark.off_contract
def test_what_came_with_the_account_is_named(tmp_path: Path) -> None:
    """Groups that nobody may change, and a second default group that says nothing, by each command that leaves them."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed({"groupDefinitions": [{"id": 78, "label": "{**DEAL_DEFAULT**}", "type_id": 2}]})
        for argv in (
            ["clone", "--from", "a", "--to", "b", "--dry-run"],
            ["export"],
        ):
            ran = world.cli(*argv)
            assert ran.code == 0, ran.text
            assert "left as they came with the account: user_group (" in ran.text, ran.text
            assert "`Admin`" in ran.text
            twice = "`{**DEAL_DEFAULT**}` (id 78) is left out: it came with the account and says nothing"
            assert twice in ran.text, ran.text
        assert "`Admin`" in world.cli("compare", "a", "b").text
        tags = world.cli("export", "--kinds", "tag")
        assert "came with the account" not in tags.text

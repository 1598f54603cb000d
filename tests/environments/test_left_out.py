"""What is left out by decision is counted and named, and a change of the state alone says what it changes."""

from __future__ import annotations

import json
import re
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


TAKING = {
    "export": ("export",),
    "clone": ("clone", "--from", "a", "--to", "b", "--dry-run"),
    "compare": ("compare", "a", "b"),
    "compare the other way": ("compare", "b", "a"),
    "promote": ("promote", "--from", "a", "--to", "b", "--dry-run"),
}
"""Every command that takes over an account, or compares it: what it does not take, it names."""


@pytest.mark.off_contract
def test_what_came_with_the_account_is_named(tmp_path: Path) -> None:
    """Groups that nobody may change, what people and apps make, and a second default group that says nothing: the same
    by each command. `drift` is about what is declared, and names none of it.
    """
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db"):
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        twice = {"id": 78, "label": "{**DEAL_DEFAULT**}", "type_id": 2}
        world.account.seed({"groupDefinitions": [twice], "schemas": [APP]})
        world.call("POST", "/users", {"user": USER})
        said = {}
        for command, words in TAKING.items():
            ran = world.cli(*words)
            assert ran.code == 0, ran.text
            said[command] = {part for part in LEFT if re.search(LEFT[part], ran.err)}
            assert len(re.findall(r"left as they came with the account: .*`Admin`", ran.err)) == (
                2 if "compare" in command else 1
            ), ran.err
        assert said == {command: {*LEFT} for command in TAKING}
        for words in TAKING.values():
            tags = world.cli(*words, "--kinds", "tag")
            assert "came with the account" not in tags.text
            assert "of kind" not in tags.text
        assert "left" not in world.cli("drift", "--absorb", "--unmanaged").text


LEFT = {
    "what came along": r"came with the account: user_group \(.*`Admin`",
    "an app's schema": r"`event-tickets`",
    "people": r"\b1 of kind user: made beside the configuration",
    "mails": r"\b2 of kind message: made beside the configuration",
    "a second default group": r"\(id 78\) is left out|deal_default_2 is left out|ids 2, 78\)",
}

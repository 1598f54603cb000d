"""What is left out by decision is counted and named, and a change of the state alone says what it changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from reconciler.emulator import AccountSettings
from tests.environments.messy import account, alone
from tests.environments.test_clone import Pair
from tests.environments.test_messy_unread import shut
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold
from tests.world.readings import reading

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


UNSAYABLE = {
    "webhooks": [
        {"name": "Deaf", "url": "https://h.example/a", "events": [], "sources": ["admin"]},
        {"name": "Odd", "url": "https://h.example/b", "events": ["teleport"], "sources": ["admin"]},
    ],
    "lists": [{"name": "", "stringid": "nameless"}],
    "dealGroups": [{"id": "70", "title": "Sales", "currency": "usd", "autoassign": "9"}],
    "dealStages": [{"title": "A", "group": "70", "order": "1", "color": "#abc"}],
    "dealTasktypes": [{"id": "1", "title": "Ring", "status": "0"}, {"title": "Old", "status": "1"}],
}
"""What files cannot say, and what came with an account and has another name."""


def check_clone_named(world: World, told: str) -> int:
    """Clone; each row that a comparison then shows was named by the clone, and has its reason by what both hold or by a
    line of the comparison. Return how many rows there were.
    """
    cloned = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
    compared = world.cli("compare", "a", "b", "--format", "json")
    rows = json.loads(compared.out)["changes"]
    for row in rows:
        word = re.compile(rf"(?<![\w.]){re.escape(row['address'])}(?!\w)")
        kept = f"of kind {row['kind']} (" if row["action"] == "delete" else ""
        lines = cloned.err.splitlines()
        assert any(word.search(line) or (kept and kept in line) for line in lines), f"{told}: {row}\n{cloned.err}"
        assert kept or any(map(word.search, compared.err.splitlines())), f"{told}: {row}\n{compared.err}"
    return len(rows)


@pytest.mark.off_contract
def test_a_comparison_tells_why_a_clone_left_something_out(tmp_path: Path) -> None:
    """Both name the webhook, the list and the colour that no file can say, and what only the target has."""
    with new_world(tmp_path, project=TWO_ACCOUNTS) as world, hold(world.folder / "state/b.db"):
        world.write("{}")
        world.account.seed(UNSAYABLE)
        assert check_clone_named(world, "unsayable") > 2


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("first", range(0, 80, 20))
def test_any_comparison_tells_why_a_clone_left_something_out(tmp_path: Path, first: int) -> None:
    """Messy accounts, of which some parts cannot be read."""
    for number in range(first, first + 20):
        settings, dice = AccountSettings(**reading()), Random(f"named {number}")
        seed = alone(account(number)) if settings.field_memberships == "one" else account(number)
        folder = tmp_path / str(number)
        with new_world(folder, settings, project=TWO_ACCOUNTS) as world, hold(folder / "state/b.db", settings):
            world.write("{}")
            world.account.seed(seed)
            closed = shut(world, dice) if number % 2 else ()
            world.behave(forbidden=closed)
            check_clone_named(world, f"account {number} without {closed}")

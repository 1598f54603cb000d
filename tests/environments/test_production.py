"""An environment marked `production: true`: nothing is taken from it before somebody names the account."""

from __future__ import annotations

import io
import sys

import pytest

from tests.world import World

PROJECT = """
version: 1
environments:
  prod: {url: "emulator:state/account.db", account: demo, production: true}
  other: {url: "emulator:state/other.db"}
default_environment: prod
"""


@pytest.fixture(name="prod")
def a_production_account(world: World) -> World:
    """Two tags in a production account, one of them no longer declared."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}, b: {}}")
    ran = world.cli("apply", "--auto-approve", "--quiet")
    assert ran.code == 0, ran.text
    world.write("tags: {a: {}}")
    return world


def typed(world: World, monkeypatch: pytest.MonkeyPatch, line: str, *argv: str) -> tuple[int, str]:
    """Run a command, type a line, and return its exit code and output."""
    monkeypatch.setenv("RECONCILER_PROMPT", "1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{line}\n"))
    ran = world.cli(*argv)
    return ran.code, ran.text


@pytest.mark.parametrize(
    ("line", "code", "left"), [("demo", 0, ["a"]), ("yes", 130, ["a", "b"]), ("", 130, ["a", "b"])]
)
def test_only_the_name_of_the_account_is_a_yes(
    prod: World, monkeypatch: pytest.MonkeyPatch, line: str, code: int, left: list[str]
) -> None:
    """On a terminal the name is asked for, and `yes` is not it."""
    got, text = typed(prod, monkeypatch, line, "apply", "--quiet")
    assert got == code, text
    assert "'demo', will be accepted" in text
    assert [row["tag"] for row in prod.rows("tags")] == left


def test_what_takes_nothing_away_asks_as_everywhere(prod: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A create or an update needs a yes; with --auto-approve not even that."""
    prod.write("tags: {a: {description: x}, b: {}, c: {}}")
    assert typed(prod, monkeypatch, "yes", "apply", "--quiet")[0] == 0
    prod.write("tags: {a: {description: x}, b: {}, c: {}, d: {}}")
    assert prod.cli("apply", "--auto-approve", "--quiet").code == 0


@pytest.mark.parametrize("argv", [("apply", "--auto-approve"), ("apply",), ("destroy", "--auto-approve")])
def test_where_nobody_can_be_asked_the_name_is_an_option(prod: World, argv: tuple[str, ...]) -> None:
    """Without it, or with another name, exit code 7 and nothing is written."""
    prod.forget()
    ran = prod.cli(*argv, "--quiet")
    assert ran.code == 7, ran.text
    assert "--confirm-account demo" in ran.err
    assert prod.cli(*argv, "--quiet", "--confirm-account", "acme").code == 7
    assert prod.writes() == []
    ran = prod.cli(
        argv[0], "--auto-approve", "--quiet", "--confirm-account", "demo", "--allow", "max_delete_percent=tag"
    )
    assert ran.code in (0, 7), ran.text
    assert "production account" not in ran.err


def test_a_saved_plan_was_reviewed(prod: World) -> None:
    """It is applied without a question; a wrong name is refused all the same."""
    assert prod.cli("plan", "--out", str(prod.folder / "p.json")).code == 0
    assert prod.cli("apply", str(prod.folder / "p.json"), "--quiet", "--confirm-account", "acme").code == 7
    ran = prod.cli("apply", str(prod.folder / "p.json"), "--quiet")
    assert ran.code == 0, ran.text
    assert [row["tag"] for row in prod.rows("tags")] == ["a"]


def test_a_clone_into_production_that_prunes_wants_the_name(prod: World) -> None:
    """Without --prune it takes nothing away and needs none."""
    assert prod.cli("-e", "other", "apply", "--auto-approve", "--quiet").code == 0
    argv = ("clone", "--from", "other", "--to", "prod", "--auto-approve", "--quiet")
    assert prod.cli(*argv).code == 0
    ran = prod.cli(*argv, "--prune")
    assert (ran.code, "production account" in ran.err) == (7, True), ran.text
    ran = prod.cli(*argv, "--prune", "--confirm-account", "demo")
    assert "production account" not in ran.err


def test_the_budget_of_a_production_account_leaves_room(world: World) -> None:
    """Three requests a second unless the environment says otherwise; five elsewhere."""
    world.write(
        "version: 1\nenvironments: {p: {url: 'https://x.api-us1.com', token: t, production: true}, "
        "s: {url: 'https://y.api-us1.com', token: t}}\n",
        "reconciler.yaml",
    )
    assert [world.session(environment=name).rate for name in ("p", "s")] == [3.0, 5.0]

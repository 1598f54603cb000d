"""What plans and writes in one command holds the lock from before its plan to its last write; a plan beside a living
apply names it and leaves its journal alone.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.cli.approval import Approval
from reconciler.model.state import Intent, Record
from reconciler.store.lease import LeaseLock
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.holding import locked
from tests.world import World

PROJECT = """
version: 1
environments:
  demo: {url: "emulator:state/account.db"}
  other: {url: "emulator:state/account.db"}
default_environment: demo
"""
WRITERS = {
    "apply": ("apply", "--auto-approve"),
    "apply --json": ("apply", "--auto-approve", "--json"),
    "apply --guards-from": ("apply", "--auto-approve", "--guards-from", "file:reconciler.yaml"),
    "destroy": ("destroy", "--auto-approve"),
    "undo": ("undo", "--auto-approve"),
    "undo RUN": ("undo", "latest", "--auto-approve"),
    "runs resume": ("runs", "resume", "--auto-approve"),
    "clone": ("clone", "--from", "other", "--to", "demo", "--auto-approve"),
}
"""Commands with `--lock-timeout`."""
PATIENT = {
    "export": ("export",),
    "export --prune": ("export", "--prune"),
    "drift --absorb": ("drift", "--absorb"),
    "import": ("import", "tag.vip", "1"),
}
"""Commands that wait ten seconds for the lock."""


@pytest.fixture
def settled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a run, in which nobody waits for a lock."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {vip: {}}")
    world.apply()
    world.write("tags: {vip: {}, gold: {}}")
    world.forget()
    real = LeaseLock.acquire
    monkeypatch.setattr(LeaseLock, "acquire", lambda lock, info, timeout: real(lock, info, 0.0))
    return world


@pytest.mark.parametrize("argv", [*WRITERS.values(), *PATIENT.values()], ids=[*WRITERS, *PATIENT])
def test_who_comes_second_asks_the_account_nothing(settled: World, argv: tuple[str, ...]) -> None:
    """The lock comes before the plan: a command that does not get it has read nothing, and names the holder."""
    with locked(settled.session(), "apply"):
        ran = settled.cli(*argv)
    assert ran.code == 8, ran.text
    assert "is locked by" in ran.err
    assert settled.requests() == []
    assert "+ tag.gold" not in ran.out


@pytest.mark.parametrize("argv", WRITERS.values(), ids=list(WRITERS))
def test_who_waited_plans_from_the_state_as_it_is_then(
    world: World, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """The first one writes while the second one waits: that one does what is left, and refuses nothing as stale."""
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {vip: {}}")
    world.apply()
    world.write("tags: {vip: {}, gold: {}}")
    real = LeaseLock.acquire

    def after_the_first(lock: LeaseLock, info: Any, timeout: float) -> Any:
        assert timeout == 120.0
        monkeypatch.setattr(LeaseLock, "acquire", real)
        world.apply()
        return real(lock, info, timeout)

    monkeypatch.setattr(LeaseLock, "acquire", after_the_first)
    ran = world.cli(
        *argv, "--lock-timeout", "120", *(["--allow", "max_delete_percent=100"] if argv[0] == "destroy" else [])
    )
    assert ran.code == 0, ran.text
    assert "has changed since" not in ran.text
    left = {"destroy": [], "undo": ["vip"]}.get(argv[0], ["gold", "vip"])
    assert sorted(row["tag"] for row in world.rows("tags")) == left


def test_the_lock_is_held_while_somebody_reads_the_plan(settled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the plan to the answer, nobody else gets in; a no gives it back."""
    seen: list[int] = []

    def asked(*_: Any, **__: Any) -> bool:
        seen.append(settled.cli("apply", "--auto-approve").code)
        return False

    monkeypatch.setattr(Approval, "given", asked)
    assert settled.cli("apply").code == 130
    assert seen == [8]
    monkeypatch.undo()
    assert settled.session().store.holder() is None
    assert settled.cli("apply", "--auto-approve").code == 0


READERS = {
    "plan": ("plan",),
    "plan --destroy": ("plan", "--destroy"),
    "plan --refresh-only": ("plan", "--refresh-only"),
    "drift": ("drift",),
    "drift --revert": ("drift", "--revert"),
}


@pytest.mark.parametrize("argv", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("journal", [False, True])
def test_a_plan_beside_a_living_apply_names_it_and_leaves_its_journal_alone(
    settled: World, argv: tuple[str, ...], journal: bool
) -> None:
    """It is made from the recorded state, says by whom and since when the lock is held, and takes nothing over."""
    first = settled.session()
    with locked(first, "apply"):
        if journal:
            book = open_book(first)
            key = book.state().resources["tag.vip"].natural_key
            intent = Intent(address="tag.gold", kind="tag", natural_key=["gold", *key[1:]])
            book.record(Record(op="intent", run="r", address="tag.gold", intent=intent))
            bound = book.state().resources["tag.vip"].model_copy(update={"id": "77"})
            book.record(Record(op="bind", run="r", address="tag.new", binding=bound))
        before = list(first.store.journal())
        ran = settled.cli(*argv, "--format", "json")
        assert ran.code == 0, ran.text
        said = json.loads(ran.out)["warnings"]
        assert any("holds the lock for apply since" in text for text in said)
        assert not any("interrupted" in text or "left creates open" in text for text in said)
        assert list(first.store.journal()) == before
        assert "tag.new" not in ran.out
    assert not any(
        "holds the lock" in text for text in json.loads(settled.cli(*argv, "--format", "json").out)["warnings"]
    )


def test_a_hold_within_a_hold_is_the_same(settled: World) -> None:
    """Whatever is derived from a session knows the lock that it holds: nothing waits for itself."""
    opened = settled.session()
    with locked(opened, "apply") as one, locked(opened.with_variables({}), "apply") as other:
        assert one is other
    with locked(opened, "apply") as again:
        assert again is not one
    assert opened.store.holder() is None


def test_a_runs_record_says_that_it_runs(settled: World) -> None:
    """While the holder lives, its open record is no dead one; when it is dead, it is."""
    opened = settled.session()
    (name,) = opened.store.run_names()
    run = opened.store.run(name)
    assert run is not None
    with locked(opened, "apply"):
        opened.store.save_run(run.model_copy(update={"result": "open", "name": name + "x"}))
        rows = json.loads(settled.cli("runs", "list", "--format", "json").out)
        assert [row["result"] for row in rows] == ["running", "complete"]
        assert "it runs: " in settled.cli("runs", "show").out
        assert settled.cli("undo", "--auto-approve").code == 8
    rows = json.loads(settled.cli("runs", "list", "--format", "json").out)
    assert [row["result"] for row in rows] == ["interrupted", "complete"]
    assert "it died" in settled.cli("runs", "show").out

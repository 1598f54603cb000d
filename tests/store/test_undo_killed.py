"""An undo that dies at any write is finished by the same command, and never undone; a run whose record is not finished
is never passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.model.errors import StateError
from reconciler.model.run import RunRecord
from reconciler.store.documents import DocumentStore
from reconciler.store.file import FileBlobStore
from tests.store.test_undo import LAX, canonical
from tests.world import Killed, World, new_world

BEFORE: dict[str, Any] = {
    "tags": {"vip": {"name": "VIP", "description": "Old"}, "gone": {"name": "Gone"}},
    "fields": {"tier": {"title": "Tier", "type": "dropdown", "lists": "all", "options": ["Free", "Pro"]}},
    "pipelines": {"care": {"title": "Care", "currency": "usd", "stages": {"lead": {}, "won": {}}}},
}
AFTER: dict[str, Any] = {
    "tags": {"vip": {"name": "VIP", "description": "New"}, "fresh": {"name": "Fresh"}},
    "fields": {"tier": {"title": "Tier", "type": "dropdown", "lists": "all", "options": ["Free", "Pro", "Max"]}},
    "pipelines": {"sales": {"title": "Sales", "currency": "eur", "stages": {"lead": {}, "talk": {}, "won": {}}}},
}
"""Created, updated, deleted, nested, and entries of a list."""


@contextmanager
def dying_disk(nth: int, *, after: bool) -> Iterator[list[str]]:
    """Let the program die at its nth write of a document other than the lock, and let it write nothing afterwards."""
    seen: list[str] = []

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def write(shelf: FileBlobStore, name: str, *rest: Any, **options: Any) -> Any:
            if name == "lock":
                return real(shelf, name, *rest, **options)
            seen.append(name)
            if len(seen) > nth or (len(seen) == nth and not after):
                raise Killed
            done = real(shelf, name, *rest, **options)
            if len(seen) == nth:
                raise Killed
            return done

        return write

    with (
        patch.object(FileBlobStore, "put", mortal(FileBlobStore.put)),
        patch.object(FileBlobStore, "append", mortal(FileBlobStore.append)),
        patch.object(FileBlobStore, "remove", mortal(FileBlobStore.remove)),
    ):
        yield seen


def command(world: World) -> tuple[str, ...]:
    """The undo with a yes to everything that its guards name."""
    return ("undo", "--auto-approve", *allowed(world))


def allowed(world: World) -> list[str]:
    """What the guards of the undo ask for."""
    ran = world.cli("undo", "--out", str(world.folder / "seen.json"))
    assert ran.code in (0, 7), ran.text
    return _asked(world)


def _asked(world: World) -> list[str]:
    said = json.loads((world.folder / "seen.json").read_text("utf-8"))["guards"]
    asked = [guard["override"] for guard in said if guard.get("override")]
    return [word for one in asked for word in one.split()]


def changed(world: World) -> list[str]:
    """Apply one configuration, then another; return the account before the second."""
    world.write(BEFORE)
    world.apply(yes=True)
    before = canonical(world)
    world.write(AFTER)
    world.apply(yes=True)
    assert canonical(world) != before
    return before


def undoable(world: World) -> tuple[tuple[str, ...], list[str]]:
    """Make a new world one whose last run can be undone: the undo, and the account before that run."""
    world.begin_with(_undoable)
    before: list[str] = json.loads((world.folder / "before.json").read_text("utf-8"))
    return ("undo", "--auto-approve", *_asked(world)), before


def _undoable(world: World) -> None:
    (world.folder / "before.json").write_text(json.dumps(changed(world)), "utf-8")
    allowed(world)


def finished(world: World, argv: tuple[str, ...], before: list[str], where: str) -> None:
    """The same command once more leaves the account as it was before the run; and a third time nothing happens."""
    for _ in range(2):
        ran = world.cli(*argv)
        assert ran.code == 0, (where, ran.text)
        assert canonical(world) == before, (where, ran.text)
    assert all(run["result"] not in ("interrupted", "open") for run in listed(world)), where


def listed(world: World) -> list[dict[str, Any]]:
    """The rows of `runs list`."""
    found: list[dict[str, Any]] = json.loads(world.cli("runs", "list", "--format", "json").out)
    return found


def deaths(folder: Path, kill: Callable[[World, int, bool], Any], after: bool, step: int) -> int:
    """Let an undo die at each boundary (each `step`th, beginning with the last) until it lives through; return how many
    there are.
    """
    with new_world(folder / "whole", project=LAX) as world:
        argv, _ = undoable(world)
        world.forget()
        with dying_disk(1000, after=False) as written:
            assert world.cli(*argv).code == 0
        count = len(written) if kill is dying_state else len(world.requests())
    for nth in range(count, 0, -step):
        with new_world(folder / str(nth), project=LAX) as world:
            argv, before = undoable(world)
            with kill(world, nth, after), pytest.raises(Killed):
                world.cli(*argv)
            world.revive()
            finished(world, argv, before, f"at {nth}, {'after' if after else 'before'}")
    return count


@contextmanager
def dying_wire(world: World, nth: int, after: bool) -> Iterator[None]:
    """Let the program die at its nth request."""
    world.kill(nth, after=after)
    yield


def dying_state(world: World, nth: int, after: bool) -> Any:
    """Let the program die at its nth write of journal, state, history or record."""
    return dying_disk(nth, after=after)


KILLS = pytest.mark.parametrize("kill", [dying_wire, dying_state], ids=["request", "state"])


@KILLS
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_undo_that_died_is_finished_by_the_same_command(tmp_path: Path, kill: Any, after: bool) -> None:
    """At some requests of plan and apply, and at some writes of journal, state and record; before and after."""
    assert deaths(tmp_path, kill, after, 9) > 20


@pytest.mark.prove
@KILLS
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_undo_that_died_anywhere_is_finished_by_the_same_command(tmp_path: Path, kill: Any, after: bool) -> None:
    """At every one of them."""
    assert deaths(tmp_path, kill, after, 1) > 20


def test_an_undo_is_undone_by_its_name_only(world: World) -> None:
    """Without a name, the run before is told as undone, with the name that undoes the undo."""
    world.write("tags: {vip: {}}")
    world.apply()
    assert world.cli("undo", "--auto-approve").code == 0
    again = world.cli("undo", "--auto-approve")
    assert again.code == 0, again.text
    assert "is undone already" in again.out
    assert world.rows("tags") == []
    name = listed(world)[0]["run"]
    assert f"reconciler undo {name}" in again.err
    assert world.cli("undo", name, "--auto-approve").code == 0
    assert len(world.rows("tags")) == 1


def no_last_word(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the record of a run that ended fail to be written."""
    real = DocumentStore.save_run

    def save(store: DocumentStore, run: RunRecord) -> None:
        if run.result != "open" and run.steps:
            raise error
        real(store, run)

    monkeypatch.setattr(DocumentStore, "save_run", save)


def two_runs(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Two applies; the record of the second one is not finished, or gone."""
    world.write("tags: {vip: {description: Old}, gone: {}}")
    world.apply()
    world.write("tags: {vip: {description: New}, fresh: {}}")
    with monkeypatch.context() as patched:
        if how == "killed":
            no_last_word(patched, Killed())
            with pytest.raises(Killed):
                world.apply()
        else:
            if how == "disk full":
                no_last_word(patched, StateError("no space left"))
            world.apply()
    if how == "gone":
        name = listed(world)[0]["run"]
        next((world.folder / "state").rglob(f"{name}.json")).unlink()


@pytest.mark.parametrize("how", ["killed", "disk full", "gone"])
@pytest.mark.parametrize("closing", [("runs", "resume", "--auto-approve"), ("apply", "--auto-approve")], ids=str)
def test_an_undo_does_not_pass_over_a_run_without_a_finished_record(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str, closing: tuple[str, ...]
) -> None:
    """It refuses and names what finishes the record; whoever comes next does so; the undo is then about that run."""
    two_runs(world, monkeypatch, how)
    tags = [(row["tag"], row["description"]) for row in world.rows("tags")]
    for argv in (("undo", "--auto-approve"), ("undo", "--out", str(world.folder / "u.json"))):
        refused = world.cli(*argv)
        assert refused.code == 7, refused.text
        assert "reconciler runs resume" in refused.err
    assert [(row["tag"], row["description"]) for row in world.rows("tags")] == tags
    if how != "gone":
        assert listed(world)[0]["result"] == "interrupted"
        assert "it died" in world.cli("runs", "show").out
    shown = json.loads(world.cli("runs", "show", "--format", "json").out)
    assert {step["address"]: step["result"] for step in shown["steps"]} == {
        "tag.vip": "done",
        "tag.gone": "done",
        "tag.fresh": "done",
    }
    closed = world.cli(*closing)
    assert closed.code == 0, closed.text
    assert listed(world)[0]["result"] == "complete"
    undone = world.cli("undo", "--auto-approve")
    assert undone.code == 0, undone.text
    assert sorted((row["tag"], row["description"]) for row in world.rows("tags")) == [("gone", ""), ("vip", "Old")]


def test_a_run_that_sent_nothing_is_closed_as_that(world: World) -> None:
    """Killed between its record and its first step: nothing is lost, and the run before is undone after a word."""
    world.write("tags: {vip: {}}")
    world.apply()
    world.write("tags: {vip: {}, gold: {}}")
    with dying_disk(2, after=False), pytest.raises(Killed):
        world.apply()
    assert world.cli("undo", "--auto-approve").code == 7
    assert world.rows("tags") != []
    resumed = world.cli("runs", "resume", "--auto-approve")
    assert resumed.code == 0, resumed.text
    assert sorted(row["tag"] for row in world.rows("tags")) == ["gold", "vip"]


def test_an_undo_of_a_part_is_followed_by_one_of_the_rest(world: World) -> None:
    """Whether the part was chosen, or the rest was refused, as where the account does not tell what it would change:
    only when all of it was undone is the run told as undone.
    """
    reader = {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "You signed up."}
    for text, groups in (("before", ["Admin"]), ("after", ["Admin", "Clients"])):
        news = {**reader, "user_groups": [{"name": name} for name in groups]}
        world.write({"tags": {"a": {"description": text}, "b": {"description": text}}, "lists": {"news": news}})
        world.apply()
    world.behave(forbidden=("listGroups",))
    for line, code in ((("--target", "tag.a"), 0), ((), 7), ((), 7)):
        ran = world.cli("undo", "--auto-approve", *line)
        assert (ran.code, "undone already" in ran.out) == (code, False), ran.text
    assert {row["description"] for row in world.rows("tags")} == {"before"}
    world.behave(forbidden=())
    assert "1 changed" in world.cli("undo", "--auto-approve").out
    assert "is undone already" in world.cli("undo", "--auto-approve").out

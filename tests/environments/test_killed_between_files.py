"""A command that is killed between two of the files that it writes leaves a configuration that the next one finishes,
whichever it is: what belongs together is written as one edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import edits
from reconciler.store.atomic import write_file
from tests.world import TWO_ACCOUNTS, World, new_world

FILES = {
    "config/a.yaml": """\
        lists: {l: {name: L, string_id: l, sender_url: "https://e.org", sender_reminder: R}}
        field_groups: {g: {object: contact, label: G, fields: [seen]}}
    """,
    "config/b.yaml": "fields: {seen: {title: Seen, type: text, lists: [l]}}\n",
    "config/c.yaml": "tags: {t: {name: T, description: mine}}\n",
    "config/d.yaml": "tags: {u: {name: U}}\n",
}
"""Files of which a and b need each other both ways."""
TESTS = """\
tests:
  {name}:
    run: {{command: plan}}
    expect:
      exit_code: 7
"""
LOOKS = ("validate", "graph")
"""What may come first after the kill; it finds whole files."""


class Killed(BaseException):
    """The process is no more."""


def killed_at(patch: pytest.MonkeyPatch, nth: int) -> list[str]:
    """Let a process die when it is about to do what it does nth to the disk; returns what it has done."""
    done: list[str] = []

    def dying(real: Callable[..., Any], what: Callable[..., str]) -> Callable[..., Any]:
        def called(*args: Any, **more: Any) -> Any:
            if len(done) == nth:
                raise Killed
            done.append(what(*args))
            return real(*args, **more)

        return called

    patch.setattr(edits, "write_file", dying(write_file, lambda path, content: path.name))
    patch.setattr(edits, "_done", dying(edits._done, lambda folder: "done"))
    for module, name in (("export.exporting", "bind_exported"), ("drift.absorbing", "_remember")):
        place = f"reconciler.workflow.{module}"
        patch.setattr(f"{place}.{name}", dying(getattr(__import__(place, fromlist=[name]), name), lambda *a: "state"))
    return done


def exchanged(world: World) -> None:
    """Let somebody exchange two names of the account, and say something else of what is in a third file."""
    rows = {row["tag"]: row for row in world.account.rows.all("tags") if row["tag"] in ("T", "U")}
    world.account.rows.put("tags", rows["T"]["id"], {**rows["T"], "tag": "U"})
    world.account.rows.put("tags", rows["U"]["id"], {**rows["U"], "tag": "T"})
    (field,) = (one for one in world.account.rows.all("fields") if one["title"] == "Seen")
    world.account.rows.put("fields", field["id"], {**field, "title": "Seen by them"})


def emptied(world: World) -> None:
    """Let the files know nothing of what the account holds."""
    world.write("field_groups: {}\n", "config/a.yaml")
    world.write("fields: {}\n", "config/b.yaml")
    world.write("tags: {t: {name: T, description: other}}\n", "config/c.yaml")
    world.write("lists: {}\ntags: {u: {name: U, description: more}}\n", "config/d.yaml")


def promoted(world: World) -> None:
    """Let the files lack what another environment has, of which a promotion was made before."""
    assert world.cli("promote", "--from", "b", "--to", "a").code == 0  # its salt stays from here on
    emptied(world)


def untidy(world: World) -> None:
    """Let the files be in no canonical form."""
    for name in ("a", "b", "c"):
        world.write("tags:   {z%s:   {name:   Z%s}}\n" % (name, name), f"config/{name}.yaml")  # noqa: UP031


def wrong(world: World) -> None:
    """Let tests expect what does not come."""
    for name in ("one", "two"):
        world.write(TESTS.format(name=name), f"tests/{name}.yaml")


COMMANDS: dict[str, tuple[Callable[[World], None], tuple[str, ...]]] = {
    "drift --absorb": (exchanged, ("-e", "a", "drift", "--absorb")),
    "export": (emptied, ("-e", "a", "export")),
    "promote": (promoted, ("promote", "--from", "b", "--to", "a")),
    "fmt": (untidy, ("fmt",)),
    "test --update": (wrong, ("test", "--update")),
}
"""Every command that writes several files of a project, with what gives it something to write."""


def held(folder: Path) -> dict[str, bytes]:
    """Return the files of a project: its own, and its states."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in (".yaml", ".json"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def put_back(folder: Path, files: dict[str, bytes]) -> None:
    """Let a project have these files and no others."""
    for name in held(folder).keys() - files.keys():
        (folder / name).unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def said(folder: Path) -> dict[str, bytes]:
    """Return the files that people read."""
    return {name: content for name, content in held(folder).items() if not name.startswith("state/")}


@pytest.fixture(name="world")
def two_accounts(tmp_path: Path) -> Iterator[World]:
    """A project of two accounts that are alike."""
    with new_world(tmp_path) as world:
        world.begin_with(_applied)
        yield world


def _applied(world: World) -> None:
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    for name, text in FILES.items():
        world.write(text, name)
    for name in ("a", "b"):
        assert world.cli("-e", name, "apply", "--auto-approve", "-q").code == 0


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.prove)], ids=["some", "every"])
@pytest.mark.parametrize("command", COMMANDS)
def test_wherever_it_is_killed_the_next_command_finishes(
    world: World, command: str, monkeypatch: pytest.MonkeyPatch, *, every: bool
) -> None:
    """Killed before each of its steps: the next command finds all of the files as they were or as they are to be, and
    the command again ends with the same bytes as one that nobody disturbed. A run tries two, a long one all.
    """
    prepare, words = COMMANDS[command]
    prepare(world)
    before, read = held(world.folder), said(world.folder)
    with monkeypatch.context() as patch:
        whole = killed_at(patch, 99)
        ran = world.cli(*words)
    assert ran.code == 0, ran.text
    after = said(world.folder)
    assert whole[0] == ".edits.json", whole
    assert whole.index("done") > 2, whole
    last = whole.index("done") - 1
    for count in range(len(whole)) if every else (1, last):
        put_back(world.folder, before)
        with monkeypatch.context() as patch:
            steps = killed_at(patch, count)
            with pytest.raises(Killed):
                world.cli(*words)
        assert steps == whole[:count]
        looked = world.cli("-e", "a", LOOKS[count % 2])
        assert looked.code == 0, (steps, looked.text)
        assert said(world.folder) == (after if steps else read), steps
        assert ("finished what a killed command had begun" in looked.err) == (1 <= count <= last)
        again = world.cli(*words)
        assert again.code == 0, again.text
        assert said(world.folder) == after, steps


@pytest.mark.parametrize("nth", [1, 4, 6, *(pytest.param(n, marks=pytest.mark.prove) for n in (0, 2, 3, 5, 7, 8, 9))])
def test_a_project_that_an_export_begins_is_finished_too(
    world: World, nth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before any of the files of a new project: the command again ends with the same ones."""
    words = ("-e", "a", "export", "--out")
    assert world.cli(*words, str(tmp_path / "whole")).code == 0
    written: list[str] = []

    def dies(path: Path, content: bytes, **more: Any) -> None:
        if len(written) == nth:
            raise Killed
        written.append(path.name)
        write_file(path, content, **more)

    with monkeypatch.context() as patch:
        for module in ("store.edits", "workflow.init"):
            patch.setattr(f"reconciler.{module}.write_file", dies)
        with pytest.raises(Killed):
            world.cli(*words, str(tmp_path / "begun"))
    assert world.cli(*words, str(tmp_path / "begun")).code == 0
    assert said(tmp_path / "begun") == said(tmp_path / "whole"), written

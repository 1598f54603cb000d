"""Files of a project are written as one edit, which the next command finishes, and which reaches no farther."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from reconciler.config import outside
from reconciler.model.errors import ReconcilerError
from reconciler.store import edits
from reconciler.store.atomic import write_file
from reconciler.store.edits import JOURNAL, finish, write_files

BEFORE = {"a.yaml": "a: 1\n", "b.yaml": "b: 1\n", "c.yaml": "c: 1\n"}
AFTER = {"a.yaml": "a: 2\n", "b.yaml": "b: 2\n", "new.yaml": "n: 2\n"}


class Killed(BaseException):
    """The process is no more."""


@pytest.fixture(name="folder")
def half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which one of three files is written, and a journal."""
    for name, text in BEFORE.items():
        (tmp_path / name).write_text(text)

    def dies(path: Path, content: bytes, *, mode: int | None = None) -> None:
        if path.name == "b.yaml":
            raise Killed
        write_file(path, content, mode=mode)

    with monkeypatch.context() as patch:
        patch.setattr(edits, "write_file", dies)
        with pytest.raises(Killed):
            write_files(tmp_path, AFTER, BEFORE)
    assert texts(tmp_path) == {**BEFORE, "a.yaml": AFTER["a.yaml"]}
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a folder."""
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.yaml")}


def test_what_was_begun_is_finished_once(folder: Path) -> None:
    """The rest is written, the journal goes, and nothing is told twice."""
    done = finish(folder, outside)
    assert (done.files, done.left) == (("b.yaml", "new.yaml"), ())
    assert texts(folder) == {**BEFORE, **AFTER}
    assert not (folder / JOURNAL).exists()
    assert str(finish(folder, outside)) == ""


@pytest.mark.parametrize("name", ["a.yaml", "b.yaml", "new.yaml"])
def test_what_somebody_has_changed_since_stays(folder: Path, name: str) -> None:
    """Whether it was written before the kill or not: it is left as it is, by name, and the others are finished."""
    (folder / name).write_text("mine\n")
    done = finish(folder, outside)
    assert done.left == (name,)
    assert f"{name}: changed since a command was killed" in str(done)
    assert texts(folder) == {**BEFORE, **AFTER, name: "mine\n"}


def test_a_writer_that_finds_a_journal_writes_nothing(folder: Path) -> None:
    """It has read files that were half written."""
    before = texts(folder)
    with pytest.raises(ReconcilerError, match="a command was killed while it wrote files"):
        write_files(folder, {"c.yaml": "c: 3\n"}, BEFORE)
    assert texts(folder) == before


ENTRY = '{"was": "", "text": ""}'


@pytest.mark.parametrize(
    "content",
    ["", "[]", "[" * 100_000, "{", '{"a.yaml": 1}', '{"a.yaml": {"was": ""}}', "\xff",
     f'{{"a\\u0000.yaml": {ENTRY}}}', f'{{"a\\ud800.yaml": {ENTRY}}}'],
)  # fmt: skip
def test_what_is_no_journal_is_told(folder: Path, content: str) -> None:
    """As an error with its place; nothing is written."""
    (folder / JOURNAL).write_bytes(content.encode("latin-1"))
    with pytest.raises(ReconcilerError, match=r"\.edits\.json is not an edit"):
        finish(folder, outside)
    assert texts(folder) == {**BEFORE, "a.yaml": AFTER["a.yaml"]}


@pytest.mark.parametrize("bad", ["a.yaml", "b.yaml", "new.yaml"])
def test_what_cannot_be_written_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    """Otherwise every later command would fail over the file that cannot be written."""
    for name, text in BEFORE.items():
        (tmp_path / name).write_text(text)

    def fails(path: Path, content: bytes, *, mode: int | None = None) -> None:
        if path.name == bad:
            raise PermissionError(13, "Permission denied", str(path))
        write_file(path, content, mode=mode)

    monkeypatch.setattr(edits, "write_file", fails)
    with pytest.raises(PermissionError):
        write_files(tmp_path, AFTER, BEFORE)
    assert texts(tmp_path) == BEFORE
    assert not (tmp_path / JOURNAL).exists()
    monkeypatch.undo()
    assert write_files(tmp_path, AFTER, BEFORE) == tuple(AFTER)


def test_a_folder_that_may_not_be_read_takes_the_whole_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name cannot be put onto the disk by itself; the file was written all the same, and is not an error."""
    real = os.open

    def unreadable(path: str | Path, flags: int, *rest: int, **more: int) -> int:
        if flags == os.O_RDONLY and Path(path) == tmp_path / "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr("reconciler.store.atomic.os.open", unreadable)
    after = {"a.yaml": "a: 1\n", "deep/b.yaml": "b: 1\n"}
    assert write_files(tmp_path, after, {}) == tuple(after)
    monkeypatch.undo()
    assert {name: (tmp_path / name).read_text() for name in after} == after


def test_what_cannot_be_taken_back_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full takes the old text as little as the new one."""
    for name, text in BEFORE.items():
        (tmp_path / name).write_text(text)
    writes: list[str] = []

    def fills(path: Path, content: bytes, *, mode: int | None = None) -> None:
        writes.append(path.name)
        if len(writes) > 2:
            raise OSError(28, "No space left on device", str(path))
        write_file(path, content, mode=mode)

    monkeypatch.setattr(edits, "write_file", fills)
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path, AFTER, BEFORE)
    assert writes == [Path(JOURNAL).name, "a.yaml", "b.yaml", "a.yaml"]
    monkeypatch.undo()
    assert finish(tmp_path, outside).files == ("b.yaml", "new.yaml")


def test_an_edit_that_can_never_be_finished_can_be_given_up(folder: Path) -> None:
    """The error says how, and what is written already; the text of the rest is where it says."""
    (folder / "new.yaml").mkdir()
    with pytest.raises(ReconcilerError) as caught:
        finish(folder, outside)
    assert caught.value.hint is not None
    assert (
        f"move {folder / JOURNAL} away (a.yaml, b.yaml are written; it holds the text of each, and the one `before`)"
        in caught.value.hint
    )
    (folder / JOURNAL).rename(folder / "aside.json")
    assert str(finish(folder, outside)) == ""
    aside = json.loads((folder / "aside.json").read_text())
    assert {name: entry["text"] for name, entry in aside.items()} == AFTER
    assert {name: entry["before"] for name, entry in aside.items()} == {name: BEFORE.get(name) for name in AFTER}


def test_names_of_any_bytes_are_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be named in another encoding than UTF-8."""
    name = os.fsdecode(b"\xff.yaml")
    monkeypatch.setattr(edits, "_done", lambda folder: None)
    write_files(tmp_path, {name: "a: 1\n", "b.yaml": "b: 1\n"}, {})
    monkeypatch.undo()
    (tmp_path / name).unlink()
    assert finish(tmp_path, outside).files == (name,)
    assert (tmp_path / name).read_text() == "a: 1\n"


def test_a_folder_in_the_place_of_a_file_is_named(folder: Path) -> None:
    """By its path, not by the number of a descriptor."""
    (folder / "new.yaml").mkdir()
    with pytest.raises(ReconcilerError, match=r"new\.yaml cannot be written to finish that: Is a directory"):
        finish(folder, outside)


@pytest.mark.parametrize("name", ["../out.yaml", "/{outer}/out.yaml", "link/out.yaml", ".git/hooks/post-checkout"])
def test_a_journal_reaches_no_farther_than_the_project(folder: Path, name: str) -> None:
    """A journal may come with a branch that somebody proposes; what it names besides is not written either."""
    inner = folder / "project"
    (inner / ".git/hooks").mkdir(parents=True)
    (inner / "link").symlink_to(folder)
    name = name.format(outer=str(folder).lstrip("/"))
    (inner / "state").mkdir()
    journal = {one: {"was": "", "text": "theirs"} for one in ("fine.yaml", name)}
    (inner / JOURNAL).write_text(json.dumps(journal))
    (inner / JOURNAL).chmod(0o600)
    with pytest.raises(ReconcilerError, match="would write"):
        finish(inner, outside)
    assert not (folder / "out.yaml").exists()
    assert sorted(path.name for path in inner.iterdir()) == [".git", "link", "state"]
    assert list((inner / ".git/hooks").iterdir()) == []


@pytest.mark.parametrize("how", ["checked out", "a link", "a folder"])
def test_a_journal_that_came_with_the_files_is_not_believed(folder: Path, how: str) -> None:
    """A branch may bring one: it would change files that nobody reviewed as such."""
    place = folder / JOURNAL
    if how == "checked out":
        place.chmod(0o644)
    else:
        place.rename(folder / "real")
        place.symlink_to(folder / "real") if how == "a link" else place.mkdir()
    with pytest.raises(ReconcilerError, match="not an edit that this user began"):
        finish(folder, outside)
    assert texts(folder) == {**BEFORE, "a.yaml": AFTER["a.yaml"]}


def test_a_second_writer_waits_a_bounded_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the folder; then it is told."""
    waited: list[float] = []
    monkeypatch.setattr("reconciler.store.alone.time.sleep", waited.append)
    holder = os.open(folder, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(ReconcilerError, match="another command is writing files"):
        finish(folder, outside)
    assert 5 < sum(waited) <= 10
    os.close(holder)
    assert finish(folder, outside).files == ("b.yaml", "new.yaml")


def test_no_folder_is_left_where_there_was_none(tmp_path: Path) -> None:
    """A project whose state is elsewhere gets no folder for the journal; one that it has stays."""
    write_files(tmp_path, AFTER, {})
    assert not (tmp_path / "state").exists()
    (tmp_path / "state").mkdir()
    write_files(tmp_path, BEFORE, AFTER)
    assert (tmp_path / "state").is_dir()
    assert texts(tmp_path) == {**AFTER, **BEFORE}


@pytest.mark.parametrize("names", [("a/new.yaml", "b/c/bad.yaml"), ("b/c/bad.yaml",)])
def test_an_edit_that_is_taken_back_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """Neither that of the journal nor those of new files, however many were written; what was there stays."""
    (tmp_path / "b").mkdir()

    def fails(path: Path, content: bytes, *, mode: int | None = None) -> None:
        if path.name == "bad.yaml":
            path.parent.mkdir(parents=True, exist_ok=True)
            raise OSError(28, "No space left on device", str(path))
        write_file(path, content, mode=mode)

    monkeypatch.setattr(edits, "write_file", fails)
    with pytest.raises(OSError, match="No space left"):
        write_files(tmp_path, dict.fromkeys(names, "n: 1\n"), {})
    assert [path.name for path in tmp_path.rglob("*")] == ["b"]


def test_one_file_needs_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is whole as it is, and what says the same as before is not written at all."""
    names: list[str] = []
    monkeypatch.setattr(edits, "write_file", lambda path, content: names.append(path.name))
    (tmp_path / "a.yaml").write_text("a: 1\n")
    write_files(tmp_path, {"a.yaml": "a: 1\n", "b.yaml": "b: 2\n"}, {"a.yaml": "a: 1\n"})
    assert names == ["b.yaml"]

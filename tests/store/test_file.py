"""The local file: atomic, private, and undisturbed by what a crash or a full disk leaves."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.model.errors import LockHeld, StateError
from reconciler.store import StoreOptions, open_store, sqlite
from reconciler.store.documents import DocumentStore
from reconciler.store.process import identity, is_dead
from tests.store.conftest import info
from tests.store.test_conformance import bind, state
from tests.world.clock import jumping_clock


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    """A store in a file that does not exist yet."""
    return open_store("file:state/prod.json", tmp_path, StoreOptions())


def test_everything_is_readable_by_its_owner_only(store: DocumentStore, tmp_path: Path) -> None:
    """State, backup, journal, lock and history are private whatever the umask."""
    old = os.umask(0)
    try:
        with store.lock(info()):
            store.write(state(1), expected_serial=None)
            store.write(state(2), expected_serial=1)
            store.append([bind("a")])
    finally:
        os.umask(old)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and path.name != "prod.json.busy"]
    assert {path.name for path in files} >= {"prod.json", "prod.json.backup", "prod.json.journal", "prod.json.lock"}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_files_of_others_and_damaged_versions_hide_no_history(store: DocumentStore, tmp_path: Path) -> None:
    """What a file manager leaves there is passed over; a version that is damaged is listed as that."""
    for serial in range(1, 5):
        store.write(state(serial, "a"), expected_serial=serial - 1 or None)
    folder = tmp_path / "state/prod.json.history"
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / "00000002.json").write_bytes(b"{")
    found = store.history()
    assert [(one.serial, one.resources, bool(one.problem)) for one in found] == [
        (1, 1, False),
        (2, None, True),
        (3, 1, False),
    ]
    (tmp_path / "state/prod.json").write_bytes(b"{")
    with pytest.raises(StateError, match="corrupt") as damaged:
        store.read()
    assert "state restore 3" in damaged.value.hint


def test_the_version_before_is_kept_beside(store: DocumentStore, tmp_path: Path) -> None:
    """The backup is the version before, byte for byte."""
    store.write(state(1, "a"), expected_serial=None)
    before = (tmp_path / "state/prod.json").read_bytes()
    store.write(state(2), expected_serial=1)
    assert (tmp_path / "state/prod.json.backup").read_bytes() == before


def test_a_half_written_record_is_as_if_never_written(store: DocumentStore, tmp_path: Path) -> None:
    """A crash in the middle of a line loses that line only, and the next run writes on behind the whole ones."""
    store.append([bind("a")])
    journal = tmp_path / "state/prod.json.journal"
    with journal.open("ab") as stream:
        stream.write(b'{"op":"bind","address":"tag.b","bind')
    again = open_store("file:state/prod.json", tmp_path, StoreOptions())
    assert [record.address for record in again.journal()] == ["tag.a"]
    again.append([bind("c")])
    assert [record.address for record in again.journal()] == ["tag.a", "tag.c"]


def test_a_journal_damaged_in_the_middle_is_an_error(store: DocumentStore, tmp_path: Path) -> None:
    """A line that no crash explains is never passed over."""
    store.append([bind("a"), bind("b")])
    journal = tmp_path / "state/prod.json.journal"
    journal.write_bytes(journal.read_bytes().replace(b'{"op"', b'{"oops"', 1))
    with pytest.raises(StateError, match="corrupt in line 1"):
        store.journal()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_fails_loses_nothing(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """With a full, failing or read-only disk every write is an error that says so, and all that was there stays."""
    store.write(state(1, "a"), expected_serial=None)
    store.append([bind("a")])

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(StateError, match=f"cannot be written: {os.strerror(code)}"):
            store.write(state(2), expected_serial=1)
        with pytest.raises(StateError, match=f"cannot be written: {os.strerror(code)}"):
            store.append([bind("b")])
    found = store.read()
    assert found is not None
    assert found.serial == 1
    assert [record.address for record in store.journal()] == ["tag.a", "tag.b"], "what could not be written waits"
    store.append([bind("c")])
    names = [one.address for one in open_store(store.where, Path(), StoreOptions()).journal()]
    assert names == ["tag.a", "tag.b", "tag.c"]


def test_a_lock_file_of_an_earlier_version_does_not_disturb(store: DocumentStore, tmp_path: Path) -> None:
    """Version 0.1 left an empty lock file behind; it means that nobody holds the lock."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state/prod.json.lock").touch()
    with open_store("file:state/prod.json", tmp_path, StoreOptions(clock=jumping_clock())).lock(info()):
        assert store.holder() is not None


def test_the_lock_of_a_killed_process_is_free_at_once(store: DocumentStore, tmp_path: Path) -> None:
    """On the same machine nobody waits for the lease of a process that is surely dead; a living one keeps its lock."""
    script = (
        "import sys, time; from pathlib import Path; from reconciler.store import StoreOptions, open_store;"
        "from tests.store.conftest import info\n"
        f"with open_store('file:state/prod.json', Path({str(tmp_path)!r}), StoreOptions()).lock(info('killed')):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeld, match="killed on host"), store.lock(info()):
            pass
        holder.send_signal(signal.SIGKILL)
    with store.lock(info("next")) as hold:
        assert hold.fence == 2


def test_processes_are_told_apart() -> None:
    """Our own process lives; one that ended is dead; of another machine's nothing is known."""
    me = identity()
    if not me:
        pytest.skip("this system has no /proc")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_dead(me)
    assert is_dead(me.rpartition("/")[0] + "/1")
    assert is_dead("/".join([*me.split("/")[:-2], str(ended.pid), "77"]))
    assert not is_dead(me.replace(me[:8], "ffffffff"))
    assert not is_dead("")


def test_the_lock_says_who_holds_it(store: DocumentStore, tmp_path: Path) -> None:
    """The lock file is plain JSON with owner, host, process, lease and generation, for people to read."""
    with store.lock(info("jane")):
        found = json.loads((tmp_path / "state/prod.json.lock").read_text("utf-8"))
    assert (found["owner"], found["host"], found["fence"]) == ("jane", "host", 1)
    assert found["expires"] > "2026"


def test_an_sqlite_file_that_another_process_has_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped in the middle of a write has the file until it goes on."""
    monkeypatch.setattr(sqlite, "PATIENCE", 0.0)
    shelf = sqlite.SqliteBlobStore(tmp_path / "state.db")
    shelf.put("lock", b"one", None)
    with contextlib.closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as frozen:
        frozen.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="database is locked") as refused:
            shelf.get("lock")
    assert "look for a stopped or hanging reconciler" in refused.value.hint

"""Every file that a command writes is whole: the old one or the new one, whatever happens in between."""

from __future__ import annotations

import ast
import contextlib
import errno
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import atomic
from reconciler.store.atomic import write_file

PACKAGE = Path(atomic.__file__).parents[1]
STEPS = ("mkstemp", "chmod", "write", "fsync", "close", "replace", "unlink", "open")
"""What the writer asks of the system, in no order: each call of each is a place to die at."""
ELSEWHERE = {
    "store/atomic.py": "the writer",
    "store/file.py": "appends to journals under a lock",
    "store/probefile.py": "appends to the journal of a probe under a lock",
    "store/sqlite.py": "makes the file that SQLite writes, private",
    "workflow/opening/trusted_limits.py": "a copy in a folder that is removed at once",
    "cli/program.py": "the null device",
    "cli/streams.py": "the null device",
}


class Died(BaseException):
    """The process is killed: nothing that follows is done, handlers included."""


class Dying:
    """Counts what is asked of the system, and fails at the nth: by an error, or by being killed."""

    def __init__(self, nth: int, error: OSError | None) -> None:
        self.nth, self.error, self.seen, self.dead = nth, error, 0, False

    def wrap(self, real: Callable[..., Any], *, half: bool) -> Callable[..., Any]:
        def called(*args: Any, **options: Any) -> Any:
            if self.dead:
                raise Died
            self.seen += 1
            if self.seen != self.nth:
                return real(*args, **options)
            if half:
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            if self.error is not None:
                raise self.error
            self.dead = True
            raise Died

        return called


@pytest.mark.parametrize("there", [True, False], ids=["over an old one", "a new one"])
@pytest.mark.parametrize(
    "error", [None, OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O error")], ids=str
)
def test_a_file_is_old_or_new_wherever_its_writer_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError | None, there: bool
) -> None:
    """Killed, or out of space, at each call; an error leaves nothing behind besides."""
    path = tmp_path / "a.yaml"
    for count in range(1, 100):
        path.unlink(missing_ok=True)
        if there:
            path.write_bytes(b"old")
        if not fails_at(count, path, error, monkeypatch):
            break
        assert path.read_bytes() in (b"old", b"new" * 99) if path.exists() else not there, count
        if error is not None:
            assert sorted(tmp_path.iterdir()) in ([], [path]), count
    assert count > 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_an_error_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, as a file of which a part was written, knows its number only."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_file(Path("/dev/full"), b"new")
    dying = Dying(1, OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(os, "write", dying.wrap(os.write, half=True))
    with pytest.raises(OSError, match=r"No space left on device: '.*/a\.yaml'"):
        write_file(tmp_path / "a.yaml", b"new")


def fails_at(nth: int, path: Path, error: OSError | None, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Write the file, failing at the nth call; whether there were so many."""
    dying = Dying(nth, error)
    with monkeypatch.context() as patch:
        for name in STEPS:
            module = tempfile if name == "mkstemp" else os
            patch.setattr(module, name, dying.wrap(getattr(module, name), half=name == "write"))
        with contextlib.suppress(Died, OSError):
            write_file(path, b"new" * 99)
    return dying.seen >= nth


def test_modes_and_links_are_kept(tmp_path: Path) -> None:
    """What a link points to is written; the mode is the old file's, the caller's, or the umask's."""
    real, link, dangling = tmp_path / "real", tmp_path / "link", tmp_path / "dangling"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_file(link, b"new")
    assert link.is_symlink()
    assert (real.read_bytes(), stat.S_IMODE(real.stat().st_mode)) == (b"new", 0o640)
    write_file(link, b"private", mode=0o600)
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    dangling.symlink_to(tmp_path / "deep/target")
    old = os.umask(0o027)
    try:
        write_file(dangling, b"made")
    finally:
        os.umask(old)
    assert (tmp_path / "deep/target").read_bytes() == b"made"
    assert stat.S_IMODE((tmp_path / "deep/target").stat().st_mode) == 0o640


def test_pipes_and_devices_are_written_as_they_are(tmp_path: Path) -> None:
    """`--out /dev/stdout`, `--out >(jq)`: there is nothing to rename."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_file(pipe, b"x" * 100_000)
    reader.join(10)
    assert got == [b"x" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_file(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_that_must_be_new(tmp_path: Path) -> None:
    """Archives are never written over."""
    path = tmp_path / "a"
    write_file(path, b"1", fresh=True)
    with pytest.raises(FileExistsError):
        write_file(path, b"2", fresh=True)
    assert path.read_bytes() == b"1"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_is_removed_in_time(tmp_path: Path) -> None:
    """An attempt of an hour ago is nobody's; a younger one may be somebody's."""
    path = tmp_path / "a.json"
    left, young, other = (tmp_path / name for name in (".a.json.1.new", ".a.json.2.new", ".b.json.1.new"))
    for one in (left, young, other):
        one.touch()
    for one in (left, other):
        os.utime(one, (0, 0))
    write_file(path, b"1")
    assert sorted(tmp_path.iterdir()) == sorted([path, young, other])


@pytest.mark.parametrize("folders", [1, 3])
def test_a_folder_of_many_files_is_looked_through_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: int
) -> None:
    """A fleet keeps the states of thousands of accounts in one folder, and writes each of them several times."""
    looked: list[str] = []

    def noted(listing: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def look(path: Any) -> Any:
            looked.append(str(path))
            return listing(path)

        return look

    monkeypatch.setattr(os, "listdir", noted(os.listdir))
    monkeypatch.setattr(os, "scandir", noted(os.scandir))
    monkeypatch.setattr("reconciler.store.atomic.time.time", lambda: 1_800_000_000.0)
    for at in range(30):
        write_file(tmp_path / str(at % folders) / f"{at}.json", b"1")
    assert sorted(looked) == [str(tmp_path / str(at)) for at in range(folders)]
    monkeypatch.setattr("reconciler.store.atomic.time.time", lambda: 1_800_000_000.0 + 3600)
    write_file(tmp_path / "0" / "0.json", b"2")
    assert len(looked) == folders + 1, "what was left since then would stay"


def _writes(node: ast.AST) -> bool:
    """Whether a node writes a file another way."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "truncate", "ftruncate"):
        return True
    if name == "rename" and isinstance(node.func, ast.Attribute):  # of os or a path; a function may be called so, too
        return True
    owner = getattr(getattr(node.func, "value", None), "id", "") if isinstance(node.func, ast.Attribute) else ""
    if owner == "os" and name in ("replace", "open", "link"):
        return any(flag in ast.unparse(node) for flag in ("O_WRONLY", "O_RDWR")) or name != "open"
    modes = [one for one in (*node.args, *(word.value for word in node.keywords)) if isinstance(one, ast.Constant)]
    return name in ("open", "fdopen") and any(
        set(str(mode.value)) & set("wax+") for mode in modes if len(str(mode.value)) < 4
    )


def test_nobody_writes_files_another_way() -> None:
    """The emulator's account is a database of SQLite's; everything else goes through one function."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("emulator/") and any(
            _writes(node) for node in ast.walk(ast.parse(path.read_text("utf-8")))
        ):
            found.add(name)
    assert found <= set(ELSEWHERE), found - set(ELSEWHERE)
    assert {"store/atomic.py", "store/file.py"} <= found

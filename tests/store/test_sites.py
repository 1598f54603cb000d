"""Pages that belong together are the earlier ones or the new ones, wherever their writer is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import Shown
from reconciler.store.alone import alone
from reconciler.store.sites import check_site, write_site
from tests.store.test_atomic import Died, Dying

MARK = "<!-- ours -->"
STEPS = {
    os: ("chmod", "write", "replace", "unlink", "symlink", "mkdir", "rmdir"),
    tempfile: ("mkstemp", "mkdtemp"),
    shutil: ("rmtree",),
}
"""What the writer asks of the system, each call a place to die at. A dead process holds no lock: files are closed."""


def site(said: str, *names: str) -> dict[str, Shown]:
    """Return pages by their names, each with what it says."""
    return {name: Shown(f"{MARK}{said} {name}") for name in ("index.html", *names)}


OLD = site("old", "gone.html", "accounts/gone.html")
NEW = site("new", "more.html", "accounts/more.html")


def write(folder: Path, pages: Mapping[str, Shown]) -> int:
    """As commands write pages."""
    check_site(folder, MARK)
    return write_site(folder, pages, pages.__getitem__, MARK)


def flat(folder: Path, pages: Mapping[str, Shown]) -> int:
    """As earlier versions wrote pages: plain files."""
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return len(pages)


def half(folder: Path, pages: Mapping[str, Shown]) -> int:
    """As a run left it that was killed while it made links of plain files."""
    flat(folder, pages)
    flat(folder / "site-half", pages)
    os.symlink("site-half", folder / "current")
    (folder / "gone.html").unlink()
    os.symlink("current/gone.html", folder / "gone.html")
    return len(pages)


def copied(folder: Path, pages: Mapping[str, Shown]) -> int:
    """A copy of a folder in which every link became what it leads to."""
    write(folder.with_name("first"), pages)
    shutil.copytree(folder.with_name("first"), folder)
    return len(pages)


def seen(folder: Path) -> dict[str, str]:
    """What a reader can open: pages by the names that links have."""
    names = [path.relative_to(folder).as_posix() for path in (*folder.glob("*.html"), *folder.glob("accounts/*.html"))]
    return {name: (folder / name).read_text("utf-8") for name in names if (folder / name).exists()}


def everything(folder: Path) -> list[str]:
    """All that is there but the one folder of the pages and what leads to it."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    kept = os.readlink(folder / "current")
    inner = {path.relative_to(folder).as_posix() for path in (folder / kept).rglob("*")}
    return sorted(names - inner - {kept, "current"} - {name for name in names if name.startswith("current/")})


@pytest.mark.parametrize(
    "before",
    [None, flat, write, *(pytest.param(made, marks=pytest.mark.prove) for made in (half, copied))],
    ids=lambda made: getattr(made, "__name__", "new"),
)
def test_a_reader_sees_the_earlier_pages_or_the_new_ones_wherever_the_writer_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Callable[[Path, Mapping[str, Shown]], int] | None
) -> None:
    """At each call; the next run ends with the new ones and leaves nothing over."""
    counts = {False: 0, True: 0}
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # no power fails here
    for nth in range(1, 1000):
        folder = tmp_path / str(nth) / "book"
        if before is not None:
            before(folder, OLD)
        dying = Dying(nth, None)
        with monkeypatch.context() as patch:
            for module, names in STEPS.items():
                for name in names:
                    patch.setattr(module, name, dying.wrap(getattr(module, name), half=name == "write"))
            with contextlib.suppress(Died):
                write(folder, NEW)
        found = seen(folder) if folder.exists() else {}
        assert found in (NEW, OLD if before else {}), nth
        counts[found == NEW] += 1
        write(folder, NEW)
        assert seen(folder) == NEW
        assert everything(folder) == sorted([*NEW, "accounts"])
        shutil.rmtree(folder.parent)
        if dying.seen < nth:
            break
    assert counts[False] > 12
    assert counts[True] > (3 if before else 1)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_earlier_pages_stay_where_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """And of the new ones nothing is left."""
    folder = tmp_path / "book"
    write(folder, OLD)
    there = everything(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", Dying(3, OSError(code, os.strerror(code))).wrap(os.write, half=True))
        with pytest.raises(OSError, match=os.strerror(code)):
            write(folder, NEW)
    assert (seen(folder), everything(folder)) == (OLD, there)


def test_the_folder_itself_stays(tmp_path: Path) -> None:
    """It may be a mount point, be served, be where a shell is, or be led to by a link."""
    folder, link = tmp_path / "book", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    inode = folder.stat().st_ino
    for pages in (OLD, NEW):
        assert write(link, pages) == 3
        assert (folder.stat().st_ino, link.is_symlink(), seen(folder)) == (inode, True, pages)
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.html")} == {0o600}


def test_without_links_pages_are_plain_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that has none: page by page, and nothing is left over."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "symlink", refuse)
    for pages in (OLD, NEW):
        write(tmp_path / "book", pages)
        assert seen(tmp_path / "book") == pages
        assert sorted(path.relative_to(tmp_path / "book").as_posix() for path in (tmp_path / "book").rglob("*")) == (
            sorted([*pages, "accounts"])
        )


@pytest.mark.parametrize("name", ["notes.txt", "page.html", "current", "site-x/notes.txt", ".page.html.x1.old"])
def test_files_of_somebody_else_are_left_alone(tmp_path: Path, name: str) -> None:
    """In a folder without pages of ours nothing is written; beside them what is no page stays."""
    folder = tmp_path / "book"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine", "utf-8")
    with pytest.raises(ReconcilerError, match="nothing was written"):
        write(folder, NEW)
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / name]
    flat(folder, OLD)
    with contextlib.suppress(ReconcilerError) if name == "current" else contextlib.nullcontext():
        write(folder, NEW)
    assert (folder / name).read_text("utf-8") == "mine"


def test_two_at_once_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits, and says so in the end."""
    monkeypatch.setattr("reconciler.store.alone.time.sleep", lambda seconds: None)
    (tmp_path / "book").mkdir()
    with alone(tmp_path / "book"), pytest.raises(ReconcilerError, match="another command is writing files"):
        write(tmp_path / "book", NEW)

"""A folder of pages that link to each other: written only where nothing else is, or earlier pages, and all at once.

The pages of a run lie in a folder of their own, `site-NAME`; `current` is a symbolic link to it, and each page of the
outer folder one to the page behind `current` (0411). So one rename changes all of them: a process that is killed
leaves the earlier pages or the new ones. The outer folder stays the same one: it may be a mount point, or be served.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import Shown
from reconciler.store.alone import alone
from reconciler.store.atomic import LINK, SUFFIX, link_to, move, sync_folder, write_file

INDEX = "index.html"
CURRENT, SITE = "current", "site-"
MOST = 100_000
"""Characters of a page in which what marks it has to stand."""
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
"""How file systems say that they have no symbolic links."""


def check_site(folder: Path, *markers: str) -> None:
    """Raise ReconcilerError where pages would be written among other files: the folder is not empty, and neither its
    index is of this program nor all that is there, which a killed run left without an index. Each page of this program
    holds one of the markers.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ReconcilerError(f"{folder} is a file", hint="name a folder that is new, or empty")
    if not _ours(folder / INDEX, markers) and not all(_left(path, markers) for path in folder.iterdir()):
        raise ReconcilerError(
            f"{folder} is not empty, and holds something else than such pages; nothing was written",
            hint="name a folder that is new, or empty",
        )


def write_site(folder: Path, pages: Collection[str], page: Callable[[str], Shown], *markers: str) -> int:
    """Write pages by their names (`index.html`, `accounts/a.html`), for their owner only, in place of the earlier ones
    of the folder, and remove what is left of those; return how many there are now. Raises OSError, and then the earlier
    pages are there; ReconcilerError where a page would be written over a file of another person.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        for name in [*pages, CURRENT]:
            _check_place(folder, name, markers)
        fresh = Path(tempfile.mkdtemp(prefix=SITE, dir=folder))
        try:
            for name in sorted(pages):
                write_file(fresh / name, page(name).encode("utf-8"), mode=0o600)
            try:
                _switch(folder, fresh, pages, markers)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                _move_in(folder, fresh, pages)
        except BaseException:
            if _target(folder / CURRENT) != fresh.name:
                shutil.rmtree(fresh, ignore_errors=True)
            raise
        _tidy(folder, pages, markers)
    return len(pages)


def _check_place(folder: Path, name: str, markers: Iterable[str]) -> None:
    """Raise ReconcilerError where something stands in the place of a page that is not one of ours."""
    path = folder / name
    if os.path.lexists(path) and not _left(path, markers):
        raise ReconcilerError(
            f"{path} is there already and is not such a page; nothing was written",
            hint="name a folder that is new, or empty",
        )


def _switch(folder: Path, fresh: Path, pages: Collection[str], markers: Iterable[str]) -> None:
    """Let the names of all pages lead through `current`, and that to the new ones: only the last step is seen."""
    plain = [path for path in _pages(folder) if not path.is_symlink() and _ours(path, markers)]
    if plain:  # of an earlier version, or where there were no links; behind `current` there is nothing then
        was = Path(tempfile.mkdtemp(prefix=SITE, dir=folder))
        for path in plain:
            write_file(was / path.relative_to(folder), path.read_bytes(), mode=0o600)
        for path in _pages(folder):
            if path.is_symlink() and (behind := folder / CURRENT / path.relative_to(folder)).is_file():
                write_file(was / path.relative_to(folder), behind.read_bytes(), mode=0o600)
        _point(folder, was)
    for name in dict.fromkeys([*(path.relative_to(folder).as_posix() for path in plain), *sorted(pages)]):
        target = "../" * name.count("/") + f"{CURRENT}/{name}"
        if _target(folder / name) != target:
            (folder / name).parent.mkdir(exist_ok=True)
            link_to(folder / name, target)
    sync_folder(folder)
    _point(folder, fresh)
    sync_folder(folder)


def _point(folder: Path, site: Path) -> None:
    current = folder / CURRENT
    if current.is_dir() and not current.is_symlink():  # a copy of the folder, made without links
        shutil.rmtree(current)
    link_to(current, site.name)


def _move_in(folder: Path, fresh: Path, pages: Collection[str]) -> None:
    """Where there are no links: page by page, the index last."""
    for name in sorted(pages, key=lambda name: (name == INDEX, name)):
        (folder / name).parent.mkdir(exist_ok=True)
        move(fresh / name, folder / name)
    sync_folder(folder)


def _tidy(folder: Path, pages: Collection[str], markers: Iterable[str]) -> None:
    """Remove pages that are none any more, and what earlier and killed runs left."""
    kept = _target(folder / CURRENT)
    for path in _pages(folder):
        if path.relative_to(folder).as_posix() not in pages and _left(path, markers):
            path.unlink()
    for path in folder.iterdir():
        if path.name.startswith(SITE) and path.name != kept and path.is_dir() and _left(path, markers):
            shutil.rmtree(path)
    for path in [*folder.glob(f".*{SUFFIX}"), *folder.glob(f"*/.*{SUFFIX}")]:
        if _unfinished(path):
            path.unlink()
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):
                path.rmdir()  # only where it is empty


def _pages(folder: Path) -> Iterator[Path]:
    """Yield the pages of a folder, and those one folder below that are none of a run."""
    for path in sorted([*folder.glob("[!.]*.html"), *folder.glob("[!.]*/[!.]*.html")]):
        inner = path.relative_to(folder).parts[0]
        if path.parent == folder or not (inner == CURRENT or inner.startswith(SITE)):
            yield path


def _left(path: Path, markers: Iterable[str]) -> bool:
    """Whether a run that wrote pages may have left this: a page, one that was not finished, a link to one, or a folder
    with nothing else in it.
    """
    if path.is_symlink():
        target = _target(path)
        if path.name == CURRENT:
            return target.startswith(SITE)
        behind = target.startswith((f"{CURRENT}/", f"../{CURRENT}/"))
        return _unfinished(path) or (behind and (not path.exists() or _ours(path, markers)))
    if path.is_dir():
        return all(_left(inner, markers) for inner in path.iterdir())
    return _unfinished(path) or (path.suffix == ".html" and _ours(path, markers))


def _unfinished(path: Path) -> bool:
    page = path.name.startswith(".") and ".html." in path.name
    return path.name.endswith(SUFFIX) and (page or path.name.startswith(LINK))


def _target(path: Path) -> str:
    """Return what a symbolic link leads to, "" for what is none."""
    return os.readlink(path) if path.is_symlink() else ""


def _ours(path: Path, markers: Iterable[str]) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(MOST)
    except OSError:
        return False
    return any(marker in text for marker in markers)

"""A folder of pages: written only where nothing else is, or an earlier one of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import Shown
from reconciler.store.atomic import SUFFIX, write_file

INDEX = "index.html"
MOST = 100_000
"""Characters of a page in which what marks it has to stand."""


def check_site(folder: Path, marker: str) -> None:
    """Raise ReconcilerError where pages would be written among other files: the folder is not empty, and neither its
    index is of this program nor all that is there, which a killed run left without an index.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ReconcilerError(f"{folder} is a file", hint="name a folder that is new, or empty")
    if not _ours(folder / INDEX, marker) and not all(_left(path, marker) for path in folder.iterdir()):
        raise ReconcilerError(
            f"{folder} is not empty, and holds something else than such pages; nothing was written",
            hint="name a folder that is new, or empty",
        )


def write_site(folder: Path, pages: Mapping[str, Shown], marker: str) -> int:
    """Write pages by their names, the index last, for their owner only; return how many. Raises OSError, and
    ReconcilerError where a page would be written over a file of another person.
    """
    foreign = [name for name in pages if (folder / name).exists() and not _ours(folder / name, marker)]
    if foreign:
        raise ReconcilerError(
            f"{folder / foreign[0]} is there already and is not such a page; nothing was written",
            hint="name a folder that is new, or empty",
        )
    for name in sorted(pages, key=lambda name: (name == INDEX, name)):
        write_file(folder / name, pages[name].encode("utf-8"), mode=0o600)
    return len(pages)


def _left(path: Path, marker: str) -> bool:
    """Whether a run that wrote pages may have left this: a page, or one that was not finished."""
    unfinished = path.name.startswith(".") and path.name.endswith(SUFFIX) and ".html." in path.name
    return unfinished or (path.suffix == ".html" and _ours(path, marker))


def _ours(path: Path, marker: str) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            return marker in stream.read(MOST)
    except OSError:
        return False

"""The one way in which a command writes files of a project: all of them, or none.

Several files that belong together are one edit. It is written down as a whole first, then carried out file by file,
each by one rename; the next process finishes what a killed process began, before anything of the project is read.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.model.address import abridged
from reconciler.model.errors import ReconcilerError
from reconciler.store.alone import alone
from reconciler.store.atomic import sync_folder, write_file
from reconciler.store.reading import read_regular

JOURNAL = "state/.edits.json"
"""Where an edit stands while it is carried out; `state` is ignored by Git."""
Outside = Callable[[Path, Path], str]
"""Returns why a file is none of a project in a folder; "" for one that is."""


class FinishedEdit(NamedTuple):
    """What became of an edit that a killed command had begun: files written, and those that are others by now."""

    files: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return what to tell; "" where there was none, or nothing was left to do."""
        message = f"finished what a killed command had begun: {', '.join(self.files)}" if self.files else ""
        left = f"{', '.join(self.left)}: changed since a command was killed, and left as it is; run that command again"
        return "; ".join(filter(None, (message, left if self.left else "")))


def contents_of(folder: Path, texts: Mapping[str, str], before: Mapping[str, str]) -> dict[str, bytes]:
    """Return what files are to hold: a byte order mark stays. `before` holds the texts that they were made from.

    Raises ReconcilerError where a file is another one by now.
    """
    return _contents(folder, {name: _held(folder / name) for name in texts}, texts, before)


def _contents(
    folder: Path, held: Mapping[str, bytes | None], texts: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, bytes]:
    contents = {}
    for name, text in sorted(texts.items()):
        old = held[name] or b""
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        if old.removeprefix(mark) != before.get(name, "").removeprefix("\ufeff").encode():
            raise ReconcilerError(
                f"{folder / name} was changed while this ran; nothing was written", hint="run it again"
            )
        contents[name] = mark + text.removeprefix("\ufeff").encode()
    return contents


def write_files(folder: Path, texts: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
    """Write files of a project as one edit; `before` holds the texts that they were made from.

    Raises ReconcilerError where a file is another one by now; then nothing was written. After an OSError on the way,
    what was written is taken back; where not even that can be done, the next command goes on.
    """
    if not texts:
        return ()
    with alone(folder):
        _check_none(folder)
        held = {name: _held(folder / name) for name in texts}
        changes = {name: new for name, new in _contents(folder, held, texts, before).items() if new != held[name]}
        journal = [JOURNAL] if len(changes) > 1 else []
        fresh = _lacking(folder, [*changes, *journal])
        written: list[str] = []
        try:
            if journal:
                _begin(folder, changes, held)
            for name, content in changes.items():
                write_file(folder / name, content)
                written.append(name)
        except OSError:
            with contextlib.suppress(OSError):
                _take_back(folder, {name: held[name] for name in reversed(written)})
                _done(folder)
                _remove_empty(fresh)
            raise
        if journal:
            _done(folder)
            _remove_empty(fresh)
    return tuple(sorted(texts))


def _begin(folder: Path, changes: Mapping[str, bytes], held: Mapping[str, bytes | None]) -> None:
    """Write the edit down: what each file is to hold, and what it held, for a user who gives the edit up."""
    edit = {
        name: {"was": _digest(old), "before": old.decode() if old is not None else None, "text": new.decode()}
        for name, new in changes.items()
        for old in (held[name],)
    }
    write_file(folder / JOURNAL, json.dumps(edit).encode(), mode=0o600)  # names of any bytes


def _lacking(folder: Path, names: Iterable[str]) -> list[Path]:
    """Return the folders that these files need and that are not there, the inner ones first."""
    needed = {parent for name in names for parent in (folder / name).parents if not parent.exists()}
    return sorted(needed, key=lambda parent: len(parent.parts), reverse=True)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove the folders in which nothing stands, the inner ones first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _take_back(folder: Path, held: Mapping[str, bytes | None]) -> None:
    """Let files hold what they held; one that there was not goes."""
    for name, content in held.items():
        if content is None:
            (folder / name).unlink(missing_ok=True)
        else:
            write_file(folder / name, content)


def finish(folder: Path, outside: Outside) -> FinishedEdit:
    """Carry out what is left of an edit whose process was killed. A file that a user has changed since stays so.

    Raises ReconcilerError for a journal that is none, and where the edit cannot be carried out.
    """
    if not os.path.lexists(folder / JOURNAL):
        return FinishedEdit()
    with alone(folder):
        written, left, files = [], [], _read(folder, outside)
        try:
            for name, was, text in files:
                now = _held(folder / name)
                if now == text:
                    continue
                if _digest(now) != was:
                    left.append(name)
                    continue
                write_file(folder / name, text)
                written.append(name)
            _done(folder)
        except OSError as error:
            made = [name for name, _, text in files if _is(folder / name, text)]
            raise ReconcilerError(
                f"a command was killed while it wrote files, and {error.filename or folder} cannot be written to "
                f"finish that: {error.strerror}",
                hint=f"mend that, and run any command; to give the edit up, move {folder / JOURNAL} away "
                f"({abridged(made) if made else 'none of its files'} {'is' if len(made) < 2 else 'are'} written; "
                "it holds the text of each, and the one `before`)",
            ) from error
    return FinishedEdit(tuple(written), tuple(left))


def _read(folder: Path, outside: Outside) -> list[tuple[str, str, bytes]]:
    """Return name, digest and new content of each file of the edit that is under way. It is believed where this user
    wrote it, for himself: what Git checks out others may read. Even so it reaches no farther than what a project reads.
    """
    try:
        there = os.lstat(folder / JOURNAL)
        if not stat.S_ISREG(there.st_mode) or there.st_mode & 0o077 or there.st_uid != os.geteuid():
            raise ReconcilerError(
                f"{folder / JOURNAL} is not an edit that this user began", hint="remove it, wherever it came from"
            )
        edit = json.loads(read_regular(folder / JOURNAL))
        files = [(str(name), str(entry["was"]), str(entry["text"]).encode()) for name, entry in edit.items()]
        if any(b"\0" in os.fsencode(name) for name, _, _ in files):
            raise ValueError("no file has such a name")
    except FileNotFoundError:
        return []  # its own process has finished it
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
        raise ReconcilerError(f"{folder / JOURNAL} is not an edit of this program", hint="remove it") from error
    for name, _, _ in files:
        place = Path(os.path.realpath(folder / name))
        if why := outside(place, folder) or ("it is one of Git's own" if ".git" in place.parts else ""):
            raise ReconcilerError(f"{folder / JOURNAL} would write {name}: {why}", hint="remove it")
    return files


def _check_none(folder: Path) -> None:
    """Raise ReconcilerError where another process was killed in an edit since this one has read the files."""
    if os.path.lexists(folder / JOURNAL):
        raise ReconcilerError("a command was killed while it wrote files; nothing was written", hint="run it again")


def _done(folder: Path) -> None:
    place = folder / JOURNAL
    place.unlink(missing_ok=True)
    sync_folder(place.parent)


def _held(path: Path) -> bytes | None:
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None


def _is(path: Path, content: bytes) -> bool:
    try:
        return _held(path) == content
    except OSError:
        return False


def _digest(content: bytes | None) -> str:
    """Return what a file holds, as the journal knows it; "" for none."""
    return "" if content is None else hashlib.sha256(content).hexdigest()

"""Files onto the disk: changed configuration never over another edit, documents never over other files."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.model.errors import ReconcilerError, StateError
from reconciler.store.atomic import write_file
from reconciler.store.encryption import Seal
from reconciler.store.reading import read_regular

KEPT: Mapping[str, frozenset[str]] = {
    "a state": frozenset({"lineage", "serial"}),
    "a lock": frozenset({"fence", "owner"}),
    "a journal": frozenset({"op", "run"}),
    "the record of a run": frozenset({"operation", "serial_before"}),
    "a snapshot": frozenset({"exchanges"}),
}
"""Documents that the program keeps, with members that only they have."""

HEADS = {b"SQLite format 3\0": "a database", b"age-encryption.org/": "an encrypted file"}

LONGEST_LINE = 1_000_000


def kept_in(path: Path) -> str:
    """Return what a file holds that the program or the emulator keeps, so that no report is written over it; "" for
    anything else, also for what cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.readline(LONGEST_LINE)
            whole = head + stream.read() if head.strip() == b"{" else head
    except OSError:
        return ""
    if known := next((what for start, what in HEADS.items() if head.startswith(start)), ""):
        return known
    try:
        content = json.loads(whole)
    except (ValueError, RecursionError):
        return ""
    members = content.keys() if isinstance(content, dict) else set()
    return next((what for what, needed in KEPT.items() if needed <= members), "")


def check_out(path: Path, ours: Callable[[Mapping[str, Any]], bool], what: str) -> None:
    """Raise ReconcilerError where a document of this program would be written over something that is none: a file that
    is not empty and not JSON that `ours` accepts. An encrypted file that cannot be read here may be one.
    """
    if not path.is_file():
        if path.is_dir():
            raise ReconcilerError(f"{path} is a folder", hint="name a file in it")
        return
    try:
        text = read_regular(path)
        content = json.loads(Seal((), os.environ).open(text, str(path))) if text else {}
    except StateError:
        return
    except OSError as error:
        raise ReconcilerError(f"{path} cannot be read: {error.strerror}", hint="name another file") from error
    except (ValueError, RecursionError):
        content = False
    if text and not (isinstance(content, dict) and ours(content)):
        raise ReconcilerError(
            f"{path} is there already and is not {what}; nothing was written over it",
            hint="name another file, or remove this one",
        )


def write_files(folder: Path, texts: Mapping[str, str], before: Mapping[str, str]) -> tuple[str, ...]:
    """Write files whole, each by one rename, in the order of `texts` (see `planning.file_order`); `before` holds the
    texts that they were made from.

    Raises ReconcilerError where a file is another one by now; then nothing was written.
    """
    contents: dict[Path, bytes] = {}
    for name, text in texts.items():
        path = folder / name
        old = path.read_bytes() if path.exists() else b""
        mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
        if old.removeprefix(mark).decode("utf-8") != before.get(name, ""):
            raise ReconcilerError(f"{path} was changed while this ran; nothing was written", hint="run it again")
        contents[path] = mark + text.removeprefix("\ufeff").encode("utf-8")
    for path, content in contents.items():
        write_file(path, content)
    return tuple(sorted(texts))

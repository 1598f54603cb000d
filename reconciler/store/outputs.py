"""Documents onto the disk, never over other files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.model.errors import ReconcilerError, StateError
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

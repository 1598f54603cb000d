"""What a probe keeps beside the project: the journal of what it makes, and the facts file of each account."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from reconciler.model.documents import read_document, read_json
from reconciler.model.errors import LockHeld, StateError
from reconciler.model.findings import FORMAT_VERSION, FactsFile
from reconciler.store.atomic import sync_folder, write_all, write_file
from reconciler.store.reading import read_regular

FOLDER = ".reconciler"
IGNORED = ".gitignore"


def file_name(account: str) -> str:
    """Return an account's name as that of a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", account).strip("-.") or "account"


def facts_path(folder: Path, account: str) -> Path:
    """Return where the facts of an account are."""
    return folder / FOLDER / "facts" / f"{file_name(account)}.json"


def read_facts(folder: Path, account: str) -> FactsFile | None:
    """Return the facts of an account; None where there are none. Raises StateError for a file that is none of its."""
    path = facts_path(folder, account)
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}", hint="nothing was changed") from error
    hint = "probe the account again, or restore the file from Git; without it, everything is treated with care"
    try:
        found = read_document(FactsFile, content)
    except ValueError as error:
        raise StateError(f"{path} is not a facts file", hint=hint) from error
    if found.format_version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise StateError(
            f"{path} has the format {found.format_version}, this program knows {FORMAT_VERSION}", hint=hint
        )
    if found.account != account:
        raise StateError(f"{path} holds the facts of {found.account}, not of {account}", hint=hint)
    return found


def lent_facts(folder: Path, environment: str) -> FactsFile | None:
    """Return the facts that were probed last under the name of an environment; None where there are none."""
    found = []
    for path in sorted((folder / FOLDER / "facts").glob("*.json")):
        with suppress(OSError, ValueError):
            one = FactsFile.model_validate(read_json(read_regular(path)))
            found += [one] if one.environment == environment else []
    return max(found, key=lambda one: one.probed, default=None)


def write_facts(folder: Path, facts: FactsFile) -> Path:
    """Write the facts of an account, whole or not at all; returns where."""
    path = facts_path(folder, facts.account)
    text = json.dumps(facts.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    write_file(path, text.encode())
    return path


class ProbeJournal:
    """Lines of JSON, each on the disk before `append` returns."""

    def __init__(self, folder: Path, account: str) -> None:
        self.path = folder / FOLDER / "probe" / f"{file_name(account)}.jsonl"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no other process probe the account meanwhile. Raises LockHeld."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        ignored = self.path.parent / IGNORED
        if not ignored.exists():
            write_file(ignored, b"*\n")
        try:
            with FileLock(f"{self.path}.lock", timeout=0):
                yield
        except Timeout as error:
            raise LockHeld("another process is probing this account", hint="wait until it has ended") from error

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a record. Raises StateError where it cannot be written: then nothing is made."""
        line = b"\n" + json.dumps(dict(record), ensure_ascii=False).encode() + b"\n"  # behind what was truncated
        try:
            fresh = not self.path.exists()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                write_all(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if fresh:
                sync_folder(self.path.parent)
        except OSError as error:
            raise StateError(f"{self.path} cannot be written: {error.strerror}", hint="nothing was made") from error

    def records(self) -> list[dict[str, Any]]:
        """Return what is on record; a line that was truncated was never acted on. Raises StateError."""
        try:
            lines = read_regular(self.path).split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StateError(f"{self.path} cannot be read: {error.strerror}") from error
        found = []
        for line in lines:
            with suppress(ValueError):
                found += [read_json(line)] if line else []
        return [one for one in found if isinstance(one, dict)]

    def end(self) -> None:
        """Forget it: all that was made is gone, or told."""
        self.path.unlink(missing_ok=True)

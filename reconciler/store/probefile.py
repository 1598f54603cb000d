"""What a probe keeps beside the project: the journal of what it makes, and the facts file of each account."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from reconciler.model.documents import is_readable, read_document, read_json
from reconciler.model.errors import LockHeld, StateError, WrongInput
from reconciler.model.findings import FORMAT_VERSION, FactsFile
from reconciler.store.atomic import sync_folder, write_all, write_file
from reconciler.store.reading import read_regular

FOLDER = ".reconciler"
REPLACED = "`reconciler probe` writes a new one and keeps this one beside it; or restore it from Git"
UPDATED = "a newer version of this program wrote it: use that one"
VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?", re.ASCII)
IGNORED = ".gitignore"


def file_name(account: str) -> str:
    """Return an account's name as that of a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", account).strip("-.") or "account"


def facts_path(folder: Path, account: str) -> Path:
    """Return where the facts of an account are."""
    return folder / FOLDER / "facts" / f"{file_name(account)}.json"


def read_facts_file(path: Path) -> FactsFile | None:
    """Return the facts of a file; None where there is none. Raises WrongInput that names the file, and the place in it
    that is not a facts file's.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}", hint=REPLACED) from error
    try:
        version = _version(read_json(content))
        if is_readable(version, FORMAT_VERSION):
            return read_document(FactsFile, content)
    except ValueError as error:
        raise WrongInput(f"{path} is not a facts file: {fault_of(error)}", hint=REPLACED) from error
    newer = int(version.partition(".")[0]) > int(FORMAT_VERSION.partition(".")[0])
    hint = f"{UPDATED}, or: {REPLACED}" if newer else REPLACED
    raise WrongInput(f"{path} has the format {version}, this program knows {FORMAT_VERSION}", hint=hint)


def _version(content: object) -> str:
    version = content.get("format_version") if isinstance(content, dict) else None
    if not isinstance(version, str) or not VERSION.fullmatch(version):
        raise ValueError("it says no `format_version`")
    return version


def fault_of(error: ValueError) -> str:
    """Return what is wrong with a document, and where; never a value of it."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        return f"`{place}`: {message[:1].lower()}{message[1:]}" if place else message
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)


def facts_files(folder: Path) -> list[Path]:
    """Return the paths of all facts files of a project."""
    return sorted((folder / FOLDER / "facts").glob("*.json"))


def check_facts_folder(folder: Path) -> None:
    """Make the folder of facts files, so that nothing is found out that could not be kept. Raises StateError."""
    path = folder / FOLDER / "facts"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}; nothing was sent") from error


def put_aside(path: Path) -> Path:
    """Give a damaged file another name beside it, under which nothing reads it; return that. Raises OSError."""
    names = (path.with_name(f"{path.name}.damaged{f'-{n}' if n > 1 else ''}") for n in range(1, 10_000))
    aside = next(path for path in names if not os.path.lexists(path))
    path.rename(aside)
    return aside


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

    def lines(self) -> list[tuple[int, object]]:
        """Return what is on record: the number of each line and its JSON, None where it is none. A last line that was
        truncated was never acted on, and counts for nothing. Raises StateError.
        """
        try:
            lines = read_regular(self.path).split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            hint = "restore it: it says what an interrupted probe made"
            raise StateError(f"{self.path} cannot be read: {error.strerror}", hint=hint) from error
        entries: list[tuple[int, object]] = []
        for number, line in enumerate(lines, 1):
            try:
                entries += [(number, read_json(line))] if line.strip() else []
            except ValueError:
                entries += [(number, None)] if number < len(lines) else []
        return entries

    def end(self) -> None:
        """Forget it: all that was made is gone, or told."""
        self.path.unlink(missing_ok=True)

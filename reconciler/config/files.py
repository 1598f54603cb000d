"""Files of a project as text: which there are, and what makes them unreadable."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.config.nodes import Source, Spot
from reconciler.config.problems import Problems

MAX_BYTES = 256 * 1024 * 1024
SUFFIXES = (".yaml", ".yml")


def shown_path(path: Path, folder: Path) -> str:
    """Return a path as messages show it: relative to the project folder, with slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()


def yaml_files(place: Path) -> Iterator[Path]:
    """Yield a file itself, or all YAML files below a folder, sorted; hidden ones are left out."""
    if place.is_file():
        yield place
        return
    found = [path for path in place.rglob("*") if path.suffix in SUFFIXES and path.is_file()]
    yield from sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts))


def read_source(path: Path, folder: Path, problems: Problems) -> Source | None:
    """Return a file's text without a byte order mark; None when it cannot be read, which `problems` then tells."""
    file = shown_path(path, folder)
    try:
        if path.stat().st_size > MAX_BYTES:
            problems.error(
                "unreadable-file", f"the file is larger than {MAX_BYTES // 1024**2} MiB", Spot(Source(file, ""))
            )
            return None
        content = path.read_bytes()
    except OSError as error:
        problems.error("unreadable-file", f"the file cannot be read: {error.strerror}", Spot(Source(file, "")))
        return None
    return decode(content, file, problems)


def decode(content: bytes, file: str, problems: Problems) -> Source | None:
    """Return the text of a file's bytes, which must be UTF-8."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Source(file, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        spot = Source(file, content.decode("utf-8", "replace")).spot_at(len(before))
        what = "UTF-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "not UTF-8"
        message = f"the file is {what} (byte 0x{content[error.start]:02X} at offset {error.start})"
        problems.error("not-utf8", message, spot, "save the file as UTF-8")
        return None


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Return the paths without those that name a file again, in order."""
    return list({path.resolve(): path for path in paths}.values())

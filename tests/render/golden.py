"""Golden files: views as last approved. `UPDATE_GOLDEN=1 pytest tests/render` writes them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
_WHOLE = 30_000
_HEAD, _TAIL = 60, 40


def shortened(text: str) -> str:
    """Return a text that is too long to be reviewed as its first and last lines and the SHA-256 of all of it."""
    if len(text) <= _WHOLE:
        return text
    lines = text.splitlines()
    seal = (
        f"[... {len(lines) - _HEAD - _TAIL} more lines; SHA-256 of all {hashlib.sha256(text.encode()).hexdigest()} ...]"
    )
    return "\n".join([*lines[:_HEAD], seal, *lines[-_TAIL:]]) + "\n"


def assert_golden(name: str, text: str) -> None:
    """Compare a view with its golden file."""
    path = FOLDER / name
    actual = shortened(text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(actual.encode())
    assert path.is_file(), (
        f"{path.name} does not exist: run `UPDATE_GOLDEN=1 pytest tests/render`, then review what it wrote"
    )
    assert actual == path.read_bytes().decode(), (
        f"{path.name} differs: if that is meant, run UPDATE_GOLDEN=1 pytest tests/render"
    )

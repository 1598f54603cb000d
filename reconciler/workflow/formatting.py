"""The verb `fmt`: the files of a project in canonical form."""

from __future__ import annotations

from pathlib import Path

from reconciler.config import formatted, project_files
from reconciler.model.project import PROJECT_FILE
from reconciler.resources import load_kinds


def format_project(folder: Path, *, write: bool) -> list[str]:
    """Return the files that are not in canonical form, and with `write` bring them into it. Raises ConfigError."""
    kinds = load_kinds()
    changed = {}
    for name in project_files(folder):
        text = (folder / name).read_bytes().decode("utf-8")
        found = formatted(text, name, kinds, project=name == PROJECT_FILE)
        if found != text:
            changed[name] = found
    if write:
        for name, found in changed.items():
            (folder / name).write_bytes(found.encode())
    return sorted(changed)

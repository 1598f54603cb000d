"""Configurations that are wrong in one place: a key less, a value changed, a protection dropped."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from reconciler.config import environment, load, load_project
from reconciler.model.errors import ConfigError
from reconciler.resources import load_kinds

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TESTED = {
    "saas": "saas",
    "everything": "everything",
    "sandbox-to-prod": "sandbox-to-prod",
    "agency": "agency",
    "agency-baseline/clients/acme": "agency-baseline",
    "agency-baseline/clients/zoo": "agency-baseline",
}
"""Projects with tests, and the folder of each that is copied: it includes from there."""
TEXTS = frozenset({"message", "description"})
"""What people read of rules and variables; no verdict hangs on it."""
IMPLIED = {("rules", 1, "deny", "kind"), ("rules", 2, "deny", "kind")}
"""What the rules of the agency say twice: only fields have options, and the address names the kind."""
DIRS = ("config", "environments", "baseline")


@dataclass(frozen=True)
class Mutant:
    """One change of one file: `path` leads to what is deleted, or replaced by `value`."""

    file: str
    path: tuple[str | int, ...]
    what: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.file}:{'.'.join(map(str, self.path))}:{self.what}"

    @property
    def ruling(self) -> bool:
        """Whether it changes a rule, which declares nothing."""
        return self.path[0] == "rules"

    def write(self, folder: Path) -> None:
        """Put it into a copy of the example."""
        content = yaml.safe_load((EXAMPLES / self.file).read_text("utf-8"))
        inner = content
        for part in self.path[:-1]:
            inner = inner[part]
        if self.what == "deleted":
            del inner[self.path[-1]]
        else:
            inner[self.path[-1]] = self.value
        (folder / Path(*Path(self.file).parts[1:])).write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def mutants(project: str) -> list[Mutant]:
    """Return every mutant of the files that a project's configuration is made of."""
    root = EXAMPLES / TESTED[project]
    own = EXAMPLES / project
    files = [
        file
        for file in sorted(root.rglob("*.yaml"))
        if any(part in DIRS for part in file.relative_to(root).parts[:-1])
        and (file.is_relative_to(own) or "baseline" in file.relative_to(root).parts[:-1])
    ]
    return [
        one
        for file in files
        for one in _of(str(file.relative_to(EXAMPLES)), yaml.safe_load(file.read_text("utf-8")), ())
        if not (one.ruling and (one.path[-1] in TEXTS or (one.path in IMPLIED and one.what == "deleted")))
    ]


def _of(file: str, content: Any, path: tuple[str | int, ...]) -> Iterator[Mutant]:
    parts: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        parts = list(content.items())
    elif isinstance(content, list):
        parts = list(enumerate(content))
    elif path:
        yield Mutant(file, path, "changed", changed(content))
    for key, inner in parts:
        if len(path) >= 1:
            yield Mutant(file, (*path, key), "deleted")
        yield from _of(file, inner, (*path, key))


def changed(value: Any) -> Any:
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return {}
    return f"{value} 2" if " " in str(value) else f"{value}2"


def copied(project: str, folder: Path) -> Path:
    """Copy an example and return the folder of the project in it."""
    shutil.copytree(EXAMPLES / TESTED[project], folder)
    (folder / ".git").mkdir()  # a project reads what is in its repository
    return folder / Path(project).relative_to(TESTED[project])


def declared(project: Path) -> Any:
    """Return what a project declares in each environment, to compare; None where it is wrong."""
    kinds = load_kinds()
    try:
        loaded = load_project(project)
        found = {}
        for name in loaded.project.environments:
            settings = environment(loaded, name, {}, offline=True)
            desired = load(loaded, settings, kinds, {}, offline=True).desired
            found[settings.name] = {
                address: (one.attrs, one.lifecycle, one.parent, one.nested)
                for address, one in desired.resources.items()
            }
        return copy.deepcopy(found)
    except ConfigError:
        return None

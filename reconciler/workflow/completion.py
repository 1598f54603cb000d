"""The names that a project has, for completion: what cannot be read has none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from reconciler.config import environment as settings_of
from reconciler.config import load, load_project
from reconciler.model.errors import ReconcilerError
from reconciler.resources import load_kinds


def environment_names(folder: Path) -> Sequence[str]:
    """Return the environments of a project, in the order of its file."""
    try:
        return list(load_project(folder).project.environments)
    except ReconcilerError:
        return []


def test_names(folder: Path) -> Sequence[str]:
    """Return the tests of a project, in the order of its files."""
    from reconciler.config import read_scenarios

    try:
        return [scenario.name for scenario in read_scenarios(load_project(folder))]
    except ReconcilerError:
        return []


def kind_names() -> Sequence[str]:
    """Return the kinds that can be declared."""
    return [name for name, kind in load_kinds().items() if kind.abilities.managed]


def address_names(folder: Path, environment: str | None) -> Sequence[str]:
    """Return the declared addresses of a project, in the order of its files; of its first environment where none is
    chosen.
    """
    try:
        loaded = load_project(folder)
        first = next(iter(loaded.project.environments), None)
        chosen = environment or loaded.project.default_environment or first
        settings = settings_of(loaded, chosen, os.environ, offline=True)
        reads = partial(_included, folder)
        return list(load(loaded, settings, load_kinds(), os.environ, offline=True, baselines=reads).desired.resources)
    except ReconcilerError:
        return []


def _included(folder: Path, source: str) -> Mapping[str, str]:
    """Return the files of a baseline as it is locked; most projects have none, and need not load what reads them."""
    from reconciler.workflow.opening.baselines import locked

    return locked(folder, os.environ, offline=True)(source)


def run_names(folder: Path, environment: str | None) -> Sequence[str]:
    """Return the kept runs of an environment, newest first. A state that is not in a file here is not asked."""
    from reconciler.workflow.opening.projects import open_session

    try:
        session = open_session(folder, environment, offline=True)
        if session.state_url.partition(":")[0] not in ("file", "sqlite"):
            return []
        return sorted(session.store.run_names(), reverse=True)
    except (ReconcilerError, OSError):
        return []


def plan_files(folder: Path) -> Sequence[str]:
    """Return the files of a folder that hold a plan, by how they begin; encrypted ones by their name."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    return [path.name for path in paths if path.suffix == ".plan" or _begins_as_plan(path)]


def _begins_as_plan(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b'"format_version"' in file.read(64)
    except OSError:
        return False

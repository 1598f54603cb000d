"""The names that a project has, for completion: what cannot be read has none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.config import load_project
from reconciler.model.errors import ReconcilerError
from reconciler.resources import load_kinds
from reconciler.workflow.opening import open_session


def environment_names(folder: Path) -> Sequence[str]:
    """Return the environments of a project, in the order of its file."""
    try:
        return list(load_project(folder).project.environments)
    except ReconcilerError:
        return []


def kind_names() -> Sequence[str]:
    """Return the kinds that can be declared."""
    return [name for name, kind in load_kinds().items() if kind.abilities.managed]


def address_names(folder: Path, environment: str | None) -> Sequence[str]:
    """Return the declared addresses of a project, in the order of its files; of its first environment where none is
    chosen.
    """
    names = environment_names(folder)
    if not names:
        return []
    try:
        project = load_project(folder).project
        chosen = environment or project.default_environment or names[0]
        return list(open_session(folder, chosen, offline=True).load(offline=True).desired.resources)
    except ReconcilerError:
        return []

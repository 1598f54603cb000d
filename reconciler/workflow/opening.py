"""Opening one environment of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.config import (
    credentials,
    environment,
    load_project,
)
from reconciler.resources import load_kinds
from reconciler.workflow.runtime import Runtime, current_runtime
from reconciler.workflow.session import Session

if TYPE_CHECKING:  # what only some commands need is imported by them
    pass


def open_session(
    folder: Path,
    environment_name: str | None,
    runtime: Runtime | None = None,
    *,
    offline: bool = False,
    guards_from: str | None = None,
) -> Session:
    """Open an environment of the project in `folder`; with `guards_from`, as that Git reference or file knows it, and
    only with the resources that the project in `folder` declares. Raises ConfigError, and Refused (`ruled_by`).
    """
    runtime = runtime or current_runtime()
    own = load_project(folder)
    project, changed = own, None
    if guards_from is not None:
        from reconciler.workflow.trusted_limits import ruled_by

        project, changed = ruled_by(own, environment_name, guards_from)
    settings = environment(project, environment_name, runtime.environ, offline=offline)
    opened = Session(folder, project, settings, load_kinds(), runtime, changed=changed)
    if runtime.watch is not None:
        opened.on_wait = runtime.watch.waiting
    for one in (own, project):
        opened.redactor.learn(*credentials(one, runtime.environ).values)
    return opened

"""The verb `update`: what the versions of baselines hold now, as a plan for each environment, and the lock file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.config import load_project
from reconciler.model.baseline import LOCK_FILE
from reconciler.model.document import PlanDocument
from reconciler.model.errors import AuthError, ConfigError, PlanError, RemoteError, StateError
from reconciler.store.atomic import write_file
from reconciler.workflow.baselines import (
    ProjectBaselines,
    Update,
    in_request,
    lock_of,
    lock_text,
    locked,
    look,
    sources,
)
from reconciler.workflow.opening import open_session
from reconciler.workflow.options import PlanOptions
from reconciler.workflow.planning import make_plan
from reconciler.workflow.runtime import Runtime
from reconciler.workflow.trusted_limits import ruled_by

_OF_PROCESS = ("missing-environment-variable", "missing-secret")
"""What is wrong with the process that looks, not with what was looked at."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the baselines found: each of them, and by environment the plan with what they hold now, or why
    there is none. `written` says whether the lock file is another one now.
    """

    updates: tuple[Update, ...]
    plans: Mapping[str, PlanDocument]
    unplanned: Mapping[str, str]
    written: bool


def fetch_locked(folder: Path, runtime: Runtime, guards_from: str | None = None) -> list[str]:
    """Bring what is locked into the cache, of the baselines that the project file (of `guards_from`) names, and return
    them. Raises ConfigError and Refused.
    """
    project = load_project(folder)
    if guards_from is not None:
        project, _ = ruled_by(project, None, guards_from)
    urls = sources(project)
    for own in (True, False) if guards_from is not None else (True,):
        reads = locked(folder, runtime.environ, offline=False, source=guards_from or "", own=own)
        for url in urls:
            reads(url)
    return urls


async def update(
    folder: Path,
    runtime: Runtime,
    only: str | None = None,
    *,
    check: bool = False,
    waiting: Callable[[str], None] = lambda environment: None,
) -> Looked:
    """Look at the versions of all baselines, plan every environment (or `only` one) with what they hold, and lock that;
    with `check`, lock nothing. An environment that cannot be read has no plan, and that is said. Writes to no account.

    Raises PlanError where the project includes no Git repository, ConfigError where what they hold is wrong: then the
    lock file stays as it is.
    """
    project = load_project(folder)
    if not sources(project):
        raise PlanError("the project file includes no Git repository", hint="see the page about baselines")
    if in_request(runtime.environ) and not check:
        raise PlanError("a run about a request locks nothing", hint="run it where the change is written, or --check")
    lock, updates = look(folder, runtime.environ, project)
    reads = ProjectBaselines(folder, runtime.environ, lambda: lock)
    plans: dict[str, PlanDocument] = {}
    unplanned: dict[str, str] = {}
    for name in [only] if only is not None else project.project.environments:
        waiting(name)
        try:
            session = open_session(folder, name, runtime)
            session.baselines = reads
            plans[name] = (await make_plan(session, PlanOptions())).document
        except ConfigError as error:
            if not any(diagnostic.code in _OF_PROCESS for diagnostic in error.diagnostics):
                raise
            unplanned[name] = error.diagnostics[0].message
        except (AuthError, RemoteError, StateError) as error:
            unplanned[name] = error.message
    written = not check and lock != lock_of(folder)
    if written:
        write_file(folder / LOCK_FILE, lock_text(lock).encode())
    return Looked(tuple(updates), plans, unplanned, written)

"""The verb `update`: what the versions of baselines hold now, as a plan for each environment, and the lock file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from reconciler.config import LoadedProject, load_project
from reconciler.model.baseline import LOCK_FILE
from reconciler.model.document import PlanDocument
from reconciler.model.errors import AuthError, ConfigError, PlanError, Refused, RemoteError, StateError
from reconciler.model.project import DECLARES
from reconciler.model.records import record
from reconciler.store.atomic import write_file
from reconciler.workflow.opening.baselines import (
    ProjectBaselines,
    Update,
    lock_of,
    lock_text,
    locked,
    look,
    parsed,
    sources,
)
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.requests import in_request, refuse_unreviewed
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session
from reconciler.workflow.opening.trusted_limits import ruled_by
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan

_OF_PROCESS = ("missing-environment-variable", "missing-secret")
"""What is wrong with the process that looks, not with what was looked at."""


@record
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
    own, environ = load_project(folder), runtime.environ
    refuse_unreviewed(environ, guards_from or "", "Git repository")
    wanted = [(source, locked(folder, environ, offline=False)) for source in sources(own)]
    if guards_from is not None:
        ruling, _ = ruled_by(own, None, guards_from)
        reads = locked(folder, environ, offline=False, source=guards_from)
        known = _repositories(ruling)
        wanted = [(source, replace(lock, barred="")) for source, lock in wanted if parsed(source).url in known]
        wanted = [*((source, reads) for source in sources(ruling)), *wanted]
    for source, reads in wanted:
        reads(source)
    return list(dict.fromkeys(source for source, _ in wanted))


def _repositories(project: LoadedProject) -> frozenset[str]:
    return frozenset(parsed(source).url for source in sources(project))


def _followed(own: LoadedProject, environ: Mapping[str, str], guards_from: str | None) -> Collection[str]:
    """Return the environments that a user has reviewed. Raises Refused for one that no user has: that the
    target branch does not name.
    """
    refuse_unreviewed(environ, guards_from or "", "Git repository")
    if guards_from is None:
        return own.project.environments
    ruling, _ = ruled_by(own, None, guards_from)
    known = _repositories(ruling)
    for source in sources(own):
        if parsed(source).url not in known:
            hint = "have it merged in a request of its own: of one that was named before, other versions are looked at"
            raise Refused(f"{guards_from} names no repository {parsed(source).url}: it is not followed", hint=hint)
    return ruling.project.environments


async def _planned(opened: Callable[[], Session], baselines: ProjectBaselines) -> PlanDocument | str:
    """Return the plan of an environment with what the baselines hold, or why there is none: it cannot be read."""
    try:
        session = opened()
        session.baselines = baselines
        return (await make_plan(session, PlanOptions())).document
    except ConfigError as error:
        # What is wrong in the files is wrong for all; a variable that this process lacks is not.
        if not any(diagnostic.code in _OF_PROCESS for diagnostic in error.diagnostics):
            raise
        return error.diagnostics[0].message
    except (AuthError, RemoteError, StateError) as error:
        return error.message


async def update(
    folder: Path,
    runtime: Runtime,
    only: str | None = None,
    *,
    check: bool = False,
    guards_from: str | None = None,
    waiting: Callable[[str], None] = lambda environment: None,
) -> Looked:
    """Look at the versions of all baselines, plan every environment (or `only` one) with what they hold, and lock that;
    with `check`, lock nothing. With `guards_from`, all but the versions is as that reference says, and no repository is
    followed that it does not name. An environment that cannot be read has no plan, and that is said. Writes to no
    account.

    Raises Refused for what is not reviewed, PlanError where the project includes no Git repository, ConfigError
    where what they hold is wrong: then the lock file stays as it is.
    """
    project = load_project(folder)
    if not sources(project):
        raise PlanError("the project file includes no Git repository", hint="see the page about baselines")
    if in_request(runtime.environ) and not check:
        raise PlanError("a run about a request locks nothing", hint="run it where the change is written, or --check")
    known = _followed(project, runtime.environ, guards_from)
    lock, updates = look(folder, runtime.environ, project)
    reads = ProjectBaselines(folder, runtime.environ, lambda: lock)
    plans: dict[str, PlanDocument] = {}
    unplanned: dict[str, str] = {}
    for name in [only] if only is not None else project.project.environments:
        waiting(name)
        if name not in known and name in project.project.environments:
            unplanned[name] = f"{guards_from} does not know this environment"
            continue
        declares = DECLARES | {"include"}
        opened = partial(open_session, folder, name, runtime, guards_from=guards_from, declares=declares)
        planned = await _planned(opened, reads)
        if isinstance(planned, str):
            unplanned[name] = planned
        else:
            plans[name] = planned
    written = not check and lock != lock_of(folder)
    if written:
        write_file(folder / LOCK_FILE, lock_text(lock).encode())
    return Looked(tuple(updates), plans, unplanned, written)

"""Opening one environment of a project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.config import (
    credentials,
    environment,
    load_project,
    outside,
)
from reconciler.model.catalog import informed
from reconciler.model.facts import Facts
from reconciler.model.project import DECLARES
from reconciler.resources import load_kinds
from reconciler.store.edits import finish
from reconciler.workflow.opening.runtime import Runtime, current_runtime
from reconciler.workflow.opening.session import Session

FACTS = ".reconciler/facts"
"""Where facts files are; most projects have none, and need not load what reads them."""


def open_session(
    folder: Path,
    environment_name: str | None,
    runtime: Runtime | None = None,
    *,
    offline: bool = False,
    guards_from: str | None = None,
    declares: frozenset[str] = DECLARES,
) -> Session:
    """Open an environment of the project in `folder`; with `guards_from`, as that Git reference or file knows it, and
    only with the resources that the project in `folder` declares (see `held_to`). Raises ConfigError, and Refused
    (`ruled_by`).
    """
    runtime = runtime or current_runtime()
    finish(folder, outside)
    own = load_project(folder)
    project, changed = own, None
    if guards_from is not None:
        from reconciler.workflow.opening.trusted_limits import ruled_by

        project, changed = ruled_by(own, environment_name, guards_from, declares)
    settings = environment(project, environment_name, runtime.environ, offline=offline)
    opened = Session(folder, project, settings, load_kinds(), runtime, changed=changed, offline=offline)
    if not offline and guards_from is None:  # a proposed change may come with proposed facts
        opened = with_facts(opened)
    if runtime.watch is not None:
        opened.on_wait = runtime.watch.waiting
    for loaded in (own, project):
        opened.redactor.learn(*credentials(loaded, runtime.environ).values)
    return opened


def with_facts(session: Session) -> Session:
    """Return the session with what is known of its account, if anything is. A file that cannot be read stops
    nothing: nothing is known then, and every plan says so.
    """
    if not (session.folder / FACTS).is_dir():
        return session
    from reconciler.workflow.opening.facts import load_facts

    facts = load_facts(session.folder, session.identity, session.settings.facts)
    if facts == Facts():
        return session
    return replace(session, facts=facts, kinds=informed(session.kinds, facts))

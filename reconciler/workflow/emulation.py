"""The verbs of `emulator`: serving, seeding and resetting the built-in account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import emulator
from reconciler.config import environment, load_project, plain_data
from reconciler.model.account_url import EMULATOR
from reconciler.model.documents import read_json
from reconciler.model.errors import WrongInput
from reconciler.model.project import PROJECT_FILE
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.connecting import open_emulator
from reconciler.workflow.opening.facts import facts_file


def serve(
    path: Path, host: str, port: int, rate_limit: float | None, token: str | None, ready: Callable[[str], None]
) -> None:
    """Serve the account kept in `path` until interrupted; `ready` is told the URL."""
    account = open_emulator(path)
    settings = replace(account.settings, rate_limit=rate_limit)
    account.close()
    if token:
        settings = replace(settings, token=token)
    emulator.serve(path, host, port, settings, ready)


DATABASE = "state/demo-account.db"


def database(
    folder: Path, given: str | None, environment_name: str | None, environ: Mapping[str, str], *, strict: bool = True
) -> Path:
    """Return the file of the account that is meant: the one given, else that of the project's environment, else, where
    there is no project, `state/demo-account.db`. Raises ConfigError, and ReconcilerError for a real account.

    Without `strict`, `state/demo-account.db` is also meant where no environment is named and the project's own account
    is a real one: the emulator is served beside it.
    """
    if given is not None:
        return folder / given
    if environment_name is None and not (folder / PROJECT_FILE).is_file():
        return folder / DATABASE
    project = load_project(folder)
    if not strict and environment_name is None:
        known = project.project.environments
        own = known.get(project.project.default_environment or (next(iter(known)) if len(known) == 1 else ""))
        if own is None or not own.url.startswith(EMULATOR):
            return folder / DATABASE
    settings = environment(project, environment_name, environ)
    if not settings.url.startswith(EMULATOR):
        raise WrongInput(
            f"the environment `{settings.name}` is not kept in a file of the emulator: its `url` is {settings.url}",
            hint="name an environment whose `url` is emulator:FILE with --env, or the file with --db; "
            "a served emulator takes POST /_emulator/seed and /_emulator/reset",
        )
    return folder / settings.url.removeprefix(EMULATOR)


def seed(path: Path, source: Path) -> Any:
    """Load a seed file, YAML or JSON, into the account kept in `path`. Raises ReconcilerError for anything else."""
    content = read_regular(source)
    try:
        data = read_json(content) if source.suffix == ".json" else plain_data(content.decode("utf-8"), str(source))
    except ValueError as error:
        raise WrongInput(f"{source} is not a seed: {error}", hint="see the emulator's page in the docs") from error
    if not isinstance(data, dict):
        raise WrongInput(f"{source} is not a seed: it has to be a map", hint="see the emulator's page in the docs")
    account = open_emulator(path)
    try:
        return account.seed(data)
    except (KeyError, TypeError, ValueError) as error:
        raise WrongInput(f"{source} cannot be loaded: {error}") from error
    finally:
        account.close()


def reset(path: Path) -> None:
    """Bring the account kept in `path` back to what a fresh one holds."""
    account = open_emulator(path)
    try:
        account.reset()
    finally:
        account.close()


def behave(path: Path, source: Path) -> list[str]:
    """Let the account kept in `path` behave as a facts file says; return the switches that turned. Raises
    WrongInput for what is not a facts file.
    """
    facts = facts_file(source)
    if facts is None:
        raise WrongInput(f"{source} is not there", hint="`reconciler probe` writes a facts file")
    known = {name: fact.found for name, fact in facts.facts.items() if fact.found and fact.contradicted is None}
    account = open_emulator(path)
    try:
        before = account.settings.data()
        account.keep(account.settings.informed(known))
        return [f"{name}={value}" for name, value in account.settings.data().items() if value != before[name]]
    finally:
        account.close()

"""What an export is about, and where it goes: into this project, or into one that is made for it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

from reconciler.model.account_url import EMULATOR
from reconciler.model.project import PROJECT_FILE, Encryption
from reconciler.model.records import record
from reconciler.workflow.init import FILES, IGNORE, SCHEMAS, write_project
from reconciler.workflow.opening.grounds import check_place, config_folders
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session

MODELINE = f"# yaml-language-server: $schema={SCHEMAS}/project.schema.json"
HEADER = "# Written by `reconciler export`.\n\n"


@record
class Extent:
    """What an export is about: these kinds, these addresses (None, empty: everything); with `prune`, declarations of
    objects that are gone go too.
    """

    kinds: frozenset[str] | None = None
    target: tuple[str, ...] = ()
    prune: bool = False


WHOLE = Extent()


def destination(session: Session, out: Path | None) -> Path:
    """Return the folder of the project to write into: this one too where `out` is where its resources are.

    Folders are the same by whatever links lead there. Raises ReconcilerError for any other folder of a project's own: a
    second project there would break the first.
    """
    if out is None or out.resolve() in (session.folder.resolve(), *config_folders(session.project)):
        return session.folder
    check_place(out, session.project)
    return out.resolve()


def begin_folder(session: Session) -> None:
    """Make the folder for resource files in a project that has none yet."""
    places = [session.folder / name for name in session.project.project.config]
    if not any(place.exists() for place in places) and not places[0].suffix:
        places[0].mkdir(parents=True)


def project_in(session: Session, folder: Path) -> Session:
    """Make `folder` a project with this environment, unless it is one already."""
    path = folder / PROJECT_FILE
    if not path.exists():
        raw = session.project.project.environments[session.settings.name]
        url = raw.url
        if url.startswith(EMULATOR):
            url = EMULATOR + os.path.relpath(session.folder / url.removeprefix(EMULATOR), folder)
        lines = [MODELINE, HEADER.strip(), "version: 1", "", "environments:", f"  {session.settings.name}:"]
        lines += [f"    url: {url}"]
        token = raw.token if raw.token.startswith("${") or not raw.token else f"${{env.{variable(session)}}}"
        lines += [f"    token: {token}"] if token else []
        lines += [f"    account: {raw.account}"] if raw.account else []
        lines += ["    production: true"] if session.settings.production_by else []
        lines += [f"    requests_per_second: {raw.requests_per_second:g}"] if raw.requests_per_second else []
        lines += [*_encryption(raw.encryption, "    "), "", f"default_environment: {session.settings.name}", ""]
        whole = _encryption(session.project.project.encryption, "")
        text = "\n".join([*lines, *whole, *([""] if whole else [])])
        (folder / "config").mkdir(parents=True, exist_ok=True)
        write_project(folder, {PROJECT_FILE: text, IGNORE: FILES[IGNORE]})
    return open_session(folder, session.settings.name, _with_key(session))


def variable(session: Session) -> str:
    """Return the name of the environment variable that a project asks for the key which another one has in its file."""
    return f"AC_{re.sub('[^A-Z0-9]', '_', session.settings.name.upper())}_TOKEN"


def _with_key(session: Session) -> Runtime:
    """Return the runtime in which a new project finds the key that stands in the file of this one."""
    raw = session.project.project.environments[session.settings.name].token
    if not raw or raw.startswith("${"):
        return session.runtime
    environ = {variable(session): session.settings.token, **session.runtime.environ}
    return replace(session.runtime, environ=environ)


def _encryption(encryption: Encryption | None, indent: str) -> list[str]:
    """Return the lines that say for whom what is written is encrypted: what was read so stays so elsewhere."""
    if encryption is None:
        return []
    return [f"{indent}encryption:", f"{indent}  recipients: {json.dumps(encryption.recipients, ensure_ascii=False)}"]

"""What an export is about, and where it goes: into this project, or into one that is made for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.model.project import PROJECT_FILE, Encryption
from reconciler.store.atomic import write_file
from reconciler.workflow.grounds import check_place, config_folders
from reconciler.workflow.opening import open_session
from reconciler.workflow.session import EMULATOR, Session

HEADER = "# Written by `reconciler export`.\n\n"


@dataclass(frozen=True)
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
        (folder / "config").mkdir(parents=True, exist_ok=True)
        raw = session.project.project.environments[session.settings.name]
        url = raw.url
        if url.startswith(EMULATOR):
            url = EMULATOR + os.path.relpath(session.folder / url.removeprefix(EMULATOR), folder)
        lines = [HEADER.strip(), "version: 1", "", "environments:", f"  {session.settings.name}:", f"    url: {url}"]
        lines += [f"    token: {raw.token}"] if raw.token.startswith("${") else []
        lines += [f"    account: {raw.account}"] if raw.account else []
        lines += [*_encryption(raw.encryption, "    "), "", f"default_environment: {session.settings.name}", ""]
        whole = _encryption(session.project.project.encryption, "")
        write_file(path, "\n".join([*lines, *whole, *([""] if whole else [])]).encode())
    return open_session(folder, session.settings.name, session.runtime)


def _encryption(found: Encryption | None, indent: str) -> list[str]:
    """Return the lines that say for whom what is written is encrypted: what was read so stays so elsewhere."""
    if found is None:
        return []
    return [f"{indent}encryption:", f"{indent}  recipients: {json.dumps(found.recipients, ensure_ascii=False)}"]

"""The verb `init`: a project small enough to read in a minute, complete enough to run at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.model.errors import ReconcilerError
from reconciler.model.project import PROJECT_FILE
from reconciler.store.atomic import write_file
from reconciler.workflow.opening.grounds import check_place
from reconciler.workflow.reference import schema_text

SCHEMAS = ".reconciler"
"""Folder of the JSON Schemas that editors check the files with; `reconciler schema --out .reconciler` renews them."""

IGNORE = ".gitignore"
FILES = {
    PROJECT_FILE: """\
# yaml-language-server: $schema=.reconciler/project.schema.json
# Where the accounts are. See `reconciler schema project` for everything that can stand here.
version: 1

environments:
  demo:
    url: emulator:state/demo-account.db     # the built-in emulator, in process, kept in that file
  sandbox:
    url: ${env.AC_SANDBOX_URL}              # the API URL from Settings > Developer
    token: ${env.AC_SANDBOX_TOKEN}

default_environment: demo
""",
    "config/crm.yaml": """\
# yaml-language-server: $schema=../.reconciler/config.schema.json
# What the account should look like. A key (vip, newsletter ...) is the stable name; everything else may change.
tags:
  vip: {name: VIP, description: "Spends over 1,000 a year"}

lists:
  newsletter:
    name: Newsletter
    string_id: newsletter
    sender_url: https://example.com
    sender_reminder: You subscribed on example.com.

fields:
  plan_tier:
    title: Plan tier
    type: dropdown
    options: [Free, Pro, Enterprise]
    lists: [newsletter]

pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      lead: {title: Lead, color: 32B0FC}
      won: {title: Won}
""",
    IGNORE: "state/\n",
}


def write_project(folder: Path, files: Mapping[str, str] = FILES) -> list[Path]:
    """Write the files of a new project and return their paths. Raises ReconcilerError where one exists already, and
    where the folder is one of another project's own.
    """
    check_new(folder, files)
    editor = {f"{SCHEMAS}/{name}.schema.json": schema_text(name) for name in ("project", "config")}
    written = []
    # The project file comes last: without it there is no project yet, and an `init` that was killed is run again.
    for name, text in sorted({**files, **editor}.items(), key=lambda file: file[0] == PROJECT_FILE):
        path = folder / name
        if name == IGNORE and path.exists() and not _ignores(path):
            # of a repository that is there already
            write_file(path, f"{path.read_text('utf-8').rstrip()}\n{text}".lstrip().encode())
        elif path.exists():
            continue
        else:
            write_file(path, text.encode())
        written.append(path)
    return written


def check_new(folder: Path, files: Mapping[str, str]) -> None:
    """Raise ReconcilerError where a project, or one of these files in another form, is there."""
    check_place(folder)
    existing = [name for name, text in files.items() if name != IGNORE and _another(folder / name, text)]
    if existing or (folder / PROJECT_FILE).exists():
        raise ReconcilerError(
            f"{folder / (existing or [PROJECT_FILE])[0]} exists already; nothing was written",
            hint="choose an empty folder",
        )


def modeline(folder: Path, file: str) -> str:
    """Return the line by which editors check a resource file; empty in a project that has no schemas."""
    schema = folder / SCHEMAS / "config.schema.json"
    if not schema.is_file():
        return ""
    return f"# yaml-language-server: $schema={os.path.relpath(schema, (folder / file).parent)}\n"


def _ignores(path: Path) -> bool:
    """Return whether a .gitignore names the folder of states."""
    try:
        return bool({"state", "state/", "/state", "/state/"} & set(path.read_text("utf-8").split()))
    except (OSError, UnicodeDecodeError):
        return True


def _another(path: Path, text: str) -> bool:
    """Return whether a file is there that an `init` did not write."""
    try:
        return path.exists() and path.read_text("utf-8") != text
    except (OSError, UnicodeDecodeError):
        return True

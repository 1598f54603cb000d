"""The verb `fmt`: the files of a project in canonical form."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.config import formatted, project_files
from reconciler.model.errors import WrongInput
from reconciler.model.project import PROJECT_FILE
from reconciler.resources import load_kinds
from reconciler.store.edits import write_files


def format_project(folder: Path, files: Sequence[Path], *, write: bool) -> list[str]:
    """Return the files (of these; none: of all) that are not in canonical form, and with `write` bring them into it.

    Paths are relative to the project. Raises ConfigError, and ReconcilerError for what is not a file of the project.
    """
    kinds = load_kinds()
    changed, before = {}, {}
    known = project_files(folder)
    wanted = [os.path.relpath(folder / file, folder) for file in files]
    for name in wanted:
        if name not in known:
            raise WrongInput(f"{name} is not a YAML file of this project", hint="name a file below its `config` folder")
    for name in wanted or known:
        text = (folder / name).read_bytes().decode("utf-8")
        formatted_text = formatted(text, name, kinds, project=name == PROJECT_FILE)
        if formatted_text != text:
            changed[name], before[name] = formatted_text, text
    if write:
        write_files(folder, changed, before)
    return sorted(changed)

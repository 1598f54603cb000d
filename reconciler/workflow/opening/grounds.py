"""Which folders are a project's own, to read from and to write into: a second project there would break the first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.config import LoadedProject, load_project
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.project import PROJECT_FILE

ALWAYS = {
    ".reconciler": "notes on the account",
    "environments": "overlays",
    "modules": "shared resources",
    "policies": "policies",
    "promotions": "memory of promotions",
    "state": "states",
    "tests": "tests",
}
"""Folders that a project has by convention, with what is in them."""
STORED = ("file:", "sqlite:", "emulator:")


def config_folders(project: LoadedProject) -> list[Path]:
    """Return where a project reads its resources from, links followed."""
    return [(project.folder / name).resolve() for name in project.project.config]


def _own(project: LoadedProject) -> Iterator[tuple[Path, str]]:
    """Yield each folder of a project, as it is named, with what is in it. A file stands for its folder."""
    root = project.folder

    def holding(name: str) -> Path:
        return (root / name).parent

    for name in project.project.config:
        yield (holding(name) if Path(name).suffix else root / name), "resources"
    for environment in project.project.environments.values():
        yield from ((holding(name), "overlays") for name in environment.overlays)
        for where in (environment.state or "", environment.url):
            scheme = next((name for name in STORED if where.startswith(name)), None)
            if scheme is not None and "${" not in where:
                yield holding(where.removeprefix(scheme)), "states"
    for block in project.project.include:
        if "://" not in block.source:
            yield root / block.source, "shared resources"
    yield from ((root / name, what) for name, what in ALWAYS.items())


def check_place(folder: Path, here: LoadedProject | None = None) -> None:
    """Raise ReconcilerError where a project made in `folder` would stand among the files of another one, whatever links
    lead there, or around the project `here`.
    """
    spellings = _spellings(folder)
    around = [place for spelling in spellings for place in spelling.parents if (place / PROJECT_FILE).is_file()]
    for root in dict.fromkeys([*([here.folder] if here is not None else []), *around]):
        for place, what in _known(root):
            if _among(spellings, place, root):
                name = os.path.relpath(place, root)
                raise ReconcilerError(
                    f"{folder} is among the files of the project in {root} ({name}: {what}): another project there "
                    "would break it",
                    hint=_hint(root),
                )
    if here is not None and not (folder / PROJECT_FILE).is_file():
        root = here.folder.resolve()
        if any(path in root.parents for path in spellings):
            raise ReconcilerError(
                f"the project in {root} lies in {folder}: another project there would stand around it",
                hint=_hint(root),
            )


def _spellings(path: Path) -> set[Path]:
    return {Path(os.path.abspath(path)), path.resolve()}


def _known(root: Path) -> list[tuple[Path, str]]:
    try:
        return list(_own(load_project(root)))
    except ConfigError:  # what a broken project file would say is unknown
        return [(root / name, what) for name, what in {"config": "resources", **ALWAYS}.items()]


def _among(spellings: set[Path], place: Path, root: Path) -> bool:
    """Return whether a folder is a project's own, is inside one, or, within the project, has one inside."""
    base = _spellings(root)
    return any(
        path == mine or mine in path.parents or (path in mine.parents and bool(base & set(path.parents)))
        for mine in _spellings(place) - base
        for path in spellings - base
    )


def _hint(root: Path) -> str:
    return (
        f"in {root}, `reconciler export` writes into that project; a project of its own needs a folder outside of its "
        "files"
    )

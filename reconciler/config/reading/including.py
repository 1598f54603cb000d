"""What an `include` leads to: a folder beside the project, a pack that comes with the program, a baseline from Git."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from pathlib import Path
from typing import NamedTuple, Protocol

from reconciler.config.reading.files import outside, read_source, shown_path, yaml_files
from reconciler.config.reading.nodes import Source, Spot
from reconciler.config.reading.problems import Problems, listed
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import mutable

PACK, GIT = "pack:", "git+"
ReadBaseline = Callable[[str], Mapping[str, str]]
"""Returns the texts of a baseline from Git by their names in it, as they are locked. Raises ReconcilerError."""


class Tree(Protocol):
    """Where the files of folders are read: as they are now, or as a Git reference has them."""

    def place(self, folder: Path, naming: str, written: str) -> Path:
        """Return the folder that a file (`naming`, relative to the project) names."""

    def wrong(self, place: Path, folder: Path) -> str:
        """Return why a folder is not read; "" where it may be."""

    def holds(self, place: Path) -> bool:
        """Return whether there is such a folder."""

    def sources(self, place: Path, folder: Path, problems: Problems) -> list[Source | None]:
        """Return the YAML files below a folder; None stands for one that could not be read."""


class WorkingTree:
    """The files as they are now."""

    def place(self, folder: Path, naming: str, written: str) -> Path:
        return (folder / naming).parent.joinpath(written).resolve()

    def wrong(self, place: Path, folder: Path) -> str:
        return outside(place, folder)

    def holds(self, place: Path) -> bool:
        return place.is_dir()

    def sources(self, place: Path, folder: Path, problems: Problems) -> list[Source | None]:
        return [read_source(path, folder, problems) for path in yaml_files(place, folder, problems)]


class Included(NamedTuple):
    """What an include leads to: its name, by which a ring is noticed, and its files."""

    name: str
    sources: tuple[Source | None, ...]


def no_baselines(source: str) -> Mapping[str, str]:
    """Stand for baselines where nothing can be fetched. Raises ConfigError."""
    raise ConfigError([Diagnostic(f"{source} is not read here", code="not-here")])


@mutable
class Includes:
    """Finds what includes name. `folder` is the project's (None: there are no files to include)."""

    folder: Path | None
    problems: Problems
    tree: Tree = field(default_factory=WorkingTree)
    baselines: ReadBaseline = no_baselines

    def find(self, written: str, naming: Source, spot: Spot, stack: tuple[str, ...]) -> Included | None:
        """Return what an include names; None where `problems` tells that it is nothing."""
        if written.startswith(PACK):
            return self._pack(written, spot)
        if written.startswith(GIT):
            return self._baseline(written, naming, spot)
        if self.folder is None or naming.file.startswith((PACK, GIT)):
            self.problems.error("missing-folder", "there is no folder to include from", spot)
            return None
        return self._folder(written, self.folder, naming, spot, stack)

    def _folder(
        self, written: str, folder: Path, naming: Source, spot: Spot, stack: tuple[str, ...]
    ) -> Included | None:
        """Return the folder that an include names, relative to the file that names it."""
        place = self.tree.place(folder, naming.file, written)
        shown = shown_path(place, folder)
        if str(place) in stack or place == folder.resolve():
            ring = " -> ".join([*(shown_path(Path(including), folder) for including in stack), shown])
            self.problems.error("include-cycle", f"`{written}` includes itself: {ring}", spot)
        elif why := self.tree.wrong(place, folder):
            self.problems.error("outside", f"`{written}` is not read: {why}", spot, "copy it into the repository")
        elif not self.tree.holds(place):
            self.problems.error(
                "missing-folder",
                f"`{written}` is not a folder; it was looked for at {shown}",
                spot,
                "an include names a folder of resource files, relative to the file that includes it",
            )
        elif not (sources := self.tree.sources(place, folder, self.problems)):
            self.problems.error("missing-folder", f"`{written}` holds no YAML files", spot)
        else:
            return Included(str(place), tuple(sources))
        return None

    def _pack(self, written: str, spot: Spot) -> Included | None:
        known = packs()
        if written in known:
            return Included(written, (Source(written, known[written]),))
        near = did_you_mean(written, known, f"there are {listed(known)}")
        self.problems.error("unknown-pack", f"this version of the program has no `{written}`", spot, near)
        return None

    def _baseline(self, written: str, naming: Source, spot: Spot) -> Included | None:
        if naming.file != PROJECT_FILE:
            hint = f"include it in {PROJECT_FILE}: a change of the files alone may not decide what is fetched"
            self.problems.error(
                "misplaced-include", "a Git repository is included by the project file only", spot, hint
            )
            return None
        try:
            texts = self.baselines(written)
        except ConfigError as error:
            for diagnostic in error.diagnostics:
                self.problems.error(diagnostic.code, diagnostic.message, spot, diagnostic.hint)
            return None
        name = written.partition("@")[0]
        return Included(name, tuple(Source(f"{written}/{file}", text) for file, text in texts.items()))


def packs() -> dict[str, str]:
    """Return the packs that come with the program, by what an include calls them."""
    from importlib import resources  # few projects include a pack

    folder = resources.files("reconciler.config").joinpath("packs")
    return {
        f"{PACK}{os.path.splitext(pack.name)[0]}": pack.read_text("utf-8")
        for pack in sorted(folder.iterdir(), key=lambda file: file.name)
        if pack.name.endswith(".yaml")
    }

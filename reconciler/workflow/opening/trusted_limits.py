"""What a change cannot decide about itself: where it is applied, and by which guards and policies. That is read from
the target branch, or from another file; of a change, only the resources that it declares count.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from reconciler.config import LoadedProject, differing, held_to, parse_project
from reconciler.config.reading.files import SUFFIXES, border, decode, outside, read_source, shown_path, yaml_files
from reconciler.config.reading.including import Tree, WorkingTree
from reconciler.config.reading.nodes import Source
from reconciler.config.reading.problems import Problems
from reconciler.model.document import SettingsView
from reconciler.model.errors import ConfigError, ReconcilerError, Refused, WrongInput
from reconciler.model.project import DECLARES, PROJECT_FILE
from reconciler.model.records import record
from reconciler.store.reading import read_regular

FILE = "file:"
SECONDS = 30
MOST_BYTES = 64 << 20


def ruled_by(
    project: LoadedProject, name: str | None, source: str, declares: frozenset[str] = DECLARES
) -> tuple[LoadedProject, SettingsView]:
    """Return the project that `source` (a Git reference, or `file:PATH`) says, with the resources that this one
    declares; and what else this one would change. `name` is the environment that was asked for, None for the default.

    Raises Refused where the source has no project file, or does not know the environment: nothing that was
    reviewed says where it is. Raises ConfigError and ReconcilerError.
    """
    text = _read(project.folder, source)
    if text is None:
        raise Refused(
            f"{source} has no {PROJECT_FILE}, so nothing that counts says where this is applied; nothing was sent",
            hint="merge the project file first, and make the first plan from the target branch",
        )
    try:
        ruling = parse_project(text, project.folder)
    except ConfigError as error:
        diagnostics = [
            diagnostic._replace(message=f"in {source}: {diagnostic.message}") for diagnostic in error.diagnostics
        ]
        raise ConfigError(diagnostics) from error
    if name is not None and name in project.project.environments and name not in ruling.project.environments:
        raise Refused(
            f"{source} does not know the environment `{name}`, and a change cannot decide where it is applied; nothing "
            "was sent",
            hint=f"merge `{name}` in {PROJECT_FILE} first, in a request of its own",
        )
    changed = differing(project.project, ruling.project)
    written = json.dumps(changed, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    mark = hashlib.sha256(written).hexdigest()[:8]
    return held_to(project, ruling, declares), SettingsView(source=source, changed=sorted(changed), mark=mark)


@record
class ReferenceTree:
    """The folders that a project includes, as a Git reference has them: what a change writes there does not count."""

    reference: str

    def place(self, folder: Path, naming: str, written: str) -> Path:
        return Path(os.path.normpath((folder.resolve() / naming).parent / written))

    def wrong(self, place: Path, folder: Path) -> str:
        limit = border(folder)
        return "" if place.is_relative_to(limit) else f"it is outside of its Git repository {limit}"

    def holds(self, place: Path) -> bool:
        return bool(self._names(place, place.parent))

    def sources(self, place: Path, folder: Path, problems: Problems) -> list[Source | None]:
        root = border(folder)
        names = [name for name in self._names(place, root) if name.endswith(SUFFIXES)]
        return [self._source(root, name, folder, problems) for name in sorted(names)]

    def _names(self, place: Path, root: Path) -> list[str]:
        """Return the regular files below a folder, relative to the root of the repository; links are none."""
        while not root.is_dir():
            root = root.parent
        path = os.path.relpath(place, root)
        listed = _git(root, "ls-tree", "-r", "-z", "--full-name", self.reference, "--", path) or b""
        rows = [row.partition("\t") for row in listed.decode("utf-8", "surrogateescape").split("\0") if row]
        return [name for kind, _, name in rows if kind.startswith("100")]

    def _source(self, root: Path, name: str, folder: Path, problems: Problems) -> Source | None:
        text = _git(root, "show", f"{self.reference}:{name}")
        return decode(text or b"", shown_path(root / name, folder), problems)


def trusted_text(folder: Path, source: str, name: str) -> bytes | None:
    """Return a file beside the project file of `source`; None where there is none."""
    if source.startswith(FILE):
        try:
            return read_regular((folder / source.removeprefix(FILE)).parent / name)
        except OSError:
            return None
    return _git(folder, "show", f"{source}:./{name}")


def trusted_tree(folder: Path, source: str) -> Tree:
    """Return where the folders are read that the project file of `source` includes (see `ruled_by`)."""
    if source.startswith(FILE):
        return FileTree((folder / source.removeprefix(FILE)).parent)
    return ReferenceTree(source)


@record
class FileTree(WorkingTree):
    """The folders beside a project file that rules and is somewhere else."""

    home: Path

    def place(self, folder: Path, naming: str, written: str) -> Path:
        return (self.home / naming).parent.joinpath(written).resolve()

    def wrong(self, place: Path, folder: Path) -> str:
        return outside(place, self.home)

    def sources(self, place: Path, folder: Path, problems: Problems) -> list[Source | None]:
        return [read_source(path, self.home, problems) for path in yaml_files(place, self.home, problems)]


def _read(folder: Path, source: str) -> bytes | None:
    """Return the project file of a source; None where a reference has none."""
    if source.startswith(FILE):
        path = folder / source.removeprefix(FILE)
        try:
            return read_regular(path)
        except OSError as error:
            raise WrongInput(f"{path} cannot be read: {error.strerror}") from error
    if source.startswith("-") or not source.strip() or ":" in source:
        raise WrongInput(f"{source!r} is not a Git reference", hint="for a file write file:PATH")
    if _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{source}^{{commit}}") is None:
        raise WrongInput(
            f"there is not a Git reference {source} here",
            hint="fetch the target branch; actions/checkout does with `fetch-depth: 0`, GitLab with GIT_DEPTH: 0",
        )
    places = [f"refs/{kind}{source}" for kind in ("", "tags/", "heads/", "remotes/")]
    named = (_git(folder, "for-each-ref", "--format=%(refname)", "--", *places) or b"").decode().split()
    if len(meant := sorted({*places} & {*named})) > 1:
        # Git would take the first, and who may push a tag could put it before the branch.
        raise WrongInput(f"{source} is several things here: {', '.join(meant)}", hint="write out which one is meant")
    return _git(folder, "show", f"{source}:./{PROJECT_FILE}")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints, None where it fails. Raises ReconcilerError where there is no git."""
    try:
        from reconciler.store.programs import run_program

        ran = run_program(["git", *arguments], folder, os.environ, SECONDS, most=MOST_BYTES)
    except OSError as error:
        raise ReconcilerError("git cannot be run", hint="install git, or name a file: file:PATH") from error
    if ran.late or ran.loud:
        raise ReconcilerError(f"git took more than {SECONDS} s, or says more than {MOST_BYTES >> 20} MiB")
    return ran.printed if ran.code == 0 else None

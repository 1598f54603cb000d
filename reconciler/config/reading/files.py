"""Files of a project as text: which there are, and what makes them unreadable."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import field
from pathlib import Path

from reconciler.config.reading.nodes import Source, Spot
from reconciler.config.reading.problems import Problems
from reconciler.model.records import mutable

MAX_BYTES = 256 * 1024 * 1024
SUFFIXES = (".yaml", ".yml")
NEARLY = r"(?i)\.ya?ml(?![a-z])|\.y[alm][a-z]{0,4}\d?$|\.[a-z]aml$|ya?ml$|^#.*\.ya?ml#$"
"""Names that were meant as one of a YAML file, or that an editor or a person made of one."""
_KERNEL = ("/proc", "/sys", "/dev")
"""Where the kernel shows processes and devices as files: an environment, for one, with every credential in it. A
project in memory, below /dev/shm, reads its own files.
"""
VERSIONED = (".git", ".hg", ".svn", ".jj")
_SPECIAL = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def shown_path(path: Path, folder: Path) -> str:
    """Return a path as messages show it: relative to the project folder, with slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()


def border(folder: Path) -> Path:
    """Return what a project may read from: its Git repository, or its own folder where there is none."""
    return Path(_border(folder))


def _border(folder: Path) -> str:
    """Return it as text: this is asked for every file that is read."""
    here = place = os.path.realpath(folder)
    while not os.path.exists(os.path.join(place, ".git")):
        above = os.path.dirname(place)
        if above == place:
            return here
        place = above
    return place


def _below(path: str, folder: str) -> bool:
    """Return whether a real path is a folder or in it."""
    return path == folder or path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def outside(path: Path, folder: Path) -> str:
    """Return why a project must not read what a path leads to; "" where it may. Links are followed to their end."""
    real, limit = os.path.realpath(path), _border(folder)
    if any(_below(real, place) and not _below(limit, place) for place in _KERNEL):
        return f"{real} is not a regular file"
    if _below(real, limit):
        return ""
    what = (
        "its Git repository"
        if os.path.exists(os.path.join(limit, ".git"))
        else "its folder, which is in no Git repository"
    )
    return f"it is {real}, and a project reads nothing outside of {what}"


def yaml_files(place: Path, folder: Path, problems: Problems) -> list[Path]:
    """Return a file itself, or all YAML files below a folder and the folders that it links to, sorted.

    Nothing is passed over in silence: a link without a target, a folder that cannot be listed and what is neither file
    nor folder is an error; a hidden file, and a name that is nearly one of a YAML file, gets a warning.
    """
    walk = _Walk(folder, problems)
    if _is(place, stat.S_ISDIR):
        walk.enter(place)
    else:
        walk.take(place, asked=True)
    walk.tell_hidden()
    return sorted(walk.files)


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(path.stat().st_mode)
    except OSError:
        return False


@mutable
class _Walk:
    """One look through a folder. `hidden` are YAML files in hidden places, `seen` the folders that were entered."""

    folder: Path
    problems: Problems
    files: list[Path] = field(default_factory=list)
    hidden: list[Path] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def enter(self, place: Path, *, hidden: bool = False) -> None:
        """Take everything in a folder, once."""
        real = os.path.realpath(place)
        if real in self.seen:
            return
        self.seen.add(real)
        if why := outside(place, self.folder):
            if not hidden:
                self._error(place, why, "copy it into the project", "outside")
            return
        try:
            names = sorted(os.listdir(place))
        except OSError as error:
            if not hidden:
                self._error(place, f"the folder cannot be read: {error.strerror}")
            return
        for name in names:
            self.take(place / name, hidden=hidden or name.startswith("."))

    def take(self, path: Path, *, hidden: bool = False, asked: bool = False) -> None:
        """Take one entry; one that was `asked` for by its name may be called anything."""
        try:
            mode = path.stat().st_mode
        except OSError as error:
            if hidden:
                self._aside(path)
            elif path.is_symlink():
                hint = "bring back what it names, or take the link out: what it declares would count as removed"
                self._error(path, f"the link leads nowhere: {os.readlink(path)}", hint)
            else:
                self._error(path, f"it cannot be read: {error.strerror}")
            return
        if stat.S_ISDIR(mode):
            known = len(self.files)
            if path.name not in VERSIONED:
                self.enter(path, hidden=hidden)
            if path.suffix in SUFFIXES and not hidden and len(self.files) == known:
                self._warn(path, "it is a folder, and holds nothing that is")
        elif not stat.S_ISREG(mode):
            if not hidden:
                self._error(path, f"it is {_SPECIAL.get(stat.S_IFMT(mode), 'no file')}, and cannot be read")
        elif asked or (path.suffix in SUFFIXES and not hidden):
            self.files.append(path)
        else:
            self._aside(path)

    def tell_hidden(self) -> None:
        """Warn of hidden YAML files, unless a link names them (as mounted volumes do it)."""
        if not self.hidden:
            return
        read = {os.path.realpath(path) for path in self.files}
        for path in self.hidden:
            if os.path.realpath(path) not in read:
                self._warn(path, "it is hidden, or in a hidden folder")

    def _aside(self, path: Path) -> None:
        if path.suffix in SUFFIXES:
            self.hidden.append(path)
        elif path.suffix == ".json" and not path.name.endswith(".schema.json"):
            self._warn(path, "only YAML files are, and JSON in one is YAML", f"call it {path.stem}{SUFFIXES[0]}")
        elif re.search(NEARLY, path.name):
            self._warn(path, f"its name ends in none of {', '.join(SUFFIXES)}")

    def _warn(self, path: Path, why: str, hint: str = "rename it, or move it out of the folder") -> None:
        file = shown_path(path, self.folder)
        self.problems.warn("unread-file", f"{file} is not read: {why}", Spot(Source(file, "")), hint)

    def _error(self, path: Path, message: str, hint: str = "", code: str = "unreadable-file") -> None:
        self.problems.error(code, message, Spot(Source(shown_path(path, self.folder), "")), hint)


def read_source(path: Path, folder: Path, problems: Problems) -> Source | None:
    """Return a file's text without a byte order mark; None when it cannot be read, which `problems` then tells."""
    file = shown_path(path, folder)
    try:
        if why := outside(path, folder):
            problems.error("outside", why, Spot(Source(file, "")), "copy it into the project")
            return None
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = _SPECIAL.get(stat.S_IFMT(status.st_mode), "no file")
            problems.error("unreadable-file", f"it is {what}, and cannot be read", Spot(Source(file, "")))
            return None
        if status.st_size > MAX_BYTES:
            problems.error(
                "unreadable-file", f"the file is larger than {MAX_BYTES // 1024**2} MiB", Spot(Source(file, ""))
            )
            return None
        content = path.read_bytes()
    except OSError as error:
        problems.error("unreadable-file", f"the file cannot be read: {error.strerror}", Spot(Source(file, "")))
        return None
    return decode(content, file, problems)


def decode(content: bytes, file: str, problems: Problems) -> Source | None:
    """Return the text of a file's bytes, which must be UTF-8."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return Source(file, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        spot = Source(file, content.decode("utf-8", "replace")).spot_at(len(before))
        what = "UTF-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "not UTF-8"
        message = f"the file is {what} (byte 0x{content[error.start]:02X} at offset {error.start})"
        problems.error("not-utf8", message, spot, "save the file as UTF-8")
        return None


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Return the paths without those that name a file again, in order."""
    return list({os.path.realpath(path): path for path in paths}.values())

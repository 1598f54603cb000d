"""Baselines from Git repositories: fetched by the program `git`, kept in a cache that is bounded and believed only by
its digest.

Git gets a fixed list of arguments, no shell and no question to ask; of the repository, only regular YAML files below
one folder are read, as objects: nothing is checked out, no hook and no filter runs, submodules and links are refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.model.baseline import BaselineSource, digest_of
from reconciler.model.documents import read_json
from reconciler.model.errors import ReconcilerError, WrongInput
from reconciler.model.records import record
from reconciler.model.redaction import abridged
from reconciler.store.atomic import write_file
from reconciler.store.programs import run_program
from reconciler.store.reading import read_regular

SECONDS = 120
"""That one command of Git may take."""
MOST_FILES = 2_000
MOST_BYTES = 16 << 20
LOUDEST = 2 * MOST_BYTES
"""Bytes that Git may print: the listing comes before the sizes are known."""
KEPT = 50
"""Versions of baselines that the cache keeps; the ones that were used longest ago go."""
_SUFFIXES = (".yaml", ".yml")
_ENVIRONMENT = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|XDG_CONFIG_HOME|SYSTEMROOT|SSH_AUTH_SOCK|SSH_AGENT_PID|SSL_CERT_.*|"
    r"(?:https?|all|no)_proxy|GIT_ASKPASS|SSH_ASKPASS|GIT_SSH_COMMAND|GIT_SSL_.*|GIT_CONFIG_.*",
    re.IGNORECASE,
)
"""What Git may know of our environment variables: how it signs in, and nothing of ours."""
_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "fetch.fsckObjects=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
)


@record
class RepositoryVersion:
    """What a version is in its repository now. A branch is expected to move, and a tag is not."""

    commit: str
    is_tag: bool = False


@record
class GitBaselines:
    """Fetches baselines. `folder` is the project's, from which paths count; `environ` are our environment variables."""

    folder: Path
    environ: Mapping[str, str]

    def version_of(self, baseline: BaselineSource) -> RepositoryVersion:
        """Return what a version is now. Raises WrongInput where there is none, or a tag and a branch of one name, and
        ReconcilerError where that cannot be asked.
        """
        if baseline.is_commit:
            return RepositoryVersion(baseline.version)
        names = {f"refs/tags/{baseline.version}": "", f"refs/heads/{baseline.version}": ""}
        asked = [*names, *(f"{name}^{{}}" for name in names)]
        listed = self._git(baseline, self.folder, "ls-remote", "--", self._url(baseline), *asked)
        commits = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
        meant = [name for name in names if name in commits]
        if not meant:
            raise WrongInput(f"{baseline.url} has no tag and no branch `{baseline.version}`")
        if len(meant) > 1:
            raise WrongInput(
                f"{baseline.url} has a tag and a branch `{baseline.version}`", hint="name the commit, or take one away"
            )
        commit = commits.get(f"{meant[0]}^{{}}", commits[meant[0]])
        return RepositoryVersion(commit, is_tag=meant[0].startswith("refs/tags/"))

    def texts(self, baseline: BaselineSource, commit: str) -> dict[str, str]:
        """Return the YAML files of a baseline at a commit, by their names below its folder. Raises ReconcilerError."""
        with tempfile.TemporaryDirectory(prefix="reconciler-") as scratch:
            here = Path(scratch)
            self._git(baseline, here, "init", "--quiet", "--bare", "--template=", "--", ".")
            self._fetch(baseline, here, commit)
            return self._read(baseline, here, commit)

    def _fetch(self, baseline: BaselineSource, here: Path, commit: str) -> None:
        """Fetch one commit; from servers that give none by its name, what the version holds now."""
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc")
        url = self._url(baseline)
        try:
            self._git(baseline, here, "fetch", *options, "--depth=1", "--", url, commit)
        except ReconcilerError:
            if baseline.is_commit:
                raise
            self._git(baseline, here, "fetch", *options, "--", url, baseline.version)
        self._git(baseline, here, "cat-file", "-e", f"{commit}^{{commit}}")

    def _read(self, baseline: BaselineSource, here: Path, commit: str) -> dict[str, str]:
        path = f"{baseline.folder}/" if baseline.folder else ""
        where = (path.rstrip("/"),) if path else (".",)
        listed = self._git(baseline, here, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *where)
        rows = [row.partition("\t") for row in listed.split("\0") if row]
        wanted: list[tuple[str, str]] = []
        size = 0
        for meta, _, name in rows:
            mode, _, thing, length = meta.split()
            if mode in ("120000", "160000"):
                what = "a link" if mode == "120000" else "a submodule"
                raise WrongInput(f"{baseline.written} holds {what}, which is not followed: {name}")
            if name.endswith(_SUFFIXES):
                wanted.append((name.removeprefix(path), thing))
                size += int(length)
        if len(wanted) > MOST_FILES or size > MOST_BYTES:
            raise WrongInput(
                f"{baseline.written} is larger than a baseline may be: {len(wanted):,} files, {size >> 20:,} MiB"
            )
        if not wanted:
            why = (
                "holds no YAML files"
                if rows or not path
                else f"has no folder `{baseline.folder}` at {baseline.version}"
            )
            raise WrongInput(f"{baseline.written} {why}")
        return self._contents(baseline, here, dict(sorted(wanted)))

    def _contents(self, baseline: BaselineSource, here: Path, things: Mapping[str, str]) -> dict[str, str]:
        """Return the files by name, of their objects by name; asked of one Git, which has one end."""
        asked = "".join(f"{thing}\n" for thing in things.values()).encode()
        printed, place = self._printed(baseline, here, "cat-file", "--batch", given=asked), 0
        texts = {}
        for name in things:  # `OBJECT blob BYTES`, then the bytes and a line break
            head = printed.index(b"\n", place)
            end = head + 1 + int(printed[place:head].split()[-1])
            texts[name], place = _decoded(baseline, printed[head + 1 : end]), end + 1
        return texts

    def _url(self, baseline: BaselineSource) -> str:
        if baseline.scheme != "file":
            return baseline.url
        return str((self.folder / baseline.url.partition(":")[2].removeprefix("//")).resolve())

    def _git(self, baseline: BaselineSource, here: Path, *arguments: str) -> str:
        """Return what Git prints, as text. Raises ReconcilerError as `_printed`."""
        return _decoded(baseline, self._printed(baseline, here, *arguments))

    def _printed(self, baseline: BaselineSource, here: Path, *arguments: str, given: bytes = b"") -> bytes:
        """Return what Git prints. Raises ReconcilerError with the last line of what it says where it fails."""
        known = {name: value for name, value in self.environ.items() if _ENVIRONMENT.fullmatch(name)}
        fixed = {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": baseline.scheme,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }
        settings = [
            part for setting in (*_CONFIG, f"protocol.{baseline.scheme}.allow=always") for part in ("-c", setting)
        ]
        try:
            command = ["git", *settings, *arguments]
            ran = run_program(command, here, {**known, **fixed}, SECONDS, most=LOUDEST, given=given, errors=True)
        except OSError as error:
            raise ReconcilerError("git cannot be run", hint="install git: baselines are fetched with it") from error
        if ran.late or ran.loud:
            what = f"took more than {SECONDS} s" if ran.late else "says more than a baseline may hold"
            raise ReconcilerError(f"git {what} for {baseline.written}")
        if ran.code:
            lines = ran.errors.decode("utf-8", "replace").strip().splitlines() or [f"exit code {ran.code}"]
            why = next(
                (line for line in lines if line.startswith(("fatal:", "ERROR:"))), lines[-1]
            )  # advice comes after it
            raise ReconcilerError(f"{baseline.written} cannot be fetched: {abridged(_without_users(why), 300)}")
        return ran.printed


def _decoded(baseline: BaselineSource, printed: bytes) -> str:
    try:
        return printed.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongInput(f"{baseline.written} holds a file that is not UTF-8") from error


def _without_users(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return where fetched baselines are kept; None where no folder of the user is known."""
    base = environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else "")
    return Path(base) / "reconciler" / "baselines" if os.path.isabs(base) else None


def cached(cache: Path | None, digest: str) -> dict[str, str] | None:
    """Return the files of this digest from the cache; None where it has none, or others."""
    if cache is None:
        return None
    path = cache / f"{digest}.json"
    try:
        content = read_json(read_regular(path, 4 * MOST_BYTES))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        return None
    if digest_of(content) != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return content


def keep(cache: Path | None, texts: Mapping[str, str]) -> None:
    """Put the files of a baseline into the cache, and take out what was used longest ago. A cache that cannot be
    written is none.
    """
    if cache is None:
        return
    with contextlib.suppress(OSError):
        write_file(cache / f"{digest_of(texts)}.json", json.dumps(texts).encode(), mode=0o600)
        for path in _oldest(list(cache.glob("*.json")))[:-KEPT]:
            path.unlink(missing_ok=True)


def _oldest(paths: Sequence[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: path.stat().st_mtime)

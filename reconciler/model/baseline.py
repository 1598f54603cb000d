"""Baselines: folders of resources and rules in Git repositories, with the versions that a project is locked to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.empty import no_members
from reconciler.model.records import record

LOCK_FILE = "reconciler.lock"
LOCK_FORMAT = "1.0"
PREFIX = "git+"
FORM = "git+https://HOST/REPOSITORY@VERSION//FOLDER"
_SCHEMES = ("https", "ssh", "file")
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?")
_PATH = re.compile(r"[A-Za-z0-9._~/+-]+")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@record
class BaselineSource:
    """A folder of a Git repository at a version, as an include names it. `folder` is "" for all of it."""

    written: str
    url: str
    version: str
    folder: str

    @property
    def scheme(self) -> str:
        """How the repository is reached: https, ssh or file."""
        return self.url.partition(":")[0]

    @property
    def place(self) -> str:
        """The repository and the folder, whatever the version is."""
        return f"{self.url}//{self.folder}"

    @property
    def is_commit(self) -> bool:
        """Return whether the version is a commit."""
        return _COMMIT.fullmatch(self.version) is not None


def parse_baseline(written: str) -> BaselineSource:
    """Return what an include of a Git repository names. Raises ValueError with what is wrong: nothing in it may be
    taken for an option of Git or ssh, and no credential stands in it.
    """
    scheme, colon, rest = written.removeprefix(PREFIX).partition(":")
    if scheme not in _SCHEMES or not colon or (scheme != "file" and not rest.startswith("//")):
        raise ValueError(f"a Git repository is reached by {', '.join(_SCHEMES)}: write {FORM}")
    place, _, folder = rest.removeprefix("//").partition("//")
    repository, at, version = place.rpartition("@")
    if not at or not repository:
        raise ValueError(f"it names no version: write {FORM}")
    _check("path", repository if scheme == "file" else _behind_host(scheme, repository))
    if folder:
        _check("folder", folder)
    if ".." in folder.split("/") or folder.startswith("/"):
        raise ValueError("its folder leads out of the repository")
    if not _VERSION.fullmatch(version) or ".." in version or version.endswith(("/", ".lock")):
        raise ValueError("its version is not a tag, branch or commit")
    url = f"{scheme}:{'//' if rest.startswith('//') else ''}{repository}"
    return BaselineSource(written, url, version, folder.strip("/"))


def _behind_host(scheme: str, repository: str) -> str:
    """Return the path of a repository on a host that may be one."""
    host, _, path = repository.partition("/")
    if scheme == "https" and "@" in host:
        raise ValueError("a URL holds no user and no password: Git asks its credential helpers")
    if not _HOST.fullmatch(host):
        raise ValueError("its host cannot be one")
    return path


def _check(what: str, text: str) -> None:
    if not _PATH.fullmatch(text) or text.startswith("-"):
        raise ValueError(f"its {what} holds what no {what} here may hold")


class LockedBaseline(BaseModel):
    """One baseline at the version that was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] = Field(description="Commit that the version was.")
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the names and texts of its YAML files."
    )


class LockFile(BaseModel):
    """`reconciler.lock`: which content the versions of baselines stand for. `reconciler update` writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    format_version: str = LOCK_FORMAT
    baselines: dict[str, LockedBaseline] = Field(default_factory=no_members, description="By what the include says.")


def digest_of(texts: Mapping[str, str]) -> str:
    """Return the SHA-256 (hex) of the files of a baseline: of their names and their texts, in the order of names."""
    content = json.dumps(sorted(texts.items()), ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()

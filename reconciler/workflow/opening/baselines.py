"""The baselines of a project: as they are locked, from the cache or from their repositories; and newer ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from reconciler.config import LoadedProject
from reconciler.config.reading.including import GIT
from reconciler.model.baseline import (
    LOCK_FILE,
    LOCK_FORMAT,
    BaselineSource,
    LockedBaseline,
    LockFile,
    digest_of,
    parse_baseline,
)
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.documents import is_readable
from reconciler.model.errors import ConfigError, Refused
from reconciler.model.records import mutable, record
from reconciler.store.baselines import GitBaselines, cache_folder, cached, keep
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.requests import unreviewed
from reconciler.workflow.opening.trusted_limits import trusted_text

UPDATE = "`reconciler update` looks at what the version holds, shows it as a plan, and locks it"


@mutable
class ProjectBaselines:
    """Answers what the baselines of a project hold. `lock` is read once, when a baseline is asked for; `barred` says
    why nothing may be fetched now.
    """

    folder: Path
    environ: Mapping[str, str]
    read_lock: Callable[[], LockFile]
    barred: str = ""
    _lock: LockFile | None = None
    _texts: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __call__(self, written: str) -> Mapping[str, str]:
        """Return the files of a baseline by name. Raises ConfigError where it is not locked, and Refused where it holds
        something else than what is locked.
        """
        if written not in self._texts:
            self._texts[written] = self._read(parsed(written))
        return self._texts[written]

    def _read(self, baseline: BaselineSource) -> Mapping[str, str]:
        if self._lock is None:
            self._lock = self.read_lock()
        entry = self._lock.baselines.get(baseline.written)
        if entry is None:
            message = f"{baseline.written} is not locked: {LOCK_FILE} does not say what it holds"
            raise ConfigError([Diagnostic(message, hint=UPDATE, code="not-locked")])
        cache = cache_folder(self.environ)
        known = cached(cache, entry.digest)
        if known is not None:
            return known
        if self.barred:
            hint = "`reconciler update --locked` fetches what is locked"
            raise ConfigError(
                [Diagnostic(f"{baseline.written} is not here, and {self.barred}", hint=hint, code="not-here")]
            )
        texts = GitBaselines(self.folder, self.environ).texts(baseline, entry.commit)
        if digest_of(texts) != entry.digest:
            raise Refused(
                f"{baseline.written} does not hold what {LOCK_FILE} says (SHA-256 {entry.digest[:12]}...): it was "
                "changed, or another repository answers",
                hint=f"find out why before anything else; {UPDATE}",
            )
        keep(cache, texts)
        return texts


def locked(folder: Path, environ: Mapping[str, str], *, offline: bool, source: str = "") -> ProjectBaselines:
    """Return the baselines of a project as its lock file says, or that of the `source` that rules (see `ruled_by`).
    Nothing is fetched `offline`, nor for a request whose settings are its own.
    """
    barred = "nothing is fetched here" if offline else ""
    if not barred and unreviewed(environ, source):
        barred = "what a request names is fetched with --guards-from only"

    def lock() -> LockFile:
        return parse_lock(trusted_text(folder, source, LOCK_FILE) or b"{}") if source else lock_of(folder)

    return ProjectBaselines(folder, environ, lock, barred)


def parsed(written: str) -> BaselineSource:
    """Return what an include names. Raises ConfigError."""
    try:
        return parse_baseline(written)
    except ValueError as error:
        # What it says is not repeated: where it is wrong, there may be a credential in it.
        raise ConfigError([Diagnostic(f"this repository cannot be included: {error}", code="bad-baseline")]) from error


def lock_of(folder: Path) -> LockFile:
    """Return the lock file of a project; an empty one where there is none. Raises ConfigError."""
    try:
        return parse_lock(read_regular(folder / LOCK_FILE))
    except FileNotFoundError:
        return LockFile()
    except OSError as error:
        raise ConfigError([Diagnostic(f"{LOCK_FILE} cannot be read: {error.strerror}", code="bad-lock")]) from error


def parse_lock(content: bytes) -> LockFile:
    """Return a lock file from its bytes. Raises ConfigError."""
    try:
        file = LockFile.model_validate_json(content)
    except ValueError as error:
        hint = "delete it and run `reconciler update`; after a merge, take either side first"
        raise ConfigError([Diagnostic(f"{LOCK_FILE} is none of this program", hint=hint, code="bad-lock")]) from error
    if not is_readable(file.format_version, LOCK_FORMAT):
        message = f"{LOCK_FILE} is of format {file.format_version}, and this program reads {LOCK_FORMAT}"
        raise ConfigError([Diagnostic(message, hint="use a newer version of the program", code="bad-lock")])
    return file


def sources(project: LoadedProject) -> list[str]:
    """Return the Git repositories that the project file includes, once each."""
    return list(dict.fromkeys(include.source for include in project.project.include if include.source.startswith(GIT)))


@record
class Update:
    """A baseline that is looked at: what was locked of the same place before (None: nothing), and what is now."""

    written: str
    before: LockedBaseline | None
    before_version: str
    now: LockedBaseline
    moved_from: str = ""
    """Commit that this tag was when it was locked, where it is another one now; "" where it has not moved."""

    @property
    def changed(self) -> bool:
        """Whether it holds something else than before."""
        return self.before is None or self.before.digest != self.now.digest


def look(folder: Path, environ: Mapping[str, str], project: LoadedProject) -> tuple[LockFile, list[Update]]:
    """Return the lock file as the repositories are now, and what became of each baseline. Raises ConfigError and
    ReconcilerError.
    """
    old, git = lock_of(folder), GitBaselines(folder, environ)
    updates = []
    for written in sources(project):
        baseline = parsed(written)
        version = git.version_of(baseline)
        texts = git.texts(baseline, version.commit)
        keep(cache_folder(environ), texts)
        name, before = _before(baseline, old)
        now = LockedBaseline(commit=version.commit, digest=digest_of(texts))
        moved_from = _other_commit(baseline, version.commit, old) if version.is_tag else ""
        updates.append(Update(written, before, name, now, moved_from))
    return LockFile(
        baselines={update.written: update.now for update in sorted(updates, key=lambda update: update.written)}
    ), updates


def _before(baseline: BaselineSource, lock: LockFile) -> tuple[str, LockedBaseline | None]:
    """Return what is locked of a baseline: this version, else another one of the same place."""
    if baseline.written in lock.baselines:
        return baseline.version, lock.baselines[baseline.written]
    for written, entry in lock.baselines.items():
        try:
            other = parse_baseline(written)
        except ValueError:
            continue
        if other.place == baseline.place:
            return other.version, entry
    return "", None


def _other_commit(baseline: BaselineSource, commit: str, lock: LockFile) -> str:
    """Return the commit that this version of the repository is locked as, for this folder or another one of it, where
    that is not `commit`; "" otherwise.
    """
    for written, entry in lock.baselines.items():
        with suppress(ValueError):
            other = parse_baseline(written)
            if (other.url, other.version) == (baseline.url, baseline.version) and entry.commit != commit:
                return entry.commit
    return ""


def lock_text(lock: LockFile) -> str:
    """Return the content of a lock file."""
    return lock.model_dump_json(indent=2) + "\n"

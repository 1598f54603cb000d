"""Guards and policies that a change cannot loosen for itself: read from the target branch, or from another file."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.config import environment, load_project
from reconciler.model.errors import ReconcilerError
from reconciler.model.project import PROJECT_FILE, Guards, Policy
from reconciler.workflow.session import Session

FILE = "file:"
SECONDS = 30


@dataclass(frozen=True)
class Borders:
    """Limits and rules, and where they are from."""

    guards: Guards
    policies: tuple[Policy, ...]
    source: str


def borders_of(folder: Path, name: str, source: str, environ: Mapping[str, str]) -> Borders:
    """Return what `source` says about an environment: a Git reference, or `file:PATH`.

    Where it has no project file, the defaults hold; where it does not know the environment, the defaults hold and every
    policy does, so that nothing is won by a new name. Raises ConfigError and ReconcilerError.
    """
    text = _read(folder, source)
    if text is None:
        return Borders(Guards(), (), source)
    with tempfile.TemporaryDirectory() as kept:
        (Path(kept) / PROJECT_FILE).write_bytes(text)
        loaded = load_project(Path(kept))
        policies = tuple(loaded.project.policies)
        if name in loaded.project.environments:
            return Borders(environment(loaded, name, environ, offline=True).guards, policies, source)
    everywhere = tuple(policy.model_copy(update={"environments": []}) for policy in policies)
    return Borders(Guards(), everywhere, source)


def under(session: Session, borders: Borders) -> Session:
    """Return the session with these guards and policies in place of its own."""
    project = session.project.project.model_copy(update={"policies": list(borders.policies)})
    return replace(
        session,
        settings=replace(session.settings, guards=borders.guards),
        project=replace(session.project, project=project),
    )


def _read(folder: Path, source: str) -> bytes | None:
    """Return the project file of a source; None where a reference has none."""
    if source.startswith(FILE):
        path = folder / source.removeprefix(FILE)
        try:
            return path.read_bytes()
        except OSError as error:
            raise ReconcilerError(f"{path} cannot be read: {error.strerror}") from error
    if source.startswith("-") or not source.strip() or ":" in source:
        raise ReconcilerError(f"{source!r} is no Git reference", hint="for a file write file:PATH")
    if _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{source}^{{commit}}") is None:
        raise ReconcilerError(
            f"there is no Git reference {source} here",
            hint="fetch the target branch; actions/checkout does with `fetch-depth: 0`, GitLab with GIT_DEPTH: 0",
        )
    return _git(folder, "show", f"{source}:./{PROJECT_FILE}")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Return what git prints, None where it fails. Raises ReconcilerError where there is no git."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReconcilerError("git cannot be run", hint="install git, or name a file: file:PATH") from error
    return done.stdout if done.returncode == 0 else None

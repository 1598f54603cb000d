"""Who holds the lock of a state."""

from __future__ import annotations

import getpass
import os
import socket

from reconciler.model.ports import LockInfo
from reconciler.workflow.opening.session import Session


def lock_info(session: Session, operation: str) -> LockInfo:
    """Return who we are, for a process that finds the lock held."""
    environ = session.runtime.environ
    job = environ.get("CI_JOB_URL") or ""
    if environ.get("GITHUB_RUN_ID"):
        repository = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        job = f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    try:
        owner = getpass.getuser()
    except (KeyError, OSError):
        owner = str(os.getuid())
    return LockInfo(
        session.runtime.token(), owner, socket.gethostname(), os.getpid(), session.runtime.stamp(), operation, job
    )

"""Who holds the lock of a state, and what may be sent while it is held."""

from __future__ import annotations

import getpass
import os
import socket

from reconciler.model.http import Remote, Request, Response
from reconciler.model.ports import Hold, LockInfo
from reconciler.workflow.session import Session


def lock_info(session: Session, operation: str) -> LockInfo:
    """Return who we are, for whoever finds the lock held."""
    environ = session.around.environ
    job = environ.get("CI_JOB_URL") or ""
    if environ.get("GITHUB_RUN_ID"):
        repository = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        job = f"{repository}/actions/runs/{environ['GITHUB_RUN_ID']}"
    try:
        owner = getpass.getuser()
    except (KeyError, OSError):
        owner = str(os.getuid())
    return LockInfo(
        session.around.token(), owner, socket.gethostname(), os.getpid(), session.around.stamp(), operation, job
    )


class Fenced:
    """An account that is written to only while the lock is held: a process that slept through its lease wakes up to
    an error, not to a second writer. Implements `model.http.Remote`.
    """

    def __init__(self, remote: Remote, hold: Hold) -> None:
        self._remote, self._hold = remote, hold

    @property
    def requests(self) -> int:
        """How many requests went over the wire."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request; a write only under the lock. Raises StateError when it is lost."""
        if request.writes:
            self._hold.check()
        return await self._remote.send(request)

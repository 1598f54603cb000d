"""What is recorded of an account: remotes that keep its answers, make them unreadable, and answer from them."""

from __future__ import annotations

from typing import Any

from reconciler.engine.remotes import Around, Filed
from reconciler.model.errors import AuthError, NotRecorded, ReconcilerError, Rejected, RemoteError, concerns_all
from reconciler.model.http import Remote, Request, Response
from reconciler.model.redaction import Redactor
from reconciler.model.snapshot_file import Exchange, Recording, without_secrets


class Recorder(Around):
    """A remote that passes everything on and keeps the answers to reads in `exchanges`."""

    def __init__(self, remote: Remote, redactor: Redactor, exchanges: list[Exchange]) -> None:
        super().__init__(remote)
        self._redactor, self._exchanges = redactor, exchanges

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        try:
            answer = await self._remote.send(request)
        except (AuthError, RemoteError) as error:
            if not concerns_all(error):
                self._keep(request, _status(error), None)
            raise
        self._keep(request, answer.status, answer.body)
        return answer

    def _keep(self, request: Request, status: int, body: Any) -> None:
        if request.method == "GET":
            kept = without_secrets(body, self._redactor)
            self._exchanges.append(Exchange(path=request.path, query=list(request.query), status=status, body=kept))


def _status(error: ReconcilerError) -> int:
    """Return the status that stands in a snapshot for an answer that was none: from there it is as unknown."""
    return error.status if isinstance(error, Rejected) else 403 if isinstance(error, AuthError) else 500


class Masked(Around):
    """A remote whose answers are made unreadable like those of a snapshot, to compare them with one."""

    def __init__(self, remote: Remote, redactor: Redactor) -> None:
        super().__init__(remote)
        self._redactor = redactor

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        answer = await self._remote.send(request)
        return Response(answer.status, without_secrets(answer.body, self._redactor), answer.headers)


class Replay(Filed):
    """A remote that answers reads from a recording; what was not recorded is not known, which does not mean that the
    account has none. `where` is the file that the recording is kept in, so that a user can look what is damaged.
    """

    def __init__(self, recording: Recording, where: str = "") -> None:
        self.where = where
        self._answers = {
            (exchange.path, tuple(map(tuple, exchange.query))): exchange for exchange in recording.exchanges
        }
        self.requests = 0

    async def send(self, request: Request) -> Response:
        """Answer a read; a dry run is not known to fail. Raises NotRecorded for what is not there, Rejected for what
        the account refused when the snapshot was taken.
        """
        if request.writes:
            raise ReconcilerError(f"a snapshot cannot be written to ({request})")
        if request.dry_run:
            return Response(200, request.body)
        self.requests += 1
        exchange = self._answers.get((request.path, request.query))
        if exchange is None:
            raise NotRecorded(f"{request} is not in the snapshot", status=404)
        if not 200 <= exchange.status < 300:
            message = f"{request} could not be read when the snapshot was taken ({exchange.status})"
            raise Rejected(message, status=exchange.status)
        return Response(exchange.status, exchange.body)

"""What stands between a verb and the account: a budget, a cache, a recorder, a mask. Each is a `Remote` around another
one; a replay stands for an account. The fence is inside the client, after pacing: it is asked last before a write.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import (
    AuthError,
    ReconcilerError,
    Rejected,
    RemoteError,
    concerns_all,
)
from reconciler.model.http import Remote, Request, Response
from reconciler.model.redaction import Redactor
from reconciler.model.snapshot_file import Exchange, Recording, without_secrets


class Budget:
    """A remote that sends so many requests and no more, repeated ones included: for one too many it raises what `spent`
    makes. Those that are asked together count before they are sent.
    """

    def __init__(self, remote: Remote, most: int, spent: Callable[[], ReconcilerError]) -> None:
        self._remote, self._most, self._spent = remote, most, spent
        self._asked, self._before = 0, remote.requests

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send one more, if there is one left; see `Remote.send`."""
        if max(self._asked, self._remote.requests - self._before) >= self._most:
            raise self._spent()
        self._asked += 1
        return await self._remote.send(request)


@dataclass(frozen=True, slots=True)
class Clue:
    """An answer that contradicts a fact, where that says one of `values`: a path that is not there, a refusal; or a
    listing without the array `key`.
    """

    fact: str
    values: tuple[str, ...]
    method: str
    path: str
    statuses: tuple[int, ...]
    key: str = ""


class Watched:
    """A remote that passes everything on, and tells which facts the answers contradict."""

    def __init__(
        self, remote: Remote, clues: Sequence[Clue], facts: Mapping[str, str], tell: Callable[[str, str], None]
    ) -> None:
        self._remote, self._tell = remote, tell
        self._clues = [clue for clue in clues if facts.get(clue.fact) in clue.values]

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        try:
            answer = await self._remote.send(request)
        except Rejected as error:
            self._look(request, error.status)
            raise
        if not _about_the_object(answer):
            self._look(request, answer.status)
        self._miss(request, answer)
        return answer

    def _miss(self, request: Request, answer: Response) -> None:
        """Tell of a listing, asked for as a whole, that is there and lists something else."""
        if not answer.ok or any(name not in ("limit", "offset") for name, _ in request.query):
            return
        for clue in self._clues:
            listed = clue.key and request.method == clue.method and re.fullmatch(clue.path, request.path)
            if listed and not (isinstance(answer.body, dict) and clue.key in answer.body):
                self._tell(clue.fact, f"{clue.method} {clue.path} lists no {clue.key}")

    def _look(self, request: Request, status: int) -> None:
        for clue in self._clues:
            if request.method == clue.method and status in clue.statuses and re.fullmatch(clue.path, request.path):
                self._tell(clue.fact, f"{clue.method} {clue.path.replace('[^/]+', 'ID')} was answered {status}")


def _about_the_object(answer: Response) -> bool:
    """Whether an answer says that the object, not the path, is not there (section 1.6)."""
    said = answer.body.get("message") if isinstance(answer.body, dict) else None
    return isinstance(said, str) and said.startswith("No Result found")


class Recorder:
    """A remote that passes everything on and keeps the answers to reads in `exchanges`."""

    def __init__(self, remote: Remote, redactor: Redactor, exchanges: list[Exchange]) -> None:
        self._remote, self._redactor, self._exchanges = remote, redactor, exchanges

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

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


class Masked:
    """A remote whose answers are made unreadable like those of a snapshot, to compare them with one."""

    def __init__(self, remote: Remote, redactor: Redactor) -> None:
        self._remote, self._redactor = remote, redactor

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        answer = await self._remote.send(request)
        return Response(answer.status, without_secrets(answer.body, self._redactor), answer.headers)


class Replay:
    """A remote that answers reads from a recording; what was not recorded does not exist. `where` is the file that the
    recording is kept in, so that a user can look what is damaged.
    """

    def __init__(self, recording: Recording, where: str = "") -> None:
        self.where = where
        self._answers = {
            (exchange.path, tuple(map(tuple, exchange.query))): exchange for exchange in recording.exchanges
        }
        self.requests = 0

    async def send(self, request: Request) -> Response:
        """Answer a read; a dry run is not known to fail. Raises Rejected for what is not there."""
        if request.writes:
            raise ReconcilerError(f"a snapshot cannot be written to ({request})")
        if request.dry_run:
            return Response(200, request.body)
        self.requests += 1
        exchange = self._answers.get((request.path, request.query))
        if exchange is None or not 200 <= exchange.status < 300:
            status = exchange.status if exchange is not None else 404
            raise Rejected(f"{request} is not in the snapshot ({status})", status=status)
        return Response(exchange.status, exchange.body)


class Shared:
    """A remote that asks each question once: ten webhooks need one list of events. For reads of one plan only."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._asked: dict[tuple[str, tuple[tuple[str, str], ...]], asyncio.Future[Response]] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request, or wait for the answer to the same one; see `Remote.send`."""
        if request.method != "GET":
            return await self._remote.send(request)
        key = (request.path, request.query)
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(self._remote.send(request))
        return await self._asked[key]

    def answered(self, request: Request) -> Response | None:
        """Return what the account answered to a question. Raises the error that it came to."""
        known = self._asked.get((request.path, request.query))
        return known.result() if known is not None and known.done() else None

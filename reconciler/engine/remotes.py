"""What stands between a verb and the account: a budget, a cache, what watches the answers. Each is a `Remote` around
another one. The fence is inside the client, after pacing: it is asked last before a write.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from reconciler.model.errors import ReconcilerError, Rejected
from reconciler.model.http import Remote, Request, Response


class Filed:
    """What a remote has that answers from the file `where` ("" for none): asked by what does not load recordings."""

    where: str = ""


class Around:
    """What all remotes around another one have alike."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests


class Counted(Around):
    """A remote that counts in `sent` what is sent through it, of several that go to the account side by side;
    tries that failed are counted where the request failed in the end.
    """

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.sent = 0

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`."""
        try:
            answer = await self._remote.send(request)
        except ReconcilerError as error:
            self.sent += error.tries
            raise
        self.sent += 1
        return answer


class Budget(Around):
    """A remote that sends so many requests and no more, repeated ones included: for one too many it raises what `spent`
    makes. Those that are asked together count before they are sent.
    """

    def __init__(self, remote: Remote, most: int, spent: Callable[[], ReconcilerError]) -> None:
        super().__init__(remote)
        self._most, self._spent = most, spent
        self._asked, self._before = 0, remote.requests

    async def send(self, request: Request) -> Response:
        """Send one more, if there is one left; see `Remote.send`."""
        if max(self._asked, self._remote.requests - self._before) >= self._most:
            raise self._spent()
        self._asked += 1
        return await self._remote.send(request)


class Clue(NamedTuple):
    """An answer that contradicts a fact, where that says one of `values`: a path that is not there, a refusal; or a
    listing without the array `key`.
    """

    fact: str
    values: tuple[str, ...]
    method: str
    path: str
    statuses: tuple[int, ...]
    key: str = ""


class Watched(Around):
    """A remote that passes everything on, and tells which facts the answers contradict."""

    def __init__(
        self, remote: Remote, clues: Sequence[Clue], facts: Mapping[str, str], tell: Callable[[str, str], None]
    ) -> None:
        super().__init__(remote)
        self._tell = tell
        self._clues = [clue for clue in clues if facts.get(clue.fact) in clue.values]

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
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    return isinstance(message, str) and message.startswith("No Result found")


class Shared(Around):
    """A remote that asks each question once: ten webhooks need one list of events. For reads of one plan only."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self._asked: dict[tuple[str, tuple[tuple[str, str], ...]], asyncio.Future[Response]] = {}

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

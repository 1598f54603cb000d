"""An account of a few scripted answers, and flows run against them; knows nothing of the emulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from reconciler.model.errors import AuthError, Rejected
from reconciler.model.http import Bound, Flow, Pause, Request, Response

T = TypeVar("T")
Body = Callable[[Mapping[str, str]], Any] | Any


class Strange:
    """Implements `model.http.Remote` on bodies by path; a body may be a function of the query. An int is a status."""

    def __init__(self, answers: Mapping[str, Body]) -> None:
        self.answers = answers
        self.seen: list[str] = []

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return len(self.seen)

    async def send(self, request: Request) -> Response:
        """Answer from the script; what it does not know does not exist."""
        query = dict(request.query)
        self.seen.append(f"{request} {query.get('offset', '')}".rstrip())
        body = self.answers.get(request.path, 404)
        if callable(body):
            body = body(query)
        if body == 403:
            raise AuthError(f"refuses {request}")
        if isinstance(body, int):
            raise Rejected(f"{request} was refused ({body})", status=body)
        return Response(200, body)


def run(flow: Flow[T], *bodies: Any) -> tuple[list[Request], list[Bound], T | None]:
    """Run a flow against these answers in turn ({} when they run out); return its requests, bounds and result."""
    sent: list[Request] = []
    bounds: list[Bound] = []
    queue = list(bodies)
    answer = Response(200, {})
    try:
        item = next(flow)
        while True:
            if isinstance(item, Bound):
                bounds.append(item)
            elif not isinstance(item, Pause):
                sent.append(item)
                answer = Response(200, queue.pop(0) if queue else {})
            item = flow.send(answer)
    except StopIteration as stop:
        return sent, bounds, stop.value

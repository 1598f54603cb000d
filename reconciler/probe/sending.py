"""How a probe asks: each request within the budgets, and again where that is safe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from reconciler.model.coerce import number
from reconciler.model.errors import Unreachable
from reconciler.model.http import PAGE, Request, Response
from reconciler.probe.answers import no_result, shape
from reconciler.probe.means import Exhausted, Lost, Made, ProbeBudget, Requester
from reconciler.probe.unsettled import Unsettled

TRIES = 4
"""Of one request that may be repeated."""
BELIEVED = 3
"""403 on a read is intermittent (section 1.2): believed the third time."""
PAGES = 100
SHORT = 20
"""Rows below which a page is the last one, where there is no total: no account has shorter ones."""


class Sender:
    """Sends over the `line` to an account; what was `spent` bounds it. `cleaning` has no bounds: what was made is
    removed whatever it takes.
    """

    def __init__(self, line: Requester, spent: ProbeBudget, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.line, self.spent, self.sleep = line, spent, sleep
        self.headers: dict[str, str] = {}
        self.maps = False
        """Whether any answer had an array written as a map of numbers."""
        self.unanswered = 0
        """How many tries were answered by no answer, or by an error of the server: they may have been carried out."""
        self.cleaning = False

    async def get(self, path: str, **query: str) -> Response:
        """Read, whatever is answered."""
        return await self._send(Request("GET", path, tuple(query.items())))

    async def ask(self, path: str, query: Mapping[str, str]) -> Response:
        """Read with parameters whose names are not words of Python."""
        return await self._send(Request("GET", path, tuple(query.items())))

    async def once(self, path: str, *, token: str | None = None, paced: bool = True) -> Response:
        """Read once, whatever is answered: a 403 is not asked again. Raises Unsettled where no answer comes."""
        self.afford()
        try:
            reply = await self.line.raw(Request("GET", path), token=token, paced=paced)
        except Unreachable as error:
            raise Unsettled(f"GET {shape(path)} got no answer") from error
        return reply if token is not None else self._noted(reply)

    async def read(self, created: Made) -> dict[str, Any]:
        """Return what the account holds of something made, flags as 1 and 0. Raises Unsettled where it does not say."""
        reply = await self.get(created.path)
        row = reply.row(created.form.wrapper)
        if not reply.ok or not row:
            raise Unsettled(f"GET {created.form.path}/ID answered {reply.status} without the object")
        return _plain(row)

    async def listed(self, path: str, key: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
        """Return all rows of a listing. Raises Unsettled where it cannot be read."""
        by_id: dict[str, dict[str, Any]] = {}
        for _ in range(PAGES):
            place = {"limit": str(PAGE), "offset": str(len(by_id))}
            reply = await self.ask(path, {**(query or {}), **place})
            if not reply.ok or not isinstance(reply.body, dict) or key not in reply.body:
                raise Unsettled(f"GET {path} was answered {reply.status}")
            rows = [_plain(row) for row in reply.rows(key)]
            fresh = {str(row.get("id")): row for row in rows if str(row.get("id")) not in by_id}
            by_id |= fresh
            total = (
                number(reply.body.get("meta", {}).get("total")) if isinstance(reply.body.get("meta"), dict) else None
            )
            if not fresh or (len(rows) < SHORT if total is None else len(by_id) >= total):
                return list(by_id.values())
        raise Unsettled(f"GET {path} has more than {PAGES * PAGE} rows")

    def reserved(self) -> int:
        """Return how many requests removing what was made may take."""
        return 0

    def afford(self, more: int = 0) -> None:
        """Raise Exhausted unless one more request leaves enough to remove all that was made: requests, and the time
        that they take at the pace so far.
        """
        if self.cleaning:
            return
        held = self.reserved() + more
        if self.line.requests + 1 + held > self.spent.requests:
            raise Exhausted(f"the budget of {self.spent.requests} requests is used up")
        pace = self.spent.elapsed / max(self.line.requests, 1)
        if self.spent.elapsed + held * pace > self.spent.seconds:
            raise Exhausted(f"the budget of {self.spent.seconds:g} seconds is used up")

    async def _send(self, request: Request) -> Response:
        """Send, and again what may be repeated. Raises Lost for a create that may have been carried out, Unsettled
        where no answer comes.
        """
        why, refused = "", 0
        for attempt in range(1, TRIES + 1):
            self.afford()
            try:
                reply = self._noted(await self.line.raw(request))
            except Unreachable as error:
                if request.method == "POST" and error.sent:
                    raise Lost from error
                why = "got no answer"
                self.unanswered += 1
                await self.sleep(attempt * 1.0)
                continue
            doubted = request.method == "GET" and reply.status in (401, 403) and not no_result(reply)
            refused += doubted
            pause = (0.0 if refused < BELIEVED else None) if doubted else _pause(request, reply, attempt)
            if pause is None:
                return reply
            self.unanswered += reply.status >= 500
            why = f"was answered {reply.status} each time"
            await self.sleep(pause)
        raise Unsettled(f"{request.method} {shape(request.path)} {why}")

    def _noted(self, reply: Response) -> Response:
        self.headers |= reply.headers
        self.maps = self.maps or reply.maps
        return reply


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with numbers for flags: an account may mix 1 and true (section 1.4); `true` is not an id."""
    return {name: int(value) if isinstance(value, bool) and name != "id" else value for name, value in row.items()}


def _pause(request: Request, reply: Response, attempt: int) -> float | None:
    """Return the seconds to wait before a request is repeated; None where this is its answer. Raises Lost for a create
    that may have been carried out.
    """
    creates = request.method == "POST"
    if reply.status == 429 or (reply.status == 503 and not creates):
        return _seconds(reply) or 2.0**attempt
    if creates and (reply.status >= 500 or 300 <= reply.status < 400):
        raise Lost
    return attempt * 1.0 if reply.status >= 500 else None


def _seconds(reply: Response) -> float | None:
    text = reply.headers.get("retry-after", "").strip()
    return min(float(text), 120.0) if text.isdecimal() else None

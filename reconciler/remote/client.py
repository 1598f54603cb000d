"""The HTTP client of one account: sends requests, paced and retried as far as that is safe. The only home of httpx.

Proxies and certificates are taken from the environment by `surroundings`, not by httpx; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpx

from reconciler.model.errors import AuthError, ReconcilerError, RemoteError, Unreachable
from reconciler.model.http import Request, Response, get
from reconciler.model.ports import Moment
from reconciler.model.records import record
from reconciler.model.redaction import Redactor, Show
from reconciler.remote.answers import (
    MOST_BYTES,
    WEB_PAGE,
    MalformedResponse,
    has_maps,
    is_page,
    parse,
    status_of,
)
from reconciler.remote.guard import Mode, check, paths
from reconciler.remote.network import Network
from reconciler.remote.pacer import Pacer, Turn
from reconciler.remote.trace import line
from reconciler.remote.verdicts import Again, Verdicts

ATTEMPTS = 8
"""Tries of one request at most, whatever the reason."""
PATIENCE = {"connect": 3, "lost": 4, "server": 4, "busy": 5, "forbidden": 3, "garbled": 3, "limited": ATTEMPTS}
"""Tries by reason. 403 is intermittent on reads (section 1.2 of the API page), so it is believed the third time."""
UNSENT = frozenset({"connect", "limited"})
"""Reasons for which a request was surely not carried out."""


@record
class Endpoint:
    """Where an account is and how to talk to it. `rate` is requests per second, None for no limit; `timeout` in
    seconds.
    """

    url: str
    token: str
    rate: float | None = 5.0
    timeout: float = 30.0


class Listeners(NamedTuple):
    """Who hears of requests: `on_wait(reason, seconds)` of long waits, `on_answer(line)` of every request with its
    status, `on_request` of each moment in its life (`Watch.request`). `show` takes secrets out of what the account says
    (None: the token).
    """

    on_wait: Callable[[str, float], None] = lambda reason, seconds: None
    on_answer: Callable[[str], None] | None = None
    on_request: Callable[[Moment, Request, Response | None], None] = lambda moment, request, answer: None
    show: Show | None = None


_STOPPED: Moment = "stopped"
_ANSWERED: Moment = "answered"

UNSENT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.ProxyError,  # of CONNECT: nothing was sent yet
)
HANDOVER = 10.0
"""Seconds that the network may take to take over a request."""
HANDED_OVER = ("http11.send_request_headers.started", "http11.send_request_body.started")
"""The last moments before a request is on its way, in the words of httpcore."""


def base_url(url: str) -> str:
    """Return the URL that paths are appended to: as given when it has a path, otherwise with `/api/3` (section 1.1)."""
    parts = urlsplit(url)
    return url.rstrip("/") if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/api/3"


def basic(url: str) -> dict[str, str]:
    """Return the header for the name and password in a URL, of a server in front of the account; none without."""
    parts = urlsplit(url)
    if not parts.username and not parts.password:
        return {}
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def headers_of(token: str, base: str) -> dict[str, str]:
    """Return what every request has. `base` is the URL that paths are appended to."""
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "User-Agent": "activecampaign-reconciler",
        "Api-Token": token,
        **basic(base),
    }


class Client:
    """Implements `model.http.Remote`. `mode` forbids writes while planning, and otherwise all but the `writable`
    paths (those of `Kind.writable`); `pacer` is that of the account, where the process has others that talk to it.

    `fence(seconds)` raises when a write that may take so long must not be sent any more. It is asked last, when the
    request has had its turn and has a connection: a process that was frozen at any moment wakes up to its answer.
    """

    def __init__(
        self,
        connection: Endpoint,
        *,
        mode: Mode = Mode.READ,
        writable: Iterable[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        listeners: Listeners | None = None,
        fence: Callable[[float], None] | None = None,
        pacer: Pacer | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.mode = mode
        self._writable = paths(writable)
        self.sent: Counter[str] = Counter()
        self._base = base_url(connection.url)
        hears = listeners or Listeners()
        self._show = hears.show or Redactor([connection.token]).show
        self._on_wait, self._on_answer, self._on_request = hears.on_wait, hears.on_answer, hears.on_request
        self._fence = fence or (lambda seconds: None)
        self._bound = connection.timeout + min(connection.timeout, HANDOVER)
        self._known = False
        self._refusal: AuthError | None = None
        self._proving = asyncio.Lock()
        self._pacer = pacer or Pacer(connection.rate, clock, sleep)
        self._headers = headers_of(connection.token, self._base)
        waits = httpx.Timeout(connection.timeout, connect=10.0, write=min(connection.timeout, HANDOVER))
        self._timeout = waits.as_dict()
        self._own = transport is None
        self._around = Network.of(self._base, os.environ) if transport is None else Network()
        host = urlsplit(self._base).netloc.rpartition("@")[2]
        self._verdicts = Verdicts(host, self._show, self._pacer.hold, self._around.asked)
        self._transport = transport or httpx.AsyncHTTPTransport(
            limits=httpx.Limits(max_connections=10),
            proxy=self._around.proxy,
            verify=self._around.verify,
            trust_env=False,
        )

    @property
    def requests(self) -> int:
        """How many requests went over the wire, retries included."""
        return self.sent.total()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, request: Request) -> Response:
        """Send a request; see `Remote.send`. What may be repeated safely is repeated, a POST only when it surely
        was not executed. What goes wrong is told without secrets.
        """
        answer, over = None, _STOPPED
        self._on_request("asked", request, None)
        try:
            answer = await self._send(request)
            over = _ANSWERED
        except ReconcilerError as error:
            error.message, error.hint = self._show(error.message), self._show(error.hint)
            error.args = (error.message,)
            over = _ANSWERED
            raise
        finally:
            self._on_request(over, request, answer)
        return answer

    async def _send(self, request: Request) -> Response:
        check(request, self.mode, self._writable)
        try:
            return await self._once(request)
        except Again as first:
            return await self._send_again(request, first)

    async def _send_again(self, request: Request, first: Again) -> Response:
        """Go on after a first try that failed, as long as its reason is one that may pass."""
        import stamina

        # Its default hook writes to the log of the process; what a user should hear goes through `on_wait`.
        stamina.instrumentation.set_on_retry_hooks(())
        failures: Counter[str] = Counter()

        def again(error: Exception) -> bool | float:
            if not isinstance(error, Again):
                return False
            failures[error.reason] += 1
            if failures[error.reason] >= PATIENCE[error.reason]:
                return False
            if error.reason in ("limited", "busy"):
                delay = error.delay or min(30.0, 2.0 ** failures[error.reason]) * random.uniform(0.5, 1.0)
                if self._pacer.hold(delay):
                    self._on_wait(f"rate limited by the account{' (503)' if error.reason == 'busy' else ''}", delay)
                return delay
            return True

        try:
            async for attempt in stamina.retry_context(
                on=again, attempts=ATTEMPTS, timeout=600.0, wait_initial=0.25, wait_max=8.0
            ):
                with attempt:
                    if attempt.num == 1:
                        raise first
                    if request.again is not None:
                        await request.again(bool(failures.keys() - UNSENT))
                    return await self._once(request)
        except Again as failed:
            if failed.reason == "forbidden":
                await self._prove_key(request)
            failed.error.tries = failures.total()
            raise failed.error from failed.__cause__
        raise AssertionError("a retry context returns or raises")

    async def _prove_key(self, refused: Request) -> None:
        """After a refusal, tell a bad key from one that lacks a permission, so that a wrong key costs a few
        requests and not a few for every listing. Raises AuthError for the former.
        """
        if refused.path == "/users/me":
            return
        async with self._proving:
            if not self._known and self._refusal is None:
                try:
                    await self.send(get("/users/me"))
                except AuthError as error:
                    self._refusal = error
                except RemoteError:
                    return
        if self._refusal is not None:
            raise self._refusal

    async def _once(self, request: Request) -> Response:
        turn = await self._pacer.wait()
        if self._refusal is not None:
            raise self._refusal
        if request.writes:
            self._fence(self._bound)
        self.sent[request.method] += 1
        self._on_request("sent", request, None)
        began = time.monotonic()
        headers = {"validateOnly": "true"} if request.dry_run else {}
        try:
            answer, content = await self._whole(request, headers, turn)
        except UNSENT_ERRORS as error:
            self._tell(request, type(error).__name__, began)
            raise Again("connect", self._verdicts.unconnected(error)) from error
        except httpx.HTTPError as error:
            self._tell(request, type(error).__name__, began)
            raise self._verdicts.lost(request, self._verdicts.unanswered(request, error)) from error
        self._tell(request, answer.status_code, began)
        try:
            body = parse(answer.status_code, content, answer.headers.get("content-type", ""))
        except MalformedResponse as error:
            raise self._verdicts.garbled(request, answer.status_code, error) from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        response = Response(status_of(answer.status_code, body), body, headers)
        self._known = self._known or response.ok
        return self._verdicts.judge(request, response)

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        """Send a request once and return whatever is answered, with the status as it came; with another token, or out
        of turn, where that is what is to be found out. What may be sent at all is the same. Raises Unreachable, also
        for what is not an answer of the API's: a web page, JSON that breaks off.
        """
        answer, over = None, _STOPPED
        self._on_request("asked", request, None)
        try:
            answer = await self._raw(request, token, paced=paced)
            over = _ANSWERED
        except ReconcilerError:
            over = _ANSWERED
            raise
        finally:
            self._on_request(over, request, answer)
        return answer

    async def _raw(self, request: Request, token: str | None, *, paced: bool) -> Response:
        check(request, self.mode, self._writable)
        turn = await self._pacer.wait() if paced else None
        if request.writes:
            self._fence(self._bound)
        self.sent[request.method] += 1
        self._on_request("sent", request, None)
        began = time.monotonic()
        headers = {"validateOnly": "true"} if request.dry_run else {}
        headers |= {} if token is None else {"Api-Token": token}
        try:
            answer, content = await self._whole(request, headers, turn)
        except UNSENT_ERRORS as error:
            self._tell(request, type(error).__name__, began)
            raise self._verdicts.unconnected(error) from error
        except httpx.HTTPError as error:
            self._tell(request, type(error).__name__, began)
            raise self._verdicts.unanswered(request, error) from error
        self._tell(request, answer.status_code, began)
        try:
            body = parse(answer.status_code, content, answer.headers.get("content-type", ""))
        except MalformedResponse as error:
            raise Unreachable(f"{request}: {error.message}", hint=error.hint, sent=True) from error
        if is_page(body):
            raise Unreachable(f"{request}: {WEB_PAGE} (status {answer.status_code})", sent=True)
        answered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, body, answered, str(request), maps=has_maps(content))

    async def _whole(
        self, request: Request, headers: dict[str, str], turn: Turn | None
    ) -> tuple[httpx.Response, bytes]:
        """Return an answer with its bytes, decoded: as many as are bounded, in a time that is bounded for all of them
        together. What is beyond is truncated, one byte too long.
        """
        content = bytearray()
        if turn is not None and self._own:
            turn.queued()
        try:
            async with asyncio.timeout(self._bound):
                answer = await self._transport.handle_async_request(self._built(request, headers, turn))
                if turn is not None:
                    turn.over(answered=True)
                try:
                    if "," in answer.headers.get("content-encoding", ""):
                        raise httpx.DecodingError("packed more than once")
                    async for piece in answer.aiter_bytes():
                        content += piece[: MOST_BYTES + 1 - len(content)]
                        if len(content) > MOST_BYTES:
                            break
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout("no whole answer in time") from error
        finally:
            if turn is not None:
                turn.over()
        return answer, bytes(content)

    def _built(self, request: Request, headers: dict[str, str], turn: Turn | None) -> httpx.Request:
        """Return what goes over the wire. It is built here and given to the transport, without the session of httpx
        between them (0325): merging URLs, headers and cookies for each request took longer than all else with it.
        """
        extensions: dict[str, Any] = {"timeout": self._timeout}
        if request.writes or (turn is not None and self._pacer.paced):
            extensions["trace"] = partial(self._handed_over, request, turn)
        return httpx.Request(
            request.method,
            _url(self._base + request.path, request.query),
            headers=self._headers | headers,
            json=request.body,
            extensions=extensions,
        )

    async def _handed_over(self, request: Request, turn: Turn | None, event: str, about: Any) -> None:
        if request.writes:
            await self._last_moment(event, about)
        if turn is not None and event in HANDED_OVER:
            turn.left()

    async def _last_moment(self, event: str, _: Any) -> None:
        if event in HANDED_OVER:
            self._fence(self._bound)

    def _tell(self, request: Request, outcome: int | str, began: float) -> None:
        if self._on_answer is not None:
            self._on_answer(self._show(line(request, outcome, time.monotonic() - began)))


@lru_cache(maxsize=512)
def _url(place: str, query: tuple[tuple[str, str], ...]) -> httpx.URL:
    """Return what a request asks for. The same listings are asked for again and again, and to read a URL takes half of
    the time of a request's making.
    """
    return httpx.URL(place, params=query) if query else httpx.URL(place)


class _InProcess(httpx.AsyncBaseTransport):
    """Calls an ASGI application; a connection that it breaks looks like one that a network broke."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error


def in_process(app: Any) -> httpx.AsyncBaseTransport:
    """Return a transport that calls an ASGI application instead of a server."""
    return _InProcess(app)

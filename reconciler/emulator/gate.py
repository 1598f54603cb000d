"""What every request passes before the account's work: faults, the rate limit, the token."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.emulator.answers import Answer, Request, number, refused
from reconciler.emulator.settings import AccountSettings, Fault

REMEMBERED_READS = 300
"""How many answers are kept for stale lists."""
_BEFORE = ("drop_before", "rate_limited", "stale_list", "fail_before", "forbidden", "html")
_MOVING = ("rows_vanish", "rows_repeat")
"""Faults that move the rows of a page."""


class ConnectionDropped(ConnectionError):
    """The emulated connection broke; in process this is what the caller sees."""


class Gate:
    """The way in; `work` does what a request asks and answers it. `faults` may be changed."""

    def __init__(
        self, settings: Callable[[], AccountSettings], clock: Callable[[], float], work: Callable[..., Answer]
    ):
        self.faults: list[Fault] = []
        self._settings = settings
        self._clock = clock
        self._work = work
        self._recent: deque[float] = deque()
        self._reads: OrderedDict[str, tuple[int, bytes, Mapping[str, str]]] = OrderedDict()
        self._gets = 0

    async def pass_through(self, request: Request) -> Answer:
        """Answer a request, or what its faults make of it. Raises ConnectionDropped."""
        url = _url(request)
        struck = [fault for fault in self.faults if re.search(fault.match, url) and fault.strikes()]
        early = await self._before(struck, url)
        if early is not None:
            return early
        if request.query.get("offset", "0") in ("", "0"):  # nothing lies before the first page
            struck = [fault for fault in struck if fault.action not in _MOVING]
        for fault in struck:
            if fault.action in _MOVING:
                request = _shifted(request, fault)
        answer = self._limited(request)
        plain = answer
        if request.method == "GET" and answer.status == 200:
            plain = replace(answer, body=answer.content())
            self._remember(url, plain)
        for fault in struck:
            answer = _spoilt(fault, answer)
        return answer if struck else plain

    async def _before(self, struck: Iterable[Fault], url: str) -> Answer | None:
        """Return what the faults answer before any work; None when they only make it wait, or have nothing to say."""
        for fault in struck:
            if fault.action == "slow":
                await asyncio.sleep(fault.seconds or 0)
            elif fault.action in _BEFORE and (early := self._early(fault, url)) is not None:
                return early
        return None

    def _early(self, fault: Fault, url: str) -> Answer | None:
        """What a fault answers before any work; None when it has nothing to say."""
        if fault.action == "drop_before":
            raise ConnectionDropped("dropped before the work")
        if fault.action == "rate_limited":
            wait = {} if fault.seconds is None else {"retry-after": f"{fault.seconds:g}"}
            return Answer(429, {"message": "Too many requests"}, wait)
        if fault.action == "stale_list":
            old = self._reads.get(url)
            return Answer(*old) if old else None
        return _failure(fault)

    def _remember(self, url: str, answer: Answer) -> None:
        self._reads[url] = (answer.status, answer.content(), answer.headers)
        self._reads.move_to_end(url)
        if len(self._reads) > REMEMBERED_READS:
            self._reads.popitem(last=False)

    def _limited(self, request: Request) -> Answer:
        """Apply the rate limit: so many requests in any second, `RateLimit-*` headers, `Retry-After` (section 1.8)."""
        limit = self._settings().rate_limit
        if limit is None:
            return self._authorised(request)
        now = self._clock()
        while self._recent and self._recent[0] <= now - 1.0:
            self._recent.popleft()
        left = max(0, int(limit) - len(self._recent) - 1)
        shown = {"ratelimit-limit": f"{limit:g}", "ratelimit-remaining": str(left)}
        if len(self._recent) >= limit:
            if self._settings().limit_status == 503:
                return Answer(503, {"message": "Service Unavailable"})
            headers = {**shown, "retry-after": "1"} if self._settings().retry_after else {}
            return Answer(429, {"message": "Too many requests"}, headers)
        self._recent.append(now)
        answer = self._authorised(request)
        return replace(answer, headers={**answer.headers, **shown})

    def _authorised(self, request: Request) -> Answer:
        settings = self._settings()
        if request.headers.get("api-token") != settings.token:
            return Answer(settings.bad_token_status, {"message": "Forbidden"})
        if request.method == "GET" and settings.flaky_reads:
            self._gets += 1
            if self._gets % settings.flaky_reads == 0:
                return refused().answer
        return self._work(request)


def _url(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return f"{request.method} {request.path}{'?' if query else ''}{query}"


def _shifted(request: Request, fault: Fault) -> Request:
    """Return the request for a page as if rows before it had been removed, or created, since the page before."""
    offset = number(request.query.get("offset"), 0)
    by = fault.delta if fault.action == "rows_vanish" else -fault.delta
    return replace(request, query={**request.query, "offset": str(max(0, offset + by))})


def _failure(fault: Fault) -> Answer:
    if fault.action == "forbidden":
        return refused().answer
    if fault.action == "html":
        return Answer(200, b"<!doctype html><title>Login</title>", {"content-type": "text/html"})
    return Answer(fault.status, fault.body)


def _spoilt(fault: Fault, answer: Answer) -> Answer:
    """Return what a fault makes of an answer after the work. Raises ConnectionDropped."""
    if fault.action == "drop_after":
        raise ConnectionDropped("dropped after the work")
    if fault.action == "fail_after":
        return _failure(fault)
    if fault.action == "truncated":
        return replace(answer, body=answer.content()[:-7])
    if not isinstance(answer.body, dict):
        return answer
    if fault.action in ("lying_total", "rows_vanish", "rows_repeat"):
        by = -fault.delta if fault.action == "rows_vanish" else fault.delta
        return replace(answer, body=_recounted(answer.body, by))
    if fault.action == "short_page":
        rows = next((name for name, value in reversed(answer.body.items()) if isinstance(value, list) and value), None)
        return replace(answer, body={**answer.body, rows: answer.body[rows][: -fault.delta]}) if rows else answer
    return answer


def _recounted(body: dict[str, Any], by: int) -> dict[str, Any]:
    meta = body.get("meta")
    if not isinstance(meta, dict) or "total" not in meta:
        return body
    total = meta["total"]
    return {**body, "meta": {**meta, "total": type(total)(int(total) + by)}}

"""The wire between processes and account: what is handed over arrives, now or later, whatever becomes of its sender."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from reconciler.emulator import Application
from tests.simulation.ledger import Ledger
from tests.simulation.scheduler import Process

LATE = 35.0
"""Seconds that a request may still be on its way when its sender was told that it is lost."""

SLOW = 12.0
"""Seconds that one direction of a request takes at most."""


@dataclass(frozen=True)
class Weather:
    """How often something goes wrong with a request, out of one."""

    refused: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    limited: float = 0.0
    failing: float = 0.0


FAIR = Weather()
FOUL = Weather(refused=0.01, lost=0.03, late=0.02, limited=0.03, failing=0.03)


@dataclass
class Sent:
    """A request that a process handed over."""

    process: Process
    method: str
    url: str
    number: int
    at: float
    answer: httpx.Response | None = None
    served: bool = False
    back: float = float("inf")
    """When its sender had the answer."""

    def __str__(self) -> str:
        return f"{self.process.name}: {self.method} {self.url}"


@dataclass
class Internet:
    """Everything between processes and account; `boundary(process, where)` is told of each end of a request."""

    account: Application
    ledger: Ledger
    chance: random.Random
    boundary: Callable[[Process, str], None]
    weather: Weather = FAIR
    hand_over: Callable[[Sent], None] = lambda sent: None
    log: list[str] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)

    def transport(self, process: Process) -> httpx.AsyncBaseTransport:
        """Return what one process sends by."""
        return _Wire(self, process)

    def serve(self, sent: Sent, request: httpx.Request) -> None:
        """Let a request arrive at the account, and keep its answer."""
        sent.served = True
        self.log.append(f"{sent.process.scheduler.now:9.3f} {sent.process.name:>4} {sent.method} {sent.url}")
        with self.ledger.watching(sent):
            sent.answer = _call(self.account, request)
        self.log[-1] += f" -> {sent.answer.status_code}"


class _Wire(httpx.AsyncBaseTransport):
    def __init__(self, internet: Internet, process: Process) -> None:
        self._net, self._process = internet, process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        net, process = self._net, self._process
        process.alive()
        net.boundary(process, "before a request")
        fate = self._fate()
        net.numbers[process.name] += 1
        path = urlsplit(unquote(str(request.url)))
        url = path.path.removeprefix("/api/3") + (f"?{path.query}" if path.query else "")
        sent = Sent(process, request.method, url, net.numbers[process.name], process.scheduler.now)
        if fate == "refused":
            raise httpx.ConnectError("connection refused", request=request)
        if fate in ("limited", "failing before"):
            await asyncio.sleep(self._latency())
            return self._failure(fate, request)
        if (trace := request.extensions.get("trace")) is not None:
            await trace("http11.send_request_headers.started", {})
        if request.method != "GET" and "validateonly" not in request.headers:
            net.hand_over(sent)
        there, back = self._latency(), self._latency()
        if fate == "late":
            noticed = net.chance.uniform(0.0, 1.0)
            there = noticed + net.chance.uniform(0.0, LATE)
        process.scheduler.event(process.scheduler.now + there, lambda: net.serve(sent, request))
        if fate == "late":
            await asyncio.sleep(noticed)
            raise httpx.ReadError("connection reset", request=request)
        await asyncio.sleep(there + back)
        sent.back = process.scheduler.now
        if fate == "lost":
            raise httpx.ReadError("connection reset", request=request)
        net.boundary(process, "after a request")
        if fate == "failing after":
            return self._failure(fate, request)
        assert sent.answer is not None
        return sent.answer

    def _latency(self) -> float:
        chance = self._net.chance
        drawn = chance.random()
        return chance.uniform(0.01, 0.2) if drawn < 0.95 else chance.uniform(0.2, SLOW / 3 if drawn < 0.99 else SLOW)

    def _fate(self) -> str:
        weather, drawn = self._net.weather, self._net.chance.random()
        for name in ("refused", "lost", "late", "limited", "failing"):
            share = getattr(weather, name)
            if drawn < share:
                return name if name != "failing" else f"failing {self._net.chance.choice(['before', 'after'])}"
            drawn -= share
        return "fine"

    def _failure(self, fate: str, request: httpx.Request) -> httpx.Response:
        if fate == "limited":
            told = {} if self._net.chance.random() < 0.5 else {"retry-after": str(self._net.chance.randint(1, 5))}
            return httpx.Response(429, headers=told, json={"message": "Too many requests"}, request=request)
        return httpx.Response(self._net.chance.choice([500, 502, 503]), json={"message": "no"}, request=request)


def _call(account: Application, request: httpx.Request) -> httpx.Response:
    """Let the account answer a request; its application waits for nothing, so one step is all of it."""
    content = request.read()
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    work = account.app(scope, receive, send)
    try:
        work.send(None)
    except StopIteration:
        start, body = said
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return httpx.Response(start["status"], headers=headers, content=body["body"], request=request)
    raise AssertionError("the emulated account waits for something")

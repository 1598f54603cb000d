"""Calls an emulated account in process, as one line of a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

from reconciler.emulator import AccountSettings, Application, Fault, open_account


@dataclass(frozen=True, repr=False)
class Reply:
    """An answer: status, parsed body (None: empty), headers, and the body as sent."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes


class Api:
    """An account with a hand on its clock. Settings may be given as keywords."""

    def __init__(self, account: Application | None = None, **settings: Any) -> None:
        self.now = 0.0
        chosen = replace(AccountSettings(), **settings) if settings else None
        self.account = account or open_account(settings=chosen, clock=lambda: self.now)

    def __call__(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **query: Any
    ) -> Reply:
        """Send a request; `path` is below /api/3 and may carry a query of its own."""
        path, _, asked = path.partition("?")
        asked = "&".join(filter(None, [asked, urlencode(query)]))
        given = {"Api-Token": self.account.settings.token, **(headers or {})}
        return asyncio.run(self._send(method, f"/api/3{path}", asked, given, body))

    async def _send(self, method: str, path: str, query: str, headers: Mapping[str, str], body: Any) -> Reply:
        messages: list[Any] = []
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()

        async def receive() -> Any:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await self.account.app(scope, receive, send)
        start, end = messages
        raw = end["body"]
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            parsed = None
        return Reply(start["status"], parsed, {k.decode(): v.decode() for k, v in start["headers"]}, raw)

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET that has to succeed."""
        reply = self("GET", path, **query)
        assert reply.status == 200, (path, reply.status, reply.body)
        return reply.body

    def make(self, path: str, wrapper: str, /, **properties: Any) -> Any:
        """Create a row and return what is under the wrapper of the answer."""
        reply = self("POST", path, {wrapper: properties})
        assert reply.status in (200, 201), (path, reply.status, reply.body)
        return reply.body[wrapper]

    def fails(self, **fault: Any) -> None:
        """Inject a fault."""
        self.account.faults = [*self.account.faults, Fault.of(fault)]

"""A server of Terraform's http backend protocol in memory: one document, one lock, nothing that ends by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from reconciler.model.errors import StateError
from reconciler.store.wire import Wire, WireAnswer
from tests.simulation.scheduler import Process


@dataclass
class Server:
    """What the server keeps."""

    content: bytes = b""
    lock: bytes = b""
    changes: Callable[[str, str], None] = lambda before, after: None

    def answer(self, method: str, query: dict[str, list[str]], content: bytes) -> WireAnswer:
        """Answer one request; a write has to name the lock that is held."""
        if method == "GET":
            return WireAnswer(200 if self.content else 404, self.content)
        if method == "LOCK":
            if self.lock:
                return WireAnswer(423, self.lock)
            self.lock = content
            self.changes("", self.holder)
        elif method == "UNLOCK":
            if self.lock and json.loads(self.lock)["ID"] != json.loads(content)["ID"]:
                return WireAnswer(409, self.lock)
            before, self.lock = self.holder, b""
            self.changes(before, "")
        elif method == "POST":
            if self.lock and query.get("ID") != [json.loads(self.lock)["ID"]]:
                return WireAnswer(409, self.lock)
            self.content = content
        return WireAnswer(200, b"")

    @property
    def holder(self) -> str:
        """The process that holds the lock, as its document says."""
        return str(json.loads(json.loads(self.lock)["Info"])["process"]) if self.lock else ""

    @property
    def lock_id(self) -> str:
        """The id of the lock; "" for none."""
        return str(json.loads(self.lock)["ID"]) if self.lock else ""

    def document(self, name: str) -> bytes:
        """Return a document of the bundle, b"" for none."""
        found = json.loads(self.content or b"{}").get("documents", {}).get(name, "")
        return base64.b64decode(found["base64"]) if isinstance(found, dict) else str(found).encode()

    def names(self) -> list[str]:
        """Return the names of the documents."""
        return list(json.loads(self.content or b"{}").get("documents", {}))


class ServedWire(Wire):
    """The way of one process to such a server; either end of each write may be the end of the process."""

    def __init__(
        self, server: Server, process: Process, boundary: Callable[[str], None], away: Callable[[], bool]
    ) -> None:
        super().__init__("https://state.example/test", {})
        self._server, self._process, self._boundary, self._away = server, process, boundary, away

    def _once(self, method: str, url: str, content: bytes | None) -> WireAnswer:
        self._process.alive()
        if method != "GET":
            self._boundary(f"before {method} to the server")
        if self._away():
            raise StateError(f"the state {self.where} cannot be reached")
        answer = self._server.answer(method, parse_qs(urlsplit(url).query), content or b"")
        if method != "GET":
            self._boundary(f"after {method} to the server")
        return answer

"""Serving APIs of code hosts and of accounts on the loopback interface."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """An answer: JSON, or bytes as they are."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    def page(self, rows: list[dict[str, Any]]) -> Answer:
        """Return the page of rows that was asked for; hosts give at most 100."""
        size = min(int(self.query.get("per_page", "30")), 100)
        begin = (int(self.query.get("page", "1")) - 1) * size
        return Answer(200, rows[begin : begin + size])


class Routes:
    """Methods and paths (regular expressions; their groups are passed on) with what answers them."""

    def __init__(self, *routes: tuple[str, str, Callable[..., Answer]]) -> None:
        self._routes = [(method, re.compile(path), function) for method, path, function in routes]

    def answer(self, host: Any, call: Call, person: Any) -> Answer:
        """Call what the first fitting route names; 404 where none does."""
        for method, path, function in self._routes:
            found = path.fullmatch(call.path)
            if found and method == call.method:
                return function(host, call, person, *map(unquote, found.groups()))
        return Answer(404, {"message": "Not Found"})


@contextmanager
def serving(answer: Callable[[Call], Answer]) -> Iterator[str]:
    """Serve on a free port and yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def __getattr__(self, name: str) -> Callable[[], None]:
            """Any method is answered alike: the base class looks for `do_GET` and the like."""
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def _answer(self) -> None:
            """Read a call and write its answer."""
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = answer(Call(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body))
            content = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            for name, value in {**told.headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if told.status != 204:
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

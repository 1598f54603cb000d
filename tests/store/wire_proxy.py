"""A proxy between the program and the emulator that kills the program, or the connection, at a chosen request."""

from __future__ import annotations

import http.client
import os
import resource
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Mode = Literal[
    "kill_before",
    "kill_after",
    "kill_told",
    "reset_before",
    "reset_after",
    "error_after",
    "timeout",
    "limited",
    "full_disk",
    "signal",
]
MODES: tuple[Mode, ...] = tuple(mode for mode in get_args(Mode) if mode != "signal")
"""Killed before the request is forwarded; after the work, before the answer; just after the answer. The connection
breaks before the work, after it; 500 after the work; no answer in time after the work; three times 429 in a row. No
file of the program can grow any more from this request on.
"""
LATE = 1.5
"""Seconds that an answer takes that comes too late."""


@dataclass
class Proxy:
    """What happens at the nth write from now; None: nothing. `seen` counts writes."""

    target: str
    url: str = ""
    nth: int = 0
    mode: Mode | None = None
    pid: int = 0
    seen: int = 0
    active: int = 0
    open: int = 0
    """Connections that were accepted and are not over: what a dead program sent is read before its end is."""
    signals: list[signal.Signals] = field(default_factory=list)
    on_write: Callable[[str], None] | None = None
    """Is told of each write: "before" it is forwarded, "after" the work, before the answer."""
    turn: threading.Lock = field(default_factory=threading.Lock)
    writes: deque[tuple[float, float, str]] = field(default_factory=lambda: deque(maxlen=100))
    """When the last writes were forwarded and answered, in seconds of the steady clock, and what they were."""

    def times(self) -> str:
        """Return what was written when, in seconds before the last of it."""
        end = max((answered for _, answered, _ in self.writes), default=0.0)
        return ", ".join(f"{end - at:.3f}-{end - over:.3f} {what}" for at, over, what in self.writes)

    def arm(self, nth: int, mode: Mode | None) -> None:
        self.nth, self.mode, self.seen, self.pid = nth, mode, 0, 0

    def strikes(self, method: str) -> Mode | None:
        if method == "GET" or self.mode is None:
            return None
        with self.turn:
            self.seen += 1
            last = self.nth + 2 if self.mode == "limited" else self.nth
            return self.mode if self.nth <= self.seen <= last else None

    def kill(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def reached(self) -> None:
        """Return when a request has come."""
        for _ in range(500):
            if self.active:
                return
            time.sleep(0.02)
        raise AssertionError("no request came")

    def settle(self) -> None:
        """Return when every request of a dead program has reached the account: nothing can undo a late one."""
        host = urlsplit(self.url).netloc
        barrier = http.client.HTTPConnection(host, timeout=30)
        barrier.request("GET", "/_emulator/settings")  # connections are accepted in order: the others came before
        barrier.getresponse().read()
        barrier.close()
        for _ in range(1000):
            if not self.open:
                return
            time.sleep(0.01)
        raise AssertionError("requests hang in the proxy")

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
        host = urlsplit(self.target).netloc
        connection = http.client.HTTPConnection(host, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("content-type", "application/json")
        finally:
            connection.close()


def before_work(made: Proxy, mode: Mode | None) -> None:
    """Do what is to happen before a request is forwarded."""
    if mode == "kill_before":
        made.kill()
    if mode == "full_disk":
        resource.prlimit(made.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    if mode == "signal":
        for number in made.signals:
            os.kill(made.pid, number)
            time.sleep(0.2)  # a process sees two signals at once as one


class Quiet(ThreadingHTTPServer):
    """Connections that break are what this is for. `made` is set by `proxy`."""

    made: Proxy

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count a connection from the moment in which it is accepted."""
        with self.made.turn:
            self.made.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It is over."""
        super().shutdown_request(request)
        with self.made.turn:
            self.made.open -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class Handler(BaseHTTPRequestHandler):
    """Carries requests to the emulator. `made` is set by `proxy`."""

    made: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer in two parts would wait 40 ms for each other

    def handle_any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # its sender died in the middle: no server works on half a request
            return
        mode = self.made.strikes(self.command)
        with self.made.turn:
            self.made.active += 1
        try:
            self.serve_one(mode, body)
        finally:
            with self.made.turn:
                self.made.active -= 1

    def serve_one(self, mode: Mode | None, body: bytes) -> None:
        before_work(self.made, mode)
        if mode in ("kill_before", "reset_before") or (mode == "signal" and len(self.made.signals) > 1):
            self.close_connection = True
        elif mode == "limited":
            self.answer(429, b"{}", "application/json")
        else:
            self.work(mode, body)

    def work(self, mode: Mode | None, body: bytes) -> None:
        kept = ("api-token", "content-type", "accept", "validateonly")
        headers = {name: value for name, value in self.headers.items() if name.lower() in kept}
        told = self.made.on_write if self.command != "GET" else None
        if told is not None:
            told("before")
        began = time.monotonic()
        status, said, kind = self.made.forward(self.command, self.path, headers, body)
        if self.command != "GET":
            self.made.writes.append((began, time.monotonic(), f"{self.command} {self.path} {body[:80]!r}"))
        if told is not None:
            told("after")
        if mode == "kill_after":
            self.made.kill()
        if mode == "timeout":
            time.sleep(LATE)
        if mode in ("kill_after", "reset_after"):
            self.close_connection = True
            return
        if mode == "error_after":
            status, said = 500, b'{"message": "the work is done, the answer is not"}'
        self.answer(status, said, kind)
        if mode == "kill_told":
            self.made.kill()

    def answer(self, status: int, said: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names of the server's protocol

    def log_message(self, format: str, *args: object) -> None:
        """The tests look at the account instead."""


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Serve until the block ends."""
    made = Proxy(target)

    handler = type("Bound", (Handler,), {"made": made})
    server = Quiet(("127.0.0.1", 0), handler)
    server.made = made
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Servers that are not what the program expects, on a free port of this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


def _json(status: int, body: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps(body).encode()


def _login_page(path: str) -> Answer:
    return 200, {"content-type": "text/html"}, b"<!doctype html><title>Sign in</title>"


def _redirect(path: str) -> Answer:
    return 301, {"location": "https://acme.activehosted.com/admin/?key=secret"}, b""


def _lie(path: str) -> Answer:
    rows = [{"id": "1", "tag": "A", "tagType": "contact"}] if "offset=0" in path else []
    return _json(200, {"tags": rows, "meta": {"total": "2"}})


def _elsewhere(path: str) -> Answer:
    return _json(404, {"message": "Not Found"})


def _other_api(path: str) -> Answer:
    return _json(200, {"data": []})


def _broken(path: str) -> Answer:
    return _json(500, {"message": "Internal error"})


def _refusing(path: str) -> Answer:
    return _json(403, {"message": "Invalid Api-Token canary-token-1234"})


def _busy(path: str) -> Answer:
    return _json(429, {"message": "Too many requests"}, retry_after="0.01")


def _cut_off(path: str) -> Answer:
    return 200, {"content-type": "application/json"}, b'{"tags": [{"id": "1", "ta'


ANSWERS: dict[str, Callable[[str], Answer]] = {
    "login-page": _login_page,
    "redirect": _redirect,
    "lying-total": _lie,
    "elsewhere": _elsewhere,
    "other-api": _other_api,
    "broken": _broken,
    "refusing": _refusing,
    "busy": _busy,
    "cut-off": _cut_off,
}


class Quiet(ThreadingHTTPServer):
    """Says nothing about callers that hang up."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not like the answer hangs up; that is what the stories are about."""


@contextlib.contextmanager
def serve(name: str) -> Iterator[str]:
    """Serve one of `ANSWERS`, or nothing (`down`), and yield the address; `tls` promises TLS that is not there."""
    if name == "down":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        return
    answer = ANSWERS.get(name, _broken)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self.path)
            self.send_response(status)
            for header, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if name == 'tls' else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

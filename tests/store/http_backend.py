"""A server of Terraform's http backend protocol, and of GitLab's variant of it, in a thread. Status codes as recorded
from both: 200, 201, 204, 400, 401, 404, 405, 409, 422, 423.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SEVEN = {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}


class Backend:
    """What the server keeps: a document and a lock per path, and every request as `METHOD path status`."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.locks: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, list[int]] = {}
        self.log: list[str] = []
        self.turn = threading.Lock()
        self.locking = True
        self.failing: list[int] = []
        self.on_post: tuple[int, str] | None = None
        """Status and place that every POST is sent on to."""
        self.password = ""
        self.url = ""

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes, headers: Any
    ) -> tuple[int, bytes]:
        if self.failing:
            return self.failing.pop(0), b"down"
        if self.password:
            wanted = "Basic " + base64.b64encode(f"ci:{self.password}".encode()).decode()
            if headers.get("Authorization") != wanted:
                return 401, b""
        if body and method == "POST":
            digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
            if headers.get("Content-MD5") != digest:
                return 400, b"Content-MD5"
        if "/terraform/state/" in path:
            return self.gitlab(method, path, query, body)
        if method in ("LOCK", "UNLOCK"):
            return self.lock(path, body, 423) if method == "LOCK" else self.unlock(path, body)
        return self.document(method, path, query, body)

    def gitlab(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes]:
        if path.endswith("/lock"):
            owner = path.removesuffix("/lock")
            if method == "POST":
                if not {name for name, value in json.loads(body).items() if value} >= SEVEN:
                    return 400, b'{"error": "a lock needs all of its members"}'
                return self.lock(owner, body, 409)
            return self.unlock(owner, body) if method == "DELETE" else (405, b"")
        if method == "POST":
            serial = json.loads(body).get("serial")
            if not isinstance(serial, int) or serial in self.versions.get(path, []):
                return 422, b'{"message": "version has already been taken"}'
            status, said = self.document(method, path, query, body)
            if status < 300:
                self.versions.setdefault(path, []).append(serial)
            return status, said
        return self.document(method, path, query, body)

    def document(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes]:
        if method == "GET":
            return (200, self.documents[path]) if path in self.documents else (404, b"")
        holder = self.locks.get(path)
        given = query.get("ID", [""])[0]
        if holder is not None and given != holder["ID"]:
            return (409 if given else 423), json.dumps(holder).encode()
        if holder is None and given:
            return 409, b""
        if method == "POST":
            created = path not in self.documents
            self.documents[path] = body
            return (201 if created else 200), b""
        self.documents.pop(path, None)
        return 200, b""

    def lock(self, path: str, body: bytes, taken: int) -> tuple[int, bytes]:
        if not self.locking:
            return 405, b""
        if path in self.locks:
            return taken, json.dumps(self.locks[path]).encode()
        self.locks[path] = json.loads(body)
        return 200, b""

    def unlock(self, path: str, body: bytes) -> tuple[int, bytes]:
        holder = self.locks.get(path)
        if holder is None:
            return 200, b""
        if json.loads(body or b"{}").get("ID") not in ("", None, holder["ID"]):
            return 409, json.dumps(holder).encode()
        del self.locks[path]
        return 200, b""


@contextmanager
def http_backend() -> Iterator[Backend]:
    """Serve until the block ends; `Backend.url` is where."""
    backend = Backend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer in two parts would wait 40 ms for each other

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            sent_on = backend.on_post if self.command == "POST" else None
            with backend.turn:
                status, said = (
                    (sent_on[0], b"")
                    if sent_on
                    else backend.answer(self.command, parts.path, parse_qs(parts.query), body, self.headers)
                )
                backend.log.append(f"{self.command} {parts.path} {status}")
            self.send_response(status)
            if sent_on:
                self.send_header("Location", sent_on[1])
            self.send_header("Content-Length", str(len(said)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_DELETE = do_LOCK = do_UNLOCK = handle_any  # noqa: N815 - names of the server's protocol

        def log_message(self, format: str, *args: object) -> None:
            """The log is data."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    backend.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield backend
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

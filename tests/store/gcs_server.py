"""A server of the part of Google Cloud Storage's XML API that an object store's client sends, in a thread: read, write
with a generation as its precondition, delete, list in pages.

Written from the vendor's public pages, "XML API: PUT / GET / DELETE object, GET bucket (list objects)", "Request
preconditions" and "HTTP status and error codes for XML"; no emulator in a package registry that we know speaks it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE = 3
"""Objects of one page of a listing; the vendor's are of 1,000."""
MODIFIED, MODIFIED_HTTP = "2026-11-24T10:00:00.000Z", "Tue, 24 Nov 2026 10:00:00 GMT"
TOKEN = "tester"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Gcs:
    """What the server keeps: content and generation of each object, by bucket and name; requests as
    `METHOD path status`.
    """

    buckets: dict[str, dict[str, tuple[bytes, int]]] = field(default_factory=dict)
    generation: int = 1_700_000_000_000_000
    failing: list[int] = field(default_factory=list)
    """Statuses that the next requests are answered with."""
    log: list[str] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, method: str, target: str, body: bytes, headers: Any) -> Reply:
        """Answer a request."""
        parts = urlsplit(target)
        name, _, key = parts.path.lstrip("/").partition("/")
        if self.failing:
            return _error(self.failing.pop(0), "SlowDown")
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, "AuthenticationRequired")
        bucket = self.buckets.get(unquote(name))
        if bucket is None:
            return _error(404, "NoSuchBucket")
        if not key:
            return self._list(bucket, parse_qs(parts.query)) if method == "GET" else _error(405, "MethodNotAllowed")
        return self._object(method, bucket, unquote(key), body, headers)

    def _object(self, method: str, bucket: dict[str, tuple[bytes, int]], key: str, body: bytes, headers: Any) -> Reply:
        content, generation = bucket.get(key, (b"", 0))  # generation 0 means that there is no such object
        wanted = headers.get("x-goog-if-generation-match")
        if wanted is not None and int(wanted) != generation:
            return _error(412, "PreconditionFailed")
        if method == "PUT":
            self.generation += 1
            bucket[key] = (body, self.generation)
            return Reply(200, b"", _meta(body, self.generation))
        if not generation:
            return _error(404, "NoSuchKey")
        if method == "DELETE":
            del bucket[key]
            return Reply(204)
        return Reply(200, content, {**_meta(content, generation), "Last-Modified": MODIFIED_HTTP})

    def _list(self, bucket: dict[str, tuple[bytes, int]], query: dict[str, list[str]]) -> Reply:
        if query.get("list-type") != ["2"]:
            return _error(400, "InvalidArgument")
        after = query.get("continuation-token", [""])[0]
        keys = sorted(key for key in bucket if key.startswith(query.get("prefix", [""])[0]) and key > after)
        rows = "".join(_row(key, *bucket[key]) for key in keys[:PAGE])
        more = len(keys) > PAGE
        then = f"<NextContinuationToken>{escape(keys[PAGE - 1])}</NextContinuationToken>" if more else ""
        listed = f"<IsTruncated>{str(more).lower()}</IsTruncated>{then}{rows}"
        return _xml(
            200, f"<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>{listed}</ListBucketResult>"
        )


def _xml(status: int, text: str) -> Reply:
    body = f"<?xml version='1.0' encoding='UTF-8'?>{text}".encode()
    return Reply(status, body, {"Content-Type": "application/xml; charset=UTF-8"})


def _error(status: int, code: str) -> Reply:
    return _xml(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>")


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _meta(content: bytes, generation: int) -> dict[str, str]:
    return {"ETag": _etag(content), "x-goog-generation": str(generation), "x-goog-metageneration": "1"}


def _row(key: str, content: bytes, generation: int) -> str:
    facts = f"<Generation>{generation}</Generation><MetaGeneration>1</MetaGeneration>"
    facts += f"<LastModified>{MODIFIED}</LastModified><ETag>{escape(_etag(content))}</ETag><Size>{len(content)}</Size>"
    return f"<Contents><Key>{escape(key)}</Key>{facts}</Contents>"


@contextmanager
def gcs(*buckets: str) -> Iterator[Gcs]:
    """Serve these buckets until the block ends; `Gcs.url` is where."""
    kept = Gcs({name: {} for name in buckets})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with kept.turn:
                reply = kept.answer(self.command, self.path, body, self.headers)
                kept.log.append(f"{self.command} {self.path} {reply.status}")
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_DELETE = handle_any  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *args: object) -> None:
            """The log is data."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

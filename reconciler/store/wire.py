"""Requests of the http backend: addresses, methods and credentials as Terraform takes them from its environment."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from reconciler.model.errors import StateError
from reconciler.model.proxies import proxy_for
from reconciler.model.records import record
from reconciler.model.waits import Endless, whole

GITLAB = re.compile(r"/api/v4/projects/[^/]+(?:%2F[^/]+)*/terraform/state/[^/]+/?$")
TIMEOUT = 30.0
"""Seconds to wait for an answer."""
WHOLE = 300.0
"""Seconds for a whole answer."""
MOST_BYTES = 512 * 2**20
PIECE = 2**16
TRIES = 3


@record
class WireAnswer:
    """Status and body of an answer."""

    status: int
    body: bytes


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what sends requests to a URL, by the proxy that the environment asks for, and follows no redirect: a POST
    would become a GET whose answer looks like success, and the password would go along to another host.

    Raises SurroundingsError.
    """
    asked = proxy_for(url, os.environ)
    opener = urllib.request.OpenerDirector()
    opener.add_handler(urllib.request.ProxyHandler({urlsplit(url).scheme: asked.full} if asked else {}))
    for handler in (
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def _whole(answer: Any) -> bytes:
    """Return the whole body. Raises Endless, and what reading it raises."""
    return whole(iter(lambda: answer.read1(PIECE), b""), most=MOST_BYTES, seconds=WHOLE, clock=time.monotonic)


class Wire:
    """Sends the requests of one state. `environ` may hold Terraform's TF_HTTP_* variables."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.address = urlunsplit(parts._replace(netloc=host))
        self.where = urlunsplit(parts._replace(netloc=host, query="", fragment=""))
        gitlab = GITLAB.search(parts.path) is not None
        lock = self._below("lock") if gitlab else self.address
        self.lock_address = environ.get("TF_HTTP_LOCK_ADDRESS") or lock
        self.unlock_address = environ.get("TF_HTTP_UNLOCK_ADDRESS") or self.lock_address
        self.lock_method = environ.get("TF_HTTP_LOCK_METHOD") or ("POST" if gitlab else "LOCK")
        self.unlock_method = environ.get("TF_HTTP_UNLOCK_METHOD") or ("DELETE" if gitlab else "UNLOCK")
        user = environ.get("TF_HTTP_USERNAME") or unquote(parts.username or "")
        password = environ.get("TF_HTTP_PASSWORD") or unquote(parts.password or "")
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"} if user or password else {}

    def _below(self, name: str) -> str:
        parts = urlsplit(self.address)
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))

    def lock(self, content: bytes) -> WireAnswer:
        """Ask for the lock."""
        return self._once(self.lock_method, self.lock_address, content)

    def unlock(self, content: bytes) -> WireAnswer:
        """Give the lock back."""
        return self.send(self.unlock_method, content, address=self.unlock_address)

    def send(
        self, method: str, content: bytes | None = None, *, query: Mapping[str, str] | None = None, address: str = ""
    ) -> WireAnswer:
        """Send a request that may be repeated. Raises StateError when no answer comes, or 5xx stays."""
        url = address or self.address
        if query:
            url += ("&" if urlsplit(url).query else "?") + urlencode(query)
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._once(method, url, content)
            except StateError:
                if attempt == TRIES:
                    raise
            else:
                if answer.status < 500 or answer.status == 501 or attempt == TRIES:
                    return answer
            time.sleep(0.2 * attempt)
        raise AssertionError("unreachable")

    def _once(self, method: str, url: str, content: bytes | None) -> WireAnswer:
        headers = dict(self._headers)
        if content is not None:
            headers["Content-Type"] = "application/json"
            headers["Content-MD5"] = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        request = urllib.request.Request(url, data=content, method=method, headers=headers)
        try:
            with _opener(url).open(request, timeout=TIMEOUT) as answer:
                return WireAnswer(answer.status, _whole(answer))
        except urllib.error.HTTPError as error:
            with error:
                return WireAnswer(error.code, _whole(error.fp))
        except Endless as error:
            raise StateError(f"the state {self.where} cannot be read: {error}", hint="look what answers") from error
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = getattr(error, "reason", None) or error
            asked = proxy_for(url, os.environ)
            by = f" by {asked.address}" if asked else ""
            hint = f"check the URL, the network and {asked.variable}" if asked else "check the URL and the network"
            raise StateError(f"the state {self.where} cannot be reached{by}: {reason}", hint=hint) from error

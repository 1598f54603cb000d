"""Calls to a code host's API: paged, tried again where that is safe, and honest about what went wrong."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from reconciler.model.errors import AuthError, Rejected, RemoteError, Unreachable
from reconciler.model.proxies import Proxy
from reconciler.model.redaction import abridged
from reconciler.model.waits import Endless, whole
from reconciler.remote.answers import retry_after
from reconciler.remote.network import Network
from reconciler.remote.trouble import no_connection

ATTEMPTS = 4
PAGE = 100
PAGES = 100
"""More comments than 10,000 are not looked through."""
LONGEST_WAIT = 60.0
LARGEST = 200_000_000
"""Bytes of a file that is downloaded, packed or not."""
MOST_BYTES = 32_000_000
WIRE = ("content-encoding", "transfer-encoding", "content-length")
"""Headers of how an answer travelled."""
WHOLE, WHOLE_FILE = 120.0, 600.0
"""Seconds for a whole answer, and for a whole file."""


class Calls:
    """One API of a code host. `token_hint` says where its token comes from."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        token_hint: str,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[str, float], None] = lambda reason, seconds: None,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._url = url.rstrip("/")
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._hint = token_hint
        self._sleep = sleep
        self._on_wait = on_wait
        self._around = Network.of(url, os.environ)
        self._http = httpx.Client(
            headers={**headers, "User-Agent": "activecampaign-reconciler"},
            timeout=httpx.Timeout(30.0, connect=10.0),
            proxy=self._around.proxy,
            verify=self._around.verify,
            trust_env=False,
            transport=transport,
        )

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET."""
        return self.send("GET", path, query=query).json()

    def found(self, path: str) -> Any:
        """Return the JSON of a GET, or None where there is no such thing or it is not for us."""
        answer = self.send("GET", path, expect=(401, 403, 404))
        return answer.json() if answer.is_success else None

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the rows of a listing, page by page."""
        for page in range(1, PAGES + 1):
            rows = self.get(path, per_page=PAGE, page=page, **query)
            if not isinstance(rows, list):
                raise RemoteError(f"{self._host} answers GET {path} with something that is no list")
            yield from rows
            if len(rows) < PAGE:
                return

    def download(self, path: str) -> bytes:
        """Return the bytes of a file. Hosts redirect to a storage, which must not see our token."""
        answer = self.send("GET", path, expect=(302, 307))
        if answer.is_success:
            return answer.content
        place = answer.headers["location"]
        around = Network.of(place, os.environ)
        try:
            with (
                httpx.Client(timeout=60.0, proxy=around.proxy, verify=around.verify, trust_env=False) as storage,
                storage.stream("GET", place) as begun,
            ):
                stored = self._read(begun, LARGEST, WHOLE_FILE)
        except httpx.HTTPError as error:
            raise self._unreachable(error, around.asked) from error
        return self._judged(stored, "the download", ()).content

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        expect: tuple[int, ...] = (),
    ) -> httpx.Response:
        """Send a request and return its answer. A POST whose answer was lost is not sent twice."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                with self._http.stream(method, self._url + path, json=body, params=query) as begun:
                    answer = self._read(begun, MOST_BYTES, WHOLE)
            except httpx.HTTPError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
                if last or (method == "POST" and not unsent):
                    raise self._unreachable(error, self._around.asked) from error
                self._sleep(0.5 * 2**attempt)
                continue
            limited = _is_limit(answer)
            if not last and (limited or (answer.status_code >= 500 and method != "POST")):
                self._wait(answer, attempt, limited)
                continue
            return self._judged(answer, f"{method} {path}", expect)
        raise AssertionError("the last attempt returns or raises")

    def _read(self, begun: httpx.Response, most: int, seconds: float) -> httpx.Response:
        """Return the whole answer, unpacked, as far as an answer may go."""
        if "," in begun.headers.get("content-encoding", ""):
            raise httpx.DecodingError("packed more than once")
        try:
            content = whole(begun.iter_bytes(), most=most, seconds=seconds, clock=self._clock)
        except Endless as error:
            raise RemoteError(f"{self._host}: {error}", hint="nothing is concluded from it; try again later") from error
        headers = [(name, one) for name, one in begun.headers.multi_items() if name.lower() not in WIRE]
        return httpx.Response(begun.status_code, headers=headers, content=content, request=begun.request)

    def _wait(self, answer: httpx.Response, attempt: int, limited: bool) -> None:
        asked = retry_after({name.lower(): value for name, value in answer.headers.items()})
        seconds = min(asked if asked is not None else 0.5 * 2**attempt, LONGEST_WAIT)
        if limited:
            self._on_wait(f"rate limited by {self._host}", seconds)
        self._sleep(seconds)

    def _judged(self, answer: httpx.Response, what: str, expect: tuple[int, ...]) -> httpx.Response:
        if answer.is_success or answer.status_code in expect:
            return answer
        said = f"({answer.status_code}{_said(answer)})"
        if answer.status_code in (401, 403):
            raise AuthError(f"{self._host} refuses {what} {said}", hint=self._hint)
        raise Rejected(f"{self._host} refuses {what} {said}", status=answer.status_code)

    def _unreachable(self, error: Exception, proxy: Proxy | None) -> Unreachable:
        what, hint = no_connection(error, timed_out=isinstance(error, httpx.TimeoutException), proxy=proxy)
        return Unreachable(f"{self._host} cannot be reached: {what}", hint=hint if proxy else "try again later")


def _is_limit(answer: httpx.Response) -> bool:
    """429, or GitHub's 403 for its limits, which says when to come back or that nothing is left."""
    spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code == 429 or (answer.status_code == 403 and spent)


def _said(answer: httpx.Response) -> str:
    """What the host says about a refusal, clipped."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    message = body.get("message") or body.get("error") if isinstance(body, dict) else None
    return f": {abridged(str(message), 200)}" if message else ""


def unpacked(content: bytes, name: str) -> bytes | None:
    """Return a file of a zip archive, None where it is not in there. Raises RemoteError for what is no archive, or too
    large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                return None
            if archive.getinfo(name).file_size > LARGEST:
                raise RemoteError(f"{name} is larger than {LARGEST:,} bytes")
            return archive.read(name)
    except zipfile.BadZipFile as error:
        raise RemoteError("the host's artifact is no zip archive") from error

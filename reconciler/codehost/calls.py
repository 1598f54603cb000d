"""Calls to a code host's API: paged, tried again where that is safe, and honest about what went wrong."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from reconciler.model.codehost import HostAnswer, Web
from reconciler.model.errors import AuthError, Rejected, RemoteError, Unreachable
from reconciler.model.redaction import abridged
from reconciler.model.values import Json

ATTEMPTS = 4
PER_PAGE = 100
PAGES = 100
"""More comments than 10,000 are not looked through."""
LONGEST_WAIT = 60.0
LARGEST = 200_000_000
"""Bytes of a file that is downloaded, packed or not."""
MOST_BYTES = 32_000_000
WHOLE, WHOLE_FILE = 120.0, 600.0
"""Seconds for a whole answer, and for a whole file."""

HostRow = Mapping[str, Json]


def row_of(content: Json) -> HostRow:
    """Return an object of an answer. Raises RemoteError for what is none."""
    if not isinstance(content, Mapping):
        raise RemoteError(f"the code host answers with a {type(content).__name__} where an object should be")
    return content


def inner(row: HostRow, name: str) -> HostRow:
    """Return an object inside an object; an empty one where there is none."""
    part = row.get(name)
    return part if isinstance(part, Mapping) else {}


def text(row: HostRow, name: str) -> str:
    """Return a text of an object; "" where there is none."""
    return str(row.get(name) or "")


class Calls:
    """One API of a code host. `token_hint` says where its token comes from."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        web: Web,
        *,
        token_hint: str,
        sleep: Callable[[float], None] = time.sleep,
        on_wait: Callable[[str, float], None] = lambda reason, seconds: None,
    ) -> None:
        self._url, self._headers, self._web = url.rstrip("/"), headers, web
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._hint = token_hint
        self._sleep = sleep
        self._on_wait = on_wait

    def get(self, path: str, **query: str | int) -> Json:
        """Return the JSON of a GET."""
        return self.send("GET", path, query=query).json()

    def get_if_there(self, path: str) -> HostRow | None:
        """Return the JSON of a GET, or None where there is no such thing or it is not for us."""
        answer = self.send("GET", path, expect=(401, 403, 404))
        return row_of(answer.json()) if answer.ok else None

    def pages(self, path: str, **query: str | int) -> Iterator[HostRow]:
        """Yield the rows of a listing, page by page."""
        for page in range(1, PAGES + 1):
            rows = self.get(path, per_page=PER_PAGE, page=page, **query)
            if not isinstance(rows, list):
                raise RemoteError(f"{self._host} answers GET {path} with something that is not a list")
            yield from map(row_of, rows)
            if len(rows) < PER_PAGE:
                return

    def download(self, path: str) -> bytes:
        """Return the bytes of a file. Hosts redirect to a storage, which must not see our token."""
        answer = self.send("GET", path, expect=(302, 307))
        if answer.ok:
            return answer.content
        stored = self._web.exchange("GET", answer.headers["location"], most=LARGEST, seconds=WHOLE_FILE)
        return self._judged(stored, "the download", ()).content

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Mapping[str, str | int] | None = None,
        expect: tuple[int, ...] = (),
    ) -> HostAnswer:
        """Send a request and return its answer. A POST whose answer was lost is not sent twice."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._web.exchange(
                    method,
                    self._url + path,
                    headers=self._headers,
                    body=body,
                    query=query,
                    most=MOST_BYTES,
                    seconds=WHOLE,
                )
            except Unreachable as error:
                if last or (method == "POST" and error.sent):
                    raise
                self._sleep(0.5 * 2**attempt)
                continue
            limited = _is_limit(answer)
            if not last and (limited or (answer.status >= 500 and method != "POST")):
                self._wait(answer, attempt, limited)
                continue
            return self._judged(answer, f"{method} {path}", expect)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, answer: HostAnswer, attempt: int, limited: bool) -> None:
        asked = answer.retry_after
        seconds = min(asked if asked is not None else 0.5 * 2**attempt, LONGEST_WAIT)
        if limited:
            self._on_wait(f"rate limited by {self._host}", seconds)
        self._sleep(seconds)

    def _judged(self, answer: HostAnswer, what: str, expect: tuple[int, ...]) -> HostAnswer:
        if answer.ok or answer.status in expect:
            return answer
        reply = f"({answer.status}{_said(answer)})"
        if answer.status in (401, 403):
            raise AuthError(f"{self._host} refuses {what} {reply}", hint=self._hint)
        raise Rejected(f"{self._host} refuses {what} {reply}", status=answer.status)


def _is_limit(answer: HostAnswer) -> bool:
    """429, or GitHub's 403 for its limits, which says when to come back or that nothing is left."""
    spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status == 429 or (answer.status == 403 and spent)


def _said(answer: HostAnswer) -> str:
    """What the host says about a refusal, clipped."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    message = body.get("message") or body.get("error") if isinstance(body, dict) else None
    return f": {abridged(str(message), 200)}" if message else ""


def unpacked(content: bytes, name: str) -> bytes | None:
    """Return a file of a zip archive, None where it is not in there. Raises RemoteError for what is not an archive,
    or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if name not in archive.namelist():
                return None
            if archive.getinfo(name).file_size > LARGEST:
                raise RemoteError(f"{name} is larger than {LARGEST:,} bytes")
            return archive.read(name)
    except zipfile.BadZipFile as error:
        raise RemoteError("the host's artifact is not a zip archive") from error

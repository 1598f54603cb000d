"""Requests and responses as values, and flows: generators that yield requests and are sent responses."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlsplit

from reconciler.model.empty import NOTHING
from reconciler.model.errors import AmbiguousResponse, RemoteError, Unexpected
from reconciler.model.redaction import abridged
from reconciler.model.values import Json

MARGIN = 1.02
"""Requests are spaced so much wider than the rate says: at exactly the limit, jitter draws 429 answers."""
PAGE = 100
"""Most rows that a page of a listing may have (section 1.7 of the API page)."""
DEFAULT_PAGE = 20
"""What the account sends when it ignores `limit` (row 3 of section 7)."""
SCREENS_DOMAIN = "activehosted.com"
"""The product's screens stand there, below the name of an account."""
VENDOR_DOMAINS = ("api-us1.com", SCREENS_DOMAIN)
"""Where the first label of the host is the account's name (section 1.1 of the API page)."""

LONGEST_ID = 500
"""Characters of an id, at most: names of tracked events and domains are ids, too."""
MOST_ROWS = 10**18
"""Rows that no listing has."""
_TOTAL = re.compile(r"[0-9]{1,18}")
PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~$@:+,-]|%[0-9A-F]{2})+)+")
"""A path below `/api/3`: no query, no fragment, no way up, nothing that a server or a client would read otherwise."""


_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""All characters that a URL has (RFC 3986, section 2)."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9.])?|[0-9a-f:.]*:[0-9a-f:.]*")


class NoPath(RemoteError):
    """What should name an object in a request is not an id; nothing was sent."""


def is_address(url: str) -> bool:
    """Return whether something can be asked at this URL: http or https, a host, and no character that no URL has (its
    host: letters, digits, `-`, `_` and dots, or an IPv6 address in brackets).
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and (parts.port is None or parts.port > 0)
        return fits and bool(_URL.fullmatch(url)) and bool(_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        return False


def is_api_address(url: str) -> bool:
    """Return whether paths can be put behind this URL: behind a query or a fragment, they would be a part of it."""
    return is_address(url) and "?" not in url and "#" not in url


def segment(identity: object) -> str:
    """Return an id as one segment of a path, percent-encoded. Raises NoPath for what names no object: null, a flag, a
    list, "", "..", texts with control characters or halves of characters.
    """
    if not is_id(identity):
        raise NoPath(
            f"{shown(identity)} is not an id of an object; nothing was sent for it",
            hint="the account, or a file with ids in it, says so: look the object up in the account",
        )
    return quote(str(identity), safe="")


def is_id(identity: object, *, digits: bool = False) -> bool:
    """Return whether this can name an object (section 1.4): a number, or a text with no control characters and no
    halves of characters in it; with `digits`, only numbers.
    """
    if isinstance(identity, int):
        return not isinstance(identity, bool) and 0 <= identity < 10**19
    if not isinstance(identity, str):
        return False
    if digits:
        return identity.isascii() and identity.isdecimal() and len(identity) < 20
    if not identity or len(identity) > LONGEST_ID or identity in (".", ".."):
        return False
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in identity)


def shown(value: object) -> str:
    """Return a foreign value for a message, abridged and on one line."""
    if isinstance(value, str):
        return ascii(abridged(value, 56))
    return ascii(value) if isinstance(value, int | float | None) else f"a {type(value).__name__}"


def outline(body: object) -> str:
    """Return what an answer is, for a message: the types and names of its parts, and none of its values."""
    if not isinstance(body, dict):
        return "nothing" if body is None else f"a {type(body).__name__}"
    parts = [
        f"{abridged(str(name), 40)!a} ({type(value).__name__})" for name, value in itertools.islice(body.items(), 6)
    ]
    more = f" and {len(body) - len(parts)} more" if len(body) > len(parts) else ""
    return f"an object with {', '.join(parts)}{more}" if parts else "an empty object"


def at(path: str, *segments: object) -> str:
    """Return the path of something below `path`: the only way in which ids come into paths."""
    return "/".join((path, *map(segment, segments)))


def filled(template: str, identity: object) -> str:
    """Return a path like `/fields/{id}/options` with the id in its place."""
    return template.replace("{id}", segment(identity))


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API. `path` is below `/api/3` and begins with a slash; `body` is JSON or None.

    `dry_run` marks the schema validation of the vendor (`validateOnly: true`), the only write allowed while planning.
    `expect` lists further statuses that the flow handles itself. `again` is awaited before the request is repeated,
    and told whether a try before may have been carried out; what it raises keeps it from that.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Json = None
    dry_run: bool = False
    expect: tuple[int, ...] = ()
    again: Callable[[bool], Awaitable[None]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not PATH.fullmatch(self.path):
            raise NoPath(f"{shown(self.path)} is not a path of the API; nothing was sent")

    @property
    def writes(self) -> bool:
        """Whether the request can change the account."""
        return self.method != "GET" and not self.dry_run

    @property
    def overwrites(self) -> bool:
        """Whether the request can take something away: a POST only adds."""
        return self.writes and self.method != "POST"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Response(NamedTuple):
    """An answer: status, parsed JSON body (None when empty), and headers with lower-case names. `request` is what it
    answers, for messages. One that is `foretold` was made by a kind to count requests: what it lacks is not damage.
    `maps` tells that the server had written an array as a map of numbers (row 53 of section 7).
    """

    status: int
    body: Json = None
    headers: Mapping[str, str] = NOTHING
    request: str = ""
    foretold: bool = False
    maps: bool = False

    @property
    def ok(self) -> bool:
        """Any 2xx: the reference is wrong about which (section 1.5 of the API page)."""
        return 200 <= self.status < 300

    def row(self, wrapper: str) -> dict[str, Any]:
        """Return the object under `wrapper`, or an empty map when the answer has none (PUT /lists answers an empty
        body).
        """
        inner = self.body.get(wrapper) if isinstance(self.body, dict) else None
        return inner if isinstance(inner, dict) else {}

    def rows(self, key: str) -> list[dict[str, Any]]:
        """Return the objects of an array that came along with a write; empty where the answer has none."""
        inner = self.body.get(key) if isinstance(self.body, dict) else None
        return [row for row in inner if isinstance(row, dict)] if isinstance(inner, list) else []

    def object_in(self, wrapper: str) -> dict[str, Any]:
        """Return the object that a read asked for. Raises Unexpected where the answer has none: that proves nothing."""
        inner = self.body.get(wrapper) if isinstance(self.body, dict) else None
        if not isinstance(inner, dict) and not self.foretold:
            raise self.other(f"an object `{wrapper}`")
        return self.row(wrapper)

    def listed(self, key: str) -> list[dict[str, Any]]:
        """Return the objects of the array that a read asked for. Raises Unexpected where it is none of objects."""
        inner = self.body.get(key) if isinstance(self.body, dict) else None
        if not (isinstance(inner, list) and all(isinstance(row, dict) for row in inner)) and not self.foretold:
            raise self.other(f"a list of objects `{key}`")
        return self.rows(key)

    def total(self) -> int | None:
        """Return `meta.total` of a listing, a number or its digits (section 1.4, [OAS] and recorded); None where there
        is none, or `meta` is the empty list of PHP. Raises Unexpected for anything else: what is counted is unknown.
        """
        meta = self.body.get("meta") if isinstance(self.body, dict) else None
        if meta in (None, "", []):
            return None
        if not isinstance(meta, dict):
            raise self.other("an object `meta`", shown(meta))
        raw = meta.get("total")
        if raw in (None, ""):
            return None
        if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw < MOST_ROWS:
            return raw
        if isinstance(raw, str) and _TOTAL.fullmatch(raw):
            return int(raw)
        raise self.other("a number or its digits as `meta.total`", shown(raw))

    def other(self, expected: str, came: str = "") -> Unexpected:
        """Return the error that this is not what was expected: the request, what was expected and what came."""
        return Unexpected(
            f"{self.request or 'the account'} answered otherwise than expected: expected {expected}, "
            f"got {came or outline(self.body)}",
            hint="nothing is concluded from it; see `-vv`, and what stands between here and the account",
        )

    def created(self, wrapper: str, plural: str = "") -> str:
        """Return the id of a created object. The reference shows the list body for some creates (row 2 of section 7).

        Raises AmbiguousResponse where the answer names no id: the object may exist, and is then found by its natural
        key.
        """
        row = self.row(wrapper)
        rows = self.body.get(plural) if plural and isinstance(self.body, dict) else None
        if not row and isinstance(rows, list) and len(rows) == 1 and isinstance(rows[0], dict):
            row = rows[0]
        identity = row.get("id")
        if not is_id(identity) or str(identity) == "0":
            raise AmbiguousResponse(f"the account's answer to the create ({self.status}) names no id under `{wrapper}`")
        return str(identity)


class Pause(NamedTuple):
    """Ask the engine to wait before the next request of this flow, in seconds."""

    seconds: float


class Bound(NamedTuple):
    """A flow yields this as soon as the object's id is known, so that a crash leaves no orphan; it is sent an empty
    answer.

    `spares` are ids of objects that the server created along with it and that its children may claim.
    """

    id: str
    spares: tuple[str, ...] = ()


T = TypeVar("T")
Flow = Generator[Request | Pause | Bound, Response, T]


class Remote(Protocol):
    """The port to an account. Retries and pacing live behind it.

    `send` returns any answer that the request expects (2xx, or a status in `request.expect`), and otherwise raises
    Rejected (the account said no), Unreachable (connection lost; `sent` says whether the work may have been done)
    or AuthError.
    """

    @property
    def requests(self) -> int:
        """How many requests went over the wire so far, retries included."""
        ...

    async def send(self, request: Request) -> Response:
        """Send one request and return its answer."""
        ...


def page_of(path: str, offset: int, query: Iterable[tuple[str, str]] = (), *, expect: tuple[int, ...] = ()) -> Request:
    """Return the request of the page of a listing that begins at this row."""
    return Request("GET", path, (*query, ("limit", str(PAGE)), ("offset", str(offset))), expect=expect)


def get(path: str, **query: str) -> Request:
    """A read."""
    return Request("GET", path, tuple(query.items()))


def post(path: str, body: Json) -> Request:
    """A create; never repeated blindly."""
    return Request("POST", path, body=body)


def put(path: str, body: Json, *, expect: tuple[int, ...] = ()) -> Request:
    """An update; classic endpoints merge what is sent (section 1.9)."""
    return Request("PUT", path, body=body, expect=expect)


def delete(path: str) -> Request:
    """A delete; 404 means that it is gone already, which is what was asked for."""
    return Request("DELETE", path, expect=(404,))

"""Reading answers: five shapes of error bodies, wrong statuses for "not found", and servers that are not the API at
all.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from reconciler.model.characters import escapes_surrogates
from reconciler.model.errors import RemoteError
from reconciler.model.redaction import abridged
from reconciler.model.values import Json

NOT_FOUND = r"^No Result found for\b"
LEAKED = r"(?s)resulted in a `(?P<status>[45]\d\d) [^`]*` response:?\s*(?P<body>\{.*\})?"
"""The field groups' service behind the API answers through it, status and body in the text (section 1.6)."""
LONGEST = 300
LONGEST_WAIT = 120.0


MOST_BYTES = 32 * 2**20
"""Decoded bytes of one answer: a hundred messages with their texts are a tenth of it."""
MOST_VALUES = 2_000_000
"""Commas and brackets in an answer: what bounds the memory that it takes when it is read."""
DEEPEST = 64
"""Levels of an answer; no documented one has ten."""
MOST_DIGITS = 30


class MalformedResponse(RemoteError):
    """The body is not what the API sends: truncated, or not JSON."""


class Excessive(MalformedResponse):
    """The body is beyond what any answer of the API can be; asked again, it would be the same."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the answer {what}", hint="nothing is concluded from it; look for what stands in between")


WEB_PAGE = "a web page instead of the API's JSON"


def is_page(body: Json) -> bool:
    """Return whether what was parsed was a web page, of which nothing is kept."""
    return isinstance(body, dict) and body.get("message") == WEB_PAGE


def parse(status: int, content: bytes, content_type: str) -> Json:
    """Return the JSON of a body whatever its content type says (section 1.6); None for an empty body or plain text
    of a write. A web page of a gateway that reports trouble is a body without content: its status says enough.

    Raises MalformedResponse for HTML in place of an answer and for JSON that breaks off.
    """
    if len(content) > MOST_BYTES:
        raise Excessive(f"has more than {MOST_BYTES:,} bytes")
    if len(content) > MOST_VALUES and sum(content.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES:
        raise Excessive(f"has more than {MOST_VALUES:,} values")
    text = content.decode("utf-8-sig", "replace").strip()
    if not text:
        return None
    try:
        return _bounded(
            json.loads(text, object_hook=_lists_again, parse_constant=_finite, parse_float=_finite, parse_int=_whole),
            surrogates=escapes_surrogates(text),
        )
    except RecursionError:
        raise Excessive("is nested without end") from None
    except ValueError:
        pass
    if text[:1] == "<" or "html" in content_type:
        if status >= 300:
            return {"message": WEB_PAGE}
        raise MalformedResponse(
            f"the server answered with a web page instead of the API's JSON (status {status})",
            hint="check `url`: it is the API URL from Settings > Developer, not the address of the web interface",
        )
    if text[:1] in "{[":
        if status >= 400:
            return {"message": text}
        raise MalformedResponse(
            f"the server's answer breaks off (status {status})",
            hint="try again; if it stays, look for a proxy in between",
        )
    return None


def has_maps(content: bytes) -> bool:
    """Return whether an answer has an array that is written as a map of numbers (row 53 of section 7)."""
    return re.search(rb'\{\s*"\d+"\s*:', content) is not None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Excessive(f"holds {abridged(text, MOST_DIGITS)}, which is not a number")
    return value


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise Excessive(f"holds a number of {len(text):,} digits")
    return int(text)


def _has_halves(values: list[Json]) -> bool:
    texts = (value for value in values if isinstance(value, str))
    return any("\ud800" <= letter <= "\udfff" for text in texts for letter in text)


def _bounded(body: Json, *, surrogates: bool) -> Json:
    """Return a body that is not deeper than `DEEPEST` and has no halves of characters, which nothing could write."""
    level: list[Json] = [body]
    for _ in range(DEEPEST):
        inside = [value for value in level if isinstance(value, (dict, list))]
        if surrogates and _has_halves(
            [*level, *(name for value in inside if isinstance(value, dict) for name in value)]
        ):
            raise Excessive("holds halves of characters")
        level = [
            value
            for container in inside
            for value in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return body
    raise Excessive(f"is nested more than {DEEPEST} levels deep")


def _lists_again(members: dict[str, Json]) -> Json:
    """Return the list that a map with nothing but numbers for keys was: PHP writes arrays with holes so (row 53 of
    section 7).
    """
    for key in members:
        if not (key.isascii() and key.isdecimal()):
            return members
    return [members[key] for key in sorted(members, key=int)] if members else members


def status_of(status: int, body: object) -> int:
    """Return the status that the answer means (section 1.6): the vendor says "No Result found" with 400, 403 or 422
    too, and a validation error of the field groups' service arrives as 403 with the true status in its text.
    """
    message = body.get("message") if isinstance(body, dict) else None
    if not isinstance(message, str):
        return status
    if status in (400, 403, 422) and re.match(NOT_FOUND, message):
        return 404
    leaked = re.search(LEAKED, message) if status == 403 else None
    return int(leaked["status"]) if leaked else status


def soft_failure(body: object) -> bool:
    """Return whether an answer with a status of success says that nothing was done (section 1.5)."""
    if not isinstance(body, Mapping):
        return False
    return body.get("success") in (False, "0", "false") or body.get("succeeded") in (False, "0", "false")


def describe(body: object) -> str:
    """Return what an error body says, in one line, not cut yet; "" when it says nothing."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    if isinstance(errors, str):
        return errors
    if isinstance(errors, list) and errors:
        return "; ".join(filter(None, (_entry(error) for error in errors)))
    if isinstance(errors, Mapping):
        return "; ".join(f"{key}: {value}" for key, value in errors.items())
    message = body.get("message") or body.get("error") or ""
    if isinstance(message, Mapping):
        return "; ".join(f"{key}: {value}" for key, value in message.items())
    leaked = re.search(LEAKED, message) if isinstance(message, str) else None
    if leaked and leaked["body"]:
        with contextlib.suppress(ValueError):
            return describe(json.loads(leaked["body"]))
    return re.sub(r"\s+", " ", str(message))


def _entry(error: object) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    source = error.get("source")
    where = (
        source.get("pointer") or source.get("value") or source.get("parameter") if isinstance(source, Mapping) else None
    )
    text = ": ".join(str(error[name]) for name in ("title", "detail") if error.get(name))
    return f"{text} ({where})" if where and text else text


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Return the seconds of a `Retry-After` header, a number or an HTTP date, at most 120; None where it is missing
    or unreadable (section 1.8).
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now()
        except ValueError:
            return None
    return min(LONGEST_WAIT, max(0.0, seconds)) if math.isfinite(seconds) else None

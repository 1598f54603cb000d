"""Reading answers: five shapes of error bodies, wrong statuses for "not found", and servers that are not the API at
all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import RemoteError

NOT_FOUND = re.compile(r"^No Result found for\b")
LONGEST = 300


class Garbled(RemoteError):
    """The body is not what the API sends: cut off, or not JSON."""


def parse(status: int, content: bytes, content_type: str) -> Any:
    """Return the JSON of a body whatever its content type says (section 1.6); None for an empty body or plain text
    of a write.

    Raises Garbled for HTML and for JSON that breaks off.
    """
    text = content.decode("utf-8", "replace").strip()
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        pass
    if text[:1] == "<" or "html" in content_type:
        raise Garbled(
            f"the server answered with a web page instead of the API's JSON (status {status})",
            hint="check `url`: it is the API URL from Settings > Developer, not the address of the web interface",
        )
    if text[:1] in "{[":
        if status >= 400:
            return {"message": text[:LONGEST]}
        raise Garbled(
            f"the server's answer breaks off (status {status})",
            hint="try again; if it stays, look for a proxy in between",
        )
    return None


def status_of(status: int, body: Any) -> int:
    """Return the status that the answer means: the vendor says "No Result found" with 400, 403 or 422 too (section
    1.6, row 5).
    """
    message = body.get("message") if isinstance(body, dict) else None
    if status in (400, 403, 422) and isinstance(message, str) and NOT_FOUND.match(message):
        return 404
    return status


def describe(body: Any) -> str:
    """Return what an error body says, in one line of at most 300 characters; "" when it says nothing."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    if isinstance(errors, str):
        return errors[:LONGEST]
    if isinstance(errors, list) and errors:
        return "; ".join(filter(None, (_entry(error) for error in errors)))[:LONGEST]
    if isinstance(errors, Mapping):
        return "; ".join(f"{key}: {value}" for key, value in errors.items())[:LONGEST]
    message = body.get("message") or body.get("error") or ""
    return re.sub(r"\s+", " ", str(message))[:LONGEST]


def _entry(error: Any) -> str:
    if not isinstance(error, Mapping):
        return str(error)
    source = error.get("source")
    where = (
        source.get("pointer") or source.get("value") or source.get("parameter") if isinstance(source, Mapping) else None
    )
    text = ": ".join(str(error[name]) for name in ("title", "detail") if error.get(name))
    return f"{text} ({where})" if where and text else text


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `Retry-After` header, at most 120; None where it is missing or unreadable (section
    1.8).
    """
    try:
        return min(120.0, max(0.0, float(headers.get("retry-after", ""))))
    except ValueError:
        return None

"""A snapshot file: what the account answered to reads of its configuration, without secrets and e-mail addresses.

E-mail addresses and what URLs carry beside host and path are replaced by digests, the same text always by the same one:
what was equal stays equal, and nothing else can be read out of the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.empty import no_items
from reconciler.model.people import without_addresses
from reconciler.model.redaction import LONG, STARS, Redactor

RECORDING_FORMAT = "1.0"
HIDDEN = ("token", "password", "api_key", "apikey")
_HIDDEN = re.compile(r"\?hidden=\*\*\*\W*")
"""A query that was hidden before, with what follows it in a sentence."""
_URL = re.compile(r"(https?:\\?/\\?/)(?:[^\s/@\"'<>]+@)?([^\s?#\"'<>]+)([?#][^\s\"'<>]*)?")


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class Exchange(_Document):
    """One read and its answer."""

    path: str = Field(pattern="^/")
    query: list[tuple[str, str]] = Field(default_factory=no_items)
    status: int = Field(200, ge=100, le=599)
    body: Any = None


class Recording(_Document):
    """What an account held, as its own answers."""

    format_version: str = RECORDING_FORMAT
    tool_version: str = ""
    taken_at: str = Field("", description="ISO 8601, UTC.")
    environment: str = ""
    account: str = ""
    exchanges: list[Exchange] = Field(default_factory=no_items)


def digest(text: str) -> str:
    """Return the digest that stands for a text that must not be read."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_digest(text: str) -> bool:
    """Return whether a text has the form of a digest that stands for another."""
    return re.fullmatch(r"[0-9a-f]{12}", text) is not None


def unreadable(text: str, stand_in: Callable[[str], str] = digest) -> str:
    """Return a text without e-mail addresses and without what URLs carry beside host and path."""

    def bare(match: re.Match[str]) -> str:
        query = match.group(3)
        if query and _HIDDEN.fullmatch(query):
            return match.group()
        return f"{match.group(1)}{match.group(2)}{f'?hidden={stand_in(query)}' if query else ''}"

    if "://" in text or ":\\/" in text:
        text = _URL.sub(bare, text)
    return without_addresses(text, lambda address: f"{stand_in(address.lower())}@hidden.invalid")


def private(text: str, redactor: Redactor) -> str:
    """Return a text as a snapshot holds it: `unreadable`, and the digest of the text in place of a credential in it."""
    bare = unreadable(text)
    return redactor.show(bare).replace(STARS, digest(text)) if redactor.knows(bare, LONG) else bare


def without_secrets(value: Any, redactor: Redactor) -> Any:
    """Return a JSON value in which every text is `private` and secrets are gone, also where names of properties are
    expected. Rows share most of their texts: each is looked at once.
    """
    seen: dict[str, str] = {}

    def text(own: str) -> str:
        if own not in seen:
            seen[own] = private(own, redactor)
        return seen[own]

    def inside(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {
                text(str(key)): digest(str(item)) if item and str(key).lower() in HIDDEN else inside(item)
                for key, item in part.items()
            }
        if isinstance(part, list):
            return [inside(item) for item in part]
        return text(part) if isinstance(part, str) else part

    return inside(value)


def tables(recording: Recording) -> dict[str, list[dict[str, Any]]]:
    """Return every row that the answers hold, by the name of its array, each id once. Rows of the newer endpoints
    (JSON:API) go by the name in the path; what an account has one of has the id 1.
    """
    by_name: dict[str, dict[str, dict[str, Any]]] = {}
    for exchange in recording.exchanges:
        body = exchange.body if isinstance(exchange.body, dict) else {}
        for name, rows in body.items():
            table = _table(exchange.path) if name == "data" else name
            single = isinstance(rows, dict) and exchange.path == f"/{name}"
            for row in [{"id": "1", **rows}] if single else rows if isinstance(rows, list) else ():
                if isinstance(row, dict) and (identity := row.get("id", row.get("name"))) is not None:
                    by_name.setdefault(table, {})[str(identity)] = _flat(row)
    return {name: list(rows.values()) for name, rows in by_name.items()}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its properties beside its id, where they are in an envelope (`type`, `attributes`)."""
    inside = row.get("attributes")
    return {**row} if not isinstance(inside, Mapping) else {"id": row.get("id"), **inside}


def _table(path: str) -> str:
    """Return the last part of a path that is not an id: letters first, and no UUID."""
    return next((part for part in reversed(path.split("/")) if re.fullmatch(r"[A-Za-z]+(?:V[0-9])?", part)), path)

"""Requests, answers and errors in the vendor's shapes (section 1.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from reconciler.model.records import record

PLAIN_TEXT = {"content-type": "text/plain;charset=UTF-8"}
"""Several JSON bodies are served with this type (section 1.6)."""


@record
class Request:
    """A request below /api/3: `path` begins with a slash, `parts` are its segments, `query` holds the last value of
    each name, `body` is the parsed JSON (None: none, or no JSON), `headers` have lower-case names.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)


@record
class Answer:
    """Status, body (JSON data, bytes as they are, None: empty), headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The body as sent."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Problem(Exception):
    """An error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def no_result(label: str, identity: object, status: int = 404, *, plain: bool = False) -> Problem:
    """The classic "not found"; documented statuses differ (section 1.6, shape 1)."""
    message = f"No Result found for {label} with id {identity}"
    return Problem(Answer(status, {"message": message}, PLAIN_TEXT if plain else {}))


def nothing_here() -> Problem:
    """An unknown path."""
    return Problem(Answer(404, {"message": "Not Found"}))


def twin_not_found() -> Problem:
    """The 404 of deal and account fields and of group members (section 1.6, shape 4)."""
    return Problem(Answer(404, {"errors": [{"status": 404, "title": "Not Found"}]}))


def not_allowed() -> Problem:
    """A method that a path does not have."""
    return Problem(Answer(405, {"message": "Method Not Allowed"}))


def refused(detail: str = "", *, plain: bool = False) -> Problem:
    """A 403, with `detail` in the shape of lists (section 1.6)."""
    body: Any = {"message": "Forbidden"}
    if detail:
        body = {"errors": [{"status": 403, "title": "Forbidden", "detail": detail}]}
    return Problem(Answer(403, body, PLAIN_TEXT if plain else {}))


def error(title: str, pointer: str = "", *, detail: str = "", code: str = "field_invalid", **more: str) -> object:
    """One entry of a classic 422; `pointer` is an attribute's name."""
    problem: dict[str, Any] = {"title": title, "detail": detail, "code": code, **more}
    return problem | {"source": {"pointer": f"/data/attributes/{pointer}"}} if pointer else problem


def invalid(*errors: object, plain: bool = False) -> Problem:
    """A classic 422 (section 1.6, shape 2)."""
    return Problem(Answer(422, {"errors": list(errors)}, PLAIN_TEXT if plain else {}))


def schema_invalid(name: str, detail: str) -> Problem:
    """A 422 of custom objects (section 1.6, shape 5)."""
    source = {"type": "pointer", "value": f"/data/attributes/{name.replace('.', '/')}"}
    return Problem(
        Answer(422, {"errors": [{"title": f'Invalid value for field "{name}"', "detail": detail, "source": source}]})
    )


def text(value: object) -> object:
    """Return a value as reads return it: texts throughout, arrays and null as they are (section 1.4)."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def echo(value: object) -> object:
    """Return a value as write answers echo it: the JSON type that was sent, flags as 0 and 1 (section 1.4)."""
    return int(value) if isinstance(value, bool) else value


def number(raw: str | None, default: int) -> int:
    """Return a query value as a number; what is none counts as not sent."""
    return int(raw) if raw and raw.isdigit() else default


def whole(raw: Any) -> int:
    """Return a value of a row as a whole number, 0 where it is none: rows hold what clients and seeds sent."""
    try:
        return int(float(raw or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def inner(body: object, wrapper: str) -> dict[str, Any]:
    """Return what is under the wrapper key; a wrong wrapper is silently nothing (section 1.3)."""
    wrapped = body.get(wrapper) if isinstance(body, dict) else None
    return dict(wrapped) if isinstance(wrapped, dict) else {}


def holed(value: object) -> object:
    """Return JSON with every array written as PHP writes one whose second row was taken out: {"0": ..., "2": ...}."""
    if isinstance(value, dict):
        return {name: holed(inner) for name, inner in value.items()}
    if isinstance(value, list) and value:
        return {str(place + (place > 0)): holed(inner) for place, inner in enumerate(value)}
    return value

"""Answers and errors in the vendor's shapes (section 1.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """Status, JSON body (None: empty), headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Problem(Exception):
    """An error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def not_found(label: str, identity: object) -> Problem:
    """The classic 404; deal and account fields and group members say it in another shape."""
    if label in ("DealCustomFieldMeta", "AccountCustomFieldMeta", "GroupMember"):
        return Problem(Answer(404, {"errors": [{"status": 404, "title": "Not Found"}]}))
    return Problem(Answer(404, {"message": f"No Result found for {label} with id {identity}"}))


def invalid(title: str, *, detail: str = "", code: str = "field_invalid", pointer: str = "") -> Problem:
    """A classic 422."""
    error: dict[str, Any] = {"title": title, "detail": detail, "code": code}
    if pointer:
        error["source"] = {"pointer": pointer}
    return Problem(Answer(422, {"errors": [error]}))


def schema_invalid(name: str, detail: str) -> Problem:
    """A 422 of custom objects."""
    source = {"type": "pointer", "value": f"/data/attributes/{name.replace('.', '/')}"}
    return Problem(
        Answer(422, {"errors": [{"title": f'Invalid value for field "{name}"', "detail": detail, "source": source}]})
    )


def text(value: Any) -> Any:
    """Return a value as reads return it: texts throughout, arrays and null as they are (section 1.4)."""
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def echo(value: Any) -> Any:
    """Return a value as write answers echo it: the JSON type that was sent, flags as 0 and 1 (section 1.4)."""
    return int(value) if isinstance(value, bool) else value

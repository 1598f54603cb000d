"""Requests whose path or form the sources give in two ways: sent in the one that is believed, then in the other. No
kind lives here.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.errors import Unexpected
from reconciler.model.http import Flow, Request, Response

UNKNOWN = (404, 405)
"""What an account answers to a path or method that it does not have."""


def either(first: Request, second: Request, topic: str) -> Flow[Response]:
    """Return the answer to the first of two spellings that the account knows. Raises Unexpected where it knows neither.

    `topic` names the row of section 7 of the API page. "No Result found" is an answer about the object: the path is
    known, and the other spelling is not tried.
    """
    tried: list[str] = []
    for request in (first, second):
        answer = yield replace(request, expect=UNKNOWN)
        if answer.ok:
            return answer
        tried.append(f"{request} answered {answer.status}")
        if missing(answer):
            break
    raise Unexpected(
        f"expected {first} or {second} to work ({topic}): {', '.join(tried)}",
        hint="the account's API differs from both forms that are known; nothing was changed by these requests",
    )


def gone(first: Request, second: Request) -> Flow[None]:
    """Delete under the first of two spellings that the account knows; an object that is missing is what was asked for.

    Where neither is known nothing happens, and the read-back reports that the object is still there.
    """
    for request in (first, second):
        answer = yield replace(request, expect=UNKNOWN)
        if answer.ok or missing(answer):
            return


def missing(answer: Response) -> bool:
    """Return whether the answer says that the object, not the path, does not exist (section 1.6 of the API page)."""
    message = answer.body.get("message") if isinstance(answer.body, dict) else None
    return isinstance(message, str) and message.startswith("No Result found")

"""What may be sent at all: no writes while planning, and never anything that contacts a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from reconciler.model.http import Request


class Mode(StrEnum):
    """What a client may do. `READ`: only reads and the vendor's schema dry run. `WRITE`: configuration may change.
    `RESTORE`: archived customer records are put back, and nothing else is written.
    """

    READ = "read"
    WRITE = "write"
    RESTORE = "restore"


class Forbidden(AssertionError):
    """A request that the program must never make; a bug, not a user's mistake."""


EXCLUSIONS = "/lists/exclusions"
"""People who must not be mailed: looks like a list, and is customer data."""
IDENTITY = r"(?!bulk)[^/]+"
NOTHING = re.compile(r"(?!)")


def paths(templates: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of the paths that may be written to: those that the kinds say they write, `ID` for one id."""
    return re.compile("|".join(template.replace("ID", IDENTITY) for template in templates) or NOTHING.pattern)


RECORDS = (
    ("POST", "/fieldValues"),
    ("POST", "/contactTags"),
    ("POST", "/dealCustomFieldData"),
    ("POST", "/accountCustomFieldData"),
    ("POST", "/customObjects/records/[^/]+"),
    ("PUT", "/deals/[^/]+"),
)
"""Writes of `undo --restore`: values, tags, stages of deals and records of custom objects. None of them subscribes,
enrols or mails a contact by itself.
"""


def check(request: Request, mode: Mode, writable: re.Pattern[str] = NOTHING) -> None:
    """Raise Forbidden for a request that must not be sent in this mode; `writable` are the paths of configuration.
    Sending, enrolling, importing, bulk deletes and every endpoint with customer records are not among them.
    """
    if request.method == "GET":
        return
    if request.dry_run:
        if request.method == "PUT" and re.fullmatch(r"/customObjects/schemas/[^/]+", request.path):
            return
        raise Forbidden(f"{request} is not a dry run that the vendor documents")
    if mode is Mode.READ:
        raise Forbidden(f"{request} would write while planning")
    if mode is Mode.RESTORE:
        if any(request.method == method and re.fullmatch(path, request.path) for method, path in RECORDS):
            return
        raise Forbidden(f"{request} puts no archived record back")
    if not writable.fullmatch(request.path) or request.path.startswith(EXCLUSIONS):
        raise Forbidden(f"{request} is not configuration; it may reach people or their data")

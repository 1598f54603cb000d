"""What may be sent at all: no writes while planning, and never anything that contacts a person."""

from __future__ import annotations

import re
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


COLLECTIONS = (
    "fields fieldOptions fieldRels groupDefinitions groupMembers dealCustomFieldMeta accountCustomFieldMeta dealGroups "
    "dealStages dealRoles dealTasktypes taskOutcomes taskOutccomes tasktypeOutcomeRels tags lists listGroups webhooks "
    "groups users addresses addressLists addressGroups calendars savedResponses messages personalizations brandings "
    "connections eventTracking eventTrackingEvents siteTracking siteTrackingDomains prism/urlWhitelistings segmentsV2 "
    "customObjects/schemas"
).split()
DEEPER = (
    "fieldOptions?/bulk",
    "dealStages/ID/deals",
    "dealTasktypes/ID/dealTasks",
    "personalizations/ID/(?:un)?lock",
    "customObjects/schemas/public",
    "customObjects/schemas/ID/child",
    "customObjects/schemas/ID/fields/ID",
)
"""Writes below an object, one by one: whatever the vendor adds there is refused until somebody has read what it does.
Deals and tasks are moved only where a declaration says so.
"""
EXCLUSIONS = "/lists/exclusions"
"""People who must not be mailed: looks like a list, and is customer data."""
IDENTITY = r"(?!bulk)[^/]+"
CONFIGURATION = re.compile(
    "/(?:" + "|".join([*(f"{path}(?:/ID)?" for path in COLLECTIONS), *DEEPER]).replace("ID", IDENTITY) + ")"
)
"""The only paths that are ever written to: configuration. Sending, enrolling, importing, bulk deletes and every
endpoint with customer records are not among them.
"""


RECORDS = (
    ("POST", "/fieldValues"),
    ("POST", "/contactTags"),
    ("POST", "/dealCustomFieldData"),
    ("POST", "/accountCustomFieldData"),
    ("POST", "/customObjects/records/[^/]+"),
    ("PUT", "/deals/[^/]+"),
)
"""Writes of `undo --restore`: values, tags, stages of deals and records of custom objects. None of them subscribes,
enrols or mails anybody by itself.
"""


def check(request: Request, mode: Mode) -> None:
    """Raise Forbidden for a request that must not be sent in this mode."""
    if request.method == "GET":
        return
    if request.dry_run:
        if request.method == "PUT" and re.fullmatch(r"/customObjects/schemas/[^/]+", request.path):
            return
        raise Forbidden(f"{request} is no dry run that the vendor documents")
    if mode is Mode.READ:
        raise Forbidden(f"{request} would write while planning")
    if mode is Mode.RESTORE:
        if any(request.method == method and re.fullmatch(path, request.path) for method, path in RECORDS):
            return
        raise Forbidden(f"{request} puts no archived record back")
    if not CONFIGURATION.fullmatch(request.path) or request.path.startswith(EXCLUSIONS):
        raise Forbidden(f"{request} is not configuration; it may reach people or their data")

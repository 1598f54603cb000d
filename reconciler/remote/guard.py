"""What may be sent at all: no writes while planning, and never anything that contacts a person."""

from __future__ import annotations

import re
from enum import StrEnum

from reconciler.model.http import Request


class Mode(StrEnum):
    """What a client may do. `READ`: only reads and the vendor's schema dry run. `WRITE`: configuration may change."""

    READ = "read"
    WRITE = "write"


class Forbidden(AssertionError):
    """A request that the program must never make; a bug, not a user's mistake."""


CONFIGURATION = re.compile(
    r"^/(?:fields|fieldOptions?|fieldOption/bulk|fieldRels|groupDefinitions|groupMembers|dealCustomFieldMeta|accountCustomFieldMeta"
    r"|dealGroups|dealStages|dealRoles|dealTasktypes|taskOutcc?omes|tasktypeOutcomeRels|tags|lists|listGroups|webhooks"
    r"|customObjects/schemas|groups|users|addresses|addressLists|addressGroups|calendars|savedResponses|messages|personalizations"
    r"|brandings|connections|eventTracking|eventTrackingEvents|siteTracking|siteTrackingDomains|prism/urlWhitelistings|segmentsV2)(?:/|$)"
)
"""The only paths that are ever written to. Sending, enrolling, importing and every endpoint with customer records
are not among them.
"""


SENDING = re.compile(r"^/lists/exclusions|^/users/.*/(?:invite|reset)|^/messages/.*/send")


def check(request: Request, mode: Mode) -> None:
    """Raise Forbidden for a request that must not be sent in this mode."""
    if request.method == "GET":
        return
    if request.dry_run:
        if request.method == "PUT" and request.path.startswith("/customObjects/schemas/"):
            return
        raise Forbidden(f"{request} is no dry run that the vendor documents")
    if mode is Mode.READ:
        raise Forbidden(f"{request} would write while planning")
    if not CONFIGURATION.match(request.path) or SENDING.match(request.path):
        raise Forbidden(f"{request} is not configuration; it may reach people or their data")

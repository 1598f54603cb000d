"""The account itself: settings, branding, user interface, exclusions of lists (sections 1.2, 2.15, 2.26, 2.35)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Type
from reconciler.emulator.answers import Answer, Problem, Request, refused
from reconciler.emulator.rows import Row
from reconciler.emulator.types import DATED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

CHANNELS = ("all", "allSms", "allEmail", "several")


def settings(account: Account, request: Request) -> Answer | None:
    """GET /settings/account, admins only, without a wrapper [AE-llms]."""
    if request.method != "GET" or request.parts[1:] != ["account"]:
        return None
    if not account.settings.admin:
        raise refused()
    owner = account.rows.get("users", "1") or {}
    return Answer(
        200,
        {
            "account": account.settings.account,
            "email": owner.get("email", ""),
            "first_name": owner.get("firstName", ""),
            "last_name": owner.get("lastName", ""),
            "cname": "",
            "status": "active",
            "subscriber_limit": 10_000,
            "subscriber_total": account.rows.count("contacts"),
            "trial": False,
            "credits": None,
            "branding": True,
        },
    )


class Brandings(Behaviour):
    """`links` is enabled by leaving it out of a PUT and disabled by any value: no plain merge."""

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """The same goes for `help`, whose wording is lost (inferred)."""
        if given:
            flags = {name: "0" if name in given else "1" for name in ("links", "help")}
            account.rows.put("brandings", row["id"], {**row, **flags})

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """Flags as they read."""
        return {"branding": row}


def exclusions(account: Account, request: Request) -> Answer | None:
    """/lists/exclusions: a bare object, an integer total, and strict about filters and orders."""
    parts, method = request.parts, request.method
    if parts[1:2] != ["exclusions"]:
        return None
    if len(parts) == 2 and method == "GET":
        _check_query(request.query)
        rows = _filtered(account.rows.all("exclusions"), request.query)
        page = classic.paged(account, rows, request.query)
        return Answer(200, {"exclusions": page, "meta": {"total": len(rows)}})
    if len(parts) != 3 or method not in ("GET", "PUT"):
        raise Problem(Answer(405, {"message": "Method Not Allowed"}))
    row = account.rows.get("exclusions", parts[2])
    if row is None:
        text = (
            f"Exclusion not found [id={parts[2]}]"
            if method == "GET"
            else f"No Result found for Exclusion with id {parts[2]}"
        )
        raise Problem(Answer(404, {"message": text}))
    if method == "PUT":
        if not account.settings.admin:
            raise Problem(Answer(403, {"message": "You don't have permission to access this resource"}))
        row = account.rows.put("exclusions", row["id"], _excluded(row, request.body))
    return Answer(200, row)


def _invalid(problems: list[tuple[str, str]]) -> Problem:
    errors = [
        {"status": 422, "title": "Invalid attribute", "detail": detail,
         "source": {"pointer": f"/data/attributes/{where}"}}
        for where, detail in problems
    ]  # fmt: skip
    return Problem(Answer(422, {"errors": errors}))


def _check_query(query: Mapping[str, str]) -> None:
    problems = []
    for name, value in query.items():
        match = re.match(r"(filters|orders)\[(\w+)\]", name)
        if match and match.group(2) not in ("matchPhrase", "lists"):
            what = "filter" if match.group(1) == "filters" else "order"
            text = f'Invalid {what} field: "{match.group(2)}". Allowed fields are: matchPhrase, lists'
            problems.append((name, text))
        elif match and match.group(1) == "orders" and value not in ("ASC", "DESC"):
            problems.append((name, f'Invalid order direction: "{value}". Allowed values are: "ASC", "DESC"'))
    if problems:
        raise _invalid(problems)


def _filtered(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    phrase, listed = query.get("filters[matchPhrase]"), query.get("filters[lists][]")
    rows = [row for row in rows if phrase is None or phrase in row["matchPhrase"]]
    return [row for row in rows if listed is None or listed in row["lists"]]


def _excluded(row: Row, body: Any) -> Row:
    sent: Row = body if isinstance(body, dict) else {}
    channel, lists = sent.get("channel", row["channel"]), sent.get("lists", row["lists"])
    problems = []
    if channel not in CHANNELS:
        problems.append(("channel", f"Channel must be one of {', '.join(CHANNELS)}"))
    for place, item in enumerate(lists or ()):
        if not isinstance(item, str) or not item.isdigit():
            problems.append((f"lists[{place}]", "Lists must be an array of string-quoted integers"))
    if channel != "several" and lists:
        problems.append(("lists", f'List IDs must be empty for channel "{channel}"'))
    if problems:
        raise _invalid(problems)
    return {**row, "channel": channel, "lists": lists}


TYPES = (
    Type(
        "brandings", "branding", "Branding",
        defaults={
            "groupid": "3", "siteName": "ActiveCampaign Email Marketing", "siteLogo": "", "siteLogoSmall": "",
            "headerTextValue": "", "headerHtmlValue": "", "footerTextValue": "", "footerHtmlValue": "",
            "copyright": "1", "version": "1", "license": "1", "links": "1", "help": "1", "adminTemplateHtm": "",
            "adminTemplateCss": "", "publicTemplateHtm": "", "publicTemplateCss": "", "favicon": None,
        },
        readonly=("groupid",),
        dates={},
        does=frozenset({"list", "get", "update"}),
        acts=Brandings(),
    ),
    Type(
        "configs", "config", "ConfigResult",
        defaults={"keyname": "", "section": "", "item": "", "userid": "1", "val": "", "owner": "1"},
        readonly=("owner",),
        dates=DATED,
        does=frozenset({"list", "get", "update"}),
    ),
)  # fmt: skip
ROUTES = {"settings": settings, "lists": exclusions}
PLAIN_TABLES = {"exclusions": "id"}
FRESH: dict[str, list[Row]] = {
    "brandings": [{"id": "1"}],
    "configs": [{"id": "1", "keyname": "pagination.users_index", "val": "20"}],
}

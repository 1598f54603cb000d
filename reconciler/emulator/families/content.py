"""Addresses, calendars, saved responses, messages, templates (sections 2.20 to 2.24)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Behaviour, Child, Type
from reconciler.emulator.answers import error, invalid, no_result, refused
from reconciler.emulator.rows import Row
from reconciler.emulator.types import AUTHORS, ISO, PLAIN, STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

HIDDEN_MESSAGE = {"name": "", "fromname": "Jane Doe", "fromemail": "noreply@acme.example", "reply2": ""}


class Addresses(Behaviour):
    """One of them is the default."""

    def born(self, account: Account, row: Row, given: Row) -> None:
        """The first address becomes the default (recorded); `groupid` relates it to a user group (inferred)."""
        if not account.rows.count("addresses"):
            row["isDefault"] = "1"
        _default(account, row)
        group = given.pop("groupid", None)
        if group not in (None, "", 0, "0"):
            if account.rows.get("groups", group) is None:
                raise no_result("Group", group)
            relation = account.rows.next_id("addressGroups", reuse=False)
            twins = {"addressid": row["id"], "groupid": str(group), "address": row["id"], "group": str(group)}
            account.rows.put("addressGroups", relation, {**twins, "id": relation})

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The first one's flag is answered."""
        return {"address": {**answer, "isDefault": 1}} if row["isDefault"] == "1" else {}

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """There is one default at most."""
        _default(account, row)

    def deleting(self, account: Account, row: Row) -> None:
        """Whether the default can be deleted is unknown: recordings always took the flag off first."""
        if account.settings.default_address_delete == "refused" and row["isDefault"] == "1":
            raise refused("The default address cannot be deleted.")

    def deleted(self, account: Account, row: Row) -> None:
        """Relations go with an address, or stay (row 58 of section 7)."""
        for table in () if account.settings.dead_references == "kept" else ("addressLists", "addressGroups"):
            account.rows.remove_where(table, addressid=row["id"])


def _default(account: Account, row: Row) -> None:
    if row["isDefault"] == "1":
        for other in account.rows.where("addresses", isDefault="1"):
            if other["id"] != row["id"]:
                account.rows.put("addresses", other["id"], {**other, "isDefault": "0"})


class Calendars(Behaviour):
    """Feeds with a secret in their URL."""

    def creating(self, account: Account, given: Row) -> None:
        """Types are a closed set."""
        _type(given)

    def born(self, account: Account, row: Row, given: Row) -> None:
        """The token is the server's."""
        row["token"] = hashlib.md5(f"calendar {row['id']}".encode(), usedforsecurity=False).hexdigest()

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """User and token are answered [OAS]."""
        return {"calendar": {**answer, "userid": row["userid"], "token": row["token"]}}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """The same check."""
        _type(given)


def _type(given: Row) -> None:
    if "type" in given and given["type"] not in ("All", "Deals", "Contacts"):
        raise invalid(error("The calendar type is not valid.", "type"))


class SavedResponses(Behaviour):
    """Texts for replies."""

    def creating(self, account: Account, given: Row) -> None:
        """All that is missing is told at once [OAS]."""
        problems = []
        if not given.get("title"):
            problems.append(error("This field is required.", "title", code="field_missing"))
        if not given.get("subject") and not given.get("body"):
            text = "Either a subject or a body needs to be provided."
            problems += [error(text, "subject"), error(text, "body")]
        if problems:
            raise invalid(*problems)

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Not modified yet [OAS]."""
        row["mdate"] = None


class Messages(Behaviour):
    """Mails; the schema of the documentation names the sender `email`, reads `fromemail`."""

    def shown(self, account: Account, row: Row) -> Row:
        """Twins [OAS]."""
        return row | {"user": row["userid"] if row["userid"] != "0" else None}


def _relation(path: str, name: str, label: str) -> Type:
    return Type(path, name, label, dates={}, does=frozenset({"delete"}))


TYPES = (
    Type(
        "addresses", "address", "Address",
        required=("companyName", "address1", "country"),
        defaults={
            "address2": "", "city": "", "state": "", "district": "", "zip": "", "allgroup": "0", "isDefault": "0",
            **AUTHORS,
        },
        names={
            "company_name": "companyName", "address_1": "address1", "address_2": "address2",
            "is_default": "isDefault",
        },
        readonly=("created_by", "updated_by"),
        dates=STAMPED,
        children={
            "addressGroup": Child("addressGroups", "addressid"), "addressList": Child("addressLists", "addressid"),
            "forms": Child("forms", "addressid"),
        },
        acts=Addresses(),
    ),
    _relation("addressLists", "addressList", "AddressList"),
    _relation("addressGroups", "addressGroup", "AddressGroup"),
    Type(
        "calendars", "calendar", "Calendar",
        required=("title", "type"),
        defaults={"userid": "1", "token": "", "notification": "0"},
        readonly=("userid", "token"),
        dates={"cdate": ISO, "mdate": ISO},
        echoed=("cdate", "mdate"),
        plain=frozenset({"GET"}),
        acts=Calendars(),
    ),
    Type(
        "savedResponses", "savedResponse", "SavedResponse",
        defaults={"title": "", "subject": "", "body": "", "ldate": None, "last_sent_user_id": None},
        readonly=("ldate", "last_sent_user_id"),
        dates={"cdate": ISO, "mdate": ISO},
        echoed=("cdate",),
        missing={"PUT": 422},
        plain=frozenset({"DELETE"}),
        acts=SavedResponses(),
    ),
    Type(
        "messages", "message", "Message",
        defaults={
            "userid": "1", "ed_instanceid": "0", "ed_version": "1", "name": "", "fromname": "", "fromemail": "",
            "reply2": "", "priority": "3", "charset": "utf-8", "encoding": "8bit", "format": "mime", "subject": "",
            "preheader_text": "", "text": "hello", "html": "<div>hello</div>", "htmlfetch": "now",
            "textfetch": "now", "hidden": "0", "preview_mime": "", "preview_data": None,
            "has_predictive_content": "0",
        },
        names={"email": "fromemail"},
        readonly=("userid", "preview_mime", "preview_data", "has_predictive_content"),
        dates={"cdate": ISO, "mdate": ISO},
        echoed=(),
        acts=Messages(),
    ),
    Type(
        "templates", "template", "Template",
        defaults={
            "userid": "1", "ed_instanceid": "0", "ed_version": "0", "name": "", "subject": None, "content": "",
            "categoryid": "1", "used": "0", "waitpreview": "0", "importnum": "0", "preview_content": None,
            "modified": "0", "hidden": "0",
        },
        dates={"mdate": PLAIN},
        does=frozenset({"list", "get", "delete"}),
    ),
)  # fmt: skip
FRESH: Mapping[str, list[Row]] = {
    "messages": [
        {**HIDDEN_MESSAGE, "subject": "Please confirm your subscription to %LISTNAME%"},
        {**HIDDEN_MESSAGE, "subject": "Update your subscription to %LISTNAME%"},
    ],
    "templates": [{"id": "100000", "name": "Basic", "content": "<p>%MESSAGE%</p>"}],
}

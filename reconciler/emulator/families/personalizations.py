"""Personalization variables (section 2.25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Behaviour, Filter, Type
from reconciler.emulator.answers import PLAIN_TEXT, Answer, Request, error, invalid, no_result, refused
from reconciler.emulator.rows import Row
from reconciler.emulator.types import AUTHORS, STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

HIDDEN = ("userid", "created_by", "updated_by", *STAMPED)
"""What PUT answers and reads do not."""


class Personalizations(Behaviour):
    """Lists are written `listids`, read `listIds` in the order of their names, with names and a count."""

    def creating(self, account: Account, given: Row) -> None:
        """Name and tag are needed (inferred); formats are a closed set."""
        for name in ("tag", "name"):
            if not given.get(name):
                raise invalid(error(f"The personalization {name} was not provided.", name, code="field_missing"))
        _format(given)

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The echo has the written names [OAS]."""
        shown = {name: row[name] for name in ("tag", "name", "format", "content")}
        return {"personalization": {**shown, "listids": row["listIds"], **_tail(row, answer)}}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Locked variables stay as they are (inferred)."""
        if locked(row):
            raise refused("The personalization is locked.")
        _format(given)

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The echo has the written names, and dates [OAS]."""
        shown = {name: row[name] for name in ("tag", "name", "content", "format", *STAMPED, *AUTHORS)}
        return {"personalization": {**shown, "listids": row["listIds"], **_tail(row, answer)}}

    def deleting(self, account: Account, row: Row) -> None:
        """Locked variables stay (inferred)."""
        if locked(row):
            raise refused("The personalization is locked.")

    def shown(self, account: Account, row: Row) -> Row:
        """Order is not preserved: wrote 2,3,4,5, read 2,3,5,4, as their names sort [OAS]."""
        if isinstance(row["listIds"], list | dict):  # as nothing here writes it, and a program may have
            return {name: value for name, value in row.items() if name not in HIDDEN} | {"isLocked": locked(row)}
        ids = [identity.strip() for identity in str(row["listIds"] or "").split(",") if identity.strip()]
        names = {identity: str((account.rows.get("lists", identity) or {}).get("name", "")) for identity in ids}
        ids.sort(key=lambda identity: names[identity].casefold())
        visible = {name: value for name, value in row.items() if name not in HIDDEN}
        listed = {"listIds": ",".join(ids), "listNames": ",".join(names[identity] for identity in ids)}
        return visible | listed | {"listsCount": str(len(ids)), "isLocked": locked(row)}

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`filter[listName]`."""
        wanted = query.get("filter[listName]")
        if wanted is None:
            return rows
        return [row for row in rows if wanted in self.shown(account, row)["listNames"].split(",")]


def locked(row: Row) -> bool:
    """Whether a variable is locked, also one whose seed said so."""
    return row["isLocked"] in (True, "1")


def _format(given: Row) -> None:
    if "format" in given and given["format"] not in ("html", "text"):
        raise invalid(error("The personalization format is not valid.", "format"))


def _tail(row: Row, answer: Row) -> Row:
    links = answer.get("links", [])
    return {"userid": row["userid"], "isLocked": locked(row), "links": links, "id": row["id"]}


def personalizations(account: Account, request: Request) -> Answer | None:
    """Bulk delete, and PATCH to lock and unlock, which admins may only (a failure is 200)."""
    parts = request.parts
    if request.method == "DELETE" and parts[1:] == ["bulkdelete"]:
        for identity in request.query.get("ids", "").split(","):
            account.rows.remove("personalizations", identity.strip())
        return Answer(200, b"Delete successful", PLAIN_TEXT)
    if request.method != "PATCH" or len(parts) != 3 or parts[2] not in ("lock", "unlock"):
        return None
    row = account.rows.get("personalizations", parts[1])
    if row is None:
        raise no_result("Personalization", parts[1])
    if not account.settings.admin:
        return Answer(200, {"success": False, "message": "Only admin can lock/unlock personalizations"})
    account.rows.put("personalizations", row["id"], {**row, "isLocked": parts[2] == "lock"})
    return Answer(200, {"success": True, "message": "Personalization updated successfully"})


TYPES = (
    Type(
        "personalizations", "personalization", "Personalization",
        defaults={
            "tag": "", "name": "", "format": "text", "content": "", "listIds": "", "userid": "1", "isLocked": False,
            **AUTHORS,
        },
        names={"listids": "listIds"},
        readonly=("userid", "isLocked", "listNames", "listsCount", *AUTHORS),
        dates=STAMPED,
        echoed=(),
        filters={f"filter[{name}]": Filter(name) for name in ("name", "tag", "content", "format")},
        orders={f"orders[{name}]": name for name in ("name", "tag", "content", "format")},
        missing={"DELETE": 400},
        acts=Personalizations(),
    ),
)  # fmt: skip
ROUTES = {"personalizations": personalizations}

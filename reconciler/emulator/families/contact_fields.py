"""Contact fields, their options, and the lists that they belong to (sections 2.1 to 2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import Answer, Problem, Request, echo, error, invalid, no_result, whole
from reconciler.emulator.rows import Row
from reconciler.emulator.types import AUTHORS, CDATE, DATED, STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account


class Fields(Behaviour):
    """Unique titles, `ordernum` of the server's choice, personalization tags that are rewritten."""

    def creating(self, account: Account, given: Row) -> None:
        """`ordernum` is ignored and becomes max + 1, as an integer (recorded)."""
        _unique_title(account, given, None)
        given["ordernum"] = max((whole(row["ordernum"]) for row in account.rows.all("fields")), default=0) + 1
        given["perstag"] = perstag(given["perstag"]) if given.get("perstag") else derived_perstag(given["title"])

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Titles stay unique, tags are normalised."""
        if "title" in given:
            _unique_title(account, given, row["id"])
        if given.get("perstag"):
            given["perstag"] = perstag(given["perstag"])

    def shown(self, account: Account, row: Row) -> Row:
        """Ids of options and relations come with reads."""
        return row | {
            "options": [option["id"] for option in account.rows.where("fieldOptions", field=row["id"])],
            "relations": [relation["id"] for relation in account.rows.where("fieldRels", field=row["id"])],
        }

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """No `options` and `relations` (recorded)."""
        return {"field": {name: value for name, value in answer.items() if name not in ("options", "relations")}}

    def sides(self, account: Account, page: list[Row]) -> dict[str, list[Row]]:
        """Options and relations of the page."""
        return {
            side: [classic.shown(account, account.types[side], entry)
                   for row in page for entry in account.rows.where(side, field=row["id"])]
            for side in ("fieldOptions", "fieldRels")
        }  # fmt: skip

    def meta(self, account: Account, rows: list[Row]) -> dict[str, Any]:
        """Recorded beside the total."""
        return {"selected": None}

    def deleted(self, account: Account, row: Row) -> None:
        """All values of all contacts go with a field."""
        for table in ("fieldOptions", "fieldRels", "fieldValues"):
            account.rows.remove_where(table, field=row["id"])
        leave_groups(account, row["id"], 1)


class Relations(Behaviour):
    """A field's lists."""

    def creating(self, account: Account, given: Row) -> None:
        """Both ends exist (inferred); 0 stands for all lists."""
        if account.rows.get("fields", given["field"]) is None:
            raise no_result("Field", given["field"])
        if str(given["relid"]) != "0" and account.rows.get("lists", given["relid"]) is None:
            raise no_result("_List", given["relid"])


def perstag(value: object) -> str:
    """Normalise a tag that was given: upper case, nothing but letters, digits and underscores (recorded)."""
    return re.sub(r"[^A-Z0-9_]", "", str(value).upper())


def derived_perstag(title: object) -> str:
    """The tag of a title: spaces become underscores on this path [OAS]."""
    return perstag(str(title).replace(" ", "_"))


def _unique_title(account: Account, given: Mapping[str, Any], own: object) -> None:
    title = given.get("title")
    if any(row["id"] != own for row in account.rows.where("fields", title=title)):
        detail = f"There is already a field named '{title}' -- choose another name"
        raise invalid(error("There is already a field with this title", detail=detail, code="duplicate"))


def leave_groups(account: Account, field: object, kind: int) -> None:
    """Take a field out of the field groups of its kind: 1 contact, 2 deal, 3 account."""
    groups = {str(row["id"]) for row in account.rows.where("groupDefinitions", type_id=kind)}
    for row in account.rows.where("groupMembers", rel_id=field):
        if str(row["group_id"]) in groups:
            account.rows.remove("groupMembers", row["id"])


def bulk_options(account: Account, request: Request) -> Answer | None:
    """POST /fieldOption/bulk, or /fieldOptions/bulk: an array of options, `orderid` 0 when left out (section 2.2)."""
    spelling = "singular" if request.parts[0] == "fieldOption" else "plural"
    known = account.settings.option_bulk in ("both", spelling)
    if not known or request.method != "POST" or request.parts[1:] != ["bulk"]:
        return None
    options = _sent_options(account, request.body)
    if account.settings.bulk_options == "replace":
        for field in {str(option["field"]) for option in options}:
            account.rows.remove_where("fieldOptions", field=field)
    kind = account.types["fieldOptions"]
    answers = []
    for option in options:
        row = classic.new_row(account, kind, option)
        account.rows.put(kind.path, row["id"], row)
        sent = {name: echo(value) for name, value in option.items()}
        links = classic.links(account, kind, row["id"])
        answers.append({**sent, "cdate": row["cdate"], "udate": row["udate"], "links": links, "id": row["id"]})
    return Answer(account.settings.created_status, {"fieldOptions": answers})


def _sent_options(account: Account, body: Any) -> list[Row]:
    """Return the options of a body. Raises Problem where it has none, or one of a field that does not exist."""
    options = body.get("fieldOptions") if isinstance(body, dict) else None
    if not isinstance(options, list) or not all(isinstance(option, dict) for option in options):
        text = "Bulk operation failed. Request must contain an array of fieldOption objects."
        raise Problem(Answer(422, {"errors": text}))
    for option in options:
        if account.rows.get("fields", option.get("field")) is None:
            raise no_result("Field", option.get("field"))
    return options


TYPES = (
    Type(
        "fields", "field", "Field",
        required=("title", "type"),
        defaults={
            "descript": None, "isrequired": "0", "perstag": "", "defval": None, "show_in_list": "0", "rows": "0",
            "cols": "0", "visible": "1", "service": "", "ordernum": "1", **AUTHORS,
        },
        readonly=("created_by", "updated_by", "options", "relations"),
        dates=DATED | STAMPED,
        limit=100,
        filters={"filters[perstag]": Filter("perstag")},
        children={"options": Child("fieldOptions", "field"), "relations": Child("fieldRels", "field")},
        acts=Fields(),
    ),
    Type(
        "fieldOptions", "fieldOption", "FieldOption",
        defaults={"field": "", "orderid": "0", "value": "", "label": "", "isdefault": "0"},
        does=frozenset({"get", "delete"}),
        children={"field": Child("fields", "id", one=True)},
    ),
    Type(
        "fieldRels", "fieldRel", "FieldRel",
        required=("field", "relid"),
        defaults={"dorder": "0"},
        readonly=("dorder",),
        dates=CDATE,
        does=frozenset({"create", "get", "delete"}),
        acts=Relations(),
    ),
)  # fmt: skip
ROUTES = {"fieldOption": bulk_options, "fieldOptions": bulk_options}

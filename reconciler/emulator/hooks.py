"""What single classic types do beyond the table: derived values, side effects, cascades, filters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.answers import Answer, Problem, invalid, not_found, text
from reconciler.emulator.rows import Row
from reconciler.emulator.types import TYPES, Type

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

DEFAULT_STAGES = (("To Contact", "18D499"), ("In Contact", "32B0FC"), ("Follow Up", "E6CE4B"))
FILTERS: dict[str, dict[str, str | tuple[str, str]]] = {
    "contacts": {"tagid": ("contactTags", "tag"), "listid": ("contactLists", "list")},
    "fieldValues": {"filters[fieldid]": "field", "filters[val]": "value"},
    "deals": {"filters[stage]": "stage", "filters[group]": "group", "filters[owner]": "owner"},
    "dealStages": {"filters[d_groupid]": "group"},
    "groupMembers": {"group_id": "group_id"},
    "dealCustomFieldData": {"filters[dealId]": "dealId"},
}
SUB_COLLECTIONS = {
    "options": ("fieldOptions", "field"),
    "relations": ("fieldRels", "field"),
    "stages": ("dealStages", "group"),
    "dealGroupUsers": ("dealGroupUsers", "dealGroup"),
    "dealGroupGroups": ("dealGroupGroups", "dealGroup"),
    "dealCustomFieldData": ("dealCustomFieldData", "customFieldId"),
    "accountCustomFieldData": ("accountCustomFieldData", "customFieldId"),
    "listGroups": ("listGroups", "group"),
}
"""Sub-collections by their name in `links`: the table and the property that holds the parent's id (section 1.7)."""


def filtered(account: Account, kind: Type, query: Mapping[str, str]) -> list[Row]:
    """Return the rows that documented filters leave; others are ignored (section 1.7)."""
    rows = account.rows.all(kind.path)
    for name, how in FILTERS.get(kind.path, {}).items():
        wanted = query.get(name)
        if wanted is None:
            continue
        if isinstance(how, tuple):
            table, key = how
            status = query.get("status", "-1")
            members = {
                str(row["contact"])
                for row in account.rows.where(table, **{key: wanted})
                if status == "-1" or str(row.get("status", "1")) == status
            }
            rows = [row for row in rows if str(row["id"]) in members]
        else:
            rows = [row for row in rows if str(row.get(how)) == wanted]
    if kind.path == "dealStages":
        rows = [row for row in rows if str(row.get("group")) not in account.settings.hidden_pipelines]
    return rows


def meta(account: Account, kind: Type, rows: list[Row]) -> dict[str, Any]:
    """Return what `meta` holds beside the total: sums by currency of deals, `[]` when there are none (section 1.4)."""
    if kind.path != "deals":
        return {}
    sums: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        sums[str(row.get("currency", "usd")).upper()].append(int(row.get("value") or 0))
    found = {
        code: {"total": str(len(v)), "value": str(sum(v)), "currency": code, "isDisabled": False}
        for code, v in sums.items()
    }
    return {"currencies": found or []}


def sides_of(account: Account, kind: Type, page: list[Row]) -> dict[str, list[Row]]:
    """Return the arrays that come along with a page; they belong to that page only (section 1.7)."""
    if kind.path == "fields":
        ids = {str(row["id"]) for row in page}
        return {side: [row for row in account.rows.all(side) if str(row["field"]) in ids] for side in kind.sides}
    if kind.path == "dealGroups" and account.settings.side_load_stages:
        return {"dealStages": [row for pipeline in page for row in stages(account, pipeline["id"])]}
    return {}


def stages(account: Account, pipeline: object) -> list[Row]:
    """Return the stages of a pipeline that the key may see."""
    if str(pipeline) in account.settings.hidden_pipelines:
        return []
    return list(account.rows.where("dealStages", group=pipeline))


def completed(account: Account, kind: Type, row: Row) -> Row:
    """Return a row with what reads compute."""
    if kind.path == "dealGroups":
        ids = [stage["id"] for stage in account.rows.where("dealStages", group=row["id"])]
        return {name: value for name, value in row.items() if name not in ("users", "groups")} | {"stages": ids}
    if kind.path == "fields":
        options = [one["id"] for one in account.rows.where("fieldOptions", field=row["id"])]
        relations = [one["id"] for one in account.rows.where("fieldRels", field=row["id"])]
        return row | {"options": options, "relations": relations}
    if kind.path == "tags":
        return row | {"subscriber_count": str(sum(1 for _ in account.rows.where("contactTags", tag=row["id"])))}
    return dict(row)


def before_create(account: Account, kind: Type, given: dict[str, Any]) -> None:
    """Check and complete what a create sent."""
    if kind.path == "fields":
        _new_field(account, given)
    elif kind.path == "lists":
        given.setdefault("stringid", re.sub(r"[^a-z0-9]+", "-", str(given["name"]).lower()).strip("-"))
        given.setdefault("userid", given.get("user", "0"))
    elif kind.path == "dealStages" and given.get("order") is None:
        orders = [int(row["order"]) for row in account.rows.where("dealStages", group=given["group"])]
        given["order"] = max(orders, default=0) + 1
    elif kind.path == "groupMembers":
        _member(account, given)
    elif kind.path == "groupDefinitions":
        given["type_id"] = int(given.pop("groupType", 1))
        given.setdefault("ordernum", len(account.rows.all("groupDefinitions")) + 1)
    elif kind.path == "webhooks":
        _hook(given)


def _new_field(account: Account, given: dict[str, Any]) -> None:
    """Titles are unique; `ordernum` is ignored; the tag is normalised, or derived from the title (section 2.1)."""
    _unique_title(account, given, None)
    given["ordernum"] = max((int(row["ordernum"]) for row in account.rows.all("fields")), default=0) + 1
    given["perstag"] = (
        _perstag(given["perstag"])
        if given.get("perstag")
        else re.sub(r"\W", "", given["title"].upper().replace(" ", "_"))
    )


def _perstag(value: object) -> str:
    return re.sub(r"[^A-Z0-9_]", "", str(value).upper())


def _unique_title(account: Account, given: Mapping[str, Any], own: object) -> None:
    title = given.get("title")
    if any(row["id"] != own for row in account.rows.where("fields", title=title)):
        detail = f"There is already a field named '{title}' -- choose another name"
        raise invalid("There is already a field with this title", detail=detail, code="duplicate")


def _member(account: Account, given: dict[str, Any]) -> None:
    """A missing field id leaks the inner service's message as 403; an unknown group is 404 (section 1.6)."""
    if not given.get("rel_id"):
        inner = '{"message": {"rel_id": "rel_id is required"}}'
        message = f"Client error: `POST member` resulted in a `400 Bad Request` response:\n{inner}\n\n"
        raise Problem(Answer(403, {"message": message}))
    if account.rows.get("groupDefinitions", given.get("group_id")) is None:
        raise not_found("GroupDefinition", given.get("group_id"))
    given["rel_id"], given["group_id"] = int(given["rel_id"]), int(given["group_id"])
    if given.get("ordernum") is None:
        given["ordernum"] = sum(1 for _ in account.rows.where("groupMembers", group_id=given["group_id"])) + 1


def _hook(given: Mapping[str, Any]) -> None:
    from reconciler.emulator.types import EVENTS

    wrong = [event for event in given.get("events", ()) if event not in EVENTS]
    if wrong:
        raise invalid(f"The event {wrong[0]} is not valid.", pointer="/data/attributes/events")


def after_create(account: Account, kind: Type, row: Row, given: Mapping[str, Any]) -> None:
    """Do what a create brings along."""
    if kind.path in ("groupDefinitions", "groupMembers"):
        row["id"] = int(row["id"])  # JSON integers (section 1.4)
    elif kind.path in ("dealCustomFieldMeta", "accountCustomFieldMeta"):
        prefix = "DEAL" if kind.path.startswith("deal") else "ACCT"
        row["personalization"] = f"{prefix}_{_perstag(str(row['fieldLabel']).replace(' ', '_'))}"
        row |= {name: int(row[name]) for name in ("isFormVisible", "isRequired") if isinstance(row.get(name), bool)}
    elif kind.path == "dealGroups":
        _members(account, row, given)
        for order, (title, color) in enumerate(DEFAULT_STAGES, 1):
            identity = account.rows.next_id("dealStages", reuse=False)
            stage = {
                **TYPES["dealStages"].defaults,
                "cardRegion4": "contact-fullname-acctname",
                "group": row["id"],
                "title": title,
            }
            account.rows.put(
                "dealStages",
                identity,
                {**stage, "color": color, "order": str(order), "cdate": None, "udate": None, "id": identity},
            )


def _members(account: Account, row: Row, given: Mapping[str, Any]) -> None:
    """Users and groups of a pipeline are rows of their own, replaced when sent (section 2.7)."""
    for name, table, key in (("users", "dealGroupUsers", "user"), ("groups", "dealGroupGroups", "group")):
        if name not in given:
            continue
        account.rows.remove_where(table, dealGroup=row["id"])
        for member in given[name] or ():
            identity = account.rows.next_id(table, reuse=False)
            extra = {"d_groupid": row["id"], "groupid": str(member)} if key == "group" else {}
            account.rows.put(
                table, identity, {"dealGroup": row["id"], key: str(member), **extra, "cdate": None, "id": identity}
            )
        row.pop(name, None)


def created(account: Account, kind: Type, row: Row, answer: Row) -> dict[str, Any]:
    """Return the body of a create's answer."""
    if kind.path in ("groupDefinitions", "groupMembers"):
        return {kind.one: row}
    if kind.native:
        return {kind.one: row}
    if kind.path == "dealGroups":
        sides = {
            table: list(account.rows.where(table, dealGroup=row["id"]))
            for table in ("dealGroupUsers", "dealGroupGroups")
        }
        mine = list(account.rows.where("dealStages", group=row["id"]))
        ids = {table: [one["id"] for one in rows] for table, rows in sides.items()}
        plain = {name: value for name, value in answer.items() if name not in ("users", "groups")}
        return {"dealStages": mine, **sides, kind.one: plain | ids | {"stages": [stage["id"] for stage in mine]}}
    if kind.path == "webhooks":
        return {kind.one: {"listid": "0", **answer}}
    return {kind.one: answer}


def before_update(account: Account, kind: Type, row: Row, given: dict[str, Any]) -> None:
    """Check what an update sent."""
    if kind.path == "fields":
        if "title" in given:
            _unique_title(account, given, row["id"])
        if given.get("perstag"):
            given["perstag"] = _perstag(given["perstag"])
    elif kind.path == "groupMembers":
        _member(account, given)
    elif kind.path == "groupDefinitions" and "groupType" in given:
        given["type_id"] = int(given.pop("groupType"))
    elif kind.path in ("dealCustomFieldMeta", "accountCustomFieldMeta"):
        given.pop("fieldType", None)  # not in the PUT schema (section 2.5)
        given.pop("fieldDefaultCurrency", None)
        given.update(
            {name: int(given[name]) for name in ("isFormVisible", "isRequired") if isinstance(given.get(name), bool)}
        )
    elif kind.path == "lists" and "user" in given:
        given["userid"] = given["user"]
    elif kind.path == "webhooks":
        _hook(given)


def after_update(account: Account, kind: Type, row: Row, query: Mapping[str, str]) -> None:
    """Do what an update brings along."""
    if kind.path == "dealGroups":
        _members(account, row, {name: row[name] for name in ("users", "groups") if name in row})
        account.rows.put(kind.path, row["id"], row)
    elif kind.path == "dealStages" and query.get("reorder") == "1":
        # On equal orders the highest id comes first (section 2.8).
        mine = sorted(
            account.rows.where("dealStages", group=row["group"]), key=lambda one: (int(one["order"]), -int(one["id"]))
        )
        for order, stage in enumerate(mine, 1):
            account.rows.put("dealStages", stage["id"], {**stage, "order": str(order)})


def updated(account: Account, kind: Type, row: Row, answer: Row) -> dict[str, Any]:
    """Return the body of an update's answer."""
    if kind.path == "dealGroups":
        sides = {
            table: list(account.rows.where(table, dealGroup=row["id"]))
            for table in ("dealGroupUsers", "dealGroupGroups")
        }
        return {
            **sides,
            kind.one: {name: value for name, value in answer.items() if name not in ("stages", "users", "groups")},
        }
    if kind.path == "fields":
        return {kind.one: {name: value for name, value in answer.items() if name not in ("options", "relations")}}
    return {kind.one: answer}


def after_delete(account: Account, kind: Type, row: Row) -> None:
    """Remove what goes with an object."""
    identity = row["id"]
    if kind.path == "tags":
        account.rows.remove_where("contactTags", tag=identity)
    elif kind.path == "fields":
        for table in ("fieldOptions", "fieldRels", "fieldValues"):
            account.rows.remove_where(table, field=identity)
        _leave_groups(account, identity, 1)
    elif kind.path in ("dealCustomFieldMeta", "accountCustomFieldMeta"):
        account.rows.remove_where(kind.path.replace("Meta", "Data"), customFieldId=identity)
        _leave_groups(account, identity, 2 if kind.path.startswith("deal") else 3)
    elif kind.path == "groupDefinitions":
        account.rows.remove_where("groupMembers", group_id=identity)
    elif kind.path == "dealStages":
        account.rows.remove_where("deals", stage=identity)
    elif kind.path == "dealGroups":
        account.rows.remove_where("deals", group=identity)
        if not account.settings.orphan_stages:
            account.rows.remove_where("dealStages", group=identity)
    elif kind.path == "lists":
        _forget_list(account, identity)


def _leave_groups(account: Account, field: object, kind: int) -> None:
    groups = {str(row["id"]) for row in account.rows.where("groupDefinitions", type_id=kind)}
    for row in list(account.rows.where("groupMembers", rel_id=field)):
        if str(row["group_id"]) in groups:
            account.rows.remove("groupMembers", row["id"])


def _forget_list(account: Account, identity: object) -> None:
    """Contacts that are only on the list go with it (section 2.13)."""
    members = {str(row["contact"]) for row in account.rows.where("contactLists", list=identity)}
    account.rows.remove_where("contactLists", list=identity)
    account.rows.remove_where("listGroups", list=identity)
    account.rows.remove_where("fieldRels", relid=identity)
    elsewhere = {str(row["contact"]) for row in account.rows.all("contactLists")}
    for contact in members - elsewhere:
        account.rows.remove("contacts", contact)
        for table in ("contactTags", "fieldValues"):
            account.rows.remove_where(table, contact=contact)


def below(account: Account, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Answer:
    """Answer sub-collections, and the move of all deals of a stage."""
    table, identity, name = parts
    row = account.rows.get(table, identity)
    if row is None:
        raise not_found(TYPES[table].label, identity)
    if (table, name, method) == ("dealStages", "deals", "PUT"):
        target = account.rows.get("dealStages", body.get("deal", {}).get("stage") if isinstance(body, dict) else None)
        if target is None or str(target["group"]) != str(row["group"]):
            error = {
                "title": "Invalid attribute",
                "detail": "Target stage does not belong to same pipeline",
                "status": 422,
            }
            raise Problem(Answer(422, {"errors": [error | {"source": {"pointer": "/data/attributes/stage"}}]}))
        for deal in list(account.rows.where("deals", stage=identity)):
            account.rows.put("deals", deal["id"], {**deal, "stage": str(target["id"])})
        return Answer(200, {"deals": list(account.rows.where("deals", stage=target["id"]))})
    if method != "GET":
        raise Problem(Answer(405, {"message": "Method Not Allowed"}))
    if name not in SUB_COLLECTIONS:
        raise Problem(Answer(404, {"message": "Not Found"}))
    child, key = SUB_COLLECTIONS[name]
    rows = list(account.rows.where(child, **{key: identity}))
    offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", 20)), 100)
    return Answer(200, {child: rows[offset : offset + limit]})


def bulk_options(account: Account, body: Any) -> Answer:
    """POST /fieldOption/bulk: an array of options, `orderid` 0 when left out (section 2.2)."""
    options = body.get("fieldOptions") if isinstance(body, dict) else None
    if not isinstance(options, list):
        raise Problem(
            Answer(422, {"errors": "Bulk operation failed. Request must contain an array of fieldOption objects."})
        )
    if account.settings.bulk_options == "replace":
        for field in {str(option.get("field")) for option in options}:
            account.rows.remove_where("fieldOptions", field=field)
    answers = []
    for option in options:
        if account.rows.get("fields", option.get("field")) is None:
            raise not_found("Field", option.get("field"))
        identity = account.rows.next_id("fieldOptions", reuse=False)
        dates = {"cdate": account.stamp(), "udate": account.stamp()}
        row = {
            **TYPES["fieldOptions"].defaults,
            **{name: text(value) for name, value in option.items()},
            **dates,
            "id": identity,
        }
        account.rows.put("fieldOptions", identity, row)
        answers.append(
            {**{name: int(v) if isinstance(v, bool) else v for name, v in option.items()}, **dates, "id": identity}
        )
    return Answer(201, {"fieldOptions": answers})

"""Custom objects: schemas, their fields, records (section 2.17)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.answers import Answer, Problem, schema_invalid
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

GONE = "marked_for_deletion"


def handle(account: Account, method: str, parts: list[str], query: Mapping[str, str], body: Any, dry: bool) -> Answer:
    """Answer a request below /customObjects."""
    if parts[:1] == ["records"] and len(parts) == 2 and method == "GET":
        return _records(account, parts[1], query)
    if parts[:1] != ["schemas"]:
        raise _missing()
    rest = parts[1:]
    if not rest:
        return _list(account, query) if method == "GET" else _create(account, body)
    if rest == ["public"] and method == "POST":
        return _create(account, body, public=True)
    row = account.rows.get("schemas", rest[0])
    if row is None:
        raise _missing()
    if rest[1:] == ["child"] and method == "POST":
        return _child(account, row)
    if len(rest) == 3 and rest[1] == "fields" and method == "DELETE":
        return _delete_field(account, row, rest[2])
    if method == "GET":
        return Answer(200, {"schema": _shown(row, query)})
    if method == "DELETE":
        account.rows.remove("schemas", row["id"])
        account.rows.remove_where("records", schema=row["id"])
        return Answer(200)
    if method == "PUT" and len(rest) == 1:
        return _update(account, row, body, dry)
    raise _missing()


def _missing() -> Problem:
    return Problem(Answer(404, {"message": "Not Found"}))


def _records(account: Account, schema: str, query: Mapping[str, str]) -> Answer:
    if account.rows.get("schemas", schema) is None:
        raise _missing()
    rows = list(account.rows.where("records", schema=schema))
    limit = min(int(query.get("limit", 20)), 100)
    return Answer(
        200,
        {
            "records": rows[:limit],
            "meta": {"total": len(rows), "count": len(rows[:limit]), "limit": limit, "offset": 0},
        },
    )


def _list(account: Account, query: Mapping[str, str]) -> Answer:
    rows = account.rows.all("schemas")
    limit, offset = min(int(query.get("limit", 20)), 100, account.settings.cap_limit), int(query.get("offset", 0))
    page = [_shown(row, query) for row in rows[offset : offset + limit]]
    return Answer(
        200, {"schemas": page, "meta": {"total": len(rows), "count": len(page), "limit": limit, "offset": offset}}
    )


def _shown(row: Row, query: Mapping[str, str]) -> Row:
    """Fields that are being deleted are shown with showFields=all only."""
    if query.get("showFields") == "all":
        return row
    return {**row, "fields": [field for field in row["fields"] if field.get("status") != GONE]}


def _create(account: Account, body: Any, *, public: bool = False) -> Answer:
    given = body.get("schema") if isinstance(body, dict) else None
    given = given if isinstance(given, dict) else {}
    _check(account, given, None)
    identity = str(uuid.uuid4())
    slug = f"app-{identity}-{given['slug']}" if public else given["slug"]
    now = "2021-03-19T18:23:17.153996399Z"
    row = {
        "id": identity,
        "visibility": "public" if public else "private",
        **given,
        "slug": slug,
        "fields": _fields(given.get("fields") or [], {}),
        "relationships": [{"hasMany": False, **one} for one in given.get("relationships") or []],
        "icons": {"default": "https://cdn.example.com/customobject.png"},
        "createdTimestamp": now,
        "updatedTimestamp": now,
    }
    account.rows.put("schemas", identity, row)
    return Answer(201, {"schema": row})


def _child(account: Account, parent: Row) -> Answer:
    identity = str(uuid.uuid4())
    slug = f"app-{parent.get('appId')}-{parent['slug'].rpartition(parent['id'] + '-')[2]}"
    parts = {name: [{**one, "inherited": True} for one in parent[name]] for name in ("fields", "relationships")}
    row = {**parent, **parts, "id": identity, "parentId": parent["id"], "visibility": "private", "slug": slug}
    account.rows.put("schemas", identity, row)
    return Answer(200, {"schema": row})


def _update(account: Account, row: Row, body: Any, dry: bool) -> Answer:
    given = body.get("schema") if isinstance(body, dict) else None
    given = given if isinstance(given, dict) else {}
    _check(account, {**row, **given}, row)
    old = {field["id"]: field for field in row["fields"]}
    kept = [field for field in row["fields"] if field.get("status") == GONE]
    # What is left out of the arrays stays: removal goes by DELETE only (row 23 of section 7).
    sent = _fields(given.get("fields") or row["fields"], old)
    names = {field["id"] for field in sent}
    fields = sent + [field for field in row["fields"] if field["id"] not in names and field not in kept] + kept
    relations = {one["id"]: one for one in row["relationships"]} | {
        one["id"]: {"hasMany": False, **one} for one in given.get("relationships", [])
    }
    plain = {name: value for name, value in given.items() if name in ("slug", "labels", "description")}
    merged = {**row, **plain, "fields": fields, "relationships": list(relations.values())}
    if not dry:
        account.rows.put("schemas", row["id"], merged)
    return Answer(200, {"schema": _shown(merged, {})})


def _delete_field(account: Account, row: Row, field: str) -> Answer:
    """Irreversible, answered 202; the id stays taken for a while (section 2.17)."""
    if row["visibility"] == "public" or row.get("parentId"):
        raise Problem(Answer(403, {"message": "Fields of public and child schemas cannot be deleted"}))
    if not any(one["id"] == field and one.get("status") != GONE for one in row["fields"]):
        raise _missing()
    fields = [{**one, "status": GONE} if one["id"] == field else one for one in row["fields"]]
    row = account.rows.put("schemas", row["id"], {**row, "fields": fields})
    return Answer(202, {"schema": row})


def _check(account: Account, schema: Mapping[str, Any], own: Row | None) -> None:
    if not schema.get("slug"):
        raise schema_invalid("schema.slug", "Schema slug is required")
    if any(
        row["slug"] == schema["slug"] and (own is None or row["id"] != own["id"]) for row in account.rows.all("schemas")
    ):
        raise schema_invalid("schema.slug", "Schema slug must be unique")
    if (
        not isinstance(schema.get("labels"), dict)
        or not schema["labels"].get("singular")
        or not schema["labels"].get("plural")
    ):
        raise schema_invalid("schema.labels", "Schemas must provide labels")
    ids: set[str] = set()
    labels: set[str] = set()
    for field in schema.get("fields") or ():
        if not isinstance(field.get("labels"), dict) or not field["labels"].get("singular"):
            raise schema_invalid("schema.fields.labels", "Schema fields must provide labels")
        identity, label = str(field.get("id")).replace("_", "-"), str(field["labels"]["singular"]).casefold()
        if identity in ids or (label in labels and field.get("status") != GONE):
            raise schema_invalid("schema.fields", "Schema fields must be unique")
        ids.add(identity)
        if field.get("status") != GONE:
            labels.add(label)
    if own is not None:
        taken = {str(field["id"]).replace("_", "-"): field for field in own["fields"]}
        for field in schema.get("fields") or ():
            before = taken.get(str(field["id"]).replace("_", "-"))
            if before is not None and before.get("status") == GONE and field.get("status") != GONE:
                raise schema_invalid("schema.fields.id", "The id of a deleted field cannot be used again yet")
            if before is not None and before.get("type") != field.get("type"):
                raise schema_invalid("schema.fields.type", "The type of a field cannot be changed")


def _fields(sent: list[Row], old: Mapping[str, Row]) -> list[Row]:
    """Give new options an id; flags read as `required`."""
    found = []
    for field in sent:
        one = {"required": False, **old.get(field["id"], {}), **field}
        if "isRequired" in one:
            one["required"] = bool(one.pop("isRequired"))
        if one.get("options"):
            one["options"] = [
                {"id": option.get("id") or str(uuid.uuid4()), "value": option["value"]} for option in one["options"]
            ]
        found.append(one)
    return found

"""Custom objects: schemas, their fields, records (section 2.17)."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.answers import (
    Answer,
    Problem,
    Request,
    nothing_here,
    number,
    refused,
    schema_invalid,
)
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

GONE = "marked_for_deletion"
MADE = "%Y-%m-%dT%H:%M:%S.153996399Z"
ICON = "https://d226aj4ao1t61q.cloudfront.net/n9mayqo2d_customobject.png"
FIELD_ID = re.compile(r"[A-Za-z0-9_-]+")
OWN = ("polls", "deleting")
"""What rows hold for the emulator only."""


def handle(account: Account, request: Request) -> Answer:
    """Answer a request below /customObjects."""
    parts = request.parts[1:]
    if parts[:1] == ["records"] and len(parts) >= 2:
        return _records(account, request, *parts[1:])
    if parts[:1] != ["schemas"]:
        raise nothing_here()
    _forget_deleted_fields(account)
    rest = parts[1:]
    if rest in ([], ["public"]):
        return _schemas(account, request, public=bool(rest))
    row = account.rows.get("schemas", rest[0])
    if row is None:
        raise Problem(Answer(404)) if request.method == "PUT" else nothing_here()
    return _schema(account, row, request, *rest[1:])


def _schemas(account: Account, request: Request, *, public: bool) -> Answer:
    if request.method == "POST":
        return _create(account, request.body, public=public)
    if request.method == "GET" and not public:
        return _list(account, request.query)
    raise nothing_here()


def _schema(account: Account, row: Row, request: Request, *inside: str) -> Answer:
    if inside == ("child",) and request.method == "POST":
        return _child(account, row)
    if len(inside) == 2 and inside[0] == "fields" and request.method == "DELETE":
        return _delete_field(account, row, inside[1])
    if inside:
        raise nothing_here()
    if request.method == "GET":
        return Answer(200, {"schema": shown(account, row, request.query)})
    if request.method == "PUT":
        dry = request.headers.get("validateonly", "").lower() == "true"
        return _update(account, row, request, dry)
    if request.method == "DELETE":
        account.rows.remove("schemas", row["id"])
        account.rows.remove_where("records", schema=row["id"])
        return Answer(200)
    raise nothing_here()


def _list(account: Account, query: Mapping[str, str]) -> Answer:
    rows, meta = _page(account, account.rows.all("schemas"), query)
    return Answer(200, {"schemas": [shown(account, row, query) for row in rows], "meta": meta})


def _page(account: Account, rows: list[Row], query: Mapping[str, str]) -> tuple[list[Row], dict[str, int]]:
    limit = min(number(query.get("limit"), 20) or 20, 100, account.settings.cap_limit)
    offset = number(query.get("offset"), 0)
    page = rows[offset : offset + limit]
    return page, {"total": len(rows), "count": len(page), "limit": limit, "offset": offset}


def shown(account: Account, row: Row, query: Mapping[str, str]) -> Row:
    """Return a schema as reads do: fields that are being deleted with showFields=all only."""
    every = query.get("showFields") == "all"
    flag = account.settings.schema_flag
    fields = []
    for field in row["fields"]:
        if every or field.get("status") != GONE:
            shown = {name: value for name, value in field.items() if name not in (*OWN, "required")}
            fields.append(shown | {flag: field.get("required", False)})
    return {name: value for name, value in row.items() if name not in OWN} | {"fields": fields}


def _given(body: Any) -> Row:
    """Return what is under `schema`. Raises a 400 for anything else."""
    given = body.get("schema") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise Problem(Answer(400, {"errors": [{"status": 400, "title": "Bad Request"}]}))
    return given


def _create(account: Account, body: Any, *, public: bool = False) -> Answer:
    given = _given(body)
    _check(account, given, None)
    identity = new_uuid(account)
    dates = _dates(account)
    row = {
        "id": identity,
        "slug": f"app-{identity}-{given['slug']}" if public else given["slug"],
        "visibility": "public" if public else "private",
        "labels": given["labels"],
        "description": given.get("description", ""),
        **({"appId": given["appId"]} if "appId" in given else {}),
        "createdTimestamp": dates,
        "updatedTimestamp": dates,
        "fields": new_fields(account, given.get("fields") or [], {}),
        "icons": {"default": ICON},
        "relationships": _relations(given.get("relationships") or []),
    }
    account.rows.put("schemas", identity, row)
    return Answer(200 if public else 201, {"schema": shown(account, row, {})})


def new_uuid(account: Account) -> str:
    """Return an id that no other has, the same ones in each account."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, account.rows.next_id("uuids", reuse=False)))


def _dates(account: Account) -> str:
    return time.strftime(MADE, account.now())


def _child(account: Account, parent: Row) -> Answer:
    """A private schema of an app's public one; no body (documented)."""
    if parent["visibility"] != "public":
        raise schema_invalid("schema.visibility", "Only public schemas can have child schemas")
    identity = new_uuid(account)
    slug = f"app-{parent.get('appId')}-{parent['slug'].rpartition(parent['id'] + '-')[2]}"
    parts = {name: [{**part, "inherited": True} for part in parent[name]] for name in ("fields", "relationships")}
    row = {**parent, **parts, "id": identity, "parentId": parent["id"], "visibility": "private", "slug": slug}
    account.rows.put("schemas", identity, row)
    return Answer(200, {"schema": shown(account, row, {})})


def _update(account: Account, row: Row, request: Request, dry: bool) -> Answer:
    """What is left out of the arrays stays: fields are removed by DELETE only (row 23 of section 7)."""
    given = _given(request.body)
    _check(account, {**row, **given}, row)
    old = {_key(field): field for field in row["fields"]}
    sent = new_fields(account, _parts(given.get("fields") or [], "fields"), old)
    names = {_key(field) for field in sent}
    rest = [field for field in row["fields"] if _key(field) not in names]
    relations: dict[str, Row] = {relationship["id"]: relationship for relationship in row["relationships"]}
    for relation in _relations(given.get("relationships") or []):
        relations[relation["id"]] = {**relations.get(relation["id"], {}), **relation}
    plain: Row = {name: given[name] for name in ("slug", "labels", "description") if name in given}
    dates: Row = {} if dry else {"updatedTimestamp": _dates(account)}
    merged: Row = {**row, **plain, **dates, "fields": sent + rest, "relationships": list(relations.values())}
    if not dry:
        account.rows.put("schemas", row["id"], merged)
    return Answer(200, {"schema": shown(account, merged, request.query)})


def _delete_field(account: Account, row: Row, field: str) -> Answer:
    """Irreversible, for admins, on private schemas, answered 202; the id stays taken for a while."""
    if not account.settings.admin or row["visibility"] == "public" or row.get("parentId"):
        raise refused("Fields of this schema cannot be deleted.")
    if not any(kept["id"] == field and kept.get("status") != GONE for kept in row["fields"]):
        raise nothing_here()
    polls = account.settings.deletion_polls
    fields = [{**kept, "status": GONE, "polls": polls} if kept["id"] == field else kept for kept in row["fields"]]
    row = account.rows.put("schemas", row["id"], {**row, "fields": fields, "deleting": True})
    return Answer(202, {"schema": shown(account, row, {"showFields": "all"})})


def _forget_deleted_fields(account: Account) -> None:
    """Let time pass for fields that are being deleted: a request at a time."""
    for row in account.rows.where("schemas", deleting=True):
        fields = [
            {**field, "polls": field["polls"] - 1} if field.get("status") == GONE else field for field in row["fields"]
        ]
        left = [field for field in fields if field.get("polls", 0) >= 0]
        busy = any(field.get("status") == GONE for field in left)
        account.rows.put("schemas", row["id"], {**row, "fields": left, "deleting": busy})


def _key(field: Mapping[str, Any]) -> str:
    """Dash and underscore are the same in ids."""
    return str(field.get("id")).replace("_", "-").casefold()


def _check(account: Account, schema: Mapping[str, Any], own: Row | None) -> None:
    if not schema.get("slug"):
        raise schema_invalid("schema.slug", "Schema slug is required")
    if any(own is None or row["id"] != own["id"] for row in account.rows.where("schemas", slug=schema["slug"])):
        raise schema_invalid("schema.slug", "Schema slug must be unique")
    labels = schema.get("labels")
    if not isinstance(labels, dict) or not labels.get("singular") or not labels.get("plural"):
        raise schema_invalid("schema.labels", "Schemas must provide labels")
    _check_fields(schema.get("fields") or ())
    if own is not None:
        _check_against(schema.get("fields") or (), own)


def _check_fields(fields: Iterable[Mapping[str, Any]]) -> None:
    ids: set[str] = set()
    labels: set[str] = set()
    for field in fields:
        named = field.get("labels")
        if not isinstance(named, dict) or not named.get("singular"):
            raise schema_invalid("schema.fields.labels", "Schema fields must provide labels")
        if not FIELD_ID.fullmatch(str(field.get("id") or "")):
            raise schema_invalid("schema.fields.id", "Field ids consist of letters, digits, dashes and underscores")
        if not field.get("type"):
            raise schema_invalid("schema.fields.type", "Schema fields must provide a type")
        label = str(named["singular"]).casefold()
        if _key(field) in ids:
            raise schema_invalid("schema.fields.id", "Schema field ids must be unique")
        if label in labels and field.get("status") != GONE:
            raise schema_invalid("schema.fields.labels", "Schema field labels must be unique")
        ids.add(_key(field))
        if field.get("status") != GONE:
            labels.add(label)


def _check_against(fields: Iterable[Mapping[str, Any]], own: Row) -> None:
    taken = {_key(field): field for field in own["fields"]}
    for field in fields:
        before = taken.get(_key(field))
        if before is None or before is field:
            continue
        if before.get("status") == GONE and field.get("status") != GONE:
            raise schema_invalid("schema.fields.id", "The id of a deleted field cannot be used again yet")
        if before.get("type") != field.get("type"):
            raise schema_invalid("schema.fields.type", "The type of a field cannot be changed")


def new_fields(account: Account, sent: list[Row], old: Mapping[str, Row]) -> list[Row]:
    """Merge fields into those that there are, give new options an id, take `required` by both its names."""
    fields = []
    for field in sent:
        before = old.get(_key(field), {})
        merged = {"required": False, **before, **field, **({"id": before["id"]} if before else {})}
        if "isRequired" in merged:
            merged["required"] = bool(merged.pop("isRequired"))
        if merged.get("options"):
            merged["options"] = [
                {"id": option.get("id") or new_uuid(account), "value": option["value"]} for option in merged["options"]
            ]
        fields.append(merged)
    return fields


def _relations(sent: object) -> list[Row]:
    return [{"hasMany": False, **part} for part in _parts(sent, "relationships")]


def _parts(sent: object, name: str) -> list[Row]:
    """Return the objects of an array that was sent; anything else is refused."""
    if not isinstance(sent, list) or not all(
        isinstance(part, dict) and isinstance(part.get("id"), str) for part in sent
    ):
        raise schema_invalid(f"schema.{name}", f"Schema {name} are invalid")
    return sent


def _records(account: Account, request: Request, schema: str, *rest: str) -> Answer:
    """Records as far as they are counted: list, create or update, read, delete."""
    if account.rows.get("schemas", schema) is None:
        raise nothing_here()
    if not rest and request.method == "GET":
        rows, meta = _page(account, account.rows.where("records", schema=schema), request.query)
        return Answer(200, {"records": [_record(row) for row in rows], "meta": meta})
    if not rest and request.method == "POST":
        given = request.body.get("record", {}) if isinstance(request.body, dict) else {}
        identity = str(given.get("id") or f"{schema}-{account.rows.next_id('records', reuse=False)}")
        row = {**(account.rows.get("records", identity) or {}), **given, "id": identity, "schema": schema}
        account.rows.put("records", identity, row)
        return Answer(201, {"record": _record(row)})
    row_or_none = account.rows.get("records", rest[0])
    if row_or_none is None or len(rest) > 1:
        raise nothing_here()
    if request.method == "DELETE":
        account.rows.remove("records", rest[0])
        return Answer(202)
    return Answer(200, {"record": _record(row_or_none)})


def _record(row: Row) -> Row:
    """Ids of related objects are numbers when they are written, and texts when they are read [OAS examples]."""
    related = row.get("relationships") or {}
    shown = {name: value for name, value in row.items() if name != "schema"} | {"schemaId": row["schema"]}
    return shown | {"relationships": {name: [str(identity) for identity in ids] for name, ids in related.items()}}


ROUTES = {"customObjects": handle}

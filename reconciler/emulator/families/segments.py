"""Segments V2 and their summaries, and the old read-only segments (section 2.30)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Type
from reconciler.emulator.answers import Answer, Problem, Request, nothing_here, number
from reconciler.emulator.families.custom_objects import new_uuid
from reconciler.emulator.rows import Row
from reconciler.emulator.types import READ, STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

MILLIS = "%Y-%m-%dT%H:%M:%S.952Z"
LARGEST_PAGE = 10_000
OWN = ("id", "updated_date")


def segments(account: Account, request: Request) -> Answer | None:
    """/segmentsV2: `{"data": [{"attributes": ...}]}` both ways; every save is a version, DELETE removes them all."""
    parts = request.parts
    if len(parts) == 1 and request.method == "POST":
        return _create(account, _sent(request.body))
    if len(parts) < 2:
        raise nothing_here()
    row = account.rows.get("segmentsV2", parts[1])
    if row is None:
        raise Problem(Answer(404, {"errors": [{"status": "404", "detail": f"Segment {parts[1]} not found"}]}))
    version = len(parts) == 4 and parts[2] == "createdDate"
    if request.method == "GET" and (version or len(parts) == 2):
        return _answer([row])
    if len(parts) == 2 and request.method == "PUT":
        return _answer([_save(account, row, segment) for segment in _sent(request.body)[:1]])
    if len(parts) == 2 and request.method == "DELETE":
        account.rows.remove("segmentsV2", row["id"])
        return _answer([row])
    raise nothing_here()


def _create(account: Account, sent: list[Row]) -> Answer:
    if any(account.rows.get("segmentsV2", segment.get("segment_id")) for segment in sent):
        raise _wrong("Segment with the following id's already exist. Please use a PUT request to update a segment")
    return _answer([_save(account, None, segment) for segment in sent])


def _wrong(detail: str) -> Problem:
    return Problem(Answer(400, {"errors": [{"status": "400", "detail": detail}]}))


def _sent(body: Any) -> list[Row]:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not data:
        raise _wrong("data is a required field.")
    return [dict(item.get("attributes") or {}) for item in data if isinstance(item, dict)]


def _save(account: Account, before: Row | None, sent: Row) -> Row:
    """Check and keep a version. A name makes it a saved segment; it cannot be added by an update."""
    _check(sent)
    name = sent.get("name") or None
    if before is None and name and account.rows.where("segmentsV2", name=name):
        raise _wrong("Segment name must be unique")
    if before is not None:
        if name and not before.get("name"):
            raise _wrong("A name cannot be added to an existing segment")
        sent = {"name": before.get("name"), "description": before.get("description", ""), **sent}
    identity = before["id"] if before else str(sent.get("segment_id") or new_uuid(account))
    now = time.strftime(MILLIS, account.now())
    conditions = [_hashed(condition) for condition in sent["segment_conditions"]]
    row = {
        **{name: value for name, value in sent.items() if value is not None},
        "segment_conditions": conditions,
        "segment_id": identity,
        "segment_hash": _hash([sent.get("segment_condition_groups"), conditions]),
        "user_id": "1",
        "category": before.get("category", "AUDIENCE") if before else "AUDIENCE",
        "created_date": before.get("created_date", now) if before else now,
        "updated_date": now,
        "id": identity,
    }
    return account.rows.put("segmentsV2", identity, row)


def _check(sent: Row) -> None:
    for name in ("segment_condition_group_operator", "segment_condition_groups", "segment_conditions"):
        if name not in sent:
            raise _wrong(f"{name} is a required field.")
    for condition in sent["segment_conditions"]:
        for name, title in (("source_system", "SourceSystem"), ("object_type", "ObjectType"), ("fields", "Fields")):
            if not condition.get(name):
                raise _wrong(f"{title} is a required field.")
    grouped = {str(value.get("id")) for group in sent["segment_condition_groups"] for value in group.get("values", ())}
    loose = [condition["id"] for condition in sent["segment_conditions"] if str(condition.get("id")) not in grouped]
    if loose:
        text = "These conditions must be included in a condition group for the segment to be valid: "
        raise _wrong(f"{text}[{', '.join(map(str, loose))}]")


def _hashed(condition: Row) -> Row:
    simple = {name: value for name, value in condition.items() if name not in ("hash", "hash_simple", "id")}
    return {**condition, "hash": _hash([simple, "whole"]), "hash_simple": _hash(simple)}


def _hash(value: Any) -> str:
    return hashlib.sha1(json.dumps(value, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def _answer(rows: Iterable[Row]) -> Answer:
    data = [
        {"id": row["id"], "type": "Segment.v2", "attributes": {n: v for n, v in row.items() if n not in OWN}}
        for row in rows
    ]
    return Answer(200, {"data": data})


def members(account: Account, segment: str, contacts: list[Row]) -> list[Row]:
    """Return the contacts that match a segment; conditions on anything but tags are taken to hold for all."""
    row = account.rows.get("segmentsV2", segment)
    if row is None:
        return []
    met = {str(condition.get("id")): _matching(account, condition) for condition in row["segment_conditions"]}
    groups = [
        _combined(group.get("operator"), [met.get(str(member.get("id"))) for member in group.get("values", ())])
        for group in row["segment_condition_groups"]
    ]
    wanted = _combined(row["segment_condition_group_operator"], groups)
    return contacts if wanted is None else [contact for contact in contacts if str(contact["id"]) in wanted]


def _matching(account: Account, condition: Row) -> set[str] | None:
    """The contacts that a condition names; None for all."""
    field = condition["fields"][0] if condition["fields"] else {}
    if condition["object_type"] != "tag" or field.get("operator") not in ("=", "is"):
        return None
    return {str(relation["contact"]) for relation in account.rows.where("contactTags", tag=field.get("value"))}


def _combined(operator: object, parts: list[set[str] | None]) -> set[str] | None:
    if operator == "or":
        return None if None in parts else set[str]().union(*(part or () for part in parts))
    known = [part for part in parts if part is not None]
    return set.intersection(*known) if known else None


def audiences(account: Account, request: Request) -> Answer | None:
    """Summaries of saved segments, by `page` and `page_size`; `search` contains, `sort` takes a dash."""
    if request.method != "GET" or len(request.parts) > 2:
        raise nothing_here()
    rows = [row for row in account.rows.all("segmentsV2") if row.get("name")]
    if len(request.parts) == 2:
        rows = [row for row in rows if row["id"] == request.parts[1]]
        if not rows:
            raise _wrong(f"Segment {request.parts[1]} not found")
        return Answer(200, {"data": [_summary(account, row) for row in rows]})
    rows = [row for row in rows if request.query.get("search", "").casefold() in row["name"].casefold()]
    sort = request.query.get("sort", "-updated_date")
    column = "name" if sort.lstrip("-") == "name" else "updated_date"
    rows.sort(key=lambda row: str(row.get(column)).casefold(), reverse=sort.startswith("-"))
    size = min(number(request.query.get("page_size"), 20) or 20, LARGEST_PAGE)
    start = (max(1, number(request.query.get("page"), 1)) - 1) * size
    return Answer(200, {"data": [_summary(account, row) for row in rows[start : start + size]]})


def _summary(account: Account, row: Row) -> Row:
    count = {"count": account.rows.count("contacts"), "last_total_updated": row.get("updated_date")}
    attributes = {
        "segment_id": row["id"],
        "category": "audience",
        "name": row["name"],
        "counts": {"last_total": count, "last_active_total": count},
        **{name: row.get(name) for name in ("created_date", "updated_date")},
    }
    return {"id": row["id"], "type": "Segment.summary", "attributes": attributes}


TYPES = (
    Type(
        "segments", "segment", "Segment",
        defaults={"name": "", "logic": "and", "hidden": "0", "seriesid": "0"},
        dates=STAMPED,
        does=READ,
    ),
)  # fmt: skip
ROUTES = {"segmentsV2": segments, "audiences": audiences}
PLAIN_TABLES = {"segmentsV2": "id"}

"""Classic endpoints: list, create, read, merge-PUT and delete over the table of types."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import hooks
from reconciler.emulator.answers import Answer, Problem, echo, invalid, not_found, text
from reconciler.emulator.rows import Row
from reconciler.emulator.types import TYPES, Type

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

STAMP = "2020-05-28T20:51:26-05:00"


def handle(account: Account, method: str, parts: list[str], query: Mapping[str, str], body: Any) -> Answer:
    """Answer a request to a classic endpoint."""
    kind = TYPES.get(parts[0])
    if kind is None:
        raise Problem(Answer(404, {"message": "Not Found"}))
    if len(parts) == 1:
        if method == "GET":
            return listing(account, kind, query)
        if method == "POST":
            return create(account, kind, body)
    elif len(parts) == 2 and method in ("GET", "PUT", "DELETE"):
        row = account.rows.get(kind.path, parts[1])
        if row is None:
            raise not_found(kind.label, parts[1])
        if method == "GET":
            return Answer(200, {**hooks.sides_of(account, kind, [row]), kind.one: shown(account, kind, row)})
        return update(account, kind, row, body, query) if method == "PUT" else delete(account, kind, row)
    elif len(parts) == 3:
        return hooks.below(account, method, parts, query, body)
    raise Problem(Answer(405, {"message": "Method Not Allowed"}))


def listing(account: Account, kind: Type, query: Mapping[str, str]) -> Answer:
    """One page: 20 rows unless asked, 100 at most, offsets from 0 (section 1.7). Unknown filters are ignored."""
    rows = hooks.filtered(account, kind, query)
    limit = min(_number(query.get("limit"), 20), 100, account.settings.cap_limit)
    offset = _number(query.get("offset"), 0)
    page = rows[offset : offset + limit]
    answer: dict[str, Any] = {
        **hooks.sides_of(account, kind, page),
        kind.path: [shown(account, kind, row) for row in page],
    }
    if kind.total != "none":
        answer["meta"] = {
            "total": len(rows) if kind.total == "int" else str(len(rows)),
            **hooks.meta(account, kind, rows),
        }
    return Answer(200, answer)


def _number(raw: str | None, default: int) -> int:
    return int(raw) if raw and raw.isdigit() else default


def shown(account: Account, kind: Type, row: Row) -> Row:
    """Return a row as a read returns it."""
    found = hooks.completed(account, kind, row)
    if account.settings.mixed_types and not kind.native:
        dice = random.Random(f"{account.settings.mixed_types}:{kind.path}:{row['id']}")
        return {name: _mixed(value, dice) if name != "id" else value for name, value in found.items()}
    return found


def _mixed(value: Any, dice: random.Random) -> Any:
    if value in ("0", "1"):
        return dice.choice([value, int(value), value == "1"])
    if isinstance(value, str) and value.isdigit() and len(value) < 9:
        return dice.choice([value, int(value)])
    return dice.choice([None, ""]) if value in (None, "") else value


def sent(kind: Type, body: Any) -> dict[str, Any]:
    """Return what is under the wrapper key; a wrong wrapper is silently nothing (section 1.3)."""
    inner: Any = body.get(kind.one) if isinstance(body, dict) else None
    return {str(kind.names.get(name, name)): value for name, value in inner.items()} if isinstance(inner, dict) else {}


def create(account: Account, kind: Type, body: Any) -> Answer:
    """Create a row; the answer is sparse and echoes the types that were sent (sections 1.4, 1.5)."""
    given = {name: value for name, value in sent(kind, body).items() if name not in kind.computed}
    for name in kind.required:
        if given.get(name) in (None, "", []):
            raise invalid(
                f"The {kind.one} {name} was not provided.", code="field_missing", pointer=f"/data/attributes/{name}"
            )
    hooks.before_create(account, kind, given)
    identity = account.rows.next_id(kind.path, reuse=account.settings.id_reuse)
    stored = {name: value if kind.native else text(value) for name, value in given.items()}
    dates = {"cdate": account.stamp(), "udate": account.stamp()} if kind.dated else {}
    row: Row = {**kind.defaults, **stored, **dates, "id": identity}
    hooks.after_create(account, kind, row, given)
    account.rows.put(kind.path, identity, row)
    answer = {name: echo(value) for name, value in given.items()} | dates | {"id": row["id"]}
    return Answer(201, hooks.created(account, kind, row, answer))


def update(account: Account, kind: Type, row: Row, body: Any, query: Mapping[str, str]) -> Answer:
    """Merge what was sent into a row (section 1.9)."""
    given = {name: value for name, value in sent(kind, body).items() if name not in kind.computed}
    hooks.before_update(account, kind, row, given)
    stored = {name: value if kind.native else text(value) for name, value in given.items()}
    merged = {**row, **stored}
    account.rows.put(kind.path, row["id"], merged)
    hooks.after_update(account, kind, merged, query)
    if kind.path == "lists" and account.settings.list_put == "empty":
        return Answer(200)  # recorded 2021: an empty body (section 2.13)
    shown_row = hooks.completed(account, kind, merged) | {name: echo(value) for name, value in given.items()}
    return Answer(200, hooks.updated(account, kind, merged, shown_row))


def delete(account: Account, kind: Type, row: Row) -> Answer:
    """Delete a row and what goes with it (section 3.3)."""
    account.rows.remove(kind.path, row["id"])
    hooks.after_delete(account, kind, row)
    return Answer(200, dict(kind.deleted))

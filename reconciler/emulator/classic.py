"""Classic endpoints: list, create, read, merge-PUT and delete over the table of types."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Filter, Type
from reconciler.emulator.answers import (
    Answer,
    Problem,
    Request,
    echo,
    error,
    inner,
    invalid,
    no_result,
    not_allowed,
    nothing_here,
    number,
    text,
    twin_not_found,
)
from reconciler.emulator.rows import Row
from reconciler.emulator.types import TOUCHED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

LARGEST_PAGE = 100


def handle(account: Account, kind: Type, request: Request) -> Answer:
    """Answer a request to a classic endpoint."""
    method, parts = request.method, request.parts
    if len(parts) == 1:
        # `DELETE /dealStages/` looks for id 0 (recorded, section 1.5).
        if method in ("PUT", "DELETE") and request.path.endswith("/"):
            raise absent(account, kind, method, "0")
        if method == "GET" and "list" in kind.does:
            return listing(account, kind, request.query)
        if method == "POST" and "create" in kind.does:
            return create(account, kind, request.body)
    elif len(parts) == 2 and DOES.get(method) in kind.does:
        row = account.rows.get(kind.path, parts[1])
        if row is None:
            raise absent(account, kind, method, parts[1])
        if method == "GET":
            return Answer(200, {**kind.acts.sides(account, [row]), kind.one: shown(account, kind, row)})
        return update(account, kind, row, request) if method == "PUT" else delete(account, kind, row)
    elif len(parts) == 3 and method == "GET":
        return related(account, kind, request)
    raise not_allowed()


DOES = {"GET": "get", "PUT": "update", "DELETE": "delete"}


def absent(account: Account, kind: Type, method: str, identity: str) -> Problem:
    """The answer to an id that is not there: its status and shape depend on the type (sections 1.5, 1.6)."""
    if kind.native:
        return twin_not_found()
    status = kind.missing.get(method, 404)
    if kind.path in ("lists", "groups") and account.settings.not_found == "recorded":
        status = 404
    label = kind.label
    if kind.path == "personalizations" and method == "PUT":
        label = "ActiveCampaign\\Hosted\\Personalization\\Personalization"
    return no_result(label, identity, status, plain=method in kind.plain)


def listing(account: Account, kind: Type, query: Mapping[str, str]) -> Answer:
    """One page: 20 rows unless asked, 100 at most, offsets from 0 (section 1.7). Unknown filters are ignored."""
    rows = ordered(kind, kind.acts.rows(account, filtered(account, kind, query), query), query)
    default = account.settings.field_page if kind.limit == LARGEST_PAGE else kind.limit
    page = paged(account, rows, query, default)
    answer: dict[str, Any] = {
        **kind.acts.sides(account, page),
        kind.path: [shown(account, kind, row) for row in page],
    }
    if kind.total != "none":
        total = len(rows) if kind.total == "int" else str(len(rows))
        answer["meta"] = {"total": total, **kind.acts.meta(account, rows)}
    return Answer(200, answer)


def paged(account: Account, rows: list[Row], query: Mapping[str, str], default: int = 20) -> list[Row]:
    """Return the rows that `limit` and `offset` ask for."""
    limit = min(number(query.get("limit"), default) or default, LARGEST_PAGE, account.settings.cap_limit)
    offset = number(query.get("offset"), 0)
    return rows[offset : offset + limit]


def filtered(account: Account, kind: Type, query: Mapping[str, str]) -> list[Row]:
    """Return the rows that the documented filters leave."""
    asked = [(how, query[name]) for name, how in kind.filters.items() if name in query]
    exact = next(((how, value) for how, value in asked if not how.contains and not how.through), None)
    if exact is None:
        rows = account.rows.all(kind.path)
    else:
        rows = account.rows.where(kind.path, **{exact[0].column: exact[1]})
    for how, value in asked:
        rows = list(filter(_test(account, how, value), rows))
    return rows


def _test(account: Account, how: Filter, value: str) -> Callable[[Row], bool]:
    """Return what a filter asks of a row."""
    if how.through:
        members = {str(row["contact"]) for row in account.rows.where(how.through, **{how.column: value})}
        return lambda row: str(row["id"]) in members
    if how.contains:
        return lambda row: value.casefold() in str(row.get(how.column, "")).casefold()
    return lambda row: str(row.get(how.column)) == value


def ordered(kind: Type, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """Return the rows in a documented order that was asked for; else as they were made."""
    for name, column in kind.orders.items():
        if name in query:
            down = query[name].upper() == "DESC"
            return sorted(rows, key=lambda row: str(row.get(column) or "").casefold(), reverse=down)
    return rows


def shown(account: Account, kind: Type, row: Row) -> Row:
    """Return a row as a read returns it."""
    answer = kind.acts.shown(account, row)
    if "links" not in answer:
        answer = {**answer, "links": links(account, kind, row["id"])}
    if account.settings.mixed_types and not kind.native:
        dice = random.Random(f"{account.settings.mixed_types}:{kind.path}:{row['id']}")
        return {name: _mixed(name, value, dice) if name != "id" else value for name, value in answer.items()}
    return answer


def links(account: Account, kind: Type, identity: object) -> Any:
    """Return the addresses of a row's relations; `[]` when there are none (section 1.4)."""
    base = f"https://{account.settings.account}.api-us1.com/api/3/{kind.path}/{identity}"
    return {name: f"{base}/{name}" for name in kind.children} or []


REFERENCES = frozenset("user list group field contact tag stage dealGroup".split())
"""Properties that hold ids and are not called so."""
ID_ENDINGS = ("id", "ids")
"""How names of properties end that hold ids, or several of them with commas (`listIds` of personalizations)."""


def _mixed(name: str, value: Any, dice: random.Random) -> Any:
    """Return a value as text or number, or a flag as one: ids never arrive as a flag (section 1.4)."""
    if value in ("0", "1"):
        holds_ids = name in REFERENCES or name.lower().endswith(ID_ENDINGS)
        return dice.choice([value, int(value)] if holds_ids else [value, int(value), value == "1"])
    if isinstance(value, str) and len(value) < 9 and value.isdecimal() and str(int(value)) == value:
        return dice.choice([value, int(value)])
    return dice.choice([None, ""]) if value in (None, "") else value


def sent(kind: Type, body: Any) -> Row:
    """Return what is under the wrapper key, under the names that reads use, without computed properties."""
    given = {str(kind.names.get(name, name)): value for name, value in inner(body, kind.one).items()}
    never = {"id", *kind.dates, *kind.readonly}
    if not kind.writable("links"):  # branding has an attribute of that name
        never.add("links")
    return {name: value for name, value in given.items() if name not in never}


def create(account: Account, kind: Type, body: Any) -> Answer:
    """Create a row; the answer is sparse and echoes the types that were sent (sections 1.4, 1.5)."""
    given = sent(kind, body)
    gone = [name for name in kind.required if given.get(name) in (None, "", [])]
    if gone:
        title = "The {} {} was not provided."
        raise invalid(*(error(title.format(kind.one, name), name, code="field_missing") for name in gone))
    kind.acts.creating(account, given)
    row = new_row(account, kind, given)
    kind.acts.born(account, row, given)
    account.rows.put(kind.path, row["id"], row)
    dates = {name: row[name] for name in kind.echoed if name in row}
    # Given values as stored where the server computes them (perstag), else with the type that was sent.
    answer = {name: row[name] if isinstance(row.get(name), str) and not isinstance(value, bool | int | float)
              else echo(value) for name, value in given.items()}  # fmt: skip
    answer |= dates | {"links": links(account, kind, row["id"]), "id": row["id"]}
    return Answer(account.settings.created_status, {kind.one: answer, **kind.acts.create_body(account, row, answer)})


def new_row(account: Account, kind: Type, given: Mapping[str, Any]) -> Row:
    """Return a row with a fresh id, the server's defaults and dates, not stored yet."""
    reuse = account.settings.id_reuse and kind.path != "dealStages"
    identity = account.rows.next_id(kind.path, reuse=reuse)
    now = account.now()
    dates = {name: time.strftime(form, now) for name, form in kind.dates.items()}
    return {**kind.defaults, **stored(kind, given), **dates, "id": identity}


def stored(kind: Type, given: Mapping[str, Any]) -> Row:
    """Return what is kept of what was sent."""
    return {name: value if kind.native else text(value) for name, value in given.items() if kind.writable(name)}


def update(account: Account, kind: Type, row: Row, request: Request) -> Answer:
    """Merge what was sent into a row (section 1.9)."""
    given = {name: value for name, value in sent(kind, request.body).items() if name not in kind.frozen}
    kind.acts.updating(account, row, given)
    now = account.now()
    dates = {name: time.strftime(form, now) for name, form in kind.dates.items() if name in TOUCHED}
    merged = {**row, **stored(kind, given), **(dates if given else {})}
    account.rows.put(kind.path, row["id"], merged)
    kind.acts.updated(account, merged, given, request.query)
    merged = account.rows.get(kind.path, row["id"]) or merged
    if kind.path == "lists" and account.settings.list_put == "empty":
        return Answer(200)  # recorded 2021 (section 2.13)
    typed = {name: echo(value) for name, value in given.items() if isinstance(value, bool | int | float)}
    answer = kind.acts.shown(account, merged) | {name: v for name, v in typed.items() if name in merged}
    if "links" not in answer:
        answer["links"] = links(account, kind, row["id"])
    return Answer(200, {kind.one: answer, **kind.acts.update_body(account, merged, answer)})


def delete(account: Account, kind: Type, row: Row) -> Answer:
    """Delete a row and what goes with it (section 3.3)."""
    kind.acts.deleting(account, row)
    account.rows.remove(kind.path, row["id"])
    kind.acts.deleted(account, row)
    if kind.path == "fieldOptions" and account.settings.option_delete == "empty":
        return Answer(200)  # recorded in 2020; {} in 2021
    return Answer(200, kind.deleted)


def related(account: Account, kind: Type, request: Request) -> Answer:
    """Answer a sub-collection, by its name in `links` (section 1.7)."""
    _, identity, name = request.parts
    row = account.rows.get(kind.path, identity)
    if row is None:
        raise absent(account, kind, "GET", identity)
    child = kind.children.get(name)
    if child is None:
        raise nothing_here()
    rows = account.rows.where(child.table, **{child.key: identity})
    of = account.types.get(child.table)
    seen = [shown(account, of, row) if of else row for row in paged(account, rows, request.query)]
    if child.one:
        return Answer(200, {name: seen[0] if seen else None})
    return Answer(200, {child.table: seen})

"""Reading counts of customer records out of listings, for blast radii. No kind lives here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.model.coerce import ident, number
from reconciler.model.http import Flow, Request, Response, get, page_of
from reconciler.model.live import Row
from reconciler.model.paging import follow, is_full
from reconciler.model.values import Json
from reconciler.model.write import Impact

MOST = 2_000
"""Records that are listed one by one."""


def counted(
    path: str, noun: str, query: Mapping[str, str] | None = None, *, at_most: bool = False
) -> Flow[list[Impact]]:
    """Ask a listing for one row and report its total. A filter that the account ignores would count everything: use
    documented ones only.
    """
    answer = yield get(path, **(query or {}), limit="1")
    return [Impact(answer.total(), noun, at_most)]


def deals(field: str, identity: str, *, worth: bool = True, each: bool = False) -> Flow[list[Impact]]:
    """Count the deals of a stage or pipeline with their value per currency (`meta.currencies`, [OAS]; `[]` when
    there are none), and how many are open.

    Up to 100 deals take one request; for more, the open ones take a second. Without `worth` only the number counts;
    with `each`, up to `MOST` are listed, 100 with a request.
    """
    query = {f"filters[{field}]": identity}
    answer = yield get("/deals", **query, limit="100")
    body = answer.body if isinstance(answer.body, dict) else {}
    total = answer.total()
    if each:
        return [Impact(total, "deals", ids=(yield from _all_ids(answer, "/deals", "deals", query)))]
    if not worth:
        return [Impact(total, "deals")]
    still_open = yield from _open(total, body.get("deals") or (), query)
    opened = f"(open: {still_open:,})" if still_open is not None else ""
    return [Impact(total, "deals", detail=" ".join(filter(None, (_worth(body), opened))))]


def _open(total: int | None, rows: Iterable[Json], query: Mapping[str, str]) -> Flow[int | None]:
    """Return how many of the deals on a page, of `total` in all, are open; None where that cannot be told."""
    statuses = [row.get("status") for row in rows if isinstance(row, dict)]
    still_open: int | None = sum(str(status) == "0" for status in statuses)
    if total and total > len(statuses):
        still_open = (yield get("/deals", **query, **{"filters[status]": "0", "limit": "1"})).total()
    known = total and still_open is not None and still_open <= total and None not in statuses
    return still_open if known else None


def on_board(pipeline: str, stages: Collection[str]) -> Flow[Mapping[str, int] | None]:
    """Count the deals in each stage of a pipeline: up to 100 with one request, of more with one for each stage. None
    where the account shows less than all: of pipelines that the user may not manage it tells no stages (section 1).
    """
    answer = yield Request("GET", "/deals", (("filters[group]", pipeline), ("limit", "100")), expect=(403, 404))
    total = answer.total() if answer.ok else None
    by_stage = dict.fromkeys(stages, 0)
    if total is not None and total > len(answer.rows("deals")):
        for stage in stages:
            by_stage[stage] = (yield get("/deals", **{"filters[stage]": stage, "limit": "1"})).total() or 0
    elif total is not None:
        by_stage |= Counter(str(row.get("stage")) for row in answer.rows("deals"))
    return by_stage if sum(by_stage.values()) == total and by_stage.keys() == set(stages) else None


def counted_each(path: str, key: str, noun: str, query: Mapping[str, str]) -> Flow[list[Impact]]:
    """Count the rows of a listing, at most, with the ids of up to `MOST` of them."""
    answer = yield get(path, **query, limit="100")
    return [Impact(answer.total(), noun, at_most=True, ids=(yield from _all_ids(answer, path, key, query)))]


def _all_ids(first: Response, path: str, key: str, query: Mapping[str, str]) -> Flow[tuple[str, ...]]:
    """Return the ids of all rows of a listing, of which this is the first page; none where there are more than `MOST`,
    or where it shows less than it counts.
    """
    total, rows = first.total(), first.rows(key)
    for offset in range(100, total if total is not None and total <= MOST else 0, 100):
        rows += (yield get(path, **query, limit="100", offset=str(offset))).rows(key)
    ids = tuple(dict.fromkeys(ident(row["id"]) for row in rows))
    return ids if len(ids) == total else ()


def moved(impact: Impact, assumed: str) -> Impact:
    """Return a count of records that stay and are somewhere else, or something else, afterwards; with what is taken
    for granted about them.
    """
    return replace(impact, effect="moved", detail=" ".join(filter(None, (impact.detail, assumed))))


def _worth(body: Mapping[str, Any]) -> str:
    """Return `worth USD 1,204,500.00, EUR 12.00`; values are cents."""
    meta = body.get("meta")
    currencies = meta.get("currencies") if isinstance(meta, dict) else None
    worth = [
        f"{code} {(number(entry.get('value')) or 0) / 100:,.2f}"
        for code, entry in sorted(currencies.items() if isinstance(currencies, dict) else ())
        if isinstance(entry, dict)
    ]
    return f"worth {', '.join(worth)}" if worth else ""


def counted_rows(path: str, key: str) -> Flow[int]:
    """Count the rows of a sub-collection. A total is believed; without one it is paged until a page is short or is the
    one before again, for a sub-collection may know no paging; bounded at 100 pages.
    """
    pages: list[Sequence[Row]] = []

    def after(answer: Response, offset: int) -> int | None:
        if answer.total() is not None:
            return None
        rows = answer.listed(key)
        if pages and rows == pages[-1]:
            return None
        pages.append(rows)
        return offset + len(rows) if is_full(len(rows)) else None

    answers, _ = yield from follow(lambda offset: page_of(path, offset), after, most=100)
    total = answers[-1].total()
    return total if total is not None else sum(map(len, pages))


def listed(path: str, key: str, query: Mapping[str, str] | None = None, *, pages: int = 20) -> Flow[list[Row] | None]:
    """Return all rows of a listing, page by page; None where there is none or where it does not end."""
    answers = yield from listed_pages(path, key, query, pages=pages)
    return None if answers is None else [row for answer in answers for row in answer.listed(key)]


def listed_pages(
    path: str, key: str, query: Mapping[str, str] | None = None, *, pages: int = 20
) -> Flow[list[Response] | None]:
    """Return the answers with all pages of a listing; None where there is none or where it does not end. It ends by its
    total, or else where a page is short.
    """

    def after(answer: Response, offset: int) -> int | None:
        rows = len(answer.listed(key)) if answer.ok else 0
        total = answer.total() if answer.ok else None
        ends = not rows or (offset + rows >= total if total is not None else not is_full(rows))
        return None if ends else offset + rows

    def ask(offset: int) -> Request:
        return page_of(path, offset, (query or {}).items(), expect=(403, 404))

    answers, ended = yield from follow(ask, after, most=pages)
    return answers if ended and answers[-1].ok else None


def carried(sub: str, key: str, table: str, identity: str) -> Flow[tuple[int | None, bool]]:
    """Return how many values a deal or account field has, and whether that is only an upper bound.

    The sub-collection that `links` names has no total: a short first page is counted. Otherwise, and where the account
    has no such path, the filter of the table is asked, which no source has verified (section 5 of the API page): it is
    believed only where its total is smaller than the unfiltered one.
    """
    first = yield Request("GET", sub, (("limit", "100"), ("offset", "0")), expect=(404,))
    if first.ok:
        if (total := first.total()) is not None:
            return total, False
        rows = first.body.get(key) if isinstance(first.body, dict) else None
        if isinstance(rows, list) and len(rows) < 100 and len(rows) != 20:
            return len(rows), False
    filtered = (yield Request("GET", table, ((FILTER, identity), ("limit", "1")), expect=(404,))).total()
    if filtered == 0:
        return 0, False
    everything = (yield Request("GET", table, (("limit", "1"),), expect=(404,))).total()
    if filtered is not None and everything is not None and filtered < everything:
        return filtered, False
    if first.ok:
        return (yield from counted_rows(sub, key)), False
    return (filtered if filtered is not None else everything), True


FILTER = "filters[customFieldId]"

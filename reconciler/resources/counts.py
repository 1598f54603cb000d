"""Reading counts of customer records out of listings, for blast radii. No kind lives here."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.http import Flow, get
from reconciler.model.kind import Impact
from reconciler.model.spec import number


def total_of(body: object) -> int | None:
    """Return `meta.total` of a listing, text or int (section 1.4); None when there is none."""
    meta = body.get("meta") if isinstance(body, dict) else None
    return number(meta.get("total")) if isinstance(meta, dict) else None


def counted(
    path: str, noun: str, query: Mapping[str, str] | None = None, *, at_most: bool = False
) -> Flow[list[Impact]]:
    """Ask a listing for one row and report its total. A filter that the account ignores would count everything: use
    documented ones only.
    """
    answer = yield get(path, **(query or {}), limit="1")
    return [Impact(total_of(answer.body), noun, at_most)]


def deals(field: str, identity: str) -> Flow[list[Impact]]:
    """Count the deals of a stage or pipeline with their value per currency (`meta.currencies`, [OAS]; `[]` when
    there are none).
    """
    answer = yield get("/deals", **{f"filters[{field}]": identity, "limit": "1"})
    meta = answer.body.get("meta", {}) if isinstance(answer.body, dict) else {}
    currencies = meta.get("currencies") or {}
    worth = (
        ", ".join(
            f"{code} {(number(entry.get('value')) or 0) / 100:,.2f}"
            for code, entry in sorted(currencies.items())
            if isinstance(entry, dict)
        )
        if isinstance(currencies, dict)
        else ""
    )
    return [Impact(total_of(answer.body), "deals", detail=f"worth {worth}" if worth else "")]


def counted_rows(path: str, key: str) -> Flow[int]:
    """Count the rows of a sub-collection without a total by paging it; bounded at 100 pages of 100."""
    total = 0
    for page in range(100):
        answer = yield get(path, limit="100", offset=str(page * 100))
        rows = answer.body.get(key, []) if isinstance(answer.body, dict) else []
        total += len(rows)
        if len(rows) < 100:
            break
    return total

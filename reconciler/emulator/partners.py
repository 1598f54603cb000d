"""The Partners API, as far as it lists the accounts of an agency: here, the named accounts of this server (section 6.2,
`[PARTNER]`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

PATH = re.compile(r"^/api/child-accounts/v1/?$")
BORN = "2026-01-01T00:00:00+00:00"
DEFAULT, MOST = 20, 1000
"""Rows of a page: without `limit`, and at most."""


def listed(names: Iterable[str], query: Mapping[str, str], key: str | None, token: str) -> tuple[int, Any]:
    """Return status and body of `GET /api/child-accounts/v1/`; errors have the form of RFC 7807."""
    if key != token:
        return 401, {"code": 401, "message": "JWT Token not found"}
    page, limit = _number(query.get("page"), 1), _number(query.get("limit"), DEFAULT)
    if page is None or limit is None or limit > MOST:
        return 422, _problem(422, "limit: This value should be between 1 and 1000.")
    rows = [
        {"id": at, "reseller_id": 1, "account_name": name, "created_at": BORN, "updated_at": BORN}
        for at, name in enumerate(sorted(names), 1)
        if query.get("search", "").lower() in name.lower()
    ]
    if query.get("is_archived") == "true":
        rows = []
    if query.get("sort_direction", "desc") == "desc":
        rows.reverse()
    pages = max(1, -(-len(rows) // limit))
    about = {"total": len(rows), "page": page, "limit": limit, "total_pages": pages}
    return 200, {"hosted_accounts": rows[(page - 1) * limit : page * limit], "pagination": about}


def _number(text: str | None, otherwise: int) -> int | None:
    if text is None:
        return otherwise
    return int(text) if text.isdigit() and int(text) > 0 else None


def _problem(status: int, detail: str) -> dict[str, Any]:
    kind = "https://symfony.com/errors/validation"
    return {"type": kind, "title": "Validation Failed", "status": status, "detail": detail}

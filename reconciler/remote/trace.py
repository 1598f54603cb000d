"""One line for each request, for `-vv`: enough to follow a run, and nothing that belongs to a person."""

from __future__ import annotations

import re

from reconciler.model.http import Request

SHOWN = ("limit", "offset", "reorder", "listid", "status", "group_id")
"""Query values that are numbers of the account's configuration; of all others only the name is shown."""


def line(request: Request, outcome: int | str, seconds: float) -> str:
    """Return method, path, query and outcome (a status, or the name of what went wrong) with the time it took."""
    query = "&".join(f"{name}={value if name in SHOWN else '...'}" for name, value in request.query)
    path = re.sub(r"[^/]*@[^/]*", "...", request.path)
    marked = " (dry run)" if request.dry_run else ""
    return f"{request.method} {path}{'?' + query if query else ''}{marked} -> {outcome} ({seconds * 1000:.0f} ms)"

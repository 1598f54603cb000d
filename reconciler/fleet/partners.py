"""The vendor's Partners API, as far as it lists the accounts of an agency (section 6.2 of the API page)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.codehost import HostAnswer, Web
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import AuthError, ConfigError, RemoteError
from reconciler.model.fleet import Partners

PATH = "/api/child-accounts/v1/"
CLIENTS = 1000
"""On one page."""
MOST_PAGES = 200
MOST_BYTES = 64 * 1024 * 1024
SECONDS = 60.0


def child_accounts(web: Web, source: Partners, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the accounts with `name`, `url` and `labels`. Raises ConfigError, AuthError, RemoteError, Unreachable."""
    variable = source.token.removeprefix("${env.").removesuffix("}")
    key = environ.get(variable, "").strip()
    if not key:
        hint = f"export {variable}=... with the key of the Partner Portal"
        raise ConfigError(
            [Diagnostic(f"the environment variable {variable} is not set", hint=hint, code="missing-env")]
        )
    seen: set[str] = set()
    for page in range(1, MOST_PAGES + 1):
        query: dict[str, str | int] = {
            "page": page,
            "limit": CLIENTS,
            "sort_by": "account_name",
            "sort_direction": "asc",
        }
        if source.search:
            query["search"] = source.search
        if not source.archived:
            query["is_archived"] = "false"
        answer = web.exchange(
            "GET",
            source.url.rstrip("/") + PATH,
            headers={"api-key": key, "Accept": "application/json"},
            query=query,
            most=MOST_BYTES,
            seconds=SECONDS,
        )
        rows, pages = _page(answer)
        fresh = [row for row in rows if str(row.get("id")) not in seen]
        seen.update(str(row.get("id")) for row in fresh)
        for row in fresh:
            account = _account(row, source.accounts)
            if account is not None:
                yield account
        if page >= pages or not fresh:
            return
    raise RemoteError(f"GET {PATH}: more than {MOST_PAGES} pages", hint="narrow it with `search`")


def _page(answer: HostAnswer) -> tuple[list[dict[str, Any]], int]:
    if answer.status in (401, 403):
        raise AuthError(f"GET {PATH}: the Partners API refuses the key ({answer.status})", hint="check the key")
    if answer.status != 200:
        raise RemoteError(f"GET {PATH}: the Partners API answered {answer.status}", hint="check its `url`")
    try:
        body: Any = answer.json()
        rows, pagination = body["hosted_accounts"], body["pagination"]
        listed = list(rows.values()) if isinstance(rows, dict) else list(rows)
        return [row for row in listed if isinstance(row, dict)], int(pagination.get("total_pages") or 1)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise RemoteError(f"GET {PATH}: the answer is not a list of accounts") from error


def _account(row: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """Return what of a child account we use; no name and no address of a person is kept."""
    label = str(row.get("account_name") or "").partition(".")[0].lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", label):
        return None
    labels = {"partner-id": str(row["id"])} if row.get("id") else {}
    return {"name": label, "url": where.replace("{name}", label), "labels": labels}

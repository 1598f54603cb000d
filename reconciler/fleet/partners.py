"""The vendor's Partners API, as far as it lists the accounts of an agency (section 6.2 of the API page)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reconciler.model.codehost import HostAnswer, Web
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import AuthError, ConfigError, RemoteError
from reconciler.model.fleet import Partners
from reconciler.model.redaction import abridged

PATH = "/api/child-accounts/v1/"
CLIENTS = 1000
"""On one page."""
MOST_PAGES = 200
MOST_BYTES = 64 * 1024 * 1024
SECONDS = 60.0


TRIES = 4
"""Requests for a page, where the API is asked too often or is down for a moment."""
LONGEST = 60.0
"""Seconds of a pause between two of them, at most."""
BUSY = (429, 502, 503, 504)

Tell = Callable[[str], None]


def child_accounts(
    web: Web,
    source: Partners,
    environ: Mapping[str, str],
    tell: Tell = lambda why: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """Yield the accounts with `name`, `url` and `labels`; `tell` is told of those that are passed over. Raises
    ConfigError, AuthError, RemoteError, Unreachable.
    """
    variable = source.token.removeprefix("${env.").removesuffix("}")
    key = environ.get(variable, "").strip()
    if not key:
        hint = f"export {variable}=... with the key of the Partner Portal"
        raise ConfigError(
            [Diagnostic(f"the environment variable {variable} is not set", hint=hint, code="missing-env")]
        )
    seen: set[str] = set()
    names: set[str] = set()
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
        rows, pages = _page(_asked(web, source.url.rstrip("/") + PATH, key, query, sleep))
        fresh = [row for row in rows if str(row.get("id")) not in seen]
        seen.update(str(row.get("id")) for row in fresh)
        for row in fresh:
            account = _account(row, source.accounts)
            if account is None:
                tell(f"the Partners API lists {_called(row)}, which cannot name an account")
            elif account["name"] in names:
                tell(f"the Partners API lists {_called(row)}, an account that it lists before")
            else:
                names.add(account["name"])
                yield account
        if page >= pages or not fresh:
            return
    raise RemoteError(f"GET {PATH}: more than {MOST_PAGES} pages", hint="narrow it with `search`")


def _asked(web: Web, url: str, key: str, query: Mapping[str, str | int], sleep: Callable[[float], None]) -> HostAnswer:
    for tried in range(1, TRIES + 1):
        answer = web.exchange(
            "GET",
            url,
            headers={"api-key": key, "Accept": "application/json"},
            query=query,
            most=MOST_BYTES,
            seconds=SECONDS,
        )
        if answer.status not in BUSY or tried == TRIES:
            break
        sleep(min(answer.retry_after or 2.0**tried, LONGEST))
    return answer


def _called(row: Mapping[str, Any]) -> str:
    """Return what the API calls an account: its name and its id, and no name or address of a person."""
    return f"`{abridged(str(row.get('account_name') or ''), 80)}` (id {abridged(str(row.get('id')), 40)})"


def _page(answer: HostAnswer) -> tuple[list[dict[str, Any]], int]:
    if answer.status in (401, 403):
        raise AuthError(f"GET {PATH}: the Partners API refuses the key ({answer.status})", hint="check the key")
    if answer.status != 200:
        busy = answer.status in BUSY or answer.status >= 500
        hint = "it is asked too often, or is down: try again later" if busy else "check its `url`"
        raise RemoteError(f"GET {PATH}: the Partners API answered {answer.status}", hint=hint)
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

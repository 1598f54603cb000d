"""An account filled with the rows that another one answered, and what the emulator then takes for granted."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reconciler.emulator.families import PLAIN_TABLES, TYPES

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

ASSUMED = (
    (r"^POST /fieldOption/bulk", "options that exist stay when more are posted (row 45 of section 7)", "bulk_options"),
    (r"^PUT /lists/", "PUT /lists, which is not in the reference, changes the list (row 14)", "list_update"),
    (r"^(PUT|DELETE) /groupDefinitions/", "field groups can be changed and deleted as links suggest (rows 11, 12)", ""),
    (r"^(PUT|DELETE) /groupMembers/", "the id in the path is the membership's (row 10)", "member_path"),
    (r"^DELETE /dealGroups/", "stages and deals go with a pipeline (rows 7, 8)", ""),
    (r"^DELETE /dealStages/", "deals go with a stage (row 7)", ""),
    (r"^DELETE /lists/", "contacts that are only on a list go with it (row 37)", ""),
    (r"^PUT /customObjects/schemas/", "parts that a schema's update leaves out stay (row 23)", ""),
    (
        r"^(PUT|DELETE) /taskOutc",
        "task outcomes are changed at the path without the typing error (row 13)",
        "outcome_path",
    ),
    (r"^POST /(prism|siteTrackingDomains)", "domains are kept at the newer of two paths (row 28)", "site_domains"),
    (r"^PUT /", "an update changes what it is sent and nothing else; an empty text clears (rows 9 and 44)", ""),
)
"""What is uncertain about the real account, by the requests that depend on it; and the fact that settles it, if one
does: then the copy does as the account does.
"""


def restore(account: Account, tables: Mapping[str, Iterable[Mapping[str, Any]]], name: str) -> None:
    """Fill an account with rows by the name of their array; everything else in it goes. Ids stay as they are."""
    with account.rows.transaction():
        account.rows.clear()
        for table, rows in tables.items():
            if table in TYPES or table in ("schemas", "segmentsV2") or table in PLAIN_TABLES:
                key = PLAIN_TABLES.get(table, "id")
                account.rows.put_many(table, [(str(row[key]), dict(row)) for row in rows])
        for row in tables.get("audiences", ()):  # one that is listed is there, whether its conditions are known or not
            identity = str(row.get("segment_id") or row["id"])
            if account.rows.get("segmentsV2", identity) is None:
                account.rows.put("segmentsV2", identity, {"id": identity, "name": row.get("name")})
        account.keep(replace(account.settings, account=name, rate_limit=None))


def assumptions(requests: Iterable[str], known: Container[str] = ()) -> list[str]:
    """Return what is taken for granted about the account when these requests (`PUT /lists/7`) succeed here, beyond the
    facts that are `known` of it.
    """
    sent = list(requests)
    return [
        text for pattern, text, fact in ASSUMED
        if fact not in known and any(re.search(pattern, request) for request in sent)
    ]  # fmt: skip

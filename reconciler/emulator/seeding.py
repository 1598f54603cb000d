"""Filling an account: a fresh one's content, and seeds.

A seed is a map: `settings` (see `Settings`), and rows by path (`tags: [{tag: VIP, ...}]`, in the words of the API;
`schemas` for custom objects). Rows may carry, beside their own properties:

- a tag or list: `contacts: 40`, so many contacts carry it or are on it;
- a field: `options` (texts or option rows), `relids` (list ids, "0" for all; default none), `values: 12` (or a map
of value -> count);
- a deal or account field: `values: 5`; `group: "2"`, the field group that it is in;
- a pipeline: `stages`, rows of stages (without it a pipeline has none); a stage: `deals: 7`, `worth` in cents each,
`open` how many are open;
- a schema: `records: 9`.

Ids are kept where rows name them. Contacts are made up at example.com.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.answers import text
from reconciler.emulator.types import TYPES

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

EXTRAS = {"contacts", "options", "relids", "values", "stages", "deals", "worth", "open", "records"}


def fresh(account: Account) -> None:
    """What a new account holds (section 8.4)."""
    put = account.rows.put
    put(
        "users",
        "1",
        {
            **TYPES["users"].defaults,
            "username": "admin",
            "firstName": "Jane",
            "lastName": "Doe",
            "email": "jane@acme.example",
            "id": "1",
        },
    )
    for identity, title in (("1", "Visitors"), ("2", "Clients"), ("3", "Admin")):
        put("groups", identity, {**TYPES["groups"].defaults, "title": title, "id": identity})
    for number, label in ((1, "{**DEFAULT**}"), (2, "{**DEAL_DEFAULT**}"), (3, "{**ACCOUNT_DEFAULT**}")):
        put("groupDefinitions", number, {"id": number, "type_id": number, "label": label, "ordernum": number})
    builtin = {
        "fieldLabel": "Forecasted Close Date",
        "fieldType": "date",
        "knownFieldId": 13,
        "personalization": "DEAL_FORECASTED_CLOSE_DATE",
    }
    put("dealCustomFieldMeta", "1", {**TYPES["dealCustomFieldMeta"].defaults, **builtin, "id": "1"})


def seed(account: Account, data: Mapping[str, Any]) -> dict[str, int]:
    """Load a seed and return how many rows of each path it brought. Raises ValueError for what is no seed."""
    for path, rows in data.items():
        if path == "settings":
            continue
        if path not in TYPES and path != "schemas":
            raise ValueError(f"`{path}` is no path of the API that can be seeded")
        if not isinstance(rows, list):
            raise ValueError(f"`{path}` has to be a list of rows")
        for row in rows:
            _row(account, path, dict(row))
    return {path: len(rows) for path, rows in data.items() if path != "settings"}


def _row(account: Account, path: str, row: dict[str, Any]) -> str:
    extras = {name: row.pop(name) for name in list(row) if name in EXTRAS}
    if path == "schemas":
        identity = str(row.get("id") or uuid.uuid4())
        base = {
            "visibility": "private",
            "labels": {"singular": row["slug"], "plural": row["slug"]},
            "fields": [],
            "relationships": [],
        }
        account.rows.put("schemas", identity, {**base, **row, "id": identity})
        many = range(int(extras.get("records", 0)))
        account.rows.put_many(
            "records", [(i, {"id": i, "schema": identity, "fields": []}) for i in (f"{identity}-{n}" for n in many)]
        )
        return identity
    kind = TYPES[path]
    identity = str(row.get("id") or account.rows.next_id(path, reuse=False))
    group = row.pop("group", None) if path.endswith("CustomFieldMeta") else None
    stored = {kind.names.get(name, name): value if kind.native else text(value) for name, value in row.items()}
    dates = {"cdate": account.stamp(), "udate": account.stamp()} if kind.dated and "cdate" not in row else {}
    derived = _derived(account, path, stored)
    account.rows.put(
        path,
        identity,
        {
            **kind.defaults,
            **derived,
            **stored,
            **dates,
            "id": int(identity) if path.startswith("group") and kind.native else identity,
        },
    )
    if group is not None:
        _row(account, "groupMembers", {"group_id": int(group), "rel_id": int(identity), "ordernum": 1})
    _records(account, path, identity, extras)
    return identity


def _derived(account: Account, path: str, row: Mapping[str, Any]) -> dict[str, Any]:
    if path == "fields":
        tag = re.sub(r"\W", "", str(row.get("title", "")).upper().replace(" ", "_"))
        return {"perstag": tag, "ordernum": str(len(account.rows.all("fields")) + 1), "type": "text"}
    if path == "lists":
        return {"stringid": re.sub(r"[^a-z0-9]+", "-", str(row.get("name", "")).lower()).strip("-")}
    if path == "dealStages":
        return {"order": str(1 + sum(1 for _ in account.rows.where("dealStages", group=row.get("group"))))}
    return {}


def _records(account: Account, path: str, identity: str, extras: Mapping[str, Any]) -> None:
    if path in ("tags", "lists"):
        table, key = ("contactTags", "tag") if path == "tags" else ("contactLists", "list")
        for contact in _contacts(account, int(extras.get("contacts", 0))):
            one = account.rows.next_id(table, reuse=False)
            account.rows.put(table, one, {"id": one, "contact": contact, key: identity, "status": "1"})
    for order, option in enumerate(extras.get("options", ()), 1):
        given = option if isinstance(option, dict) else {"value": option, "label": option}
        _row(account, "fieldOptions", {"orderid": order, "label": given["value"], **given, "field": identity})
    for relid in extras.get("relids", ()):
        _row(account, "fieldRels", {"field": identity, "relid": relid})
    _values(account, path, identity, extras.get("values", {}))
    for stage in extras.get("stages", ()):
        _row(account, "dealStages", {**stage, "group": identity})
    stage = account.rows.get("dealStages", identity) if path == "dealStages" else None
    if stage is not None:
        count = int(extras.get("deals", 0))
        for number in range(count):
            status = "0" if number < int(extras.get("open", count)) else "1"
            _row(
                account,
                "deals",
                {
                    "stage": identity,
                    "group": stage["group"],
                    "value": extras.get("worth", 0),
                    "currency": "usd",
                    "status": status,
                    "title": f"Deal {number + 1}",
                },
            )


def _values(account: Account, path: str, identity: str, values: Any) -> None:
    for value, count in values.items() if isinstance(values, dict) else [("x", values)]:
        if path == "fields":
            for contact in _contacts(account, int(count)):
                _row(account, "fieldValues", {"contact": contact, "field": identity, "value": value})
        elif path.endswith("CustomFieldMeta"):
            for number in range(int(count)):
                holder = {"customFieldId": identity, "dealId": str(number + 1), "fieldValue": value}
                _row(account, path.replace("Meta", "Data"), holder)


def _contacts(account: Account, count: int) -> list[str]:
    """Return so many contacts, making new ones where there are not enough."""
    have = [row["id"] for row in account.rows.all("contacts")]
    for _ in range(count - len(have)):
        identity = account.rows.next_id("contacts", reuse=False)
        account.rows.put(
            "contacts", identity, {"id": identity, "email": f"contact{identity}@example.com", "cdate": account.stamp()}
        )
        have.append(identity)
    return have[:count]

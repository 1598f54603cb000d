"""Filling an account: what a fresh one holds, and seeds. The format of seeds is in docs/emulator.md."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Type
from reconciler.emulator.answers import text
from reconciler.emulator.families import FRESH, PLAIN_TABLES, TYPES
from reconciler.emulator.families.audience import slug
from reconciler.emulator.families.contact_fields import derived_perstag
from reconciler.emulator.families.custom_objects import new_fields, new_uuid
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

EXTRAS = frozenset({"contacts", "options", "relids", "values", "stages", "deals", "worth", "open", "records", "tasks"})
"""Parts of seed rows that are not properties of the API."""


def fresh(account: Account) -> None:
    """Fill an account with what a new one holds (section 8.4)."""
    seed(account, FRESH)


def seed(account: Account, data: Mapping[str, Any]) -> dict[str, int]:
    """Load a seed and return how many rows of each path it brought. Raises ValueError for what is not a seed."""
    if not isinstance(data, Mapping):
        raise ValueError("a seed is a map of paths and their rows")
    counts = {}
    for path, rows in data.items():
        if path == "settings":
            continue
        if path != "schemas" and path not in TYPES and path not in PLAIN_TABLES:
            raise ValueError(f"`{path}` is not a path of the API that can be seeded")
        if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
            raise ValueError(f"`{path}` has to be a list of rows")
        for row in rows:
            _one(account, path, dict(row))
        counts[path] = len(rows)
    return counts


RECORDS: Mapping[str, frozenset[str]] = {
    "tags": frozenset({"contacts"}),
    "lists": frozenset({"contacts"}),
    "fields": frozenset({"values"}),
    "dealCustomFieldMeta": frozenset({"values"}),
    "accountCustomFieldMeta": frozenset({"values"}),
    "dealStages": frozenset({"deals", "worth", "open"}),
    "dealTasktypes": frozenset({"tasks"}),
    "taskOutcomes": frozenset({"tasks"}),
    "schemas": frozenset({"records"}),
}
"""Customer records that objects of a path have."""


def give_records(account: Account, path: str, identity: str, records: Mapping[str, Any]) -> None:
    """Give an object customer records, in the words of seeds. Raises ValueError for what it cannot have."""
    offered = RECORDS.get(path, frozenset())
    if wrong := sorted(set(records) - offered):
        raise ValueError(f"an object of `{path}` has no {', '.join(wrong)}" + f"; {_offer(offered)}")
    if account.rows.get(path, identity) is None:
        raise ValueError(f"`{path}` has no object {identity}")
    if path == "schemas":
        _records(account, identity, int(records["records"]))
    else:
        _parts(account, path, identity, records)


def _offer(offered: frozenset[str]) -> str:
    return f"it has {', '.join(sorted(offered))}" if offered else "it has no records"


def tamper(account: Account, path: str, identity: str, values: Mapping[str, Any] | None) -> None:
    """Change properties of an object as a user of the product does; None removes it. Raises ValueError where there is
    none.
    """
    row = account.rows.get(path, identity)
    if row is None:
        raise ValueError(f"`{path}` has no object {identity}")
    if values is None:
        account.rows.remove(path, identity)
        return
    kind = TYPES.get(path)
    plain = kind is None or kind.native
    names = kind.names if kind is not None else {}
    changed = {names.get(name, name): value if plain else text(value) for name, value in values.items()}
    account.rows.put(path, identity, {**row, **changed})


def _one(account: Account, path: str, row: Row) -> None:
    if path == "schemas":
        _schema(account, row)
    elif path in PLAIN_TABLES:
        key = PLAIN_TABLES[path]
        identity = str(row.get(key) or account.rows.next_id(path, reuse=False))
        account.rows.put(path, identity, {**row, key: row.get(key, identity)})
    else:
        _row(account, TYPES[path], row)


def _row(account: Account, kind: Type, row: Row) -> None:
    extras = {name: row.pop(name) for name in list(row) if name in EXTRAS}
    group = row.pop("group", None) if kind.path.endswith("CustomFieldMeta") else None
    identity = str(row.pop("id", None) or account.rows.next_id(kind.path, reuse=False))
    stored = {kind.names.get(name, name): value if kind.native else text(value) for name, value in row.items()}
    dates = _dates(account, kind, stored)
    # A row of an account has all columns that are needed to make one, whatever the seed leaves out.
    needed: Row = dict.fromkeys((kind.names.get(name, name) for name in kind.required), "")
    whole = {**needed, **kind.defaults, **_derived(account, kind.path, stored), **stored, **dates, "id": identity}
    if kind.path in ("groupDefinitions", "groupMembers"):
        whole["id"] = int(identity)
    account.rows.put(kind.path, identity, whole)
    if group is not None:
        _row(account, TYPES["groupMembers"], {"group_id": int(group), "rel_id": int(identity), "ordernum": 1})
    _parts(account, kind.path, identity, extras)


def _dates(account: Account, kind: Type, row: Mapping[str, Any]) -> Row:
    if all(name in row for name in kind.dates):
        return {}
    now = account.now()
    return {name: time.strftime(form, now) for name, form in kind.dates.items() if name not in row}


def _derived(account: Account, path: str, row: Mapping[str, Any]) -> Row:
    """Values that the server would have computed."""
    if path == "fields":
        tag = derived_perstag(row.get("title", ""))
        return {"perstag": tag, "ordernum": str(account.rows.count("fields") + 1), "type": "text"}
    if path == "lists":
        return {"stringid": slug(row.get("name", ""))}
    if path == "dealStages":
        return {"order": str(1 + len(account.rows.where("dealStages", group=row.get("group"))))}
    if path in ("dealCustomFieldMeta", "accountCustomFieldMeta"):
        prefix = "DEAL" if path.startswith("deal") else "ACCT"
        return {"personalization": f"{prefix}_{derived_perstag(row.get('fieldLabel', ''))}"}
    return {}


def _schema(account: Account, row: Row) -> None:
    records = int(row.pop("records", 0))
    identity = str(row.pop("id", None) or new_uuid(account))
    base = {
        "visibility": "private",
        "labels": {"singular": row["slug"], "plural": row["slug"]},
        "description": "",
        "relationships": [],
    }
    fields = new_fields(account, row.pop("fields", []), {})
    account.rows.put("schemas", identity, {**base, **row, "fields": fields, "id": identity})
    _records(account, identity, records)


def _records(account: Account, identity: str, count: int) -> None:
    ids = [f"{identity}-{number}" for number in range(count)]
    account.rows.put_many("records", [(record, {"id": record, "schema": identity, "fields": []}) for record in ids])


def _parts(account: Account, path: str, identity: str, extras: Mapping[str, Any]) -> None:
    """Load what a row carries beside its own properties."""
    if path in ("tags", "lists"):
        kind, key = (TYPES["contactTags"], "tag") if path == "tags" else (TYPES["contactLists"], "list")
        for contact in _contacts(account, int(extras.get("contacts", 0))):
            _row(account, kind, {"contact": contact, key: identity})
    for order, option in enumerate(extras.get("options", ()), 1):
        given = option if isinstance(option, dict) else {"value": option, "label": option}
        own = {"orderid": order, "label": given["value"], **given, "field": identity}
        _row(account, TYPES["fieldOptions"], own)
    for relid in extras.get("relids", ()):
        _row(account, TYPES["fieldRels"], {"field": identity, "relid": relid})
    _values(account, path, identity, extras.get("values", {}))
    for stage in extras.get("stages", ()):
        _row(account, TYPES["dealStages"], {**stage, "group": identity})
    if path == "dealStages":
        _deals(account, identity, extras)
    if path in ("dealTasktypes", "taskOutcomes"):
        key = "dealTasktype" if path == "dealTasktypes" else "outcome"
        for _number in range(int(extras.get("tasks", 0))):
            _row(account, TYPES["dealTasks"], {key: identity})


def _deals(account: Account, stage: str, extras: Mapping[str, Any]) -> None:
    count = int(extras.get("deals", 0))
    pipeline = (account.rows.get("dealStages", stage) or {}).get("group")
    for number in range(count):
        own = {"stage": stage, "group": pipeline, "title": f"Deal {number + 1}", "value": extras.get("worth", 0)}
        status = "0" if number < int(extras.get("open", count)) else "1"
        _row(account, TYPES["deals"], {**own, "status": status})


def _values(account: Account, path: str, identity: str, values: Any) -> None:
    for value, count in values.items() if isinstance(values, dict) else [("x", values)]:
        if path == "fields":
            for contact in _contacts(account, int(count)):
                _row(account, TYPES["fieldValues"], {"contact": contact, "field": identity, "value": value})
        elif path.endswith("CustomFieldMeta"):
            holder = "dealId" if path.startswith("deal") else "accountId"
            for number in range(int(count)):
                own = {"customFieldId": int(identity), holder: number + 1, "fieldValue": value}
                _row(account, TYPES[path.replace("Meta", "Data")], own)


def _contacts(account: Account, count: int) -> list[str]:
    """Return the first so many contacts, making new ones where there are not enough."""
    for _ in range(count - account.rows.count("contacts")):
        identity = account.rows.next_id("contacts", reuse=False)
        _row(account, TYPES["contacts"], {"id": identity, "email": f"contact{identity}@example.com"})
    return [row["id"] for row in account.rows.all("contacts")[:count]]

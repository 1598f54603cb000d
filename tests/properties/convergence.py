"""What has to hold after a run that says it is done, and an account that holds objects of somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator import Application
from tests.properties.meaning import EMPTY, differences
from tests.properties.world import World

STRANGERS: dict[str, Any] = {
    "tags": [{"tag": "unmanaged", "contacts": 3}, {"tag": "another one", "description": "of somebody"}],
    "lists": [{"name": "Unmanaged list", "contacts": 2}],
    "fields": [{"title": "Unmanaged field", "type": "dropdown", "options": ["x", "y"], "relids": ["0"], "values": 2}],
    "dealCustomFieldMeta": [{"fieldLabel": "Unmanaged deal field", "fieldType": "text", "group": "2", "values": 1}],
    "accountCustomFieldMeta": [{"fieldLabel": "Unmanaged account field", "fieldType": "text", "group": "3"}],
    "groupDefinitions": [{"label": "Unmanaged group", "type_id": 1, "ordernum": 4}],
    "dealGroups": [
        {"title": "Unmanaged pipeline", "currency": "usd", "stages": [{"title": "Open", "deals": 2}, {"title": "Won"}]}
    ],
    "webhooks": [{"name": "Unmanaged hook", "url": "https://x.example", "events": ["open"], "sources": ["api"]}],
    "schemas": [{"slug": "unmanaged-object", "records": 2}],
}
OWN = ("fieldOptions", "fieldRels", "listGroups", "groupMembers", "dealStages", "dealGroupUsers", "dealGroupGroups")

Snapshot = dict[str, dict[str, dict[str, Any]]]


def strangers(account: Application) -> Snapshot:
    """Seed objects of somebody else, and return every row that is in the account now."""
    account.seed(STRANGERS)
    return _by_id(account.rows.dump())


def _by_id(rows: Mapping[str, list[dict[str, Any]]]) -> Snapshot:
    """Return rows by table and id; what has no id is one of a kind and goes by its place."""
    return {
        table: {str(row.get("id", place)): dict(row) for place, row in enumerate(mine)} for table, mine in rows.items()
    }


def untouched(before: Snapshot, world: World) -> list[str]:
    """Return the rows that were there before and are not byte for byte the same."""
    now = _by_id(world.rows())
    return [
        f"{table} {identity} was {'changed' if identity in now.get(table, {}) else 'removed'}: {row}"
        for table, rows in before.items()
        for identity, row in rows.items()
        if now.get(table, {}).get(identity) != row
    ]


def hidden(config: Mapping[str, Any], world: World) -> list[str]:
    """Return what no person would see and nobody asked to hide."""
    meant = {str(entry["name"]) for entry in config.get("lists", {}).values() if entry.get("user_groups") == []}
    meant |= {str(entry["title"]) for entry in config.get("fields", {}).values() if entry.get("lists") == []}
    seeded = {"Unmanaged list"}
    return [
        f"{table}: nobody sees {name!r}"
        for table, names in world.account.visibility().items()
        for name in names
        if name not in meant | seeded
    ]


def bindings(config: Mapping[str, Any], world: World) -> list[str]:
    """Return where the state says something else than the account and the configuration."""
    state = world.state()
    if state is None:
        return ["there is no state"] if any(config.values()) else []
    tables = {
        "tag": "tags", "list": "lists", "field_group": "groupDefinitions", "field": "fields", "stage": "dealStages",
        "deal_field": "dealCustomFieldMeta", "account_field": "accountCustomFieldMeta", "pipeline": "dealGroups",
        "webhook": "webhooks", "custom_object": "schemas",
    }  # fmt: skip
    rows = world.rows()
    problems = []
    for address, one in state.resources.items():
        if not any(str(row["id"]) == one.id for row in rows.get(tables[one.kind], ())):
            problems.append(f"{address} is bound to {one.id}, which does not exist")
        if one.incomplete or one.spares:
            problems.append(f"{address} is left half-made: incomplete {one.incomplete}, spares {one.spares}")
    sections = {
        "tags": "tag", "lists": "list", "field_groups": "field_group", "fields": "field", "deal_fields": "deal_field",
        "account_fields": "account_field", "pipelines": "pipeline", "webhooks": "webhook",
        "custom_objects": "custom_object",
    }  # fmt: skip
    wanted = {f"{sections[section]}.{key}" for section, entries in config.items() for key in entries}
    wanted |= {
        f"stage.{key}.{stage}"
        for key, entry in config.get("pipelines", {}).items()
        for stage in entry.get("stages") or ()
    }
    if wanted != set(state.resources):
        problems.append(f"state and declaration differ: {sorted(wanted ^ set(state.resources))}")
    journal = world.session().store.journal()
    if journal:
        problems.append(f"the journal is not folded: {journal}")
    return problems


def converged(config: Mapping[str, Any], world: World, before: Snapshot) -> list[str]:
    """Return everything that is not as it has to be after a complete run."""
    beside = {table: set(rows) for table, rows in before.items()}
    problems = differences(config, world.rows(), beside)
    problems += untouched(before, world)
    problems += hidden(config, world)
    problems += bindings(config, world)
    plan = world.plan().plan
    if not plan.empty:
        changes = [
            f"{change.action} {change.address} "
            + ", ".join(f"{item.name}: {item.before!r} -> {item.after!r}" for item in change.attributes)
            + (f" manual {dict(change.manual)}" if change.manual else "")
            for change in plan.changes
        ]
        problems.append(f"the plan afterwards is not empty: {changes}")
    return problems


__all__ = ["EMPTY", "STRANGERS", "converged", "strangers"]

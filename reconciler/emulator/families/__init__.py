"""The parts of the API, one module a family: their types as a table, and paths that no table can say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Type
from reconciler.emulator.answers import Answer, Request
from reconciler.emulator.families import (
    account_settings,
    audience,
    automation,
    connections,
    contact_fields,
    content,
    custom_objects,
    field_groups,
    people,
    personalizations,
    pipelines,
    record_fields,
    sales,
    segments,
    tracking,
    webhooks,
)

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

TYPES: Mapping[str, Type] = {
    kind.path: kind
    for family in (
        contact_fields,
        field_groups,
        record_fields,
        pipelines,
        sales,
        audience,
        webhooks,
        people,
        content,
        personalizations,
        connections,
        segments,
        account_settings,
        automation,
    )
    for kind in family.TYPES
}
"""Classic types by path."""

ROUTES: Mapping[str, Callable[[Account, Request], Answer | None]] = {
    **contact_fields.ROUTES,
    **field_groups.ROUTES,
    **pipelines.ROUTES,
    **audience.ROUTES,
    **webhooks.ROUTES,
    **people.ROUTES,
    **sales.ROUTES,
    **personalizations.ROUTES,
    **tracking.ROUTES,
    **segments.ROUTES,
    **custom_objects.ROUTES,
    **account_settings.ROUTES,
}
"""What answers before the table does, by first segment; None leaves it to the table."""

PLAIN_TABLES: Mapping[str, str] = {
    **tracking.PLAIN_TABLES,
    **segments.PLAIN_TABLES,
    **account_settings.PLAIN_TABLES,
}
"""What can be seeded beside classic types and schemas: rows as they are, and what identifies them."""

FRESH: Mapping[str, list[dict[str, Any]]] = {
    "groups": [
        {"id": "1", "title": "Visitors"},
        {"id": "2", "title": "Clients"},
        {"id": "3", "title": "Admin", **dict.fromkeys(people.FLAGS, "1")},
    ],
    "users": [
        {"id": "1", "username": "admin", "firstName": "Jane", "lastName": "Doe", "email": "jane@acme.example"},
    ],
    "userGroups": [{"id": "1", "userid": "1", "groupid": "3", "group": "3", "user": "1"}],
    "groupLimits": [{"id": group, "groupid": group, "group": group} for group in ("1", "2", "3")],
    "groupDefinitions": [
        {"id": number, "type_id": number, "label": label, "ordernum": number} for number, label in field_groups.DEFAULTS
    ],
    "dealCustomFieldMeta": [{"id": "1", **record_fields.FORECASTED_CLOSE_DATE}],
    **sales.FRESH,
    **content.FRESH,
    **tracking.FRESH,
    **account_settings.FRESH,
}
"""What a new account holds (section 8.4)."""

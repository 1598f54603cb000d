"""Connections: outside shops whose data comes in. API: /connections (section 2.27)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.coerce import truthy
from reconciler.model.http import Flow
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import AfterCreate, Api, Coded, CreateOnly, Expected, Link, RefTo, Sensitive, Spec, Takes
from reconciler.model.traits import Identity, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Impact, Write
from reconciler.resources import rules
from reconciler.resources.counts import counted


class Connection(Spec):
    """A connection to an outside service."""

    service: str = Field(description="Name of the service.")
    external_id: Annotated[str, Api("externalid")] = Field(description="Id of the account in the service.")
    name: str = Field(description="Name of the account in the service.")
    logo_url: Annotated[str | None, Api("logoUrl"), Expected(), Takes(rules.web_address), Sensitive(queries=True)] = (
        Field(None, description="Logo of the service.")
    )
    link_url: Annotated[str | None, Api("linkUrl"), Expected(), Takes(rules.web_address), Sensitive(queries=True)] = (
        Field(None, description="Page of the service where the connection is managed.")
    )
    # In the body of the create, not in that of the update.
    list: Annotated[
        Link | None, Api("listId"), RefTo("list"), CreateOnly("choose the list in the settings of the integration")
    ] = Field(None, description="List that new contacts of the service join.")
    status: Annotated[Literal["error", "connected"] | None, Coded({"error": 0, "connected": 1}), AfterCreate()] = Field(
        None, description="Whether the connection works, as the service reports it."
    )
    sync_running: Annotated[bool | None, Api("syncStatus"), AfterCreate()] = Field(
        None, description="Whether a sync runs, as the service reports it."
    )


class ConnectionKind(Kind):
    """Internal rows belong to the account's own integrations: they are never claimed."""

    name = "connection"
    section = "connections"
    spec = Connection
    title = "Connection"
    path = "/connections"
    wrapper = "connection"
    reading = Reading((Collection("/connections", "connections"),))
    identity = Identity(code_names=("service", "external_id"), unique=(("service", "external_id"),))
    texts = Texts(
        delete_warning="Customers and orders of the connection go with it, presumably; there is no undo.",
        one="shop connection",
        gone="Its customers and orders most likely go with it.",
        place=210,
    )

    def claims(self, row: Row, tables: Tables) -> bool:
        """`isInternal` marks native integrations."""
        return not truthy(row.get("isInternal"))

    def declare(self, attrs: Mapping[str, Value]) -> dict[str, Value]:
        """Without what the service reports about itself."""
        return {name: value for name, value in super().declare(attrs).items() if name not in ("status", "sync_running")}

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(service, id in the service)."""
        key = ("service+externalid", attrs.get("service"), attrs.get("external_id"))
        return (key,) if attrs.get("external_id") else ()

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Customers of the connection (documented filter)."""
        if not write.destroying:
            return []
        return (yield from counted("/ecomCustomers", "customers", {"filters[connectionid]": write.id}))


KIND = ConnectionKind()

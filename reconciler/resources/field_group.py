"""Field groups: how custom fields are arranged on record pages. API: /groupDefinitions (section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.kind import Kind, NaturalKey, Row, Tables
from reconciler.model.spec import Api, Coded, Immutable, Spec
from reconciler.model.values import Value
from reconciler.resources import membership

TYPES = {"contact": membership.CONTACT, "deal": membership.DEAL, "account": membership.ACCOUNT}


class FieldGroup(Spec):
    """A headed group of custom fields."""

    label: str = Field(description="Heading of the group.")
    object: Annotated[Literal["contact", "deal", "account"], Api("groupType"), Coded(TYPES), Immutable()] = Field(
        description="Whose fields it holds."
    )
    order: Annotated[int | None, Api("ordernum")] = Field(None, description="Place among the groups.")


class FieldGroupKind(Kind):
    """Only the create is documented; update and delete are implied by links (row 12 of section 7) and read back."""

    name = "field_group"
    section = "field_groups"
    spec = FieldGroup
    title = "Field group"
    path = "/groupDefinitions"
    writes = membership.WRITES
    filled = frozenset({"order"})
    wrapper = "groupDefinition"
    collections = (membership.GROUPS,)
    label = "label"
    created = ""
    observed = ("update", "delete")
    destroys = "Its fields leave the group; they keep their values."

    def claims(self, row: Row, tables: Tables) -> bool:
        """The default groups carry magic labels and belong to the account."""
        return not str(row.get("label", "")).startswith("{**")

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """`groupType` is read as `type_id`."""
        return super().decode({**row, "groupType": membership.type_of(row)}, tables)

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(object, label)."""
        return (("object+label", attrs.get("object"), attrs.get("label")),) if attrs.get("label") else ()


KIND = FieldGroupKind()

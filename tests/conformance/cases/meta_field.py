"""Deal and account fields (sections 2.5, 2.6)."""

from typing import Any

from tests.conformance.case import Case, flag, plain
from tests.conformance.cases.field import grouped, groups


def cases(kind: str, table: str, holder: str, number: int) -> tuple[Case, ...]:
    """Return the cases of a kind; each type of field has attributes of its own."""
    section = f"{kind}s"
    shared: dict[str, Any] = {
        "beside": {"field_groups": groups(holder), section: {"other": {"label": "Other", "type": "text"}}}
    }
    return (
        Case(
            f"{kind}.source",
            table,
            (
                plain("label", "Source", "Lead source", "fieldLabel"),
                plain("type", "dropdown", "radio", "fieldType", how="replace"),
                plain("options", ["Web", "Fair"], ["Fair", "Web", "Phone"], "fieldOptions",
                      drift=lambda world, row: row.update(fieldOptions=["Web"])),
                plain("default", "Web", "Fair", "fieldDefault", clear=None),
                flag("form_visible", "isFormVisible"),
                flag("required", "isRequired"),
                plain("order", 3, 1, "displayOrder"),
                grouped(holder, number, clear=None),
            ),
            (section, "source"),
            always=("label", "type", "options"),
            hidden_by=("group",),
            **shared,
        ),
        Case(
            f"{kind}.fee",
            table,
            (
                plain("label", "Fee", "Monthly fee", "fieldLabel"),
                plain("type", "currency", "number", "fieldType", how="replace"),
                plain("default", "1000", "2000", "fieldDefault", clear=None),
                plain("default_currency", "EUR", "usd", "fieldDefaultCurrency", seen=("eur", "usd"), how="manual"),
            ),
            (section, "fee"),
            always=("label", "type"),
            **shared,
        ),
        Case(
            f"{kind}.topics",
            table,
            (
                plain("label", "Topics", "Interests", "fieldLabel"),
                plain("type", "multiselect", "checkbox", "fieldType", how="replace"),
                plain("options", ["A", "B", "C"], ["A", "B"], "fieldOptions",
                      drift=lambda world, row: row.update(fieldOptions=["C", "B", "A"])),
                plain("default", ["A", "B"], ["B"], "fieldDefault"),
            ),
            (section, "topics"),
            always=("label", "type", "options"),
            **shared,
        ),
    )  # fmt: skip


CASES = (
    *cases("deal_field", "dealCustomFieldMeta", "deal", 2),
    *cases("account_field", "accountCustomFieldMeta", "account", 3),
)

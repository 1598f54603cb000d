"""Field groups (section 2.4)."""

from tests.conformance.case import Case, plain

CASES = (
    Case(
        "field_group.billing",
        "groupDefinitions",
        (
            plain("label", "Billing", "Payment"),
            plain("object", "deal", "account", "type_id", seen=("2", "3"), how="replace"),
            plain("order", 7, 9, "ordernum"),
        ),
        ("field_groups", "billing"),
        always=("label", "object"),
        beside={"field_groups": {"other": {"label": "Other", "object": "contact"}}},
    ),
)

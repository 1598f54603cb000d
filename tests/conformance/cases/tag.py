"""Tags (section 2.12)."""

from tests.conformance.case import Case, plain

CASES = (
    Case(
        "tag.vip",
        "tags",
        (
            plain("name", "VIP", "Very important", "tag"),
            plain("type", "contact", "template", "tagType"),
            plain("description", "Spends much", "Spends more", clear=None),
        ),
        ("tags", "vip"),
        always=("name",),
        beside={"tags": {"other": {}}},
    ),
)

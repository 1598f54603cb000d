"""Objects of which the account holds more than a declaration can say, and which are told by name instead of being made
poorer. Documented and undocumented shapes: accounts hold what programs and older versions of the product left there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEST = {"name": "email", "operator": "contains", "value": "acme", "data_type": "string"}
CONDITION = {"id": "1", "object_type": "contact", "source_system": "activecampaign", "fields": [TEST]}
GROUP = {"id": "1", "operator": "and", "values": [{"id": "1", "type": "condition"}]}


def segment(**changes: Any) -> dict[str, Any]:
    """Return a segment of one condition, with these properties instead of its own."""
    plain = {
        "id": "aaaa",
        "segment_id": "aaaa",
        "name": "Loyal",
        "description": "Those that stay",
        "category": "AUDIENCE",
        "segment_condition_group_operator": "and",
        "segment_condition_groups": [GROUP],
        "segment_conditions": [CONDITION],
        "created_date": "2024-01-30T14:56:02.952Z",
    }
    return {**plain, **changes}


def _group(*values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**GROUP, "values": list(values) or GROUP["values"], **more}


def _condition(**more: Any) -> dict[str, Any]:
    return {**CONDITION, **more}


LOSSLESS: Mapping[str, dict[str, Any]] = {
    "plain": segment(),
    "meta": segment(meta={"owner": "marketing"}),
    "aggregate without operator": segment(
        segment_conditions=[_condition(field_aggregate={"aggregate_field_operator": "", "aggregate_field_value": "2"})]
    ),
    "aggregate": segment(
        segment_conditions=[
            _condition(
                field_aggregate={
                    "aggregate_field_operator": ">=",
                    "aggregate_field_value": "2",
                    "aggregate_field_time_within_value": 90,
                }
            )
        ]
    ),
    "aggregate that says nothing": segment(segment_conditions=[_condition(field_aggregate={})]),
    "empty operator": segment(segment_conditions=[_condition(fields=[{**TEST, "operator": "", "data_type": ""}])]),
    "value of zero": segment(segment_conditions=[_condition(fields=[{**TEST, "value": "0", "data_type": "number"}])]),
    "text of a flag": segment(segment_conditions=[_condition(fields=[{**TEST, "value": "true"}])]),
    "not external": segment(segment_conditions=[_condition(fields=[{**TEST, "external": False}])]),
    "category of a summary": segment(category="audience"),
    "external": segment(segment_conditions=[_condition(fields=[{**TEST, "external": True}])]),
    "other numbers": segment(
        segment_conditions=[_condition(id="7"), _condition(id="3")],
        segment_condition_groups=[_group({"id": "3", "type": "condition"}, {"id": "7", "type": "condition"}, id="5")],
    ),
    "a tag that is gone": segment(
        segment_conditions=[_condition(object_type="tag", fields=[{**TEST, "name": "tagid", "value": "7777"}])]
    ),
    "an id that is a number": segment(
        segment_conditions=[_condition(object_type="tag", fields=[{**TEST, "name": "tagid", "value": 7777}])]
    ),
    "unknown property": segment(folder="Old ones"),
    "another category": segment(category="CAMPAIGN"),
}  # fmt: skip
"""Segments that are declared, with what the account keeps of them where no declaration can say it."""
LOSSY: Mapping[str, dict[str, Any]] = {
    "type of a member": segment(segment_condition_groups=[_group({"id": "1", "type": "group"})]),
    "member that is none": segment(
        segment_condition_groups=[_group({"id": "1", "type": "condition"}, {"id": "9", "type": "condition"})]
    ),
    "condition in no group": segment(segment_conditions=[CONDITION, _condition(id="2")]),
    "unknown key of a test": segment(segment_conditions=[_condition(fields=[{**TEST, "negate": True}])]),
    "unknown key of a condition": segment(segment_conditions=[_condition(window="7d")]),
    "unknown key of a group": segment(segment_condition_groups=[_group(limit=3)]),
    "unknown key of a member": segment(
        segment_condition_groups=[_group({"id": "1", "type": "condition", "not": True})]
    ),
    "operator of a group": segment(segment_condition_groups=[_group(operator="xor")]),
    "operator of the groups": segment(segment_condition_group_operator="xor"),
    "value that is a list": segment(segment_conditions=[_condition(fields=[{**TEST, "value": ["a", "b"]}])]),
    **{
        f"value {value!r} of {name}": segment(
            segment_conditions=[_condition(fields=[{**TEST, "name": name, "value": value}])]
        )
        for name, value in (("email", True), ("email", 0), ("tagid", 1.5))
    },
    "flag that is a text": segment(segment_conditions=[_condition(fields=[{**TEST, "external": "1"}])]),
    "source that is empty": segment(segment_conditions=[_condition(source_system="")]),
    "object that is empty": segment(segment_conditions=[_condition(object_type="")]),
    "condition without fields": segment(segment_conditions=[_condition(fields=[])]),
    "test without name": segment(segment_conditions=[_condition(fields=[{**TEST, "name": None}])]),
}
"""Segments whose logic no declaration says in full."""
NESTED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "custom object field": (
        "custom_object",
        {"schemas": [{"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"},
                      "fields": [{"id": "f", "type": "text", "labels": {"singular": "F", "plural": "Fs"},
                                  "placeholder": "x"}]}]},
        "placeholder",
    ),
    "custom object": (
        "custom_object",
        {"schemas": [{"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": [], "retention": 30}]},
        "retention",
    ),
    "default that is a map": (
        "deal_field",
        {"dealCustomFieldMeta": [{"fieldLabel": "Size", "fieldType": "text", "group": "2",
                                  "fieldDefault": {"value": "S"}}]},
        "default",
    ),
    **{
        f"options of a {kind} that are maps": (
            kind,
            {path: [{"fieldLabel": "Size", "fieldType": "dropdown", "group": group,
                     "fieldOptions": [{"id": "1", "value": "S"}, {"id": "2", "value": "L"}]},
                    {"fieldLabel": "Colour", "fieldType": "text", "group": group}]},
            "`options`",
        )
        for kind, path, group in (("deal_field", "dealCustomFieldMeta", "2"),
                                  ("account_field", "accountCustomFieldMeta", "3"))
    },
    "flag that is none": (
        "field", {"fields": [{"title": "F", "type": "text", "isrequired": "2", "relids": ["0"]}]}, "`required`",
    ),
    "a list beside all lists": (
        "field", {"fields": [{"title": "F", "type": "text", "relids": ["0", "8888"]}]}, "`lists`",
    ),
}  # fmt: skip
"""Other kinds with parts of another form: kind, seed, and what has to be named."""

"""Bodies of segments: the API keeps numbered conditions in one list and groups that name their numbers; the YAML keeps
conditions inside groups. No kind lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import Unclear
from reconciler.model.http import Json, Response
from reconciler.model.kind import Row, Write
from reconciler.model.values import RemoteId, Value, transform

MATCH = {"all": "and", "any": "or"}
HOLDERS = {"tagid": "tag", "listid": "list", "formid": "form", "seriesid": "automation", "campaignid": "campaign"}
"""Condition fields whose values are ids. `tagid` is documented [SEG]; the others are named so as filters of /contacts
(appendix E) and inferred here. They only make exports readable: what is compared and sent are ids in any case.
"""


def normal_groups(groups: Any) -> list[dict[str, Any]]:
    """Return groups as they are compared: everything spelled out, objects by their ids."""
    plain = transform(list(groups or ()), lambda leaf: leaf.id if isinstance(leaf, RemoteId) else leaf)
    return [
        {"match": group.get("match", "all"), "conditions": [_spelled_out(one) for one in group.get("conditions", ())]}
        for group in plain
    ]


def _spelled_out(condition: Mapping[str, Any]) -> dict[str, Any]:
    tests = [
        {
            "name": test["name"],
            "operator": test.get("operator", "="),
            "value": _joined(test.get("value", "")),
            "type": test.get("type", "string"),
            "external": bool(test.get("external")),
        }
        for test in condition.get("fields", ())
    ]
    whole = {"object": condition["object"], "source": condition.get("source", "activecampaign"), "fields": tests}
    return {**whole, "aggregate": condition["aggregate"]} if condition.get("aggregate") else whole


def _joined(value: Value) -> Value:
    """A list of values is one text with commas (inferred: the API's only type of value is text)."""
    return ",".join(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value


def groups_of(row: Row) -> list[dict[str, Value]]:
    """Return the groups of a live segment in the words of the YAML, with their conditions inside."""
    conditions = {str(one.get("id")): _condition(one) for one in row.get("segment_conditions") or ()}
    return [
        {
            "match": matched(group.get("operator")),
            "conditions": [
                conditions[str(member.get("id"))]
                for member in group.get("values") or ()
                if str(member.get("id")) in conditions
            ],
        }
        for group in row.get("segment_condition_groups") or ()
    ]


def matched(operator: Any) -> str:
    """Return the word of the YAML for `and` or `or`."""
    return next((mine for mine, theirs in MATCH.items() if theirs == str(operator).lower()), "all")


def _condition(condition: Mapping[str, Any]) -> dict[str, Value]:
    """Return a condition in the words of the YAML; what is at its default is left out."""
    found: dict[str, Value] = {"object": condition.get("object_type") or ""}
    if condition.get("source_system", "activecampaign") != "activecampaign":
        found["source"] = condition["source_system"]
    found["fields"] = [_test(test) for test in condition.get("fields") or ()]
    aggregate = condition.get("field_aggregate") or {}
    if aggregate.get("aggregate_field_operator"):
        found["aggregate"] = dict(aggregate)
    return found


def _test(test: Mapping[str, Any]) -> dict[str, Value]:
    name, raw = str(test.get("name")), str(test.get("value") or "")
    kind = HOLDERS.get(name)
    found: dict[str, Value] = {"name": name}
    if test.get("operator", "=") != "=":
        found["operator"] = test["operator"]
    if kind and raw:
        values: list[Value] = [RemoteId(kind, one) if one.isdigit() else one for one in raw.split(",")]
        found["value"] = values[0] if len(values) == 1 else values
    elif raw:
        found["value"] = raw
    if test.get("data_type", "string") != "string":
        found["type"] = test["data_type"]
    return {**found, "external": True} if test.get("external") else found


def document(write: Write, attrs: Mapping[str, Value]) -> Json:
    """Return the body of a create or update [SEG]: the whole segment, with ids for references."""

    def leaf(value: Value) -> Value:
        return value if value is None or isinstance(value, str | int | float) else write.ids(value)

    groups = normal_groups(transform(write.reveal(list(attrs.get("groups") or ())), leaf))
    conditions: list[dict[str, Any]] = []
    grouped: list[dict[str, Any]] = []
    for place, group in enumerate(groups, 1):
        members = []
        for condition in group["conditions"]:
            number = str(len(conditions) + 1)
            conditions.append({"id": number, **_written(condition)})
            members.append({"id": number, "type": "condition"})
        grouped.append({"id": str(place), "operator": MATCH[group["match"]], "values": members})
    attributes = {
        "name": attrs.get("name"),
        "description": attrs.get("description") or "",
        "segment_condition_group_operator": MATCH[attrs.get("match") or "all"],
        "segment_condition_groups": grouped,
        "segment_conditions": conditions,
    }
    return {"data": [{"attributes": attributes}]}


def _written(condition: Mapping[str, Any]) -> dict[str, Any]:
    fields = []
    for test in condition["fields"]:
        field = {"name": test["name"], "operator": test["operator"], "value": test["value"], "data_type": test["type"]}
        fields.append({**field, "external": True} if test["external"] else field)
    found = {"object_type": condition["object"], "source_system": condition["source"], "fields": fields}
    return {**found, "field_aggregate": condition["aggregate"]} if condition.get("aggregate") else found


def created_id(answer: Response) -> str:
    """Return the id of a created segment. Raises Unclear where the answer names none."""
    rows = answer.body.get("data") if isinstance(answer.body, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else rows
    row = row if isinstance(row, dict) else {}
    identity = row.get("id") or (row.get("attributes") or {}).get("segment_id")
    if not identity:
        raise Unclear(f"the account's answer to the create ({answer.status}) names no id of the segment")
    return str(identity)

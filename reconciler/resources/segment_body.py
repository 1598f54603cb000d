"""Bodies of segments: the API keeps numbered conditions in one list and groups that name their numbers; the YAML keeps
conditions inside groups. No kind lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import Unclear
from reconciler.model.http import Json, Response
from reconciler.model.kind import Row, Write
from reconciler.model.spec import listed
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
    return {**whole, "aggregate": condition["aggregate"]} if _counts(condition.get("aggregate")) else whole


def _joined(value: Value) -> Value:
    """A list of values is one text with commas (inferred: the API's only type of value is text)."""
    return ",".join(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else value


def groups_of(row: Row) -> list[dict[str, Value]]:
    """Return the groups of a live segment in the words of the YAML, with their conditions inside."""
    conditions = {str(one.get("id")): _condition(one) for one in _maps(row.get("segment_conditions"))}
    return [
        {
            "match": matched(group.get("operator")),
            "conditions": [
                conditions[str(member.get("id"))]
                for member in _maps(group.get("values"))
                if str(member.get("id")) in conditions and member.get("type", "condition") == "condition"
            ],
        }
        for group in _maps(row.get("segment_condition_groups"))
    ]


def matched(operator: Any) -> str:
    """Return the word of the YAML for `and` or `or`."""
    return next((mine for mine, theirs in MATCH.items() if theirs == str(operator).lower()), "all")


def _condition(condition: Mapping[str, Any]) -> dict[str, Value]:
    """Return a condition in the words of the YAML; what is at its default is left out."""
    found: dict[str, Value] = {"object": condition.get("object_type") or ""}
    if condition.get("source_system", "activecampaign") != "activecampaign":
        found["source"] = condition["source_system"]
    found["fields"] = [_test(test) for test in _maps(condition.get("fields"))]
    aggregate = condition.get("field_aggregate")
    if isinstance(aggregate, Mapping) and _counts(aggregate):
        found["aggregate"] = dict(aggregate)
    return found


def _counts(aggregate: Mapping[str, Any] | None) -> bool:
    """Tell whether an aggregate says anything: an account may answer one without an operator for none [SEG]."""
    return any(value not in (None, "") for value in (aggregate or {}).values())


def _test(test: Mapping[str, Any]) -> dict[str, Value]:
    name, value = str(test.get("name")), test.get("value")
    raw = "" if value is None else str(int(value) if isinstance(value, bool) else value)
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


COMPUTED = frozenset(
    {
        "id", "segment_id", "segment_hash", "hash", "hash_simple", "user_id", "category", "created_date",
        "updated_date", "last_used_date", "counts",
    }
)  # fmt: skip
"""What the server says of a segment or condition, and nobody writes [SEG]."""
WRITTEN = {
    "name": ("name",),
    "description": ("description",),
    "match": ("segment_condition_group_operator",),
    "groups": ("segment_condition_groups", "segment_conditions"),
    "meta": ("meta",),
}
"""The properties that each attribute is written as."""


def document(write: Write, attrs: Mapping[str, Value]) -> Json:
    """Return the body of a create [SEG]: the whole segment, with ids for references."""

    def leaf(value: Value) -> Value:
        return value if value is None or isinstance(value, str | int | float) else write.ids(value)

    groups = normal_groups(transform(write.reveal(list(attrs.get("groups") or ())), leaf))
    return {"data": [{"attributes": {**encoded(attrs, groups), **_meta(write.reveal(attrs.get("meta")))}}]}


def changed_document(write: Write) -> Json:
    """Return the body of an update: a PUT saves all of it anew, so what does not change goes as the account holds it,
    word for word, whatever it means.
    """
    row = write.live.row if write.live is not None else {}
    live = write.live.attrs if write.live is not None else {}
    wanted = document(write, {**live, **write.desired})["data"][0]["attributes"]
    held = {name: value for name, value in row.items() if name not in COMPUTED}
    if "segment_conditions" in held:
        held["segment_conditions"] = [
            {name: value for name, value in one.items() if name not in ("hash", "hash_simple")}
            if isinstance(one, Mapping)
            else one
            for one in held["segment_conditions"] or ()
        ]
    fresh = {name for attribute in write.changed for name in WRITTEN.get(attribute, ())}
    attributes = {**wanted, **held, **{name: value for name, value in wanted.items() if name in fresh}}
    attributes["name"] = live.get("name")
    return {"data": [{"attributes": attributes}]}


def _meta(meta: Any) -> dict[str, Any]:
    return {"meta": meta} if meta else {}


def encoded(attrs: Mapping[str, Value], groups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the attributes of a segment as they are written, its groups in the form in which they are compared."""
    conditions: list[dict[str, Any]] = []
    grouped: list[dict[str, Any]] = []
    for place, group in enumerate(groups, 1):
        members = []
        for condition in group["conditions"]:
            number = str(len(conditions) + 1)
            conditions.append({"id": number, **_written(condition)})
            members.append({"id": number, "type": "condition"})
        grouped.append({"id": str(place), "operator": MATCH[group["match"]], "values": members})
    return {
        "name": attrs.get("name"),
        "description": attrs.get("description") or "",
        "segment_condition_group_operator": MATCH[attrs.get("match") or "all"],
        "segment_condition_groups": grouped,
        "segment_conditions": conditions,
    }


def logic(row: Row) -> dict[str, Any]:
    """Return the conditions of a segment as they are nested, whatever numbers name them: for comparing two."""
    rows = _maps(row.get("segment_conditions"))
    conditions = {str(one.get("id")): one for one in rows}
    used: list[str] = []

    def member(one: Mapping[str, Any]) -> dict[str, Any]:
        identity = str(one.get("id"))
        used.append(identity)
        known = one.get("type", "condition") == "condition" and identity in conditions
        inside = {"condition": _bare(conditions[identity])} if known else {"id": identity}
        return {**{name: value for name, value in one.items() if name != "id"}, **inside}

    groups = [
        {
            **{name: value for name, value in group.items() if name not in ("id", "values")},
            "operator": str(group.get("operator")).lower(),
            "values": [member(one) for one in _maps(group.get("values"))],
        }
        for group in _maps(row.get("segment_condition_groups"))
    ]
    loose = [_bare(one) for one in rows if str(one.get("id")) not in used]
    return {"groups": groups, "conditions in no group": loose, "conditions": len(rows)}


def _maps(rows: Any) -> list[Mapping[str, Any]]:
    return [one if isinstance(one, Mapping) else {"": one} for one in listed(rows) or ()]


def _bare(condition: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in condition.items() if name not in ("id", "hash", "hash_simple")}
    if isinstance(found.get("field_aggregate"), Mapping) and not _counts(found["field_aggregate"]):
        del found["field_aggregate"]
    return found


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

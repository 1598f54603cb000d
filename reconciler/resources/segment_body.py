"""Bodies of segments: the API keeps numbered conditions in one list and groups that name their numbers; the YAML keeps
conditions inside groups. No kind lives here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

from reconciler.model.coerce import listed
from reconciler.model.conditions import HOLDERS
from reconciler.model.errors import AmbiguousResponse
from reconciler.model.http import Response
from reconciler.model.live import Row
from reconciler.model.usage import leaves
from reconciler.model.values import Json, RemoteId, Value, items_of, link_of, map_of, maps_of, sendable, transform
from reconciler.model.write import Write

MATCH = {"all": "and", "any": "or"}


class ConditionGroup(TypedDict):
    """A group as it is compared: everything spelled out."""

    match: str
    conditions: list[dict[str, Json]]


def normal_groups(groups: Value) -> list[ConditionGroup]:
    """Return groups as they are compared: everything spelled out, objects by their ids."""
    plain = transform(list(items_of(groups)), lambda leaf: leaf.id if isinstance(leaf, RemoteId) else leaf)
    return [
        {
            "match": str(group.get("match", "all")),
            "conditions": [_spelled_out(condition) for condition in maps_of(group.get("conditions"))],
        }
        for group in maps_of(sendable(plain))
    ]


def _spelled_out(condition: Mapping[str, Json]) -> dict[str, Json]:
    tests = [
        {
            "name": test["name"],
            "operator": test.get("operator", "="),
            "value": _joined(test.get("value", "")),
            "type": test.get("type", "string"),
            "external": bool(test.get("external")),
        }
        for test in maps_of(condition.get("fields"))
    ]
    whole: dict[str, Json] = {
        "object": condition["object"],
        "source": condition.get("source", "activecampaign"),
        "fields": tests,
    }
    return {**whole, "aggregate": condition["aggregate"]} if _counts(map_of(condition.get("aggregate"))) else whole


def _joined(value: Json) -> Json:
    """A list of values is one text with commas (inferred: the API's only type of value is text)."""
    texts = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    return ",".join(texts) if isinstance(value, list) and len(texts) == len(value) else value


def groups_of(row: Row) -> list[dict[str, Value]]:
    """Return the groups of a live segment in the words of the YAML, with their conditions inside."""
    conditions = {
        str(row_of_condition.get("id")): _condition(row_of_condition)
        for row_of_condition in _maps(row.get("segment_conditions"))
    }
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


def matched(operator: Json) -> str:
    """Return the word of the YAML for `and` or `or`."""
    return next((mine for mine, theirs in MATCH.items() if theirs == str(operator).lower()), "all")


def _condition(condition: Mapping[str, Json]) -> dict[str, Value]:
    """Return a condition in the words of the YAML; what is at its default is left out."""
    attributes: dict[str, Value] = {"object": condition.get("object_type") or ""}
    if condition.get("source_system", "activecampaign") != "activecampaign":
        attributes["source"] = condition["source_system"]
    attributes["fields"] = [_test(test) for test in _maps(condition.get("fields"))]
    aggregate = condition.get("field_aggregate")
    if isinstance(aggregate, Mapping) and _counts(aggregate):
        attributes["aggregate"] = dict(aggregate)
    return attributes


def _counts(aggregate: Mapping[str, Json]) -> bool:
    """Return whether an aggregate says anything: an account may answer one without an operator for none [SEG]."""
    return any(value not in (None, "") for value in aggregate.values())


def _test(test: Mapping[str, Json]) -> dict[str, Value]:
    name, value = str(test.get("name")), test.get("value")
    raw = "" if value is None else str(int(value) if isinstance(value, bool) else value)
    kind = HOLDERS.get(name)
    attributes: dict[str, Value] = {"name": name}
    if test.get("operator", "=") != "=":
        attributes["operator"] = test["operator"]
    if kind and raw:
        values: list[Value] = [RemoteId(kind, part) if part.isdigit() else part for part in raw.split(",")]
        attributes["value"] = values[0] if len(values) == 1 else values
    elif raw:
        attributes["value"] = raw
    if test.get("data_type", "string") != "string":
        attributes["type"] = test["data_type"]
    return {**attributes, "external": True} if test.get("external") else attributes


COMPUTED = frozenset(
    {
        "id", "segment_id", "segment_hash", "hash", "hash_simple", "user_id", "category", "created_date",
        "updated_date", "last_used_date", "counts",
    }
)  # fmt: skip
"""What the server says of a segment or condition, and is not written [SEG]."""
AUDIENCE = "audience"
"""The one category that the server gives what is created [SEG: `AUDIENCE`, read only; a summary says `audience`]."""
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
    return {"data": [{"attributes": _attributes(write, attrs)}]}


def _attributes(write: Write, attrs: Mapping[str, Value]) -> dict[str, Json]:
    def leaf(value: Value) -> Value:
        return value if value is None or isinstance(value, str | int | float) else write.ids(link_of(value))

    groups = normal_groups(transform(write.reveal(list(items_of(attrs.get("groups")))), leaf))
    meta = sendable(write.reveal(attrs.get("meta")))
    return {**encoded(attrs, groups), **({"meta": meta} if meta else {})}


def changed_document(write: Write) -> Json:
    """Return the body of an update: a PUT saves all of it again, so what does not change goes as the account holds it,
    word for word, whatever it means.
    """
    row = write.live.row if write.live is not None else {}
    live = write.live.attrs if write.live is not None else {}
    wanted = _attributes(write, {**live, **write.desired})
    stored = {name: value for name, value in row.items() if name not in COMPUTED}
    if "segment_conditions" in stored:
        stored["segment_conditions"] = [
            {name: value for name, value in condition.items() if name not in ("hash", "hash_simple")}
            if isinstance(condition, Mapping)
            else condition
            for condition in items_of(stored["segment_conditions"])
        ]
    fresh = {name for attribute in write.changed for name in WRITTEN.get(attribute, ())}
    attributes = {**wanted, **stored, **{name: value for name, value in wanted.items() if name in fresh}}
    attributes["name"] = sendable(live.get("name"))
    return {"data": [{"attributes": attributes}]}


def encoded(attrs: Mapping[str, Value], groups: Sequence[ConditionGroup]) -> dict[str, Json]:
    """Return the attributes of a segment as they are written, its groups in the form in which they are compared."""
    conditions: list[Json] = []
    grouped: list[Json] = []
    for place, group in enumerate(groups, 1):
        members: list[Json] = []
        for condition in group["conditions"]:
            number = str(len(conditions) + 1)
            conditions.append({"id": number, **_written(condition)})
            members.append({"id": number, "type": "condition"})
        grouped.append({"id": str(place), "operator": MATCH[group["match"]], "values": members})
    return {
        "name": sendable(attrs.get("name")),
        "description": sendable(attrs.get("description")) or "",
        "segment_condition_group_operator": MATCH[str(attrs.get("match") or "all")],
        "segment_condition_groups": grouped,
        "segment_conditions": conditions,
    }


def beyond(row: Row) -> dict[str, Json]:
    """Return what the account holds of a segment that no attribute is written as, and the server does not give to one
    that is created with the same attributes.
    """
    known = {name for names in WRITTEN.values() for name in names} | COMPUTED
    more = {name: value for name, value in row.items() if name not in known}
    category = row.get("category")
    return more if category is None or str(category).lower() == AUDIENCE else {**more, "category": category}


def logic(row: Row) -> Json:
    """Return the conditions of a segment as they are nested, whatever numbers name them: for comparing two. A number
    or a flag is none of the texts that read alike: the API says of what type each value is [SEG].
    """
    rows = _maps(row.get("segment_conditions"))
    conditions = {str(condition.get("id")): condition for condition in rows}
    used: list[str] = []

    def member(value: Mapping[str, Json]) -> dict[str, Json]:
        identity = str(value.get("id"))
        used.append(identity)
        known = value.get("type", "condition") == "condition" and identity in conditions
        inside: dict[str, Json] = {"condition": _bare(conditions[identity])} if known else {"id": identity}
        return {**{name: value for name, value in value.items() if name != "id"}, **inside}

    groups = [
        {
            **{name: value for name, value in group.items() if name not in ("id", "values")},
            "operator": str(group.get("operator")).lower(),
            "values": [member(value) for value in _maps(group.get("values"))],
        }
        for group in _maps(row.get("segment_condition_groups"))
    ]
    loose = [_bare(condition) for condition in rows if str(condition.get("id")) not in used]
    nested = {"groups": groups, "conditions in no group": loose}
    return {**map_of(sendable(transform(nested, _typed))), "conditions": len(rows)}


def _typed(leaf: Value) -> Value:
    return f"{type(leaf).__name__} {leaf}" if isinstance(leaf, bool | int | float) else leaf


def _maps(rows: Json) -> list[Mapping[str, Json]]:
    return [row if isinstance(row, Mapping) else {"": row} for row in listed(rows) or ()]


def _bare(condition: Mapping[str, Json]) -> dict[str, Json]:
    bare = {name: value for name, value in condition.items() if name not in ("id", "hash", "hash_simple")}
    if isinstance(aggregate := bare.get("field_aggregate"), Mapping) and not _counts(aggregate):
        del bare["field_aggregate"]
    if "fields" in bare:
        bare["fields"] = [_meant(test) for test in _maps(bare["fields"])]
    return bare


def _meant(test: Mapping[str, Json]) -> dict[str, Json]:
    """Return a test without a flag that is off; ids arrive as texts or as numbers (section 1.4)."""
    meant = {name: value for name, value in test.items() if name != "external" or value is not False}
    if test.get("name") in HOLDERS and type(meant.get("value")) is int:
        meant["value"] = str(meant["value"])
    return meant


def _written(condition: Mapping[str, Json]) -> dict[str, Json]:
    fields: list[Json] = []
    for test in maps_of(condition["fields"]):
        field = {"name": test["name"], "operator": test["operator"], "value": test["value"], "data_type": test["type"]}
        fields.append({**field, "external": True} if test["external"] else field)
    written: dict[str, Json] = {
        "object_type": condition["object"],
        "source_system": condition["source"],
        "fields": fields,
    }
    return {**written, "field_aggregate": condition["aggregate"]} if condition.get("aggregate") else written


def created_id(answer: Response) -> str:
    """Return the id of a created segment. Raises AmbiguousResponse where the answer names none."""
    rows = answer.body.get("data") if isinstance(answer.body, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else rows
    row = row if isinstance(row, dict) else {}
    identity = row.get("id") or map_of(row.get("attributes")).get("segment_id")
    if not identity:
        raise AmbiguousResponse(f"the account's answer to the create ({answer.status}) names no id of the segment")
    return str(identity)


_WRITTEN = {name for names in WRITTEN.values() for name in names}
_CONDITION = {"id", "object_type", "source_system", "fields", "field_aggregate", "hash", "hash_simple"}
_TEST = {"name", "operator", "value", "data_type", "external"}
_LATEST = "aggregate_most_recent_field"
"""What an aggregate calls the test of the most recent object [SEG]."""


def searchable(row: Row) -> Row:
    """Return a segment (its summary, its own page under `_whole`) as what it names: of each test the field, and the ids
    that its value may hold. `documented` where all of it has a form that is known; else `more` are all words of it.
    """
    data = listed(map_of(row.get("_whole")).get("data"))
    whole = map_of(map_of(data[0] if data else None).get("attributes"))
    stated = {name: value for name, value in whole.items() if name not in COMPUTED}
    conditions = _maps(whole.get("segment_conditions"))
    tests = [test for condition in conditions for test in _tests(condition)]
    documented = "segment_conditions" in whole and stated.keys() <= _WRITTEN and _have_known_forms(conditions, tests)
    return {
        "id": row.get("id"),
        "attributes": row.get("attributes"),
        "name": row.get("name"),
        "tests": [{"name": str(test.get("name")), "ids": _ids_in(test)} for test in tests],
        "documented": documented,
        "more": [] if documented else [word for _, text in leaves(stated) for word in _words(text)],
    }


def _have_known_forms(conditions: Sequence[Mapping[str, Json]], tests: Sequence[Mapping[str, Json]]) -> bool:
    known = all(isinstance(test.get("name"), str) and test.keys() <= _TEST for test in tests)
    return known and all(condition.keys() <= _CONDITION for condition in conditions)


def _tests(condition: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    latest = map_of(condition.get("field_aggregate")).get(_LATEST)
    return [*_maps(condition.get("fields")), *([latest] if isinstance(latest, Mapping) else [])]


def _ids_in(test: Mapping[str, Json]) -> list[Json]:
    texts = [text for name, text in leaves(test) if name == "value" or (name == "name" and text not in HOLDERS)]
    return [word for text in texts for word in _words(text)]


def _words(text: str) -> list[str]:
    """Return what may be an id in a text: its words, and the number at the end of one (`field7`, `field_7`)."""
    words = re.findall(r"[0-9A-Za-z-]+", text)
    return [*words, *(match[1] for word in words if (match := re.fullmatch(r"[A-Za-z]+([0-9]+)", word)))]

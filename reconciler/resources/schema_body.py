"""Bodies of custom object schemas: from the API's words to those of the YAML and back. No kind lives here.

PUT takes whole arrays (row 23 of section 7), so what is sent is always what is live with the declared over it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from reconciler.model.coerce import listed, number, truthy
from reconciler.model.live import Row
from reconciler.model.values import Json, Value, items_of, map_of, maps_of, sendable
from reconciler.model.write import Finding, Write
from reconciler.resources import rules

DELETING = "marked_for_deletion"
NAMES = {"defaultCurrency": "default_currency", "hasMany": "has_many", "isRequired": "required"}

SCHEMA_TYPES_WITH_OPTIONS = frozenset({"dropdown", "multiselect"})
"""Types of fields whose values are options."""
COMPUTED = frozenset({"id", "inherited", "status", "slug", "origin"})
"""What the server says of a field or relationship beyond what a write says (section 2.17)."""
KNOWN = frozenset(
    {
        "id", "slug", "labels", "description", "appId", "visibility", "customized", "parentId", "parentVersion",
        "parentSchemaCreatedTimestamp", "parentSchemaUpdatedTimestamp", "icons", "fields", "relationships",
        "createdTimestamp", "updatedTimestamp", "links",
    }
)  # fmt: skip
"""What is documented of a schema (section 2.17): declared, or computed by the server."""


def normal_parts(parts: Value) -> dict[str, dict[str, Value]]:
    """Return fields or relationships as they are compared: `-` and `_` are the same in ids, currencies without case."""
    normal = {}
    for key, part in map_of(parts).items():
        entry = dict(map_of(part))
        if isinstance(currency := entry.get("default_currency"), str):
            entry["default_currency"] = currency.upper()
        normal[fold(key)] = entry
    return normal


def fold(key: str) -> str:
    """Return a field id as the server compares it: "a dash and underscore are considered the same" (section 2.17)."""
    return key.replace("_", "-")


def refused_fields(fields: Value, changed: frozenset[str]) -> list[Finding]:
    """Return what the server says against the declared fields of a schema (section 2.17), of those that change."""
    parts = {key: map_of(part) for key, part in map_of(fields).items()}
    labels = Counter(_label(field) for field in parts.values())
    return [
        finding
        for key, field in parts.items()
        for finding in _refused_field(key, field, changed, shared=labels[_label(field)] > 1)
    ]


def _refused_field(key: str, field: Mapping[str, Value], changed: frozenset[str], *, shared: bool) -> Iterator[Finding]:
    """Yield what is wrong with one; `shared` is a label that another one has, too."""
    path = f"fields.{key}"
    news = {name for name in field if f"{path}.{name}" in changed}
    if path in changed and not re.fullmatch(r"[A-Za-z0-9_-]+", key):
        yield Finding(f"`{path}`: ids have letters, digits, - and _ only", "error", path)
    if "labels" in news and shared:
        yield Finding(f"`{path}.labels`: another field has the same one", "error", f"{path}.labels")
    for name, severity, rule in RULES:
        why = rule(field[name]) if name in news and field[name] else ""
        if why:
            yield Finding(f"`{path}.{name}` {why}", severity, f"{path}.{name}")
    if "type" in news and field["type"] in SCHEMA_TYPES_WITH_OPTIONS and not field.get("options"):
        yield Finding(f"`{path}`: a {field['type']} needs `options`", "error", path)


RULES: tuple[tuple[str, str, Callable[[Value], str]], ...] = (
    ("labels", "error", rules.labels),
    ("options", "error", rules.choices),
    ("default_currency", "error", rules.currency),
    ("options", "warning", rules.near_choices),
)
"""What is wrong with an attribute of a field, and how much that matters."""


def _label(field: Mapping[str, Value]) -> str:
    return str(map_of(field.get("labels")).get("singular") or "").casefold()


def parts_in(raw: Json) -> list[Mapping[str, Json]]:
    """Return the parts of a list in any of its forms. Raises ValueError where it is none: never read as empty."""
    return [map_of(part) for part in _listed(raw)]


def _listed(raw: Json) -> list[Json]:
    parts = listed(raw)
    if parts is None:
        raise ValueError("what should be a list of parts is none")
    return parts


def part_of(part: Mapping[str, Json]) -> dict[str, Json]:
    """Return a field or relationship in the words of the YAML; `required` is also called `isRequired` (row 22 of
    section 7).
    """
    entry = {NAMES.get(name, name): value for name, value in part.items()}
    body = {
        name: entry[name]
        for name in ("type", "namespace", "description", "scale", "default_currency")
        if entry.get(name) not in (None, "")
    }
    if "scale" in body and (scale := number(body["scale"])) is not None:
        body["scale"] = scale
    body |= {name: truthy(entry[name]) for name in ("required", "has_many") if name in entry}
    if entry.get("labels"):
        body["labels"] = dict(map_of(entry["labels"]))
    if entry.get("options"):
        body["options"] = [
            str(option.get("value") if isinstance(option, dict) else option) for option in _listed(entry["options"])
        ]
    return body


def echoed(parts: Json) -> tuple[Json, Json]:
    """Return what a schema holds of its fields or relationships, by id, and what would be sent of them as decoded."""
    stored, sent = {}, {}
    for part in parts_in(parts):
        if part.get("status") == DELETING:
            continue
        key = str(part["id"])
        own = {NAMES.get(name, name): value for name, value in part.items() if name not in COMPUTED}
        if isinstance(options := own.get("options"), list):
            own["options"] = [_option(option) for option in options]
        if (scale := number(own.get("scale"))) is not None:
            own["scale"] = scale
        stored[key] = own
        sent[key] = part_of(part)
    return stored, sent


def _option(option: Json) -> Json:
    """Return an option as its value, if that is all it says beside its id."""
    return option.get("value") if isinstance(option, dict) and set(option) <= {"id", "value"} else option


def dropped(write: Write) -> list[str]:
    """Return the live ids of fields that were applied and are no longer declared."""
    if "fields" not in write.changed or write.live is None:
        return []
    wanted = {fold(key) for key in map_of(write.desired.get("fields"))}
    gone = {fold(key) for key in map_of(write.applied.get("fields"))} - wanted
    return [key for key in map_of(write.live.attrs["fields"]) if fold(key) in gone]


def reread(write: Write) -> list[str]:
    """Return the fields and relationships whose records mean something else after the update: another currency, fewer
    digits, one option less, one partner at a time where there were several.
    """
    if write.live is None:
        return []
    lines = []
    for name in ("fields", "relationships"):
        if name not in write.changed:
            continue
        before, after = normal_parts(write.live.attrs.get(name)), normal_parts(write.desired.get(name))
        lines += [key for key in sorted(before.keys() & after.keys()) if _means_less(before[key], after[key])]
    return lines


def _means_less(before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    fewer = set(items_of(before.get("options"))) - set(items_of(after["options"])) if "options" in after else False
    return (
        bool(fewer)
        or any(name in after and after[name] != before.get(name) for name in ("default_currency", "scale"))
        or (after.get("has_many") is False and before.get("has_many") is True)
    )


def without(row: Row, gone: list[str]) -> dict[str, Json]:
    """Return a schema's row without these fields and without those that are being deleted."""
    fields = maps_of(row.get("fields"))
    kept = [part for part in fields if str(part["id"]) not in gone and part.get("status") != DELETING]
    return {**row, "fields": kept}


def body_of(write: Write, row: Row) -> dict[str, Json]:
    """Return the schema to send: what is live, with the declared properties over it; arrays in full."""
    desired = map_of(write.reveal(dict(write.desired)))
    declared = {
        name: sendable(desired[name]) if desired.get(name) is not None else ""
        for name in ("slug", "labels", "description")
        if name in desired
    }
    kept = {name: row[name] for name in ("slug", "labels", "description", "appId") if row.get(name) is not None}
    # The server puts the app's id in front of the slugs of public and child schemas: what it made of one stays.
    body: dict[str, Json] = {**kept, **declared, **{name: kept[name] for name in ("slug",) if name in kept}}
    body["fields"] = _parts(row.get("fields"), desired.get("fields"))
    body["relationships"] = _parts(row.get("relationships"), desired.get("relationships"))
    return body


def _parts(live: Json, desired: Value) -> list[dict[str, Json]]:
    """Return live parts changed as declared, then new ones in the order of the file."""
    wanted = {fold(key): (key, map_of(sendable(part))) for key, part in map_of(desired).items()}
    parts = []
    for part in maps_of(live):
        _, declared = wanted.pop(fold(str(part["id"])), ("", {}))
        mine = _sent(declared, part)
        # A flag that is read as `isRequired` must not contradict the `required` that is sent (row 22 of section 7).
        dropped = {"inherited"} | ({"isRequired"} if "required" in mine else set())
        kept = {name: value for name, value in part.items() if name not in dropped}
        parts.append({**kept, **mine})
    return parts + [{"id": key, **_sent(part, {})} for key, part in wanted.values()]


def _sent(part: Mapping[str, Json], live: Mapping[str, Json]) -> dict[str, Json]:
    """Return a part in the words of the API; an option keeps its id when its value stays."""
    spelled = {mine: theirs for theirs, mine in NAMES.items() if theirs != "isRequired"}
    sent: dict[str, Json] = {spelled.get(name, name): "" if value is None else value for name, value in part.items()}
    if "options" in part:
        ids = {option.get("value"): option for option in items_of(live.get("options")) if isinstance(option, dict)}
        sent["options"] = [ids.get(value, {"value": value}) for value in items_of(part["options"])]
    if isinstance(currency := sent.get("defaultCurrency"), str):
        sent["defaultCurrency"] = currency.upper()
    if "labels" in sent:
        kept = live.get("labels")
        sent["labels"] = {**(kept if isinstance(kept, Mapping) else {}), **map_of(sent["labels"])}
    return sent


def differs(body: Mapping[str, Json], row: Row) -> bool:
    """Return whether a body would change the schema. What a child inherits is computed, and never sent."""
    return any(body.get(name) != _own(row.get(name)) for name in body)


def _own(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return [{name: item for name, item in map_of(part).items() if name != "inherited"} for part in value]

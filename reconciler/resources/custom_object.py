"""Custom object schemas with their fields and relationships. API: /customObjects/schemas (section 2.17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from reconciler.model.http import Bound, Flow, Pause, Request, Response, get, post
from reconciler.model.kind import Collection, Finding, Impact, Kind, Live, Row, Tables, Write
from reconciler.model.spec import Immutable, Keyed, Normal, Spec, truthy
from reconciler.model.values import Value
from reconciler.resources.counts import counted

SCHEMAS = "/customObjects/schemas"
DELETING = "marked_for_deletion"
NAMES = {"defaultCurrency": "default_currency", "hasMany": "has_many", "isRequired": "required"}
FieldType = Literal[
    "text",
    "textarea",
    "date",
    "datetime",
    "number",
    "decimal",
    "currency",
    "dropdown",
    "multiselect",
    "checkbox",
    "radio",
]


class Labels(Spec):
    """What an object is called."""

    singular: str = Field(description="One of them.")
    plural: str = Field(description="Several of them.")


class SchemaField(Spec):
    """A field of a custom object."""

    type: FieldType = Field(description="What the field holds; cannot be changed.")
    labels: Labels = Field(description="Labels; unique in the schema without regard to case.")
    description: str | None = Field(None, description="Help text.")
    required: bool | None = Field(None, description="Must be filled in.")
    scale: int | None = Field(None, ge=0, description="Digits after the point, for number and decimal.")
    default_currency: str | None = Field(None, description="Three-letter currency code, for currency.")
    options: list[str] | None = Field(None, description="Choices, for dropdown and multiselect.")


class Relationship(Spec):
    """A relationship of a custom object to something else."""

    namespace: str = Field(description="contacts, deals, accounts, or the slug of another schema.")
    labels: Labels = Field(description="Labels.")
    description: str | None = Field(None, description="Help text.")
    has_many: bool | None = Field(None, description="Several at a time.")


def normal_parts(parts: Any) -> dict[str, Any]:
    """Return fields or relationships as they are compared: `-` and `_` are the same in ids, currencies without case."""
    found = {}
    for key, part in (parts or {}).items():
        entry = dict(part)
        if isinstance(entry.get("default_currency"), str):
            entry["default_currency"] = entry["default_currency"].upper()
        found[fold(key)] = entry
    return found


def fold(key: str) -> str:
    """Return a field id as the server compares it: "a dash and underscore are considered the same" (section 2.17)."""
    return key.replace("_", "-")


class CustomObject(Spec):
    """A schema of custom objects."""

    slug: Annotated[str, Immutable()] = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Unique name: lower case, digits, dashes."
    )
    labels: Labels = Field(description="What the objects are called.")
    description: str | None = Field(None, description="What the objects are.")
    fields: Annotated[dict[str, SchemaField] | None, Keyed(fold=True), Normal(normal_parts)] = Field(
        None, description="Fields by id. One that is no longer declared is deleted for good."
    )
    relationships: Annotated[dict[str, Relationship] | None, Keyed(fold=True), Normal(normal_parts)] = Field(
        None, description="Relationships by id. The API cannot remove one."
    )


class CustomObjectKind(Kind):
    """PUT takes whole arrays; fields go by their own endpoint only (row 23 of section 7)."""

    name = "custom_object"
    section = "custom_objects"
    spec = CustomObject
    title = "Custom object"
    path = SCHEMAS
    wrapper = "schema"
    # Older deployments called the array `objectTypes` (section 1.3 of the API page: [GO-CJ] accepts both).
    collections = (Collection(SCHEMAS, "schemas", alias="objectTypes"),)
    label = "slug"
    created = ""
    destroys = "All records of the object are deleted with its schema; there is no undo."

    def claims(self, row: Row, tables: Tables) -> bool:
        """Schemas of apps and of the e-commerce integration belong to them."""
        return not row.get("appId")

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Arrays of fields and relationships as maps by id, without fields that are being deleted."""
        attrs = super().decode({key: row[key] for key in ("slug", "description") if key in row}, tables)
        attrs["labels"] = dict(row.get("labels") or {})
        attrs["fields"] = {
            str(part["id"]): _part(part) for part in row.get("fields") or () if part.get("status") != DELETING
        }
        attrs["relationships"] = {str(part["id"]): _part(part) for part in row.get("relationships") or ()}
        return attrs

    def blocked(self, live: Live, changed: Mapping[str, tuple[Value, Value]]) -> dict[str, str]:
        """Types are fixed, ids of deleted fields cannot be used again at once, and relationships have no delete
        endpoint.
        """
        found = {}
        if "fields" in changed:
            before, after = (normal_parts(value) for value in changed["fields"])
            for key in sorted(set(before) & set(after)):
                if before[key].get("type") != after[key].get("type") and "type" in before[key]:
                    found[f"fields.{key}"] = (
                        f"a schema field's type cannot be changed ({before[key]['type']} -> {after[key].get('type')}): "
                        "declare a field with another id and remove this one"
                    )
        if "relationships" in changed:
            before, after = (normal_parts(value) for value in changed["relationships"])
            for key in sorted(set(before) - set(after)):
                found[f"relationships.{key}"] = "the API cannot remove a relationship: remove it in Settings > Objects"
        return found

    def create(self, write: Write) -> Flow[None]:
        """POST the whole schema."""
        yield Bound((yield post(SCHEMAS, {"schema": _body(write, {})})).created("schema", "schemas"))

    def update(self, write: Write) -> Flow[None]:
        """Delete fields that are gone, then PUT the whole schema where anything else changed."""
        gone = _gone(write)
        for field in gone:
            yield Request("DELETE", f"{SCHEMAS}/{write.id}/fields/{field}", expect=(404,))
        if gone:
            yield from self._vanished(write.id, gone)
        row = _without(write.live.row if write.live else {}, gone)
        body = _body(write, row)
        if _differs(body, row):
            yield Request("PUT", f"{SCHEMAS}/{write.id}", body={"schema": body})

    def _vanished(self, schema: str, gone: list[str]) -> Flow[None]:
        """Wait until deleted fields are out of sight: the answer is 202 and the work is done later; ten looks at
        most.
        """
        for attempt in range(10):
            row = (yield get(f"{SCHEMAS}/{schema}")).row("schema")
            present = {str(part["id"]) for part in row.get("fields") or () if part.get("status") != DELETING}
            if not present & set(gone):
                return
            yield Pause(0.5 * (attempt + 1))

    def examine(self, write: Write) -> Flow[list[Finding]]:
        """Let the server check an update: `validateOnly` is its own dry run (documented for PUT only)."""
        if write.live is None or write.replacing:
            return []
        row = _without(write.live.row, _gone(write))
        body = _body(write, row)
        if not _differs(body, row):
            return []
        answer = yield Request("PUT", f"{SCHEMAS}/{write.id}", body={"schema": body}, dry_run=True, expect=(400, 422))
        if answer.ok:
            return []
        errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
        details = [str(error.get("detail") or error.get("title")) for error in errors or () if isinstance(error, dict)]
        return [
            Finding(f"the server's dry run refuses the schema: {detail}") for detail in details or ["no reason given"]
        ]

    def predict(self, request: Request, serial: int) -> Response:
        """A look after a field's delete finds it gone."""
        return Response(200, {}) if request.method == "GET" else super().predict(request, serial)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Records of the schema; for one field their number is an upper bound, there is no count of values (section
        5).
        """
        if write.destroying:
            return (yield from counted(f"/customObjects/records/{write.id}", "records"))
        gone = _gone(write)
        if not gone:
            return []
        return (
            yield from counted(f"/customObjects/records/{write.id}", f"records lose {', '.join(gone)}", at_most=True)
        )


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a field or relationship in the words of the YAML; `required` is also called `isRequired` (row 22 of
    section 7).
    """
    entry = {NAMES.get(name, name): value for name, value in part.items()}
    found = {
        name: entry[name]
        for name in ("type", "namespace", "description", "scale", "default_currency")
        if entry.get(name) not in (None, "")
    }
    found |= {name: truthy(entry[name]) for name in ("required", "has_many") if name in entry}
    if entry.get("labels"):
        found["labels"] = dict(entry["labels"])
    if entry.get("options"):
        found["options"] = [
            str(option.get("value") if isinstance(option, dict) else option) for option in entry["options"]
        ]
    return found


def _gone(write: Write) -> list[str]:
    """Return the live ids of fields that were applied and are no longer declared."""
    if "fields" not in write.changed or write.live is None:
        return []
    wanted = {fold(key) for key in write.desired.get("fields") or {}}
    managed = {fold(key) for key in write.applied.get("fields") or {}}
    return [key for key in write.live.attrs["fields"] if fold(key) in managed - wanted]


def _without(row: Row, gone: list[str]) -> dict[str, Any]:
    kept = [part for part in row.get("fields") or () if str(part["id"]) not in gone and part.get("status") != DELETING]
    return {**row, "fields": kept}


def _body(write: Write, row: Row) -> dict[str, Any]:
    """Return the schema to send: what is live, with the declared properties over it; arrays in full."""
    desired = write.reveal(dict(write.desired))
    body = {
        name: desired[name] if desired.get(name) is not None else ""
        for name in ("slug", "labels", "description")
        if name in desired
    }
    body = {**{name: row[name] for name in ("slug", "labels", "description") if name in row}, **body}
    body["fields"] = _parts(row.get("fields") or (), desired.get("fields") or {})
    body["relationships"] = _parts(row.get("relationships") or (), desired.get("relationships") or {})
    return body


def _parts(live: Any, desired: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return live parts changed as declared, then new ones in the order of the file."""
    wanted = {fold(key): (key, part) for key, part in desired.items()}
    parts = []
    for part in live:
        _, mine = wanted.pop(fold(str(part["id"])), (None, {}))
        mine = _sent(mine, part)
        # A flag that is read as `isRequired` must not contradict the `required` that is sent (row 22 of section 7).
        kept = {name: value for name, value in part.items() if name != "isRequired" or "required" not in mine}
        parts.append({**kept, **mine})
    return parts + [{"id": key, **_sent(part, {})} for key, part in wanted.values()]


def _sent(part: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part in the words of the API; an option keeps its id when its value stays."""
    spelled = {mine: theirs for theirs, mine in NAMES.items() if theirs != "isRequired"}
    found: dict[str, Any] = {spelled.get(name, name): "" if value is None else value for name, value in part.items()}
    if "options" in part:
        ids = {option.get("value"): option for option in live.get("options") or () if isinstance(option, dict)}
        found["options"] = [ids.get(value, {"value": value}) for value in part["options"] or ()]
    if isinstance(found.get("defaultCurrency"), str):
        found["defaultCurrency"] = found["defaultCurrency"].upper()
    if "labels" in found:
        found["labels"] = {**(live.get("labels") or {}), **found["labels"]}
    return found


def _differs(body: Mapping[str, Any], row: Row) -> bool:
    return any(body.get(name) != row.get(name) for name in body)


KIND = CustomObjectKind()

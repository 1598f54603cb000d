"""Custom object schemas with their fields and relationships. API: /customObjects/schemas (section 2.17)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from reconciler.model.coerce import text
from reconciler.model.http import Bound, Flow, Pause, Request, Response, at, get, post
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import Api, Immutable, Keyed, Link, Normal, RefTo, Spec, Takes
from reconciler.model.traits import Abilities, Identity, Parts, Reading, Texts
from reconciler.model.values import Json, RemoteId, Value, link_of, map_of, maps_of, sendable, texts_of
from reconciler.model.write import Finding, Impact, Write, likely
from reconciler.resources import records, rules
from reconciler.resources.counts import counted, moved
from reconciler.resources.schema_body import (
    DELETING,
    KNOWN,
    body_of,
    differs,
    dropped,
    echoed,
    fold,
    normal_parts,
    part_of,
    parts_in,
    refused_fields,
    reread,
    without,
)

if TYPE_CHECKING:
    from reconciler.model.ids import IdPart, PartGroup

SCHEMAS = "/customObjects/schemas"
SchemaFieldType = Literal[
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

    type: SchemaFieldType = Field(description="What the field holds; cannot be changed.")
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


class CustomObject(Spec):
    """A schema of custom objects."""

    slug: Annotated[str, Immutable()] = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="Unique name: lower case, digits, dashes."
    )
    labels: Annotated[Labels, Takes(rules.labels)] = Field(description="What the objects are called.")
    description: str | None = Field(None, description="What the objects are.")
    fields: Annotated[dict[str, SchemaField] | None, Keyed(fold=True), Normal(normal_parts)] = Field(
        None, description="Fields by id. One that is no longer declared is deleted for good."
    )
    relationships: Annotated[dict[str, Relationship] | None, Keyed(fold=True), Normal(normal_parts)] = Field(
        None, description="Relationships by id. The API cannot remove one."
    )
    visibility: Annotated[Literal["private", "public"] | None, Immutable()] = Field(
        None, description="A public schema is offered to accounts that install the app; private when left out."
    )
    app_id: Annotated[str | None, Api("appId"), Immutable()] = Field(
        None, description="App that a public schema belongs to."
    )
    parent: Annotated[Link | None, Api(None), RefTo("custom_object"), Immutable()] = Field(
        None, description="Public schema that this one extends; it starts with the parent's fields."
    )

    @model_validator(mode="after")
    def _belongs_to_an_app(self) -> CustomObject:
        if (self.visibility == "public") != (self.app_id is not None):
            raise ValueError("`app_id` and `visibility: public` go together")
        if self.visibility == "public" and self.parent is not None:
            raise ValueError("a schema that extends a `parent` cannot be public")
        return self

    @model_validator(mode="after")
    def _one_of_each_id(self) -> CustomObject:
        for name, parts in (("fields", self.fields), ("relationships", self.relationships)):
            known: dict[str, str] = {}
            for key in parts or {}:
                if known.setdefault(fold(key), key) != key:
                    raise ValueError(f"`{name}` has `{known[fold(key)]}` and `{key}`: - and _ are the same in ids")
        return self


def _in_code(key: str, part: Value) -> IdPart:
    """Return a field or relationship as code names it."""
    from reconciler.model.ids import IdPart, PartGroup

    content = map_of(part)
    options = tuple(IdPart(option, {"value": option}) for option in texts_of(content.get("options")))
    groups = (PartGroup("options", "CustomObjectOption", options),) if options else ()
    return IdPart(key, {"id": key}, str(content.get("description") or ""), groups)


class CustomObjectKind(Kind):
    """PUT takes whole arrays; fields go by their own endpoint only (row 23 of section 7)."""

    name = "custom_object"
    section = "custom_objects"
    spec = CustomObject
    title = "Custom object"
    path = SCHEMAS
    wrapper = "schema"
    # Older deployments called the array `objectTypes` (section 1.3 of the API page: [GO-CJ] accepts both).
    reading = Reading(
        (Collection(SCHEMAS, "schemas", alias="objectTypes", ids="word"),), created="", parts={"parentId": "parent"}
    )
    identity = Identity(name_attribute="slug", unique=(("slug",),), code_names=("slug",))
    abilities = Abilities(
        merges=frozenset({"fields", "relationships", ""}),
        writes=(
            "/customObjects/schemas/public",
            "/customObjects/schemas/ID/child",
            "/customObjects/schemas/ID/fields/ID",
        ),
        parts={
            "fields": Parts("fields", own=True),
            "relationships": Parts("relationships", own=True),
        },
        salvage=records.RECORDS,
    )
    texts = Texts(
        delete_warning="All records of the object are deleted with its schema; there is no undo.",
        gone="All records of it are deleted with it.",
        place=90,
    )

    def inside(self, attrs: Mapping[str, Value], live: Live | None) -> tuple[PartGroup, ...]:
        """Fields with their options, and relationships: their ids are the keys of the declaration."""
        from reconciler.model.ids import PartGroup

        fields, relations = map_of(attrs.get("fields")), map_of(attrs.get("relationships"))
        groups = (
            PartGroup("fields", "CustomObjectField", tuple(_in_code(key, field) for key, field in fields.items())),
            PartGroup(
                "relationships", "Relationship", tuple(_in_code(key, relation) for key, relation in relations.items())
            ),
        )
        return tuple(group for group in groups if group.parts)

    def claims(self, row: Row, tables: Tables) -> bool:
        """Schemas of apps and of the e-commerce integration belong to them; a public one or a child can be declared."""
        return not row.get("appId") or _public(row) or bool(row.get("parentId"))

    def aside(self, live: Live) -> str:
        """Apps install schemas of their own."""
        return "it belongs to an app" if live.row.get("appId") else ""

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Arrays of fields and relationships as maps by id, without fields that are being deleted."""
        attrs = super().decode({key: row[key] for key in ("description", "appId") if key in row}, tables)
        attrs["slug"] = _slug(row)
        attrs["visibility"] = "public" if text(row.get("visibility")) == "public" else "private"
        attrs["parent"] = RemoteId(self.name, text(row["parentId"]) or "") if row.get("parentId") else None
        attrs["labels"] = dict(map_of(row.get("labels")))
        attrs["fields"] = {
            str(part["id"]): part_of(part) for part in parts_in(row.get("fields")) if part.get("status") != DELETING
        }
        attrs["relationships"] = {str(part["id"]): part_of(part) for part in parts_in(row.get("relationships"))}
        return attrs

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """Fields and relationships part by part, and the undocumented properties of the schema."""
        row = live.row
        whole = {name: value for name, value in row.items() if name not in KNOWN}
        parts = {name: echoed(row[name]) for name in ("fields", "relationships") if name in row}
        labels = {"labels": (row["labels"], sendable(live.attrs["labels"]))} if "labels" in row else {}
        return {**labels, **parts, "": (whole, {})}

    def blocked(self, live: Live, changed: Mapping[str, tuple[Value, Value]]) -> dict[str, str]:
        """Types are fixed, ids of deleted fields cannot be used again at once, and relationships have no delete
        endpoint.
        """
        reasons = {}
        if "fields" in changed:
            before, after = (normal_parts(value) for value in changed["fields"])
            if live.row.get("appId"):
                for key in sorted(set(before) - set(after)):
                    reasons[f"fields.{key}"] = "fields of public and child schemas cannot be deleted: declare it again"
            for key in sorted(set(before) & set(after)):
                if before[key].get("type") != after[key].get("type") and "type" in before[key]:
                    reasons[f"fields.{key}"] = (
                        f"a schema field's type cannot be changed ({before[key]['type']} -> {after[key].get('type')}): "
                        "declare a field with another id and remove this one"
                    )
        if "relationships" in changed:
            before, after = (normal_parts(value) for value in changed["relationships"])
            for key in sorted(set(before) - set(after)):
                reasons[f"relationships.{key}"] = (
                    "the API cannot remove a relationship: remove it in Settings > Objects"
                )
        return reasons

    def demands(self, attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
        """What the server checks of fields."""
        fields = attrs.get("fields")
        return refused_fields(fields or {}, changed)

    def once(self, attrs: Mapping[str, Value]) -> tuple[tuple[str, ...], ...]:
        """The server writes slugs of its own for public schemas and for children."""
        return () if attrs.get("parent") is not None or attrs.get("visibility") == "public" else self.identity.unique

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """The slug; with the app of a public schema; of a child, what it extends."""
        if attrs.get("parent") is not None:
            return (("parent", attrs["parent"]),)
        if attrs.get("visibility") == "public":
            return (("app+slug", attrs.get("app_id"), attrs.get("slug")),)
        return (("slug", attrs["slug"]),) if attrs.get("slug") else ()

    def known_as(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """And the label: people see no slug. A child has its parent's at first."""
        label = attrs.get("labels")
        label = label.get("singular") if isinstance(label, Mapping) else None
        named = (("label", label),) if label and attrs.get("parent") is None else ()
        return (*self.natural_keys(attrs), *named)

    def inherited(self, live: Live) -> Mapping[str, frozenset[str]]:
        """A child starts with what its parent has."""
        return {
            name: frozenset(str(part["id"]) for part in parts_in(live.sound.row.get(name)) if part.get("inherited"))
            for name in ("fields", "relationships")
        }

    def declare(self, attrs: Mapping[str, Value]) -> dict[str, Value]:
        """`private` goes without saying, and a child's app is its parent's."""
        declared = super().declare(attrs)
        if declared.get("visibility") == "private":
            declared = {name: value for name, value in declared.items() if name not in ("visibility", "app_id")}
        return declared

    def create(self, write: Write) -> Flow[None]:
        """POST the whole schema. A child is made of its parent without a body, and then changed as declared."""
        if write.desired.get("parent") is not None:
            answer = yield Request("POST", at(SCHEMAS, write.ids(link_of(write.desired["parent"])), "child"))
            identity = answer.created("schema", "schemas")
            yield Bound(identity)
            row = answer.row("schema")
            body = body_of(write, row)
            if differs(body, row):
                yield Request("PUT", at(SCHEMAS, identity), body={"schema": body})
            return
        body = body_of(write, {})
        if write.desired.get("visibility") == "public":
            answer = yield post(at(SCHEMAS, "public"), {"schema": {**body, "appId": sendable(write.desired["app_id"])}})
        else:
            answer = yield post(SCHEMAS, {"schema": body})
        yield Bound(answer.created("schema", "schemas"))

    def update(self, write: Write) -> Flow[None]:
        """Delete fields that are gone, then PUT the whole schema where anything else changed."""
        gone = dropped(write)
        for field in gone:
            yield Request("DELETE", at(SCHEMAS, write.id, "fields", field), expect=(404,))
        if gone:
            yield from self._vanished(write.id, gone)
        row = without(write.live.row if write.live else {}, gone)
        body = body_of(write, row)
        if differs(body, row):
            yield Request("PUT", at(SCHEMAS, write.id), body={"schema": body})

    def _vanished(self, schema: str, gone: list[str]) -> Flow[None]:
        """Wait until deleted fields are out of sight: the answer is 202 and the work is done later; ten looks at
        most. What is recorded as removed is never looked for again, so LookupError where one stays.
        """
        for attempt in range(10):
            row = (yield get(at(SCHEMAS, schema))).object_in("schema")
            present = {str(part["id"]) for part in row.get("fields") or () if part.get("status") != DELETING}
            if not present & set(gone):
                return
            yield Pause(0.5 * (attempt + 1))
        raise LookupError(f"the account accepted the removal of {', '.join(gone)} and still shows it: plan again later")

    def examine(self, write: Write) -> Flow[list[Finding]]:
        """Let the server check an update: `validateOnly` is its own dry run (documented for PUT only)."""
        if write.live is None or write.replacing:
            return []
        row = without(write.live.row, dropped(write))
        body = body_of(write, row)
        if not differs(body, row):
            return []
        answer = yield Request("PUT", at(SCHEMAS, write.id), body={"schema": body}, dry_run=True, expect=(400, 422))
        if answer.ok:
            return []
        errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
        details = [str(error.get("detail") or error.get("title")) for error in errors or () if isinstance(error, dict)]
        return [
            Finding(f"the server's dry run refuses the schema: {detail}") for detail in details or ["no reason given"]
        ]

    def predict(self, request: Request, serial: int) -> Response:
        """A look after a field's delete finds it gone; a child comes with its parent's slug."""
        if request.path.endswith("/child"):
            return Response(200, {"schema": {"id": f"new-{serial}"}})
        return Response(200, {}) if request.method == "GET" else super().predict(request, serial)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Records of the schema; for one field their number is an upper bound, there is no count of values (section
        5).
        """
        if write.destroying:
            return (yield from counted(at("/customObjects/records", write.id), "records"))
        impacts: list[Impact] = []
        if gone := dropped(write):
            noun = f"records lose {', '.join(gone)}"
            impacts += yield from counted(at("/customObjects/records", write.id), noun, at_most=True)
        if turned := reread(write):
            noun = f"records hold values of {', '.join(turned)}"
            whole = yield from counted(at("/customObjects/records", write.id), noun, at_most=True)
            impacts += [moved(impact, likely("by the new rule")) for impact in whole]
        return impacts

    def unmatched(self, write: Write) -> Flow[list[str]]:
        """Fields and relationships that were added since."""
        answer = yield Request("GET", at(SCHEMAS, write.id), expect=(404,))
        if not answer.ok:
            return []
        before, now = (write.live.row if write.live is not None else {}), answer.object_in("schema")
        return [
            str(part["id"])
            for name in ("fields", "relationships")
            for part in maps_of(now.get(name))
            if part.get("status") != DELETING
            and str(part["id"]) not in {str(old["id"]) for old in maps_of(before.get(name))}
        ]


def _public(row: Row) -> bool:
    return str(row.get("visibility")) == "public"


def _slug(row: Row) -> str:
    """Return the slug as it was declared: the server puts `app-<id>-` before that of a public schema and `app-<app
    id>-` before that of a child (section 2.17).
    """
    slug = text(row.get("slug")) or ""
    for owner in (row.get("id"), row.get("appId"), row.get("parentId")):
        if owner and slug.startswith(f"app-{owner}-"):
            return slug.removeprefix(f"app-{owner}-")
    return slug


KIND = CustomObjectKind()

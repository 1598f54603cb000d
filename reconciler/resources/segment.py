"""Saved segments: contacts that fit conditions. API: /segmentsV2, listed by /audiences (section 2.30)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from reconciler.model.http import Bound, Flow, Request, Response, at, post, put
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import KEY, AnyLink, Api, CreateOnly, Default, Normal, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Json, Value
from reconciler.model.write import Finding, Write
from reconciler.resources.segment_body import (
    MATCH,
    beyond,
    changed_document,
    created_id,
    document,
    encoded,
    groups_of,
    logic,
    matched,
    normal_groups,
)

CONDITIONS = "segment:"
"""Tables of conditions are called so, with the id of the segment behind it."""
AUDIENCES = Collection("/audiences", "data", table="audiences", paging="page", ids="text")


def _texts(value: object) -> object:
    """Return a scalar as the text that the API wants; references and texts stay as they are."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Plain = Annotated[str, BeforeValidator(_texts)]


class SegmentTest(Spec):
    """What one field of an object must be."""

    name: str = Field(min_length=1, description="Field whose value is looked at, e.g. tagid.")
    operator: str = Field("=", description="How it is compared: =, !=, contains, is in any, between, empty ...")
    value: AnyLink | Plain | list[AnyLink | Plain] = Field(
        "", description="What it is compared with; objects as {ref: tag.vip}, so that every account has its own id."
    )
    type: str = Field("string", description="string, number, decimal, date, datetime or list.")
    external: bool | None = Field(None, description="The value is given when the segment is asked for.")


class SegmentCondition(Spec):
    """What must hold of one object that belongs to the contact."""

    object: str = Field(min_length=1, description="Type of the object, e.g. tag.")
    source: str = Field("activecampaign", min_length=1, description="Where the object comes from.")
    fields: list[SegmentTest] = Field(min_length=1, description="What its fields must be, all of it.")
    aggregate: dict[str, Any] | None = Field(None, description="How often, in the API's own words (field_aggregate).")


class SegmentGroup(Spec):
    """Conditions that belong together."""

    match: Literal["all", "any"] = Field("all", description="Whether all conditions must hold, or any.")
    conditions: list[SegmentCondition] = Field(min_length=1, description="The conditions.")


class Segment(Spec):
    """A saved segment of contacts."""

    name: Annotated[str, CreateOnly("rename the segment"), Default(KEY)] = Field(
        "", description="Name of the segment; unique in the account."
    )
    description: str | None = Field(None, max_length=1000, description="What the segment is for.")
    match: Annotated[Literal["all", "any"], Api(None), Default("all")] = Field(
        "all", description="Whether all groups of conditions must hold, or any."
    )
    groups: Annotated[list[SegmentGroup], Api(None), Normal(normal_groups)] = Field(
        min_length=1, description="Groups of conditions."
    )
    meta: dict[str, str] | None = Field(None, description="Texts that programs keep with the segment, by name.")


class SegmentKind(Kind):
    """Ids inside conditions are references: they are looked up in each account. A PUT saves a new version of it all."""

    name = "segment"
    section = "segments"
    spec = Segment
    title = "Segment"
    path = "/segmentsV2"
    depends_on = (
        "tag",
        "list",
        "field",
        "pipeline",
        "stage",
        "custom_object",
        "automation",
        "campaign",
        "form",
        "score",
    )
    reading = Reading(
        (AUDIENCES,),
        created="created_date",
        parts={
            "segment_condition_group_operator": "match",
            "segment_condition_groups": "groups",
            "segment_conditions": "groups",
        },
    )
    identity = Identity(unique=(("name",),))
    abilities = Abilities(merges=frozenset({""}))
    texts = Texts(
        delete_warning="Campaigns and automations that use the segment lose it, and its earlier versions are gone.",
        page="/app/segments",
        gone="Campaigns and automations that use it lose it.",
        place=100,
    )

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The conditions of each segment: the listing holds only names."""
        return tuple(
            Collection(
                at("/segmentsV2", row["id"]),
                "data",
                table=f"{CONDITIONS}{row['id']}",
                paging="none",
                optional=True,
                ids="text",
                feeds=("description", "match", "groups", "meta"),
                of=str(row["id"]),
            )
            for row in tables.get(AUDIENCES.name)
        )

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """Each segment's conditions are an answer of their own."""
        return (CONDITIONS,) if kind == self.name else ()

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Summary and segment as one row."""
        rows = []
        for row in tables.get(AUDIENCES.name):
            whole = [*tables.get(f"{CONDITIONS}{row['id']}"), {}][0]
            attributes = {**_attributes(row), **_attributes(whole)}
            rows.append({**attributes, "id": str(row["id"])})
        return rows

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Groups with their conditions inside; ids as references where the field says of what."""
        attrs = super().decode(row, tables)
        if "segment_conditions" in row:
            attrs["match"] = matched(row.get("segment_condition_group_operator"))
            attrs["groups"] = groups_of(row)
        return attrs

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """The nested conditions as they are numbered again, and what is undocumented of the segment as a whole."""
        row, pairs = live.row, super().echoes(live)
        pairs[""] = (beyond(row), {})
        if "groups" not in live.attrs:
            return pairs
        sent = encoded(live.attrs, normal_groups(live.attrs["groups"]))
        operator = str(row.get("segment_condition_group_operator")).lower()
        return {**pairs, "match": (operator, MATCH[str(live.attrs["match"])]), "groups": (logic(row), logic(sent))}

    def create(self, write: Write) -> Flow[None]:
        """POST the whole segment."""
        answer = yield post(self.path, document(write, write.desired))
        yield Bound(created_id(answer))

    def update(self, write: Write) -> Flow[None]:
        """PUT the whole segment: what is live, word for word, with the changes over it."""
        yield put(at(self.path, write.id), changed_document(write))

    def refusals(self, write: Write) -> list[Finding]:
        """A PUT saves all of it again: what is not known of it would be lost."""
        if write.destroying or write.live is None or "groups" in {*write.live.attrs, *write.live.odd.values()}:
            return super().refusals(write)
        unread = "the account does not say which conditions the segment has, and a write would replace them all"
        return [*super().refusals(write), Finding(unread, hint="use the key of an Admin user")]

    def predict(self, request: Request, serial: int) -> Response:
        """The answer is the segment with its id."""
        return Response(200, {"data": [{"id": f"new-{serial}"}]})


def _attributes(row: Row) -> Row:
    attributes = row.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


KIND = SegmentKind()

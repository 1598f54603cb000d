"""Pipelines: boards of deals. API: /dealGroups (section 2.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.coerce import ident, number
from reconciler.model.http import Bound, Flow, Request, Response, at, delete, get, post
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import Api, Coded, Expected, Folded, Link, Nested, OnAtFirst, RefTo, SentAs, Spec, Takes
from reconciler.model.traits import Abilities, Identity, IdParameters, Parts, Reading, Texts
from reconciler.model.values import Json, RemoteId, Value, map_of, texts_of
from reconciler.model.write import Impact, Write, likely
from reconciler.resources import losing, records, rules
from reconciler.resources.counts import deals, listed, moved
from reconciler.resources.stage import PIPELINES, Stage

OF = ("dealGroup", "d_groupid")
MEMBERS = {
    "users": (
        Collection(
            "/dealGroupUsers", "dealGroupUsers", optional=True, feeds=("users",), tells=(OF, ("user", "userid"))
        ),
        "user",
        ("user", "userid"),
    ),
    "user_groups": (
        Collection(
            "/dealGroupGroups",
            "dealGroupGroups",
            optional=True,
            feeds=("user_groups",),
            tells=(OF, ("group", "groupid")),
        ),
        "user_group",
        ("group", "groupid"),
    ),
}
"""Who may see a pipeline is not part of its rows: undocumented collections (section 1.11), or sub-collections of
each pipeline.
"""


def _table(collection: Collection, pipeline: Json) -> str:
    """Return the name of the table of one pipeline's members."""
    return f"{collection.key}:{pipeline}"


class Pipeline(Spec):
    """A board of deals with its stages."""

    title: str = Field(description="Title of the pipeline; the account allows duplicates.")
    currency: Annotated[str | None, Folded(), SentAs(str.lower), Expected(), Takes(rules.currency)] = Field(
        None, description="Currency of new deals, three letters."
    )
    all_user_groups: Annotated[bool | None, Api("allgroups"), OnAtFirst()] = Field(
        None, description="All user groups may manage it."
    )
    user_groups: Annotated[list[Link] | None, Api("groups"), RefTo("user_group")] = Field(
        None, description="User groups that may manage it."
    )
    all_users: Annotated[bool | None, Api("allusers")] = Field(None, description="Deals are assigned among all users.")
    users: Annotated[list[Link] | None, RefTo("user", lookup="email")] = Field(
        None, description="Users that deals are assigned to."
    )
    auto_assign: Annotated[
        Literal["off", "round_robin", "deal_value"] | None,
        Api("autoassign"),
        Coded({"off": 0, "round_robin": 1, "deal_value": 2}),
    ] = Field(None, description="How new deals are assigned.")
    stages: Annotated[dict[str, Stage] | None, Api(None), Nested("stage", "pipeline")] = Field(
        None,
        description="Stages in the order of the board. The three that the server makes are taken over or removed.",
    )


class PipelineKind(Kind):
    """Three stages come with every new pipeline, six where orphans of an earlier one are adopted (section 2.7,
    1.10).
    """

    name = "pipeline"
    section = "pipelines"
    spec = Pipeline
    title = "Pipeline"
    path = "/dealGroups"
    wrapper = "dealGroup"
    reading = Reading((PIPELINES,), filtered=True, filled=frozenset({"auto_assign"}))
    identity = Identity(
        name_attribute="title",
        names_repeat=True,
        id_parameters=IdParameters(links=("pipeline", "pipelineid", "dealgroup"), rows=("groupid", "d_groupid")),
    )
    abilities = Abilities(
        parts={
            "users": Parts("assignments of users"),
            "user_groups": Parts("permissions of user groups"),
        },
        salvage=records.PIPELINE_DEALS,
    )
    texts = Texts(
        delete_warning="Its stages and all their deals are deleted with it; there is no undo.",
        gone="Its board disappears with all stages and all deals on it.",
        place=70,
    )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Members are read only when they are declared."""
        return (
            *self.reading.collections,
            *(collection for name, (collection, _, _) in MEMBERS.items() if name in declared),
        )

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Where the undocumented collections are missing, one sub-collection for each pipeline."""
        return tuple(
            Collection(
                at("/dealGroups", row["id"], collection.key),
                collection.key,
                table=_table(collection, row["id"]),
                optional=True,
                feeds=(name,),
                tells=collection.tells,
                of=ident(row["id"]),
            )
            for name, (collection, _, _) in MEMBERS.items()
            if name in declared and collection.name in tables.unknown
            for row in tables.get("dealGroups")
        )

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """The sub-collections of each pipeline, where they are read."""
        own = (collection for collection, _, _ in MEMBERS.values() if kind == self.name and collection.name in asked)
        return [_table(collection, "") for collection in own if collection.name in unread]

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join the members to each pipeline, under `_users` and `_user_groups`; absent where they were not read."""
        joined: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for name, (collection, _, keys) in MEMBERS.items():
            for row in tables.get("dealGroups"):
                identity = ident(row["id"])
                table = collection.name if collection.name in tables.rows else _table(collection, identity)
                if table in tables.rows:
                    joined[identity][f"_{name}"] = [
                        ident(next(member[key] for key in keys if key in member))
                        for member in tables.get(table)
                        if ident(member.get("dealGroup", member.get("d_groupid"))) == identity
                    ]
        return [{**row, **joined[ident(row["id"])]} for row in tables.get("dealGroups")]

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Add users and groups where they were read."""
        attrs = super().decode({key: value for key, value in row.items() if key not in ("users", "groups")}, tables)
        for name, (_, kind, _) in MEMBERS.items():
            if f"_{name}" in row:
                attrs[name] = [RemoteId(kind, identity) for identity in texts_of(row[f"_{name}"])]
        return attrs

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """Without the members: what a row says of them are ids of the relations."""
        return {name: pair for name, pair in super().echoes(live).items() if name not in MEMBERS}

    def create(self, write: Write) -> Flow[None]:
        """POST the pipeline and report the stages that came with it, in board order."""
        answer = yield post("/dealGroups", {"dealGroup": self.body(write, write.desired)})
        created = answer.created("dealGroup", "dealGroups")
        rows = answer.rows("dealStages")
        if not rows:
            listed = yield get("/dealStages", **{"filters[d_groupid]": created, "limit": "100"})
            rows = listed.rows("dealStages")
        mine = [row for row in rows if ident(row.get("group")) == created]
        mine.sort(key=lambda row: (number(row.get("order")) or 0, number(row.get("id")) or 0))
        yield Bound(created, tuple(ident(row["id"]) for row in mine))

    def finish(self, write: Write, spares: Sequence[str]) -> Flow[None]:
        """Remove the stages that came with the pipeline and that no declared stage took over, unless they hold deals.

        A new pipeline may have adopted orphans of an earlier one (section 1.10), and people work while a run is open.
        """
        for spare in spares:
            answer = yield get("/deals", **{"filters[stage]": spare, "limit": "1"})
            if answer.total() != 0:
                raise LookupError(
                    f"stage id {spare} came with the new pipeline, is not declared, and holds deals: it was not "
                    "deleted. Move the deals, or declare the stage"
                )
            yield delete(at("/dealStages", spare))

    def unmovable(self, what: str, address: str, target: str) -> str:
        """The API moves the deals of a stage, and only within its pipeline (section 2.8)."""
        return "the API moves deals only between stages of one pipeline, so a pipeline cannot be emptied into another"

    def predict(self, request: Request, serial: int) -> Response:
        """Three stages come with a new pipeline (recorded in all creates); they hold no deals."""
        if request.path == "/deals":
            return Response(200, {"meta": {"total": 0}})
        answer = super().predict(request, serial)
        if request.method == "POST":
            group = answer.row("dealGroup")["id"]
            stages = [{"id": f"spare-{serial}-{n}", "group": group, "order": n} for n in (1, 2, 3)]
            return answer._replace(body={**map_of(answer.body), "dealStages": stages})
        return answer

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Deals in the pipeline with their value (`filters[group]` is documented, row 38 of section 7)."""
        if write.destroying:
            whole = yield from deals("group", write.id, worth=not write.recounting)
            unread = write.live is not None and not MEMBERS.keys() <= write.live.attrs.keys() and not write.recounting
            return [*whole, *((yield from losing.people_of_pipeline(write.id)) if unread else ())]
        if "currency" not in write.changed:
            return []
        assumed = likely("deals that are there keep their currency")
        return [moved(impact, assumed) for impact in (yield from deals("group", write.id, worth=not write.recounting))]

    def unmatched(self, write: Write) -> Flow[list[str]]:
        """Stages that were added since; the filter is documented, and rows of other pipelines are passed over."""
        rows = yield from listed("/dealStages", "dealStages", {"filters[d_groupid]": write.id})
        if rows is None:
            raise LookupError("the account does not list the pipeline's stages")
        mine = [row for row in rows if ident(row.get("group")) == write.id]
        return [str(row.get("title") or f"id {row['id']}") for row in mine if ident(row["id"]) not in write.children]

    def hidden(self, attrs: Mapping[str, Value]) -> str:
        """Unless all user groups may see it, those that are named do (section 2.7)."""
        unseen = attrs.get("all_user_groups") is False and attrs.get("user_groups", "?") in (None, [])
        return "`all_user_groups: false` and no `user_groups`" if unseen else ""


KIND = PipelineKind()

"""Stages of pipelines. API: /dealStages (section 2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reconciler.model.address import kind_of
from reconciler.model.coerce import ident, listed, number
from reconciler.model.http import Bound, Flow, Pause, Request, Response, at, delete, get, post, put
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import KEY, Api, Attribute, Default, Folded, RefTo, SentAs, Spec, attributes
from reconciler.model.traits import Abilities, Identity, IdParameters, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Impact, Write, likely
from reconciler.resources import records, sequence
from reconciler.resources.counts import deals, moved

PIPELINES = Collection("/dealGroups", "dealGroups", sides=("dealStages",))
STAGES = Collection("/dealStages", "dealStages")
CardRegion = Literal[
    "contact-fullname",
    "contact-fullname-orgname",
    "contact-fullname-acctname",
    "contact-orgname",
    "next-action",
    "title",
    "value",
    "hide",
]


def without_hash(color: str) -> str:
    """Return the colour as the API takes it: six hex digits without `#` (section 2.8)."""
    return color.removeprefix("#")


class Stage(Spec):
    """A column of the board."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the stage.")
    color: Annotated[str | None, Folded(), SentAs(without_hash)] = Field(
        None, pattern=r"^#?[0-9A-Fa-f]{6}$", description="Six hex digits."
    )
    width: int | None = Field(None, gt=0, description="Width of the column in pixels.")
    deal_order: Annotated[str | None, Api("dealOrder")] = Field(
        None, description="How deals are sorted, e.g. `next-action DESC`."
    )
    card_region_1: Annotated[CardRegion | None, Api("cardRegion1")] = Field(
        None, description="First region of a deal's card."
    )
    card_region_2: Annotated[CardRegion | None, Api("cardRegion2")] = Field(None, description="Second region.")
    card_region_3: Annotated[Literal["show-avatar", "hide-avatar"] | None, Api("cardRegion3")] = Field(
        None, description="Avatar."
    )
    card_region_4: Annotated[CardRegion | None, Api("cardRegion4")] = Field(None, description="Fourth region.")
    card_region_5: Annotated[CardRegion | None, Api("cardRegion5")] = Field(None, description="Fifth region.")


def _named(row: Row) -> set[str]:
    """Return the ids of the stages that a pipeline names."""
    return {ident(stage) for stage in listed(row.get("stages")) or ()}


class StageKind(Kind):
    """Listings contain stages of deleted pipelines (section 1.10): only those of living ones count."""

    name = "stage"
    section = ""
    nested = "pipeline"
    spec = Stage
    title = "Stage"
    path = "/dealStages"
    wrapper = "dealStage"
    extra: ClassVar[Mapping[str, Attribute]] = {
        "pipeline": Attribute(
            "pipeline", "group", "ref", "Pipeline of the stage.", True, (Api("group"), RefTo("pipeline"))
        ),
        "order": Attribute("order", "order", "number", "Place on the board, from the order in the file.", False, ()),
    }
    reading = Reading(
        (PIPELINES,),
        filtered=True,
        filled=frozenset({"color", "deal_order", "width", *(f"card_region_{number}" for number in range(1, 6))}),
    )
    identity = Identity(
        name_attribute="title",
        names_repeat=True,
        id_parameters=IdParameters(links=("stage", "stageid"), rows=("dealstage", "d_stageid")),
    )
    abilities = Abilities(writes=("/dealStages/ID/deals",), salvage=records.STAGE_DEALS)
    texts = Texts(
        delete_warning="All deals in the stage are deleted with it, unless `on_destroy: {move_deals_to: ...}` "
        "moves them first.",
        gone="Its column disappears from the board of the pipeline.",
        place=80,
    )

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The spec's, and the two that follow from where a stage stands in the file."""
        return {**attributes(self.spec), **self.extra}

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The stage listing, only where the side-loaded stages are not all that the pipelines name."""
        sideloaded = {ident(row["id"]) for row in tables.get("dealStages")}
        complete = all(row.get("stages") is not None and _named(row) <= sideloaded for row in tables.get("dealGroups"))
        return () if complete else (STAGES,)

    def rows(self, tables: Tables) -> Sequence[Row]:
        """The stages of pipelines that exist."""
        pipelines = {ident(row["id"]) for row in tables.get("dealGroups")}
        return [row for row in tables.get("dealStages") if ident(row.get("group")) in pipelines]

    def unreadable(self, tables: Tables) -> str:
        """A key that sees only part of the pipelines gets part of the stages (section 1.2): that is not empty."""
        if why := super().unreadable(tables):
            return why
        pipelines = {ident(row["id"]) for row in tables.get("dealGroups")}
        inside = {stage for row in tables.get("dealGroups") for stage in _named(row)}
        for row in tables.get("dealStages"):
            group = ident(row.get("group"))
            if group in ("", "0") or (group not in pipelines and ident(row["id"]) in inside):
                return f"the account does not say in which pipeline the stage `{row.get('title')}` is (id {row['id']})"
        return self._hidden_ones(tables)

    def _hidden_ones(self, tables: Tables) -> str:
        seen = {ident(row["id"]) for row in tables.get("dealStages")}
        hidden = [row for row in tables.get("dealGroups") if not _named(row) <= seen]
        if "dealStages" in tables.unknown or hidden:
            names = ", ".join(f"`{row.get('title')}`" for row in hidden) or "every pipeline"
            return f"the account names stages of {names} that this API key may not see; use the key of an Admin user"
        return ""

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(pipeline, title)."""
        return (
            (("pipeline+title", attrs.get("pipeline"), attrs.get("title")),)
            if attrs.get("title") and attrs.get("pipeline")
            else ()
        )

    def arrange(self, siblings: Sequence[tuple[str, Mapping[str, Value], Live | None]]) -> dict[str, dict[str, Value]]:
        """Return the `order` of every stage such that the board follows the file with the fewest changed orders."""
        positions = [(number(live.attrs.get("order")), live.id) if live is not None else None for *_, live in siblings]
        orders = sequence.numbered(len(siblings), sequence.kept(positions))
        return {address: {"order": order} for (address, *_), order in zip(siblings, orders, strict=True)}

    def born(self, live: Live) -> bool:
        """The titles of the stages that come with every pipeline (section 2.7, recorded in all creates)."""
        return live.attrs.get("title") in ("To Contact", "In Contact", "Follow Up")

    def create(self, write: Write) -> Flow[None]:
        """Take over a stage that came with the pipeline, or POST a new one."""
        body = {"dealStage": self.body(write, write.desired)}
        if write.spare is not None:
            yield Bound(write.spare)
            yield put(at("/dealStages", write.spare), body)
        else:
            yield Bound((yield post("/dealStages", body)).created("dealStage", "dealStages"))

    def delete(self, write: Write) -> Flow[None]:
        """Where asked to, move the deals away first and make sure that none is left; then delete."""
        target = write.on_destroy.get("move_deals_to")
        if target is not None:
            yield put(at("/dealStages", write.id, "deals"), {"deal": {"stage": target}})
            yield from _emptied(write.id)
        yield delete(at("/dealStages", write.id))

    def unmovable(self, what: str, address: str, target: str) -> str:
        """Deals move within one pipeline only: another one answers 422 (section 2.8)."""
        if what != "move_deals_to":
            return super().unmovable(what, address, target)
        if kind_of(target) != self.name:
            return f"{target} is not a stage"
        same = address.rpartition(".")[0] == target.rpartition(".")[0]
        return "" if same else f"{target} is in another pipeline, and the API moves deals only within one"

    def predict(self, request: Request, serial: int) -> Response:
        """A look after moving deals finds none left."""
        return Response(200, {"meta": {"total": 0}}) if request.method == "GET" else super().predict(request, serial)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Deals in the stage with their value; none is lost where they are moved first."""
        if write.destroying:
            evacuated = write.on_destroy.get("move_deals_to")
            each = bool(evacuated) and write.recounting  # which were moved already, only their ids tell
            lost = yield from deals("stage", write.id, worth=not write.recounting, each=each)
            return [moved(impact, "(moved away first)") for impact in lost] if evacuated else lost
        if "pipeline" not in write.changed:
            return []
        assumed = likely("they go along into the other pipeline and keep their currency")
        return [moved(impact, assumed) for impact in (yield from deals("stage", write.id, worth=not write.recounting))]


def _emptied(stage: str) -> Flow[None]:
    """Look until the stage holds no deals, three times at most; deleting it earlier would delete them."""
    for attempt in range(3):
        answer = yield get("/deals", **{"filters[stage]": stage, "limit": "1"})
        if answer.total() == 0:
            return
        yield Pause(1.0 + attempt)
    raise LookupError(f"deals are still in stage {stage} after moving them; nothing was deleted")


KIND = StageKind()

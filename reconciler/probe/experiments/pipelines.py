"""Pipelines, their stages, and how deals are filtered (sections 2.7, 2.8)."""

from __future__ import annotations

from reconciler.model.coerce import number
from reconciler.probe import asking
from reconciler.probe.answers import counted, done
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.means import Made
from reconciler.probe.unsettled import Unsettled

PALETTES = {"18D499 32B0FC E6CE4B": "2020-05", "19CCA3 5884EA FBD965": "2020-07"}
WIDTH = 360
ORPHANS = Fact("orphan_stages", 8, "stages go with their pipeline", "no", ("stage", "pipeline"), "vendor",
               "stages of pipelines that are gone are passed over")  # fmt: skip
COLOURS = Fact("palette", 36, "the stages of a new pipeline have the colours of July 2020", "2020-07", ("stage",))
COUNT = Fact("default_stages", 0, "a new pipeline has three stages", "3", ("stage", "pipeline"), "recording",
             "as many as there are are taken over or removed")  # fmt: skip
KEPT = Fact("stage_width", 35, "a stage keeps the width that was sent", "kept", ("stage",))
PLACED = Fact("stage_order_on_create", 0, "a stage keeps the place that was sent", "kept", ("stage",))
FILTERS = Fact("deal_filters", 38, "deals are filtered by `filters[stage]` and `filters[group]`", "honoured",
               ("stage", "pipeline"), "vendor", "what a delete would lose cannot be counted")  # fmt: skip
OTHER = Fact("deal_filters_d", 38, "`filters[d_stageid]` is ignored", "ignored", ("stage",), "client")
STAGE_FILTER = Fact("stage_filter", 0, "stages are filtered by `filters[d_groupid]`", "honoured", ("stage",), "vendor",
                    "rows of other pipelines are passed over")  # fmt: skip


async def _pipelines(lab: Lab) -> Findings:
    created = await lab.make("pipeline", {"title": lab.name("pipeline"), "currency": "usd"})
    rows = await _stages(lab, created)
    yield "default_stages", str(len(rows))
    colours = " ".join(str(row.get("color")) for row in rows[:3])
    none = Unsettled("a new pipeline has no stages")
    yield "palette", PALETTES.get(colours, "others") if rows else none
    listed = done(await lab.ask("/dealStages", {"filters[d_groupid]": created.id, "limit": "100"}))
    strange = [row for row in listed.rows("dealStages") if str(row.get("group")) != created.id]
    yield "stage_filter", "ignored" if strange else "honoured"
    yield "put.pipeline", await asking.merges(lab, created, {"title": lab.name("pipeline 2")}, "currency")
    yield (
        "unique.dealGroups",
        await asking.repeats(lab, "pipeline", {"title": lab.name("pipeline 2"), "currency": "usd"}),
    )
    attrs = {"title": lab.name("stage"), "group": created.id, "width": WIDTH, "order": 2}
    stage = await lab.make("stage", attrs)
    row = await lab.read(stage)
    yield "stage_width", "kept" if str(row.get("width")) == str(WIDTH) else "other"
    yield "stage_order_on_create", "kept" if str(row.get("order")) == "2" else "other"
    yield "put.stage", await asking.merges(lab, stage, {"title": lab.name("stage 2")}, "width")
    async for finding in _filters(lab, created, stage):
        yield finding
    await lab.remove(stage)


async def _filters(lab: Lab, pipeline: Made, stage: Made) -> Findings:
    if not counted(await lab.get("/deals", limit="1")):
        none = Unsettled("the account has no deals: a filter that is ignored finds as many as one that is honoured")
        yield "deal_filters", none
        yield "deal_filters_d", none
        return
    empty = [
        counted(await lab.ask("/deals", {name: created.id, "limit": "1"}))
        for name, created in (("filters[stage]", stage), ("filters[group]", pipeline))
    ]
    yield "deal_filters", "honoured" if empty == [0, 0] else "ignored"
    other = counted(await lab.ask("/deals", {"filters[d_stageid]": stage.id, "limit": "1"}))
    yield "deal_filters_d", "honoured" if other == 0 else "ignored"


async def _orphans(lab: Lab) -> Findings:
    created = await lab.make("pipeline", {"title": lab.name("short-lived"), "currency": "usd"})
    before = await _stages(lab, created)
    if not before:
        raise Unsettled("a new pipeline has no stages")
    done(await lab.leave(created))
    yield "orphan_stages", "yes" if await _stages(lab, created) else "no"


async def _stages(lab: Lab, created: Made) -> list[dict[str, object]]:
    rows = await lab.listed("/dealStages", "dealStages", {"filters[d_groupid]": created.id})
    mine = [row for row in rows if str(row.get("group")) == created.id]
    return sorted(mine, key=lambda row: number(row.get("order")) or 0)


EXPERIMENTS = (
    Experiment("pipelines",
               (COUNT, COLOURS, STAGE_FILTER, asking.merging("pipeline", "pipeline"),
                asking.repeating("dealGroups", "title", "pipeline"), KEPT, PLACED, asking.merging("stage", "stage"),
                FILTERS, OTHER), _pipelines, 34, held=42),
    Experiment("stages of pipelines that are gone", (ORPHANS,), _orphans, 16, held=22),
)  # fmt: skip

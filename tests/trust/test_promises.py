"""What a saved plan promised is kept, or its change is refused: evacuations, what goes along, numbers of families."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import digest
from reconciler.model.plan import Plan
from reconciler.planning import planner
from reconciler.workflow.plans import promises
from reconciler.workflow.plans import saved as saved_plans
from tests.trust.losing import BOTH, STAGES, at
from tests.world import World

EVACUATING = STAGES.format(
    "x: {title: X, lifecycle: {on_destroy: {move_deals_to: lead}}}, lead: {title: Lead}, won: {}"
)
WITHOUT_X = STAGES.format("lead: {title: Lead}, won: {}")
EXTRA = "\ntags: {extra: {name: Extra}}\n"


def deals(world: World, stage: str, count: int) -> None:
    """Let deals arrive in the stage of this title."""
    row = world.rows("dealStages", title=stage)[0]
    world.account.seed({"deals": [{"title": "D", "stage": row["id"], "group": row["group"]} for _ in range(count)]})


def saved(world: World, *argv: str) -> Path:
    """The plan in a file."""
    path = world.folder / "p.json"
    ran = world.cli("plan", "--out", str(path), *argv)
    assert ran.code == 0, ran.text
    world.forget()
    return path


@pytest.fixture(name="moving")
def a_stage_to_be_emptied(world: World) -> World:
    """A stage with three deals, which are to be moved to `lead` before it goes."""
    world.write(EVACUATING)
    world.apply()
    deals(world, "X", 3)
    world.write(WITHOUT_X + EXTRA)
    world.forget()
    return world


ALLOW = ("--allow", "records_moved=3")


@pytest.mark.parametrize("strict", [False, True])
def test_a_refuge_that_is_gone_refuses_the_delete(moving: World, strict: bool) -> None:
    """The plan promised to move the deals; where they cannot be moved any more, the stage stays with them."""
    path = saved(moving, *ALLOW)
    lead = moving.rows("dealStages", title="Lead")[0]["id"]
    moving.account.rows.remove("dealStages", lead)
    ran = moving.cli("apply", str(path), *(["--strict"] if strict else []))
    assert ran.code == 6, ran.text
    assert "move_deals_to: stage.sales.lead" in ran.text
    assert len(moving.rows("deals")) == 3
    assert moving.rows("dealStages", title="X")
    assert bool(moving.rows("tags", tag="Extra")) is not strict


def test_a_refuge_that_goes_while_somebody_reads_stops_the_apply(
    moving: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed yes is to the plan with its move."""

    class Slow(StringIO):
        def readline(self, *args: Any) -> Any:
            moving.account.rows.remove("dealStages", moving.rows("dealStages", title="Lead")[0]["id"])
            return "yes\n"

    monkeypatch.setenv("RECONCILER_PROMPT", "1")
    monkeypatch.setattr(sys, "stdin", Slow())
    ran = moving.cli("apply", *ALLOW)
    assert ran.code in (3, 6), ran.text
    assert len(moving.rows("deals")) == 3
    assert moving.rows("dealStages", title="X")


@pytest.mark.parametrize("more", [1, 30])
def test_more_deals_than_planned_are_not_moved(moving: World, more: int) -> None:
    """A yes to moving three deals is no yes to moving more."""
    path = saved(moving, *ALLOW)
    deals(moving, "X", more)
    ran = moving.cli("apply", str(path))
    assert ran.code == 7, ran.text
    assert f"planned against 3, found {3 + more}" in " ".join(ran.text.split())
    assert len(moving.rows("deals", stage=moving.rows("dealStages", title="X")[0]["id"])) == 3 + more


def test_deals_that_arrive_after_the_move_are_kept(moving: World) -> None:
    """Two deals come in after the look that found the stage empty: a yes to moving others is none to losing them."""
    path = saved(moving, *ALLOW)
    looks = []

    def looked(method: str, path: str) -> bool:
        moved = any(line.endswith("/deals") and line.startswith("PUT") for line in moving.requests())
        if moved and method == "GET" and path == "/deals":
            looks.append(path)
        return len(looks) == 1

    at(moving, looked, lambda: deals(moving, "X", 2), after=True)
    ran = moving.cli("apply", str(path))
    assert ran.code == 7, ran.text
    assert "planned against 0, found 2 deals" in " ".join(ran.text.split())
    assert len(moving.rows("deals")) == 5
    assert moving.rows("dealStages", title="X")


# --- a pipeline and its stages ----------------------------------------------------------------------------------------


@pytest.fixture(name="family")
def a_pipeline_with_deals(world: World) -> World:
    """A pipeline whose two stages hold two deals each, and which is no longer declared."""
    world.write(BOTH + EXTRA)
    world.apply()
    deals(world, "Lead", 2)
    deals(world, "Won", 2)
    world.write(EXTRA)
    world.forget()
    return world


def test_a_family_goes_as_planned(family: World) -> None:
    """Four deals were said yes to, and four go; the forecast is exact."""
    path = saved(family, "--allow", "max_records_lost=4")
    family.fault("slow", "GET /deals.*", times=100, seconds=0.01)  # so that steps side by side would mix
    cost = json.loads(path.read_text())["forecast"]
    assert family.cli("apply", str(path)).code == 0
    assert family.rows("deals") == []
    sent = family.requests()
    stages = [n for n, line in enumerate(sent) if line.startswith("DELETE /dealStages/")]
    assert [sent[n - 2 : n] for n in stages] == [["GET /deals", "GET /deals"]] * 2, sent
    assert len(family.requests()) == cost["check_requests"] + cost["apply_reads"] + cost["apply_writes"]


@pytest.mark.parametrize("stage", ["Lead", "Won"])
def test_nothing_of_a_family_goes_where_its_number_is_exceeded(family: World, stage: str) -> None:
    """The pipeline's stages go first, and with them its deals: they are held to the pipeline's number."""
    path = saved(family, "--allow", "max_records_lost=4")
    deals(family, stage, 1)
    ran = family.cli("apply", str(path))
    assert ran.code == 7, ran.text
    assert "planned against 4, found 5 deals" in " ".join(ran.text.split())
    assert len(family.rows("deals")) == 5
    assert len(family.rows("dealStages")) == 2


def test_deals_may_go_from_stage_to_stage_of_a_family(family: World) -> None:
    """It is the pipeline's number that was shown: a deal that was won meanwhile is none more."""
    path = saved(family, "--allow", "max_records_lost=4")
    won = family.rows("dealStages", title="Won")[0]["id"]
    for row in family.rows("deals"):
        family.account.rows.put("deals", row["id"], {**row, "stage": won})
    assert family.cli("apply", str(path)).code == 0


def test_what_arrives_between_two_stages_is_added_to_what_went(family: World) -> None:
    """Two deals went with the first stage; two new ones in the second make six, not four."""
    path = saved(family, "--allow", "max_records_lost=4")

    def arrive() -> None:
        row = family.rows("dealStages")[0]
        deals(family, row["title"], 2)

    at(family, lambda method, path: method == "DELETE", arrive, after=True)
    ran = family.cli("apply", str(path))
    assert ran.code == 7, ran.text
    assert "planned against 4, found 6 deals" in " ".join(ran.text.split())
    assert len(family.rows("deals")) == 4
    assert family.rows("dealGroups")


# --- the order of steps -----------------------------------------------------------------------------------------------

SENDER = "sender_url: https://a.example, sender_reminder: R"
ORDERED = f"""
pipelines:
  sales: {{title: Sales, currency: usd, stages: {{lead: {{title: Lead}}, won: {{title: Won}}}}}}
  kept:
    title: Kept
    currency: usd
    stages: {{first: {{title: First}}, last: {{title: Last, lifecycle: {{on_destroy: {{move_deals_to: first}}}}}}}}
lists: {{news: {{name: News, string_id: news, {SENDER}}}}}
webhooks: {{hook: {{name: Hook, url: "https://a.example", list: news, events: [subscribe], sources: [admin]}}}}
tags: {{a: {{name: A}}, b: {{name: B}}, c: {{name: C}}}}
"""
AFTER = f"""
pipelines: {{kept: {{title: Kept, currency: usd, stages: {{first: {{title: First}}}}}}}}
lists: {{other: {{name: Other, string_id: other, {SENDER}}}}}
fields: {{tier: {{title: Tier, type: text, lists: [other]}}}}
tags: {{b: {{name: A}}, c: {{name: B}}, d: {{name: C}}}}
"""
WAITS = 7
"""Stages before their pipeline, a webhook before its list, a list before its field, names that are handed on."""


@pytest.fixture(name="ordered")
def a_plan_with_an_order(world: World) -> World:
    """A project whose next plan has steps that wait for each other in every way that there is."""
    world.write(ORDERED)
    world.apply()
    world.write(AFTER)
    world.forget()
    return world


def edges(made: Plan) -> list[tuple[int, int]]:
    """Return the pairs (step, what it waits for) of different addresses."""
    owner = {step.number: step.address for step in made.steps}
    return [(step.number, one) for step in made.steps for one in step.waits if owner[one] != step.address]


def without(made: Plan, edge: tuple[int, int]) -> Plan:
    """The plan of a version of this program that does not know why one step waits for another."""
    steps = (step._replace(waits=tuple(one for one in step.waits if (step.number, one) != edge)) for step in made.steps)
    return made._replace(steps=tuple(steps))


def test_a_step_that_would_not_wait_breaks_the_promise(ordered: World) -> None:
    """Each of the waits of a plan that no other one implies, taken away alone."""
    planned = ordered.plan(allow=("list_deletes=list.news",))
    made, document = planned.inner.plan, planned.document
    assert not promises.broken(document, made)
    owner = {step.number: step.address for step in made.steps}
    assert len(edges(made)) == WAITS
    for step, other in edges(made):
        found = promises.broken(document, without(made, (step, other)))
        assert found == {owner[step]: f"it would not wait for {owner[other]}, as planned"}


@pytest.mark.parametrize("nth", range(WAITS))
def test_a_plan_is_not_applied_in_another_order(ordered: World, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Whatever made the plan again: a change that would not wait as planned is refused, and so is what waits for it."""
    path = saved(ordered, "--allow", "list_deletes=list.news")
    made = ordered.plan(allow=("list_deletes=list.news",)).inner.plan
    step, other = edges(made)[nth]
    address = {one.number: one.address for one in made.steps}
    monkeypatch.setattr(saved_plans, "plan", lambda inputs: without(planner.plan(inputs), (step, other)))
    ordered.forget()
    ran = ordered.cli("apply", str(path), "--strict")
    assert ran.code == 6, ran.text
    assert f"it would not wait for {address[other]}, as planned" in " ".join(ran.text.split())
    assert ordered.writes() == []


# --- what was not promised --------------------------------------------------------------------------------------------


def test_a_plan_of_an_earlier_format_loses_nothing(world: World) -> None:
    """It does not say how its losses are counted again: what destroys is refused, the rest goes on."""
    world.write("tags: {a: {}, b: {}}")
    world.apply()
    world.write("tags: {a: {description: new}}")
    path = saved(world)
    content = json.loads(path.read_text())
    content["format_version"] = "1.1"
    for change in content["changes"]:
        del change["counting"], change["evacuates"]
    content["digest"] = digest(content)
    path.write_text(json.dumps(content))
    ran = world.cli("apply", str(path))
    assert ran.code == 6, ran.text
    assert "format 1.1" in ran.text
    assert [(row["tag"], row["description"]) for row in world.rows("tags")] == [("a", "new"), ("b", "")]


@pytest.mark.parametrize("yes", ["--no-impact", "--allow=max_records_lost=unknown"])
def test_a_yes_to_the_unknown_needs_no_count(world: World, yes: str) -> None:
    """Who said yes to any number is not asked again, and nothing is counted."""
    world.write("tags: {a: {}, b: {}}")
    world.apply()
    world.write("tags: {a: {}}")
    world.behave(forbidden=("contacts",))
    path = saved(world, yes)
    assert world.cli("apply", str(path)).code == 0
    assert not [line for line in world.requests() if line.startswith("GET /contacts")]


def test_the_same_plan_is_refused_again_after_it_was_refused(world: World) -> None:
    """A refused part stays to be done: the next plan shows it with the new number."""
    world.write("tags: {a: {}, vip: {name: VIP}}")
    world.apply()
    world.write("tags: {a: {}}")
    path = saved(world)
    tag = world.rows("tags", tag="VIP")[0]["id"]
    world.account.seed(
        {"contacts": [{"id": "1", "email": "a@example.com"}], "contactTags": [{"contact": "1", "tag": tag}]}
    )
    assert world.cli("apply", str(path)).code == 7
    assert world.cli("apply", str(path)).code == 6
    ran = world.cli("plan")
    assert ran.code == 7, ran.text
    assert "max_records_lost=1" in ran.out

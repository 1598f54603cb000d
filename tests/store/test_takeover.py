"""What a run finds that comes after one which died, froze or lost its lock: nothing is made twice, and what an earlier
version made twice is told.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from reconciler.model.errors import StalePlan
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from tests.world import World
from tests.world.clock import run

TAGS = "tags: {a: {name: A}, b: {name: B}, c: {name: C}, d: {name: D}}\n"
RICH = """
tags: {a: {name: A}}
lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: You asked for it}}
fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news]}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}, won: {title: Won}}}}
webhooks: {crm: {name: CRM, url: https://h.example/in, events: [subscribe], sources: [admin], list: news}}
deal_roles: {finance: {title: Finance}}
"""


def names(world: World) -> list[str]:
    """The names of all tags."""
    return sorted(row["tag"] for row in world.rows("tags"))


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_create_that_arrives_after_the_next_plan_was_made_is_no_second_object(world: World, nth: int) -> None:
    """The one that died had handed it over; the next run plans it, for it is not there yet, and then it comes."""
    world.write(TAGS)
    world.dies(nth, after=False)
    late = sorted(set("ABCD") - set(names(world)))[0]
    planned = world.plan()
    assert f"create tag.{late.lower()}" in planned.lines
    world.call("POST", "/tags", {"tag": {"tag": late, "tagType": "contact"}})
    summary = run(apply_plan(world.session(), planned.inner, Hooks()))
    assert summary.complete
    assert names(world) == ["A", "B", "C", "D"]
    assert world.plan().empty
    assert world.cli("state", "doctor").code == 0


def test_a_half_made_object_that_comes_to_light_late_is_finished(world: World) -> None:
    """Only its first request had arrived: what is left to do is done, under the same id."""
    world.write(RICH)
    world.dies(1, after=False)
    planned = world.plan()
    world.call("POST", "/dealGroups", {"dealGroup": {"title": "Sales", "currency": "usd"}})
    summary = run(apply_plan(world.session(), planned.inner, Hooks()))
    assert summary.complete, summary.failed
    assert len(world.rows("dealGroups", title="Sales")) == 1
    assert world.plan().empty


def test_a_plan_from_before_another_run_recorded_more_is_stale(world: World) -> None:
    """Serial and lineage are the same, but the journal is not: the objects of the dead run would be made again."""
    world.write(TAGS)
    planned = world.plan()
    world.dies(3, after=True)
    made = names(world)
    assert made
    with pytest.raises(StalePlan):
        run(apply_plan(world.session(), planned.inner, Hooks()))
    assert names(world) == made
    world.apply()
    assert names(world) == ["A", "B", "C", "D"]


def test_the_doctor_tells_twins(world: World) -> None:
    """Two objects of one name, one of them in the state: every id is named, the exit code is not 0."""
    world.write(RICH)
    world.apply()
    assert world.cli("state", "doctor").code == 0
    twins = {}
    for table, path, wrapper in (("tags", "/tags", "tag"), ("dealGroups", "/dealGroups", "dealGroup")):
        row = world.rows(table)[0]
        body = {key: value for key, value in row.items() if key in ("tag", "tagType", "title", "currency")}
        twins[table] = world.call("POST", path, {wrapper: body})[wrapper]["id"]
    ran = world.cli("state", "doctor", "--format", "json")
    assert ran.code == 1
    found = {row["address"]: row["problem"] for row in json.loads(ran.out)}
    assert found == {
        "tag.a": f"1 other object has the same name: id {twins['tags']}",
        "pipeline.sales": f"1 other object has the same name: id {twins['dealGroups']}",
    }


def test_the_doctor_tells_what_an_unfinished_create_left(world: World) -> None:
    """A message gets its name after it was created: one without is told by what it has."""
    world.write(
        "messages: {hello: {name: Hello, from_name: A, from_email: a@shop.example, reply_to: a@shop.example, "
        "subject: Hi, text: Hi}}\n"
    )
    world.apply()
    other = {"fromname": "A", "fromemail": "a@shop.example", "reply2": "a@shop.example", "subject": "Other"}
    world.call("POST", "/messages", {"message": other})
    assert world.cli("state", "doctor").code == 0
    made = world.call("POST", "/messages", {"message": {**other, "subject": "Hi"}})["message"]["id"]
    ran = world.cli("state", "doctor")
    assert ran.code == 1
    assert f"1 other object has the same subject: id {made}" in " ".join(ran.text.split())


@pytest.mark.parametrize("seconds", [4, 9, 25, 39])
@pytest.mark.parametrize("killed", [True, False])
def test_a_create_that_arrives_late_is_no_second_object(world: World, seconds: float, killed: bool) -> None:
    """A proxy hands it over while the next run, or this one, waits before it sends it again."""
    world.write(TAGS)
    if killed:
        world.dies(1, after=False)
    else:
        world.fault("drop_before", "POST /tags")

    planned = world.plan()

    async def both() -> None:
        applying = asyncio.create_task(apply_plan(world.session(), planned.inner, Hooks()))
        await asyncio.sleep(seconds)
        missing = min(set("ABCD") - set(names(world)))
        world.account.seed({"tags": [{"tag": missing, "tagType": "contact"}]})
        assert (await applying).complete

    run(both())
    assert names(world) == ["A", "B", "C", "D"]
    assert world.plan().empty


def test_two_managed_objects_of_one_name_are_no_twins(world: World) -> None:
    """Both are in the state: somebody declared them so."""
    world.write("pipelines: {a: {title: Sales, currency: usd, stages: {x: {title: X}}}}\n")
    world.apply()
    world.write("pipelines: {a: {title: Care, currency: usd, stages: {x: {title: X}}}}\n")
    world.apply()
    world.write(
        "pipelines:\n  a: {title: Care, currency: usd, stages: {x: {title: X}}}\n"
        "  b: {title: Sales, currency: usd, stages: {x: {title: X}}}\n"
    )
    world.apply()
    row = world.rows("dealGroups", title="Sales")[0]
    world.call("PUT", f"/dealGroups/{row['id']}", {"dealGroup": {"title": "Care"}})
    assert "same name" not in world.cli("state", "doctor").out

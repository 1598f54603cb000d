"""Cost and completeness: the cheapest way to read, forecasts that hold, listings that have to add up."""

from __future__ import annotations

import json

import pytest

from tests.world import World

THREE = "tags: {a: {name: A}, b: {name: B}, c: {name: C}}"


def crowd(world: World, count: int, first: int = 1) -> None:
    """Let others have so many tags, made before ours."""
    base = {"tagType": "contact", "description": ""}
    rows = [
        (str(n), {"id": str(n), "tag": f"T{n}", "cdate": f"2020-01-01T00:{n % 60:02}:00-05:00", **base})
        for n in range(first, first + count)
    ]
    world.account.rows.put_many("tags", rows)


@pytest.fixture
def crowded(world: World) -> World:
    """Three managed tags in an account of 10,000; they are made while the last of the others is there alone."""
    crowd(world, 1, first=9_997)
    world.write(THREE)
    world.apply()
    _, *ours = world.rows("tags")
    for row in world.rows("tags"):
        world.account.rows.remove("tags", row["id"])
    crowd(world, 9_997)
    world.account.rows.put_many("tags", [(row["id"], row) for row in ours])
    world.forget()
    return world


def test_three_managed_tags_of_10000_cost_four_requests(crowded: World) -> None:
    """The first page tells the total; three single reads are cheaper than 99 more pages."""
    assert crowded.plan().empty
    assert sorted(crowded.requests()) == sorted(["GET /tags", *(f"GET /tags/{n}" for n in (9998, 9999, 10000))])


def test_update_reads_back_singly_and_as_forecast(crowded: World) -> None:
    """Plan and apply of one changed tag among 10,000: 4 requests, one write, 4 requests, as the plan said."""
    crowded.write(THREE.replace("name: B}", "name: B2}"))
    done = crowded.apply()
    cost = done.planned.document.forecast
    assert (cost.plan_requests, cost.apply_writes, cost.apply_reads) == (4, 1, 4)
    assert len(crowded.requests()) == 9
    assert done.summary.requests == cost.apply_requests
    assert crowded.plan().empty


def test_delete_is_seen_to_be_gone(crowded: World) -> None:
    """A deleted object is asked for once more: gone is what was wanted."""
    crowded.write("tags: {a: {name: A}, c: {name: C}}")
    done = crowded.apply()
    assert done.summary.destroyed == 1
    assert done.summary.requests == done.planned.document.forecast.apply_requests
    assert crowded.plan().empty


def test_saved_plan_is_proven_singly(crowded: World) -> None:
    """`apply FILE` reads the same cheap way, as forecast."""
    crowded.write(THREE.replace("name: B}", "name: B2}"))
    path = str(crowded.folder / "plan.json")
    crowded.cli("plan", "--out", path)
    cost = json.loads((crowded.folder / "plan.json").read_text())["forecast"]
    crowded.forget()
    assert crowded.cli("apply", path).code == 0
    assert len(crowded.requests()) == cost["check_requests"] + cost["apply_reads"] + cost["apply_writes"] == 9


def test_new_declarations_are_looked_for_among_all(crowded: World) -> None:
    """An object that is not bound yet may exist already, on any page: everything is read, and it is adopted."""
    crowded.write(THREE[:-1] + ", d: {name: T5000}}")
    assert crowded.plan().lines == ["adopt tag.d"]
    assert len(crowded.requests()) == 100


def test_gone_objects_are_looked_for_among_all(crowded: World) -> None:
    """Where a managed object is gone, somebody may have made it anew: its namesake is found."""
    row = crowded.rows("tags", tag="B")[0]
    crowded.account.rows.remove("tags", row["id"])
    crowded.account.seed({"tags": [{"id": "20000", "tag": "B", "tagType": "contact", "description": ""}]})
    assert crowded.plan().lines == ["adopt tag.b"]


def test_reused_ids_are_not_taken_for_ours(crowded: World) -> None:
    """Where an id belongs to another object now, everything is read, and ours is made again; theirs is left alone."""
    row = crowded.rows("tags", tag="B")[0]
    crowded.account.rows.put("tags", row["id"], {**row, "tag": "Theirs", "cdate": "2026-02-02T00:00:00-05:00"})
    assert crowded.plan().lines == ["create tag.b"]


def test_many_managed_objects_are_read_by_pages(world: World) -> None:
    """Where single reads would cost more than pages, pages are read."""
    crowd(world, 250)
    world.write({"tags": {f"t{n}": {"name": f"N{n}"} for n in range(20)}})
    world.apply()
    world.forget()
    assert world.plan().empty
    assert world.requests() == ["GET /tags"] * 3


def test_growing_listing_is_read_again(world: World) -> None:
    """Pages whose totals differ are read a second time; when they add up then, the plan goes on."""
    crowd(world, 250)
    world.write("tags: {x: {name: X}}")
    world.fault("lying_total", "GET /tags", nth=2)
    assert world.plan().lines == ["create tag.x"]
    assert len(world.requests()) == 6


@pytest.mark.parametrize("delta", [-1, 1])
def test_listing_that_never_adds_up_is_unknown(world: World, delta: int) -> None:
    """A total that is not what comes, twice: nothing of the kind is planned, nothing is written."""
    crowd(world, 250)
    world.write("tags: {x: {name: X}}")
    world.fault("lying_total", "GET /tags", times=50, delta=delta)
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 4, ran.text
    assert "does not add up" in " ".join(ran.text.split())
    assert not world.writes()


def test_forbidden_is_not_empty(world: World) -> None:
    """A listing that may not be read is unknown: nothing is created on it, and the exit code says so."""
    world.behave(forbidden=("tags",))
    world.write(THREE)
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 4, ran.text
    assert not world.writes()

"""Faults as data: what goes wrong, when, and what was done nevertheless."""

from __future__ import annotations

import time

import pytest

from reconciler.emulator import ConnectionDropped, Fault
from tests.emulator.calling import Api


def count(api: Api) -> int:
    """How many tags there are."""
    return api.account.rows.count("tags")


@pytest.mark.parametrize(("action", "done"), [("fail_before", 0), ("fail_after", 1)])
def test_failures_before_and_after_the_work(api: Api, action: str, done: int) -> None:
    """The answer is an error in both cases; only one of them did the work."""
    api.fails(action=action, match="^POST /tags", status=502, body={"message": "no"})
    reply = api("POST", "/tags", {"tag": {"tag": "A"}})
    assert (reply.status, reply.body, count(api)) == (502, {"message": "no"}, done)


@pytest.mark.parametrize(("action", "done"), [("drop_before", 0), ("drop_after", 1)])
def test_lost_requests_and_lost_answers(api: Api, action: str, done: int) -> None:
    """The connection breaks in both cases; only one of them did the work."""
    api.fails(action=action, match="^POST")
    with pytest.raises(ConnectionDropped):
        api("POST", "/tags", {"tag": {"tag": "A"}})
    assert count(api) == done


def test_the_nth_request_and_so_many_after_it(api: Api) -> None:
    """`nth` counts matching requests from 1, `times` says how many are hit."""
    api.fails(action="forbidden", match="^GET /tags", nth=2, times=2)
    assert [api("GET", path).status for path in ("/tags", "/lists", "/tags", "/tags", "/tags")] == [
        200, 200, 403, 403, 200,
    ]  # fmt: skip


def test_429_with_and_without_seconds(api: Api) -> None:
    """A fault may say how long to wait, or not."""
    api.fails(action="rate_limited", seconds=30)
    api.fails(action="rate_limited", nth=2)
    assert api("GET", "/tags").headers["retry-after"] == "30"
    assert "retry-after" not in api("GET", "/tags").headers


def test_a_stale_list_is_that_of_the_same_path_and_query(api: Api) -> None:
    """The answer of the last such read comes again; another page, or a page never read, is not it."""
    for name in ("a", "b"):
        api.make("/tags", "tag", tag=name)
    before = api("GET", "/tags?limit=1&offset=1")
    api("PUT", "/tags/2", {"tag": {"tag": "new"}})
    api.fails(action="stale_list", match=r"^GET /tags\?", times=3)
    assert api("GET", "/tags?limit=1&offset=1").raw == before.raw
    assert api.get("/tags?limit=1&offset=0")["tags"][0]["tag"] == "a"
    assert api.get("/tags?limit=2&offset=0")["tags"][1]["tag"] == "new"


def test_a_lying_total_keeps_its_type(api: Api) -> None:
    """`delta` is added to the total, whatever it is."""
    api.fails(action="lying_total", delta=5, times=2)
    assert api.get("/tags")["meta"]["total"] == "5"
    assert api.get("/deals")["meta"]["total"] == 5
    assert api.get("/tags")["meta"]["total"] == "0"


def test_html_and_truncated_answers(api: Api) -> None:
    """A login page instead of JSON, and JSON that breaks off."""
    api.fails(action="html")
    api.fails(action="truncated", nth=2)
    assert api("GET", "/tags").headers["content-type"] == "text/html"
    reply = api("GET", "/tags")
    assert (reply.status, reply.body) == (200, None)
    assert len(reply.raw) > 10


def test_a_short_page(api: Api) -> None:
    """Rows are missing at the end of a page although the total is right."""
    api.account.seed({"fields": [{"title": str(n), "options": ["a"]} for n in range(3)]})
    api.fails(action="short_page", delta=2)
    page = api.get("/fields")
    assert (len(page["fields"]), len(page["fieldOptions"]), page["meta"]["total"]) == (1, 3, "3")


@pytest.mark.parametrize(
    ("action", "second", "total"), [("rows_vanish", "3", "3"), ("rows_repeat", "1", "5"), (None, "2", "4")]
)
def test_rows_that_move_between_pages(api: Api, action: str | None, second: str, total: str) -> None:
    """Another client removes, or creates, a row before the page: one is missed, or one comes twice."""
    api.account.seed({"tags": [{"tag": str(n)} for n in range(4)]})
    if action:
        api.fails(action=action, match="^GET /tags", nth=2)
    first = api.get("/tags", limit=2)
    after = api.get("/tags", limit=2, offset=2)
    assert [row["tag"] for row in first["tags"]] == ["0", "1"]
    assert after["tags"][0]["tag"] == second
    assert after["meta"]["total"] == total


def test_a_slow_answer(api: Api) -> None:
    """`slow` waits for its seconds and does the work."""
    api.fails(action="slow", seconds=0.02)
    before = time.monotonic()
    assert api("GET", "/tags").status == 200
    assert time.monotonic() - before >= 0.02


def test_faults_are_checked() -> None:
    """An unknown action or part is refused."""
    for wrong in ({"action": "explode"}, {"action": "slow", "secs": 1}, {}):
        with pytest.raises(ValueError, match="fault"):
            Fault.of(wrong)


def test_faults_are_counted_once_each(api: Api) -> None:
    """Two faults that match the same request see it both."""
    api.fails(action="slow", seconds=0)
    api.fails(action="fail_before", status=500)
    assert api("GET", "/tags").status == 500
    assert [fault["seen"] for fault in api.account.fault_data()] == [1, 1]

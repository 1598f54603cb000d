"""The one loop over the pages of a listing: it follows its reader's rule, and never goes on without end."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from reconciler.model.http import PAGE, Flow, Request, Response, page_of
from reconciler.model.paging import follow
from reconciler.resources.counts import counted_rows, listed

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"reconciler/probe/sending.py", "reconciler/fleet/partners.py"}
"""Loops of their own: a probe's questions are not requests of a flow, and the partner API counts pages."""


def run(flow: Flow[T], account: list[int], *, total: bool) -> tuple[T, int]:
    """Return the result of a flow on an account with these rows, and how many requests it took."""
    sent = 0
    try:
        item = next(flow)
        while True:
            assert isinstance(item, Request)
            sent += 1
            query = dict(item.query)
            begin = int(query["offset"])
            rows = [{"id": str(number)} for number in account[begin : begin + int(query["limit"])]]
            item = flow.send(Response(200, {"rows": rows, **({"meta": {"total": len(account)}} if total else {})}))
    except StopIteration as stop:
        return stop.value, sent


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("count", [0, 1, 20, 99, 100, 101, 200, 250])
def test_every_row_is_listed_once_and_no_page_is_asked_for_in_vain(count: int, total: bool) -> None:
    """A total ends a listing where it is reached; without one a full page is followed by one more request."""
    rows, sent = run(listed("/rows", "rows"), list(range(count)), total=total)
    assert [row["id"] for row in rows or ()] == [str(number) for number in range(count)]
    assert sent == (max(1, -(-count // PAGE)) if total else count // PAGE + 1 + (count == 20))
    counted, _ = run(counted_rows("/rows", "rows"), list(range(count)), total=total)
    assert counted == count


def test_a_listing_that_does_not_end_is_left_after_the_most_pages() -> None:
    """It is said not to have ended, and the reader decides what that means."""
    (answers, ended), sent = run(
        follow(lambda offset: page_of("/rows", offset), lambda answer, offset: offset + 1, most=7), [1], total=False
    )
    assert (len(answers), sent, ended) == (7, 7, False)
    rows, sent = run(listed("/rows", "rows", pages=3), list(range(1_000)), total=True)
    assert (rows, sent) == (None, 3)


def _loops(tree: ast.AST) -> Iterator[ast.For | ast.While | ast.AsyncFor]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While | ast.AsyncFor))


def test_no_other_loop_counts_the_rows_that_it_has_to_ask_for_the_next() -> None:
    """Where a listing ends is decided by the rule that a reader hands to the one loop."""
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "reconciler").rglob("*.py")
        if "emulator" not in path.parts
        for loop in _loops(ast.parse(path.read_text("utf-8")))
        if not (isinstance(loop, ast.For) and "range" in ast.dump(loop.iter) and "offset" in ast.dump(loop.target))
        if any(isinstance(node, ast.Constant) and node.value == "offset" for node in ast.walk(loop))
        or any(isinstance(node, ast.Name) and node.id == "page_of" for node in ast.walk(loop))
    }
    assert own <= ELSEWHERE, "ask for pages with `paging.follow`"

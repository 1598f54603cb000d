"""Pages of a listing are asked for together as soon as the first one says how many there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from reconciler.engine.refresh import TOGETHER, BoundIds, read_listing, refresh
from reconciler.model.http import Request, Response
from reconciler.model.live import Unknown
from reconciler.resources import load_kinds

TAGS = load_kinds()["tag"].reading.collections[0]


@dataclass
class Paged:
    """An account with so many tags, that says it has `total`; every answer takes a turn of the loop."""

    rows: int
    total: int
    answered: int = 0
    before: list[int] = field(default_factory=list)
    """For each request, how many were answered when it was sent."""

    @property
    def requests(self) -> int:
        """How many were sent."""
        return len(self.before)

    async def send(self, request: Request) -> Response:
        """Answer a page."""
        self.before.append(self.answered)
        await asyncio.sleep(0)
        self.answered += 1
        query = dict(request.query)
        first = int(query["offset"])
        page = [{"id": str(n)} for n in range(first, min(self.rows, first + int(query["limit"])))]
        return Response(200, {"tags": page, "meta": {"total": str(self.total)}})


@pytest.mark.parametrize(("rows", "rounds"), [(0, 1), (100, 1), (101, 2), (1000, 2), (1100, 2), (1101, 3), (3100, 3)])
def test_a_listing_takes_few_round_trips(rows: int, rounds: int) -> None:
    """One request for each hundred rows, and two round trips for up to eleven pages."""
    remote = Paged(rows, rows)
    found = asyncio.run(read_listing(remote, TAGS))
    assert not isinstance(found, Unknown)
    assert len(found) == rows
    assert remote.requests == max(1, -(-rows // 100))
    assert len(set(remote.before)) == rounds


@pytest.mark.parametrize("rows", [100, 250, 1000])
def test_a_wrong_total_costs_a_bounded_number_of_requests(rows: int) -> None:
    """A total of a million is no reason to ask for ten thousand pages; and what does not add up is unknown."""
    remote = Paged(rows, 1_000_000)
    found = asyncio.run(read_listing(remote, TAGS))
    assert isinstance(found, Unknown)
    twice = 2  # a listing that does not add up is read once more
    assert remote.requests > 2
    assert remote.requests <= twice * (max(2 * -(-rows // 100), 0) + TOGETHER + 1)


@pytest.mark.parametrize(
    ("total", "rows", "bound", "requests"),
    [
        (100, 100, range(100), 1),
        (100, 100, range(50), 1),
        (100, 100, range(50, 101), 2),
        (90, 90, range(95), 1),
    ],
    ids=["all there", "and more", "one of a full page is gone", "of a short page"],
)
def test_a_total_of_a_full_page_is_proved_where_objects_are_gone(
    total: int, rows: int, bound: Iterable[int], requests: int
) -> None:
    """An account may say how many rows the page has, in place of how many there are: the next page shows it, and is
    asked for where that matters.
    """
    remote = Paged(rows, total)
    known = {"tag": BoundIds(frozenset(map(str, bound)), "tag")}
    refreshed = asyncio.run(refresh(remote, load_kinds(), {"tag": frozenset()}, known))
    assert len(refreshed.tables.rows["tags"]) == rows
    assert remote.requests == refreshed.costs["tags"].requests == requests

"""The benchmark measures real runs, and writes them with their growth, their ratios and their goals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import bench
from scripts.bench import Cost, Row
from tests.world import World

ROWS = [
    Row("version", 0, "", Cost(0.05, 0.1, 15)),
    Row("octoDNS, unchanged", 1000, "records", Cost(2.0, 3.0, 40)),
    Row("plan, unchanged", 100, "tags", Cost(0.25, 0.4, 50, 1)),
    Row("plan, unchanged", 1000, "tags", Cost(0.5, 0.6, 60, 10)),
    Row("plan, unchanged", 1000, "mixed", Cost(0.75, 0.9, 61, 16)),
]


def test_a_run_is_measured() -> None:
    """Wall time, CPU time and memory of a real run of the program are positive."""
    cost = bench.ours("version")
    assert min(cost.wall, cost.cpu, cost.memory) > 0
    assert cost.requests is None


@pytest.mark.parametrize(
    ("said", "requests"),
    [("Forecast: this plan took 1,010 requests.", 1010), ("Apply complete!\n16 requests in 0.2 s (forecast: 16).", 16)],
)
def test_requests_are_those_that_the_program_says(said: str, requests: int) -> None:
    """A plan and an apply say how many requests they took."""
    assert bench.measure([sys.executable, "-c", f"print({said!r})"]).requests == requests


def test_a_run_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    """A failing command is no measurement: a benchmark of an error message would look fast."""
    with pytest.raises(RuntimeError, match="ended with 3"):
        bench.ours("--chdir", str(tmp_path), "plan")


@pytest.mark.parametrize("content", [bench.tags, bench.mixed])
def test_the_projects_of_the_benchmark_can_be_applied(world: World, content: Callable[[int], str]) -> None:
    """What the benchmark declares is applied to an account, and the next plan is empty."""
    world.write(content(100))
    assert world.apply().summary.added >= 100
    assert world.plan().empty


def test_a_row_tells_growth_ratio_and_goal() -> None:
    """Growth is against a tenth of the same objects, the ratio against as many records, both of CPU time."""
    assert bench.line(ROWS, ROWS[3]) == (
        "| plan, unchanged | 1,000 tags | 0.50 s | 0.60 s | 60 MiB | 10 | x 2.0 | 0.25 | 0.4 s, 60 MiB |"
    )
    assert bench.line(ROWS, ROWS[0]) == (
        "| version |  | 0.05 s | 0.10 s | 15 MiB |  |  |  | 0.05 s over a bare interpreter |"
    )
    assert bench.growth(ROWS, ROWS[4]) is None, "nothing like it was measured with a tenth"


def test_the_page_has_every_row() -> None:
    """The page is the table of the run, with its date."""
    written = bench.page(ROWS, "2026-11-28")
    assert all(bench.line(ROWS, row) in written for row in ROWS)
    assert "Measured on 2026-11-28" in written

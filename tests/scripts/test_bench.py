"""The benchmark measures real runs and prints them beside their targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import bench


def test_a_run_is_measured() -> None:
    """Wall time, CPU time and memory of a real run of the program are positive."""
    cost = bench.measure(["version"])
    assert min(cost.wall, cost.cpu, cost.memory) > 0


def test_a_run_that_fails_is_an_error_with_its_output(tmp_path: Path) -> None:
    """A failing command is no measurement: a benchmark of an error message would look fast."""
    with pytest.raises(RuntimeError, match="ended with 3"):
        bench.measure(["--chdir", str(tmp_path), "plan"])


def test_the_project_of_the_benchmark_is_valid(tmp_path: Path) -> None:
    """The project that the benchmark writes is one that the program accepts."""
    bench.write_project(tmp_path, 3)
    assert bench.measure(["--chdir", str(tmp_path), "validate"]).wall > 0


@pytest.mark.parametrize(
    ("seconds", "memory", "expected"),
    [(None, None, "10.0 MiB"), (0.15, None, "(target: 0.15 s)"), (0.4, 70.0, "(target: 0.4 s, 70 MiB)")],
)
def test_targets_are_shown_where_there_are_any(
    seconds: float | None, memory: float | None, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row ends with its targets, or without any."""
    bench.report("plan", bench.Cost(0.1, 0.1, 10.0), seconds, memory)
    assert capsys.readouterr().out.rstrip().endswith(expected)

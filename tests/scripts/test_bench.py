"""The benchmark measures real runs, and writes them with their growth, their ratios and their goals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from scripts import bench
from scripts.bench import Cost, Row
from tests.world import World

T = TypeVar("T")
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


def test_memory_is_that_of_the_program_alone() -> None:
    """Whoever starts a program has its own peak in what the system says of that program: a bare interpreter took as
    much as the benchmark itself.
    """
    assert len(bytearray(b"x") * (100 * 1024**2)) == 100 * 1024**2
    assert bench.measure([sys.executable, "-c", "pass"]).memory < 40
    assert bench.measure([sys.executable, "-c", "bytearray(b'x') * 60_000_000"]).memory > 55


@pytest.mark.socket
def test_requests_are_those_that_the_account_was_asked(tmp_path: Path) -> None:
    """What steers the emulator and what asks for the number are none; whatever a command asks is."""
    with bench.account(tmp_path) as url:
        bench.seed(url, 3)

        def run() -> Cost:
            for path in ("api/3/tags", "acct/two/api/3/tags"):
                asked = urllib.request.Request(f"{url}/{path}", headers={"Api-Token": bench.TOKEN})
                urllib.request.urlopen(asked, timeout=30).close()
            return Cost(1, 2, 3)

        assert bench.counted(url, run) == Cost(1, 2, 3, 2)


STARTED = """
import sys, tempfile
from pathlib import Path
from scripts import bench
with bench.account(Path(sys.argv[1])) as url:
    print(url, flush=True)
    bench.measure([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"])
"""


@pytest.mark.socket
@pytest.mark.parametrize("ended", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running(ended: signal.Signals, tmp_path: Path) -> None:
    """A benchmark that is ended, even by a signal that it cannot hear, takes with it the account that it serves and the
    program that it measures.
    """
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", STARTED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline().startswith("http")
        family = wait_for(lambda: started_by(run.pid, 3))
        run.send_signal(ended)
    wait_for(lambda: not any(runs(pid) for pid in family))


def wait_for(what: Callable[[], T]) -> T:
    """Return what comes true within 20 seconds."""
    until = time.monotonic() + 20
    while not (result := what()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return result


def runs(pid: int) -> bool:
    """Return whether a process runs; one that nobody has asked about since it ended does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def started_by(pid: int, least: int) -> list[int]:
    """Return the processes that a process has started, and those that they have; none while they are fewer."""
    parents = dict[int, int]()
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family[1:] if len(family) > least else []


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


@pytest.mark.parametrize(("spent", "fits"), [(0.0, True), (5.0, True), (5.5, False)])
def test_a_row_that_takes_longer_than_what_is_left_is_left_out(spent: float, fits: bool) -> None:
    """A plan of 100 took 0.4 s, so one of 1,000 takes 5.2 at most; what nothing is known of is tried."""
    now = [0.0]
    left = bench.Time(10.3, clock=lambda: now[0], rows=list(ROWS))
    now[0] = spent
    assert (left.row("plan, unchanged", 1000, "tags", lambda: Cost(1, 1, 1)).cost is not None) == fits
    assert left.allows("clone", 1000, "tags")
    now[0] = 10.4
    assert not left.allows("clone", 1000, "tags")
    assert "left out" in bench.line(ROWS, Row("clone", 1000, "tags", None))


@pytest.mark.parametrize(
    ("asked", "sizes", "seconds", "left_out"),
    [
        (["--minutes", "12"], (10, 100), 0.2, set[int]()),
        (["--minutes", "0"], (10, 100), 0.2, {0, 10, 100, 1_000}),
        (["--minutes", "12"], (2_000, 20_000), 600.0, {20_000}),
        (["--all"], (2_000, 20_000), 600.0, set[int]()),
    ],
    ids=["in time", "without time", "too long", "all"],
)
def test_the_script_runs_to_its_end(
    asked: list[str],
    sizes: tuple[int, ...],
    seconds: float,
    left_out: set[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All parts with stubs for what is run: each row has a cost, or says that it was left out, and page and data are
    written.
    """
    commands: list[tuple[str, ...]] = []

    def ran(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
        commands.append(tuple(command))
        return Cost(0.1, seconds, 30, 7)

    @contextmanager
    def account(folder: Path, **how: float) -> Iterator[str]:
        yield "http://127.0.0.1:1"

    def exported(folder: Path, url: str, out: Path, of: str = "tags") -> Cost:
        return bench.ours("export", str(out))

    stubs = {"measure": ran, "account": account, "exported": exported, "has_octodns": lambda: True, "SIZES": sizes}
    for name, stub in {**stubs, "requests": lambda url: len(commands)}.items():
        monkeypatch.setattr(bench, name, stub)
    monkeypatch.setattr(bench, "seed", lambda url, size: None)
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench, "DATA", tmp_path / "cache" / "bench.json")
    assert bench.main(asked) == 0
    rows = json.loads((tmp_path / "cache" / "bench.json").read_text("utf-8"))["rows"]
    assert {row["what"] for row in rows} >= {"version", "plan, 50 ms a request", "octoDNS, unchanged", "clone"}
    assert {row["size"] for row in rows if row["of"] == "mixed"} == {*sizes}
    assert {row["size"] for row in rows if row["cost"] is None} == left_out
    assert bool(commands) == (0 not in left_out)
    written = (tmp_path / "page.md").read_text("utf-8")
    assert written.count("left out |") == sum(row["cost"] is None for row in rows)
    assert "## Before and now" in written


@pytest.mark.parametrize("asked", [["--only", "octodns"], ["10"]])
def test_a_part_leaves_the_page_as_it_is(asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page would say of all that was not asked for that it was not measured. What is not there is said to be left
    out.
    """
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench, "DATA", tmp_path / "bench.json")
    monkeypatch.setattr(bench, "has_octodns", lambda: False)
    for part in ("start_up", "network", "whole"):
        monkeypatch.setattr(bench, part, lambda *arguments: iter(()))
    assert bench.main(asked) == 0
    rows = json.loads((tmp_path / "bench.json").read_text("utf-8"))["rows"]
    assert {(row["what"], row["cost"]) for row in rows} == {("octoDNS, unchanged", None)}
    assert not (tmp_path / "page.md").exists()


@pytest.mark.prove
@pytest.mark.socket
def test_a_small_run_measures_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the real program, on a handful of objects of all kinds and without octoDNS."""
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench, "DATA", tmp_path / "bench.json")
    assert bench.main(["--only", "start,network,tags,mixed", "10"]) == 0
    rows = json.loads((tmp_path / "bench.json").read_text("utf-8"))["rows"]
    assert all(row["cost"] is not None for row in rows)
    assert len(rows) == 5 + 2 + 6 + 6


def test_what_is_no_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A part that is misspelt would be measured as nothing."""
    with pytest.raises(SystemExit):
        bench.main(["--only", "tag"])
    assert "no such part: tag" in capsys.readouterr().err


def test_the_page_has_every_row() -> None:
    """The page is the table of the run, with its date."""
    written = bench.page(ROWS, "2026-11-28")
    assert all(bench.line(ROWS, row) in written for row in ROWS)
    assert "Measured on 2026-11-28" in written

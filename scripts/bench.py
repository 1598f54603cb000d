"""Report time, CPU and memory of start-up and of plans of unchanged objects, beside the targets of the design.

Usage: `python -m scripts.bench [SIZE ...]` (default 1000 10000). The account is the built-in emulator, in process.
Each row is the best of three runs, because other work on the machine only ever adds. The numbers are for people.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPEATS = 3
# Seconds and MiB, start-up included, by number of objects.
PLAN_TARGETS = {1_000: (0.4, 70), 10_000: (1.5, 150), 100_000: (15.0, 900)}
STARTUP_TARGET = 0.15


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """What one run took: wall time and CPU time in seconds, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


def measure(arguments: Sequence[str]) -> Cost:
    """Run the program once and return its cost; raises RuntimeError when it fails."""
    command = [sys.executable, "-m", "reconciler", *arguments]
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(
                f"{' '.join(command)} ended with {process.returncode}:\n{output.read().decode()[-2000:]}"
            )
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best(arguments: Sequence[str]) -> Cost:
    """Return the cheapest of a few runs."""
    return min(measure(arguments) for _ in range(REPEATS))


def write_project(folder: Path, size: int) -> None:
    """Write a project of so many tags for an emulated account without a rate limit."""
    (folder / "config").mkdir()
    (folder / "reconciler.yaml").write_text("version: 1\nenvironments: {demo: {url: 'emulator:account.db'}}\n")
    tags = (f"  tag_{number:06}: {{name: Tag {number}, description: Number {number}}}" for number in range(size))
    (folder / "config" / "tags.yaml").write_text("\n".join(["tags:", *tags, ""]))


def report(name: str, cost: Cost, seconds: float | None, memory: float | None = None) -> None:
    """Print one row, with the targets where there are any."""
    aims = ((seconds, "s"), (memory, "MiB"))
    targets = [f"{value:g} {unit}" for value, unit in aims if value is not None]
    aim = f"   (target: {', '.join(targets)})" if targets else ""
    print(f"{name:<32} {cost.wall:7.3f} s  {cost.cpu:7.3f} s CPU  {cost.memory:7.1f} MiB{aim}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Measure start-up, then a plan of unchanged objects of each size."""
    for command in (["--help"], ["version"], ["completion", "bash"]):
        report(" ".join(command), best(command), STARTUP_TARGET)
    for size in [int(argument) for argument in arguments] or [1_000, 10_000]:
        with tempfile.TemporaryDirectory() as name:
            write_project(Path(name), size)
            project = ["--chdir", name, "--env", "demo"]
            report(f"apply of {size:,} new tags", measure([*project, "apply", "--auto-approve"]), None)
            seconds, memory = PLAN_TARGETS.get(size, (None, None))
            report(f"plan of {size:,} unchanged tags", best([*project, "plan"]), seconds, memory)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

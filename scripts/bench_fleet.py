"""Measure a rollout over many emulated accounts, each with a store and a limit of its own.

Usage: `python -m scripts.bench_fleet [--accounts N] [--concurrency N] [--rate N] [--workers N] [--database URL]`.
The accounts are emulators in a process of their own, below one address. Printed are wall time against the ideal
(all requests at each account's limit, so many accounts at once), CPU time and peak memory of the program, rows
and bytes of the database, and how often an account answered that it was asked too much.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT = "version: 1\nenvironments: {dev: {url: 'emulator:dev.json'}}\n"
TAGS = 24


def config() -> str:
    """Return a baseline whose apply to an empty account takes some 30 requests."""
    tags = "".join(f"  t{at}: {{name: Tag {at}, description: Number {at}}}\n" for at in range(TAGS))
    field = "fields:\n  plan: {title: Plan, type: dropdown, options: [Free, Pro]}\n"
    return f"tags:\n{tags}{field}pipelines:\n  sales: {{title: Sales, currency: eur, stages: {{a: {{}}, b: {{}}}}}}\n"


def write(folder: Path, port: int, chosen: argparse.Namespace) -> None:
    """Write the fleet."""
    baseline = folder / "crm" / "config"
    baseline.mkdir(parents=True)
    (baseline.parent / "reconciler.yaml").write_text(PROJECT)
    (baseline / "main.yaml").write_text(config())
    state = f"{chosen.states}?state={{name}}" if chosen.states else "file:state/{name}.json"
    lines = [f"  a{at}: {{url: 'http://127.0.0.1:{port}/acct/a{at}/api/3'}}" for at in range(chosen.accounts)]
    defaults = f"{{baseline: crm, token: '${{env.TOKEN}}', requests_per_second: {chosen.rate}, state: '{state}'}}"
    text = ["version: 1", "baselines: {crm: {folder: crm}}", f"defaults: {defaults}"]
    text += [f"concurrency: {chosen.concurrency}", "accounts:", *lines]
    (folder / "fleet.yaml").write_text("\n".join(text) + "\n")


@contextmanager
def accounts(rate: float) -> Iterator[int]:
    """Serve emulated accounts in memory; yields the port."""
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", "--port", "0", "--rate-limit", str(rate)]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [*command, "--db", f"{folder}/account.db"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            for line in process.stdout or ():
                found = re.search(r"127\.0\.0\.1:(\d+)", line)
                if found:
                    yield int(found.group(1))
                    return
            raise AssertionError("the emulator did not say where it is")
        finally:
            process.kill()
            process.wait()


def run(folder: Path, words: Sequence[str], workers: int, database: Sequence[str]) -> dict[str, Any]:
    """Run one command, with that many workers beside it, and return what it took and what it came to."""
    environ = {**os.environ, "TOKEN": "emulator-token", "OPENBLAS_NUM_THREADS": "1"}
    base = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "fleet"]
    beside = [
        subprocess.Popen(
            [*base, "worker", "--name", f"w{at}", *database],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for at in range(workers)
    ]
    if beside:
        time.sleep(5)
    began = time.monotonic()
    process = subprocess.Popen(
        [*base, *words, "--format", "json", *database], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = process.communicate()
    wall = time.monotonic() - began
    for one in beside:
        one.terminate()
    usage = [os.wait4(one.pid, 0)[2] for one in beside]
    try:
        report = json.loads(out)
    except ValueError as error:
        raise AssertionError(err.decode()) from error
    outcomes: dict[str, int] = {}
    for account in report["accounts"]:
        outcomes[account["outcome"]] = outcomes.get(account["outcome"], 0) + 1
    return {
        "wall": wall,
        "outcomes": outcomes,
        "requests": sum(one["requests"] for one in report["accounts"]),
        "others cpu": sum(one.ru_utime + one.ru_stime for one in usage),
    }


def refused(port: int, count: int) -> int:
    """Return how many requests the accounts refused for coming too fast."""
    found = 0
    for at in range(count):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/acct/a{at}/_emulator/log", timeout=30) as answer:
            found += sum(1 for line in json.load(answer) if line.get("status") == 429)
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure a plan of new accounts, their apply, and a plan of nothing."""
    import resource

    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--database", default="")
    parser.add_argument("--states", default="")
    chosen = parser.parse_args(arguments)
    database = ["--database", chosen.database] if chosen.database else []
    with accounts(chosen.rate) as port, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, port, chosen)
        for words in (("plan",), ("apply",), ("plan",)):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = run(folder, words, chosen.workers, database)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            each = took["requests"] / chosen.accounts
            ideal = chosen.accounts / (chosen.concurrency * (1 + chosen.workers)) * max(0.0, each - 1) / chosen.rate
            print(
                f"{words[0]:>6}: {chosen.accounts} accounts {took['outcomes']}, {each:.1f} requests each, "
                f"{took['wall']:.1f} s (ideal {ideal:.1f} s, {took['wall'] / max(ideal, 0.001):.2f} x), "
                f"CPU {cpu / chosen.accounts * 1000:.0f} ms an account, peak {after.ru_maxrss / 1024:.0f} MiB"
            )
        print(f"refused for coming too fast: {refused(port, chosen.accounts)}")
        kept = folder / ".reconciler" / "fleet.db"
        if kept.exists():
            print(f"database: {kept.stat().st_size / chosen.accounts / 3 / 1024:.1f} KiB for an account and run")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

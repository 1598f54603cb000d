"""Measure fleets on simulated accounts, each with a limit of its own that is counted strictly where requests come.

Usage: `python -m scripts.bench_fleet [--accounts N] [--concurrency N] [--rate N] [--planned N] [--shared N] [--write]`.
The accounts are canned answers of one process, nearly free: what is measured is the program. Each is to have 50
objects and has 23 of them, so that a rollout has some 30 requests. Three parts: a rollout over `--accounts` (an apply,
a plan of nothing) with SQLite; a plan of `--planned` accounts; and a rollout over `--shared` accounts without a limit
on PostgreSQL, by one process and by two. What a command takes for few accounts, one at a time, is taken off: CPU is
that of an account. Memory of an account is what one more takes that is in work at the same time. Printed is a table of
Markdown; with `--write` it stands in docs/fleets.md, with the arithmetic for 100,000 accounts. Some 15 minutes on two
idle cores with the numbers that it has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

PROJECT = "version: 1\nenvironments: {dev: {url: 'emulator:dev.json'}}\n"
OBJECTS, THERE = 50, 23
"""Tags that an account is to have, and those that it has before."""
FEW = 4
"""Accounts of the run whose CPU is that of the program itself."""
DOCUMENT = Path(__file__).parent.parent / "docs" / "fleets.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
SOME, MANY = 8, 64
"""Accounts at the same time of what is compared with the plan of many, and of that."""
BURN = 3.0
"""Seconds for which processes are compared that do nothing but work."""
QUICKLY = 4
"""Times the limit of each account at which the memory of accounts in work is measured: it does not depend on it."""
ALLOWED = 5
"""Requests that an account takes within any second."""


# --- simulated accounts --------------------------------------------------------------------------------------------


def tag_of(at: int, **columns: str) -> dict[str, str]:
    """Return a tag as the API shows it."""
    return {"id": str(at + 1), "tagType": "contact", "description": "", "subscriber_count": "0", **columns}


HAD = [tag_of(at, tag=f"Tag {at}", description=f"Number {at}") for at in range(THERE)]


@dataclass
class Account:
    """The tags of an account, and when its last requests came."""

    tags: list[dict[str, str]] = field(default_factory=lambda: [dict(tag) for tag in HAD])
    came: deque[float] = field(default_factory=lambda: deque(maxlen=ALLOWED))


class Accounts(asyncio.Protocol):
    """One connection; accounts by the name in the path. Knows tags; every other listing is empty."""

    known: ClassVar[defaultdict[str, Account]] = defaultdict(Account)
    requests = 0
    fast = 0

    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            content, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
            method, target, _ = head.split(" ", 2)
            status, body = self.answer(method, target, content)
            text = json.dumps(body).encode()
            self.transport.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode()
                + text
            )

    def answer(self, method: str, target: str, content: bytes) -> tuple[int, Any]:
        """Return the status and the body of an answer."""
        _, _, name, _, _, path = target.partition("?")[0].split("/", 5)
        account, now = self.known[name], time.monotonic()
        Accounts.requests += 1
        Accounts.fast += len(account.came) == ALLOWED and now - account.came[0] < 1.0
        account.came.append(now)
        if path == "users/me":
            return 200, {"user": {"id": "1", "username": "admin", "email": "a@example.com"}}
        if path == "tags" and method == "POST":
            account.tags.append(tag_of(len(account.tags), **json.loads(content)["tag"]))
            return 201, {"tag": account.tags[-1]}
        rows = account.tags if path == "tags" else []
        return 200, {path.split("/")[0]: rows, "meta": {"total": str(len(rows))}}


def serve(pipe: Connection) -> None:
    """Serve accounts; tell the port, and on every word how many requests came, how many of them too fast, and the
    seconds of CPU so far.
    """

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Accounts, "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        asked = asyncio.Event()
        loop.add_reader(pipe.fileno(), asked.set)
        while True:
            await asked.wait()
            asked.clear()
            try:
                while pipe.poll():
                    pipe.recv()
                    pipe.send((Accounts.requests, Accounts.fast, time.process_time()))
                    Accounts.requests = Accounts.fast = 0
            except EOFError:
                return

    asyncio.run(run())


@contextmanager
def accounts() -> Iterator[tuple[int, Connection]]:
    """Serve accounts in a process of their own; yields the port, and whom to ask how many requests came."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv(), ours
    finally:
        ours.close()
        process.join(10)


# --- runs ----------------------------------------------------------------------------------------------------------


def write(folder: Path, port: int, count: int, concurrency: int, rate: float, prefix: str) -> None:
    """Write a fleet."""
    baseline = folder / "crm" / "config"
    baseline.mkdir(parents=True, exist_ok=True)
    (baseline.parent / "reconciler.yaml").write_text(PROJECT)
    tags = "".join(f"  t{at}: {{name: Tag {at}, description: Number {at}}}\n" for at in range(OBJECTS))
    (baseline / "main.yaml").write_text(f"tags:\n{tags}")
    lines = [f"  a{at}: {{url: 'http://127.0.0.1:{port}/acct/{prefix}{at}/api/3'}}" for at in range(count)]
    text = ["version: 1", "baselines: {crm: {folder: crm}}"]
    text += [f"defaults: {{baseline: crm, token: '${{env.TOKEN}}', requests_per_second: {rate}}}"]
    (folder / "fleet.yaml").write_text("\n".join([*text, f"concurrency: {concurrency}", "accounts:", *lines]) + "\n")


@dataclass(frozen=True)
class Took:
    """What a command took: seconds, seconds of CPU of it and its workers, peak memory of one process in MiB."""

    wall: float
    cpu: float
    peak: float
    outcomes: dict[str, int]


def run(folder: Path, words: Sequence[str], workers: int = 0, database: str = "") -> Took:
    """Run one command, with that many workers beside it."""
    environ = {**os.environ, "TOKEN": "emulator-token", "CI": "1"}
    base = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "fleet"]
    where = ["--database", database] if database else []
    command = [*base, "worker", *where, "--name"]
    beside = [
        subprocess.Popen([*command, f"w{at}"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for at in range(workers)
    ]
    for worker in beside:
        assert worker.stdout is not None
        while "is ready" not in (line := worker.stdout.readline()):
            assert line, "a worker ended"
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [*base, *words, "-q", "--format", "json", *where], env=environ, stdout=out, stderr=err
        )
        _, _, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        usage = [used]
        for worker in beside:
            worker.terminate()
            usage.append(os.wait4(worker.pid, 0)[2])
        out.seek(0)
        err.seek(0)
        try:
            report = json.loads(out.read())
        except ValueError as error:
            raise AssertionError(err.read().decode()) from error
    outcomes: dict[str, int] = defaultdict(int)
    for account in report["accounts"]:
        outcomes[account["outcome"]] += 1
    cpu = sum(used_by.ru_utime + used_by.ru_stime for used_by in usage)
    return Took(wall, cpu, max(used_by.ru_maxrss for used_by in usage) / 1024, dict(outcomes))


def kept(folder: Path) -> tuple[float, int]:
    """Return the KiB of the engine's database, and its rows."""
    file = folder / ".reconciler" / "fleet.db"
    if not file.exists():
        return 0.0, 0
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = sum(int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in tables)
    return file.stat().st_size / 1024, rows


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU of a process and everything that it has started, the dead included (Linux)."""
    parents: defaultdict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = place.read_text().rpartition(")")[2].split()
            parents[int(fields[1])].append(int(place.parent.name))
            ticks[int(place.parent.name)] = sum(map(int, fields[11:15]))
    spent, family = 0, [pid]
    while family:
        member = family.pop()
        spent += ticks.get(member, 0)
        family += parents[member]
    return spent / os.sysconf("SC_CLK_TCK")


# --- parts ---------------------------------------------------------------------------------------------------------


@dataclass
class Row:
    """A line of the table: what was done to how many accounts, and the requests that they were asked with."""

    what: str
    took: Took
    count: int
    asked: tuple[int, int]
    part: str = ""
    size: tuple[float, int] | None = None
    base: Took | None = None
    each: float | None = None
    """MiB of an account in work."""

    @property
    def cpu(self) -> float:
        """Seconds of CPU of an account, without what the program takes for itself."""
        if self.base is None:
            return self.took.cpu / self.count
        return max(self.took.cpu - self.base.cpu, 0.0) / (self.count - FEW)

    def __str__(self) -> str:
        requests, fast = self.asked
        size = f"{self.size[0] / self.count:.1f} KiB, {self.size[1] / self.count:.1f}" if self.size else ""
        memory = f"{self.took.peak:.0f} MiB" + (f", {self.each:.1f} each" if self.each is not None else "")
        cells = [f"{self.what}, {outcomes(self.took)}", f"{requests / self.count:.1f}", f"{self.took.wall:.1f} s"]
        cells += [self.part, f"{self.cpu * 1000:.0f} ms", memory, size]
        return "| " + " | ".join([*cells, f"{fast:,} of {requests:,}" if self.size else ""]) + " |"


def few(port: int, verb: str) -> Took:
    """Return what a command takes for a few accounts, one at a time: nearly all is the program's own."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), port, FEW, 1, 10_000, f"few-{verb}-")
        return run(Path(place), (verb,))


def in_work(port: int, rate: float) -> float:
    """Return the MiB of an account in work: what an apply takes more where all of its accounts are in work at the same
    time than where a few are. Whatever grows with the accounts, the database among it, grows in both.
    """
    peaks = []
    for at_once in (SOME, MANY):
        with tempfile.TemporaryDirectory() as place:
            write(Path(place), port, MANY, at_once, rate, f"in-work-{at_once}-")
            peaks.append(run(Path(place), ("apply",)).peak)
    return (peaks[1] - peaks[0]) / (MANY - SOME)


def rollout(chosen: argparse.Namespace) -> list[Row]:
    """An apply and a plan of nothing, at each account's limit."""
    rows, before = [], (0.0, 0)
    with accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        bases = {verb: few(port, verb) for verb in ("apply", "plan")}
        each = {"apply": in_work(port, chosen.rate * QUICKLY)}
        write(Path(place), port, chosen.accounts, chosen.concurrency, chosen.rate, "r")
        counts(asked)
        for verb, base in bases.items():
            took = run(Path(place), (verb,))
            requests, fast, _ = counts(asked)
            rounds = -(-chosen.accounts // chosen.concurrency)
            ideal = rounds * max(requests / chosen.accounts - 1, 0) / chosen.rate
            now = kept(Path(place))
            size, before = (now[0] - before[0], now[1] - before[1]), now
            part = f"{took.wall / ideal:.2f}" if ideal > rounds else ""
            what = f"{verb}, {chosen.concurrency} at the same time"
            rows.append(Row(what, took, chosen.accounts, (requests, fast), part, size, base, each.get(verb)))
    return rows


def many(chosen: argparse.Namespace) -> list[Row]:
    """A plan of many accounts."""
    with accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        base = few(port, "plan")
        write(Path(place), port, chosen.planned, MANY, chosen.rate, "m")
        counts(asked)
        took = run(Path(place), ("plan",))
        requests, fast, _ = counts(asked)
        what = f"plan, {MANY} at the same time"
        return [Row(what, took, chosen.planned, (requests, fast), "", kept(Path(place)), base)]


def shared(chosen: argparse.Namespace) -> list[Row]:
    """An apply without a limit on PostgreSQL, by one process and by two. Both share the cores of this machine with
    PostgreSQL and the accounts, whose CPU is told: two processes cannot be faster than the cores allow for all. What
    the processes take to start, and for a few accounts, is taken off of each. What the cores allow two processes at all
    is measured beside it.
    """
    from tests.store.servers import postgresql_server

    rows, walls = list[Row](), list[float]()
    with postgresql_server() as server, accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        assert server.process is not None
        for workers in (0, 1):
            took = {}
            for count, name in ((FEW, "few"), (chosen.shared, "bench")):
                write(folder, port, count, 8, 10_000, f"{name}{workers}-")
                beside, others, began = cpu_of(server.process.pid) + counts(asked)[2], busy(), time.monotonic()
                took[name] = run(folder, ("apply",), workers, server.database(f"{name}{workers}"))
                requests, fast, own = counts(asked)
                beside = cpu_of(server.process.pid) + own - beside
                others = (busy() - others - beside - took[name].cpu) / (time.monotonic() - began)
                shutil.rmtree(folder / "state")
            row = Row("", took["bench"], chosen.shared, (requests, fast), base=took["few"])
            walls.append((took["bench"].wall - took["few"].wall) / chosen.shared)
            rows.append(row)
            row.part = f"{walls[0] / walls[-1]:.2f} times as fast"
            if workers:
                two = burned(2) / burned(1)
                allowed = rows[0].cpu * two / (row.cpu + beside / chosen.shared)
                row.part += f", CPU allows {allowed:.2f} (two loops that share nothing: {two:.2f})"
            row.part += f"; beside it {beside / chosen.shared * 1000:.0f} ms of CPU each"
            row.part += f"; other work took {max(others, 0.0):.1f} cores"
            row.what = f"apply on PostgreSQL, no limit, processes: {workers + 1}"
    return rows


def burned(processes: int) -> int:
    """Return how often this many processes that share nothing do the same thing in some seconds: what cores allow."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe(duplex=False) for _ in range(processes)]
    started = [context.Process(target=burn, args=(theirs,), daemon=True) for _, theirs in pipes]
    for process in started:
        process.start()
    times = [ours.recv() for ours, _ in pipes]
    for process in started:
        process.join(10)
    return sum(times)


def burn(pipe: Connection) -> None:
    """Do what takes CPU and nothing else for some seconds, and tell how often it was done."""
    times, until = 0, time.monotonic() + BURN
    while time.monotonic() < until:
        json.loads(json.dumps(HAD))
        times += 1
    pipe.send(times)


def busy() -> float:
    """Return the seconds for which the processors of this machine have worked, for whomever (Linux)."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def counts(asked: Connection) -> tuple[int, int, float]:
    """Return how many requests came since the last time, how many too fast, and the CPU of the accounts so far."""
    asked.send("how many")
    requests, fast, cpu = asked.recv()
    return requests, fast, cpu


def outcomes(took: Took) -> str:
    """Return what came of the accounts, in words."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(took.outcomes.items()))


HEAD = (
    "| command | requests each | time | of the ideal | CPU each | peak | database each, rows | too fast |",
    "|---|---|---|---|---|---|---|---|",
)
ALL = 100_000


def arithmetic(rows: Sequence[Row]) -> str:
    """Return what 100,000 accounts take by these figures."""
    parts = []
    for verb in ("plan", "apply"):
        fitting = [row for row in rows if row.size is not None and row.what.startswith(f"{verb},")]
        if fitting:
            row = max(fitting, key=lambda row: row.count)
            size, count = row.size or (0.0, 0), row.count
            what = f"{'an' if verb == 'apply' else 'a'} {verb} of {ALL:,} accounts is {row.cpu * ALL / 3600:.1f} hours"
            kept_of = f"{size[0] / count * ALL / 1024**2:.1f} GiB and {size[1] / count * ALL:,.0f} rows"
            parts.append(f"{what} of one core, {kept_of} in the database")
    most = max((row.count for row in rows), default=0)
    return (
        f"By these figures {'; '.join(parts)}: arithmetic, more than {most:,} accounts were not tried." if parts else ""
    )


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write what was measured into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--planned", type=int, default=10_000)
    parser.add_argument("--shared", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args(arguments)
    rows = list[Row]()
    for count, part in ((chosen.accounts, rollout), (chosen.planned, many), (chosen.shared, shared)):
        if count:
            for row in part(chosen):
                rows.append(row)
                print(row, flush=True)
    print(arithmetic(rows))
    load = os.getloadavg()[0]
    how = f"Measured on {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} processors "
    how += f"(load at the end {load:.1f}), with `python -m scripts.bench_fleet {' '.join(arguments)}`".rstrip() + ":"
    if chosen.write:
        text = DOCUMENT.read_text()
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        lines = [how.replace(" --write`", "`"), "", *HEAD, *map(str, rows), "", *textwrap.wrap(arithmetic(rows), 118)]
        DOCUMENT.write_text("\n".join([f"{before}{BEGIN}", "", *lines, "", f"{END}{after}"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

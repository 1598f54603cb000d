"""Measure fleets on simulated accounts, each with a limit of its own that is counted strictly where requests come.

Usage: `python -m scripts.bench_fleet [--accounts N] [--concurrency N] [--rate N] [--planned N] [--shared N] [--write]`.
The accounts are canned answers of one process, nearly free: what is measured is the program. Three parts: a rollout
over `--accounts` (a plan, an apply, a plan of nothing) with SQLite; a plan of `--planned` accounts; and a rollout over
`--shared` accounts without a limit on PostgreSQL, by one process and by two. Printed is a table of Markdown; with
`--write` it stands in docs/fleets.md. Some 15 minutes with the numbers that it has.
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
import subprocess
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

PROJECT = "version: 1\nenvironments: {dev: {url: 'emulator:dev.json'}}\n"
OBJECTS = 24
DOCUMENT = Path(__file__).parent.parent / "docs" / "fleets.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
ALLOWED = 5
"""Requests that an account takes within any second."""


# --- simulated accounts --------------------------------------------------------------------------------------------


@dataclass
class Account:
    """The tags of an account, and when its last requests came."""

    tags: list[dict[str, str]] = field(default_factory=list)
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
            tag = json.loads(content)["tag"]
            made = {"id": str(len(account.tags) + 1), "tagType": "contact", "description": "", "subscriber_count": "0"}
            account.tags.append({**made, **tag})
            return 201, {"tag": account.tags[-1]}
        rows = account.tags if path == "tags" else []
        return 200, {path.split("/")[0]: rows, "meta": {"total": str(len(rows))}}


def serve(said: Connection) -> None:
    """Serve accounts; tell the port, and on every word how many requests came and how many of them too fast."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Accounts, "127.0.0.1", 0, backlog=1024)
        said.send(server.sockets[0].getsockname()[1])
        asked = asyncio.Event()
        loop.add_reader(said.fileno(), asked.set)
        while True:
            await asked.wait()
            asked.clear()
            try:
                while said.poll():
                    said.recv()
                    said.send((Accounts.requests, Accounts.fast))
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
    for one in beside:
        assert one.stdout is not None
        while "is ready" not in (line := one.stdout.readline()):
            assert line, "a worker ended"
    began = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [*base, *words, "-q", "--format", "json", *where], env=environ, stdout=out, stderr=err
        )
        _, _, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        usage = [used]
        for one in beside:
            one.terminate()
            usage.append(os.wait4(one.pid, 0)[2])
        out.seek(0)
        err.seek(0)
        try:
            report = json.loads(out.read())
        except ValueError as error:
            raise AssertionError(err.read().decode()) from error
    outcomes: dict[str, int] = defaultdict(int)
    for account in report["accounts"]:
        outcomes[account["outcome"]] += 1
    cpu = sum(one.ru_utime + one.ru_stime for one in usage)
    return Took(wall, cpu, max(one.ru_maxrss for one in usage) / 1024, dict(outcomes))


def kept(folder: Path) -> float:
    """Return the KiB of the engine's database."""
    return sum(path.stat().st_size for path in (folder / ".reconciler").glob("fleet.db*")) / 1024


# --- parts ---------------------------------------------------------------------------------------------------------


def rollout(chosen: argparse.Namespace) -> list[str]:
    """A plan, an apply and a plan of nothing, at each account's limit."""
    rows = []
    with accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, port, chosen.accounts, chosen.concurrency, chosen.rate, "r")
        before = 0.0
        for words in (("plan",), ("apply",), ("plan",)):
            took = run(folder, words)
            asked.send("how many")
            requests, fast = asked.recv()
            each = requests / chosen.accounts
            rounds = -(-chosen.accounts // chosen.concurrency)
            ideal = rounds * max(each - 1, 0) / chosen.rate
            now = kept(folder)
            part = f"{took.wall / ideal:.2f}" if each > 2 else ""
            what = f"{words[0]}, {outcomes(took)}, {chosen.concurrency} at the same time"
            rows.append(row(what, took, chosen.accounts, requests, part, (now - before) / chosen.accounts, fast))
            before = now
    return rows


def many(chosen: argparse.Namespace) -> list[str]:
    """A plan of many accounts."""
    with accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, port, chosen.planned, 64, chosen.rate, "m")
        took = run(folder, ("plan",))
        asked.send("how many")
        requests, fast = asked.recv()
        what = f"plan, {outcomes(took)}, 64 at the same time"
        return [row(what, took, chosen.planned, requests, "", kept(folder) / chosen.planned, fast)]


def shared(chosen: argparse.Namespace) -> list[str]:
    """An apply without a limit on PostgreSQL, by one process and by two."""
    from tests.store.servers import postgresql_server

    rows, walls = [], []
    with postgresql_server() as server, accounts() as (port, asked), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for workers in (0, 1):
            write(folder, port, chosen.shared, 8, 10_000, f"s{workers}-")
            took = run(folder, ("apply",), workers, server.database(f"bench{workers}"))
            asked.send("how many")
            requests, _ = asked.recv()
            walls.append(took.wall)
            what = f"apply on PostgreSQL, {outcomes(took)}, no limit, processes: {workers + 1}"
            rows.append(row(what, took, chosen.shared, requests, f"{walls[0] / took.wall:.2f} times as fast"))
            shutil.rmtree(folder / "state")
    return rows


def row(
    what: str, took: Took, count: int, requests: int, part: str, database: float | None = None, fast: int | None = None
) -> str:
    """Return a row of the table."""
    size = f"{database:.1f} KiB" if database is not None else ""
    soon = f"{fast} of {requests:,}" if fast is not None else ""
    cells = [what, f"{requests / count:.1f}", f"{took.wall:.1f} s", part, f"{took.cpu / count * 1000:.0f} ms"]
    return "| " + " | ".join([*cells, f"{took.peak:.0f} MiB", size, soon]) + " |"


def outcomes(took: Took) -> str:
    """Return what came of the accounts, in words."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(took.outcomes.items()))


HEAD = (
    "| command | requests each | time | of the ideal | CPU each | peak | database each | too fast |",
    "|---|---|---|---|---|---|---|---|",
)


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write what was measured into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=24)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--planned", type=int, default=10_000)
    parser.add_argument("--shared", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args(arguments)
    rows = list(HEAD)
    for count, part in ((chosen.accounts, rollout), (chosen.planned, many), (chosen.shared, shared)):
        if count:
            rows += part(chosen)
            print("\n".join(rows), flush=True)
    load = os.getloadavg()[0]
    said = f"Measured on {time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {os.cpu_count()} processors "
    said += f"(load at the end {load:.1f}), with `python -m scripts.bench_fleet {' '.join(arguments)}`".rstrip() + ":"
    if chosen.write:
        text = DOCUMENT.read_text()
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        DOCUMENT.write_text(
            f"{before}{BEGIN}\n\n{said.replace(' --write`', '`')}\n\n" + "\n".join(rows) + f"\n\n{END}{after}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

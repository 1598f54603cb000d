"""Measure the program, and write what came out into docs/benchmarks.md and .cache/bench.json.

Usage: `python -m scripts.bench [--no-docs] [--only PART,...] [--minutes N | --all] [SIZE ...]` (default: all parts, 12
minutes, 100 1000 10000 100000). The account is the emulator in a process of its own on the loopback interface, without
a rate limit but where one is measured. octoDNS, installed from the package index into an environment of its own, plans
as many unchanged records in the same run; without it, its columns are empty.

It ends: a row that would take longer than what is left of the minutes, by what a tenth of it took, is left out and says
so. Where that is the apply which fills the account, the account is filled behind the program's back, and exported.

CPU time and memory are those of the program alone; wall time has the account's work in it. Requests are those that the
account was asked. Each row is the best of a few runs where repeating changes nothing, because other work on the machine
only ever adds. The numbers are for people. The page is written by a run of everything: a part, or a run that ended
before its time, leaves it as it is.
"""

from __future__ import annotations

import argparse
import compileall
import datetime
import json
import math
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
PAGE, DATA = ROOT / "docs" / "benchmarks.md", ROOT / ".cache" / "bench.json"
OCTODNS = ROOT / ".cache" / "octodns"
SIZES = (100, 1_000, 10_000, 100_000)
PARTS = ("start", "network", "octodns", "tags", "mixed")
MINUTES = 12.0
REPEATS = 3
LATENCY = 0.05
"""Seconds that each answer takes where the network is measured."""
RATE = 5
"""Requests per second that an account allows (section 1.3 of the vendor facts)."""
LONGER = 13
"""How many times as long as a tenth of it a row is expected to take."""
TOKEN = "emulator-token"
GOALS = {
    ("--help", 0): "0.05 s over a bare interpreter",
    ("version", 0): "0.05 s over a bare interpreter",
    ("validate", 100): "0.25 s",
    ("plan, unchanged", 1_000): "0.4 s, 60 MiB",
    ("plan, unchanged", 10_000): "0.4 of octoDNS, 100 MiB",
    ("plan, unchanged", 100_000): "15 s, 700 MiB",
    ("apply, all new", 1_000): "3 s, 100 MiB",
    ("apply, all new", 10_000): "30 s, 150 MiB",
    ("plan, 50 ms a request", 1_000): "0.6 s",
    ("apply, 5 requests/s", 100): "21.5 s",
    ("completion of addresses", 100): "0.3 s",
}
TRIED = """
## What paid, and what did not

Counted as instructions, which say the same on a busy machine:

- A kind is loaded when it is in use: a plan of 50 tags takes 9 % less, `validate` of 100 tags 14 %.
- Records are named tuples in place of data classes: 8 % of a plan of 50.
- Classes that are neither compared nor printed are made of their members only: 7 % of a plan of 50 (decision 0443).
- A regular expression is compiled when it is first looked for: 1.6 % of a plan of 50; the annotations of documents and
  settings are evaluated by Python, not as texts by each model: 1.5 %.
- What is the same for all objects of a kind is asked of the kind once, and nothing is looked for inside of scalars: an
  unchanged tag takes 0.8 million instructions in place of 1.1, with what it takes to read it from the files, the state
  and the account. A test counts the calls.
- Objects are looked up in place of compared each with all: 500 tags under other keys took 20 s to plan.
- An apply lets go of the plan's document once the run is on record: 10,000 creates take 138 MiB at most, 160 before.
- The set of what was written is made once, not for each change: 100,000 creates take 251 s of CPU, 10.4 times what
  10,000 take, and 499 s before.

What was tried and left out:

- Connections of our own in place of the layers below httpx: 6 % of a plan of 50, 12 % of each write. Whether a write
  was sent is decided there, which a well-kept library is to do.
- Annotations that Python evaluates itself in the modules of kinds too: 0.6 % of a plan of nine kinds.
- Validators of the project file that are built for the sections it has: 0.9 % of a plan of 50.
- A client that loads no anyio: 3 % of a plan of 1,000. The locks of httpcore are anyio's.
- Loading what decides and shows a plan while the account answers: of 1,500 million instructions before the first
  request, 55 million could wait.
- Asking for all pages at once, as many as the state knows objects: it saves a round trip where no limit holds requests
  back, and costs requests where objects are gone. At 5 requests a second, the next page is due about when the first
  answer is there.
"""
"""What decides about changes to come: the page ends with it, and measuring does not change it."""
BEFORE = {
    ("validate", 100): "0.45 s",
    ("completion of addresses", 100): "1.5 s",
    ("plan, unchanged", 1_000): "0.67 s, 61 MiB, 10 requests",
    ("plan, unchanged", 10_000): "2.3 s, 131 MiB, 0.50 of octoDNS",
    ("plan, unchanged", 100_000): "18.8 s, 872 MiB",
    ("apply, all new", 1_000): "8.2 s (6.3 s of CPU), 91 MiB",
    ("plan, 50 ms a request", 1_000): "0.94 s",
    ("apply, 5 requests/s", 100): "21.9 s",
}
"""Wall time, memory and requests on a quiet machine with 2 cores before the work on it began."""


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """What one run took: CPU and wall time in seconds, peak memory in MiB, requests where an account counted them."""

    cpu: float
    wall: float
    memory: float
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was done with how many objects (0: no project) of what, and what it took; None where
    that was left out.
    """

    what: str
    size: int
    of: str
    cost: Cost | None


@dataclass(slots=True)
class Time:
    """The time that a run has, in seconds of a clock, and the rows that it has measured."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    rows: list[Row] = field(default_factory=list)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def allows(self, what: str, size: int, of: str, runs: int = 1) -> bool:
        """Return whether a row fits into what is left, by what a tenth of it took; one that nothing is known of does as
        long as there is time at all.
        """
        less = tenth(self.rows, what, size, of)
        expected = less.wall * LONGER * runs if less is not None else 0.0
        return expected <= self._began + self.seconds - self.clock()

    def row(self, what: str, size: int, of: str, cost: Callable[[], Cost], runs: int = 1) -> Row:
        """Return a row with the cheapest of a few runs, or without a cost where it does not fit."""
        if not self.allows(what, size, of, runs):
            return Row(what, size, of, None)
        return Row(what, size, of, min(cost() for _ in range(runs)))


def tenth(rows: Sequence[Row], what: str, size: int, of: str) -> Cost | None:
    """Return what the same took with a tenth of the objects; None where that was not measured."""
    return next((row.cost for row in rows if (row.what, row.of, row.size * 10) == (what, of, size)), None)


LAUNCHED = """
import os, sys, time, _thread
null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
streams = [(os.POSIX_SPAWN_DUP2, int(sys.argv[1]), number) for number in (1, 2)]
started = time.perf_counter()
program = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ, file_actions=[null, *streams])
def watch():
    os.read(0, 1)
    os.kill(program, 9)
    os._exit(1)
_thread.start_new_thread(watch, ())
while True:
    try:
        _, status, used = os.wait4(program, 0)
        break
    except KeyboardInterrupt:
        pass
wall = time.perf_counter() - started
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, wall, used.ru_maxrss)
"""
"""Starts a program and tells how it ended and what it took. It is a process of its own, and smaller than any that it
starts: the peak memory of a program begins with that of its parent process. When the benchmark is gone, the program
ends too.
"""


def measure(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
    """Run a program once and return its cost; raises RuntimeError when it fails."""
    with tempfile.TemporaryFile() as output:
        launch = [sys.executable, "-ISc", LAUNCHED, str(output.fileno()), *command]
        with subprocess.Popen(
            launch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, pass_fds=[output.fileno()], text=True
        ) as launched:
            assert launched.stdout is not None
            status, *took = launched.stdout.read().split() or ["nothing"]
        output.seek(0)
        printed = output.read().decode("utf-8", "replace")
    if status != "0":
        raise RuntimeError(f"{' '.join(command)} ended with {status}:\n{printed[-2000:]}")
    cpu, wall, memory = map(float, took)
    return Cost(cpu, wall, memory / 1024)


def ours(*arguments: str, environ: Mapping[str, str] | None = None) -> Cost:
    """Run the program once."""
    return measure([sys.executable, "-m", "reconciler", *arguments], environ)


# --- what is measured ----------------------------------------------------------------------------------------------


def tags(size: int) -> str:
    """Return a configuration of so many tags."""
    return "tags:\n" + "".join(f"  tag_{n:06}: {{name: Tag {n}, description: Number {n}}}\n" for n in range(size))


def mixed(size: int) -> str:
    """Return a configuration of about so many objects of many kinds: of a hundred, 50 are tags, 20 fields with options
    and a relation, 4 pipelines with 3 stages each, 6 webhooks, 4 lists, 2 custom objects with a field and a relation,
    and 2 deal fields.
    """
    many = max(1, size // 100)
    parts = [tags(50 * many)]
    parts.append("lists:\n")
    parts += [
        f"  list_{n}: {{name: List {n}, string_id: list-{n}, sender_url: 'https://a.example', "
        f"sender_reminder: You asked}}\n"
        for n in range(4 * many)
    ]
    parts.append("fields:\n")
    parts += [
        f"  field_{n}: {{title: Field {n}, type: dropdown, options: [Low, Middle, High], lists: [list_{n % 4}]}}\n"
        for n in range(20 * many)
    ]
    parts.append("deal_fields:\n")
    parts += [f"  deal_{n}: {{label: Deal field {n}, type: text}}\n" for n in range(2 * many)]
    parts.append("pipelines:\n")
    parts += [
        f"  pipe_{n}: {{title: Pipeline {n}, currency: usd, stages: {{lead: {{}}, talk: {{}}, won: {{}}}}}}\n"
        for n in range(4 * many)
    ]
    parts.append("webhooks:\n")
    parts += [
        f"  hook_{n}: {{name: Hook {n}, url: 'https://h.example/{n}', events: [subscribe], sources: [admin]}}\n"
        for n in range(6 * many)
    ]
    parts.append("custom_objects:\n")
    parts += [
        f"  object_{n}: {{slug: object-{n}, labels: {{singular: Object {n}, plural: Objects {n}}}, "
        f"fields: {{seat: {{type: text, labels: {{singular: Seat, plural: Seats}}}}}}, "
        f"relationships: {{buyer: {{namespace: contacts, labels: {{singular: Buyer, plural: Buyers}}}}}}}}\n"
        for n in range(2 * many)
    ]
    return "".join(parts)


def write_project(folder: Path, content: str, url: str = "http://127.0.0.1:1", rate: int = 10_000) -> None:
    """Write a project of two environments, one and two, for accounts at a URL."""
    (folder / "config").mkdir(parents=True)
    rest = 'token: "${env.AC_TOKEN}", requests_per_second: ' + str(rate)
    project = f"""version: 1
environments:
  one: {{url: "{url}", {rest}}}
  two: {{url: "{url}/acct/two", {rest}}}
"""
    (folder / "reconciler.yaml").write_text(project, "utf-8")
    (folder / "config" / "all.yaml").write_text(content, "utf-8")


SERVED = """
import asyncio, os, sys, threading, uvicorn
from reconciler.emulator.serving import Served
from reconciler.emulator.settings import AccountSettings
threading.Thread(target=lambda: os._exit(len(sys.stdin.read())), daemon=True).start()
served, requests = Served(None, AccountSettings(rate_limit=float(sys.argv[1]) or None)), 0
async def app(scope, receive, send):
    global requests
    if scope["path"] == "/requests":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(requests).encode()})
        return
    if scope["type"] == "http" and "/_emulator/" not in scope["path"]:
        requests += 1
        await asyncio.sleep(float(sys.argv[2]))
    await served(scope, receive, send)
uvicorn.run(app, port=0, lifespan="off", access_log=False, log_level="info", timeout_keep_alive=60)
"""
"""Accounts that count what they are asked, and end when their input does: with this script, however that ended."""


@contextmanager
def account(folder: Path, *, rate: float = 0, latency: float = 0.0) -> Iterator[str]:
    """Serve empty accounts in memory, and yield their URL."""
    command = [sys.executable, "-c", SERVED, str(rate), str(latency)]
    with (folder / "served").open("w+") as log:
        served = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)
        try:
            for _ in range(300):
                url = re.search(r"http://[\d.:]+", (folder / "served").read_text("utf-8"))
                if url:
                    break
                time.sleep(0.1)
            else:
                raise RuntimeError("the emulator does not listen")
            yield url[0]
        finally:
            served.terminate()
            served.communicate()


def requests(url: str) -> int:
    """Return how many requests the accounts of a process were asked so far."""
    with urllib.request.urlopen(f"{url}/requests", timeout=300) as response:
        return int(response.read())


def counted(url: str, run: Callable[[], Cost]) -> Cost:
    """Return what a run cost, with the requests that its accounts were asked."""
    before = requests(url)
    cost = run()
    return replace(cost, requests=requests(url) - before)


def start_up(left: Time) -> Iterator[Row]:
    """Measure what needs no account: the start of the program, and completion in a project."""
    bare = [sys.executable, "-c", "pass"]
    yield left.row("bare interpreter", 0, "", lambda: measure(bare), REPEATS)
    for command in (["--help"], ["version"], ["completion", "bash"]):
        yield left.row(" ".join(command), 0, "", partial(ours, *command), REPEATS)
    with tempfile.TemporaryDirectory() as name:
        write_project(Path(name) / "project", tags(100))
        words = ["reconciler", "--chdir", f"{name}/project", "-e", "one", "plan", "--target", "tag.tag_00001"]
        asked = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": "7"}
        environ = {**os.environ, **asked, "AC_TOKEN": TOKEN}
        yield left.row("completion of addresses", 100, "tags", lambda: ours(environ=environ), REPEATS)


def network(left: Time) -> Iterator[Row]:
    """Measure what waits for the network: answers that take their time, and a limit of requests."""
    environ = {**os.environ, "AC_TOKEN": TOKEN}
    with tempfile.TemporaryDirectory() as name, account(Path(name), latency=LATENCY) as url:
        folder = Path(name) / "exported"
        if left.allows("plan, 50 ms a request", 1_000, "tags"):
            seed(url, 1_000)
            exported(Path(name), url, folder)
        plan = ["--chdir", str(folder), "-e", "one", "plan"]
        planned = partial(counted, url, partial(ours, *plan, environ=environ))
        yield left.row("plan, 50 ms a request", 1_000, "tags", planned, REPEATS)
    with tempfile.TemporaryDirectory() as name, account(Path(name), rate=RATE) as url:
        write_project(Path(name) / "project", tags(100), url, rate=RATE)
        apply = ["--chdir", f"{name}/project", "-e", "one", "apply", "--auto-approve"]
        applied = partial(counted, url, partial(ours, *apply, environ=environ))
        yield left.row("apply, 5 requests/s", 100, "tags", applied)


def seed(url: str, size: int) -> None:
    """Put so many tags into the account, some thousand at a time."""
    for start in range(0, size, 5_000):
        rows = [{"tag": f"Tag {n}", "description": f"Number {n}"} for n in range(start, min(start + 5_000, size))]
        content = json.dumps({"tags": rows}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{url}/_emulator/seed", content, method="POST"), timeout=300
        ):
            pass


def exported(folder: Path, url: str, out: Path, of: str = "tags") -> Cost:
    """Export the tags of the account, or all of it, into a project that knows it then, and return what that took."""
    if not (folder / "seeded").exists():
        write_project(folder / "seeded", "{}\n", url)
    environ = {**os.environ, "AC_TOKEN": TOKEN}
    kinds = ["--kinds", "tag"] if of == "tags" else []
    cost = ours("--chdir", str(folder / "seeded"), "-e", "one", "export", *kinds, "--out", str(out), environ=environ)
    written = (out / "reconciler.yaml").read_text("utf-8")
    (out / "reconciler.yaml").write_text(written.replace("${env.AC_ONE_TOKEN}", TOKEN), "utf-8")
    return cost


def whole(left: Time, size: int, of: str, content: str) -> Iterator[Row]:
    """Measure everything that is done with so many objects."""
    runs = REPEATS if size < 10_000 else 1
    with tempfile.TemporaryDirectory() as name, account(Path(name)) as url:
        folder, out = Path(name) / "project", Path(name) / "exported"
        write_project(folder, content, url)
        environ = {**os.environ, "AC_TOKEN": TOKEN}

        def row(what: str, *command: str, times: int = 1, place: Path = folder) -> Row:
            argv = ["--chdir", str(place), *command]
            return left.row(what, size, of, partial(counted, url, partial(ours, *argv, environ=environ)), times)

        yield row("validate", "-e", "one", "validate", times=runs)
        yield row("plan, all new", "-e", "one", "plan", times=runs)
        filled = row("apply, all new", "-e", "one", "apply", "--auto-approve")
        yield filled
        if filled.cost is None and of != "tags":
            return
        if filled.cost is None:
            seed(url, size)
        export = left.row("export", size, of, partial(counted, url, partial(exported, Path(name), url, out, of)))
        if filled.cost is not None or export.cost is not None:
            yield row(
                "plan, unchanged", "-e", "one", "plan", times=runs, place=folder if filled.cost is not None else out
            )
        yield export
        yield row("clone", "clone", "--from", "one", "--to", "two", "--auto-approve")


def octodns(left: Time, there: bool, size: int) -> Iterator[Row]:
    """Measure a plan of octoDNS for as many unchanged records, from YAML to YAML, if it is there."""
    if not there:
        yield Row("octoDNS, unchanged", size, "records", None)
        return
    program = OCTODNS / "bin" / "octodns-sync"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        zone = "---\n" + "".join(
            f"name-{n:06}:\n  ttl: 300\n  type: A\n  value: 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\n"
            for n in range(size)
        )
        for side in ("have", "want"):
            (folder / side).mkdir()
            (folder / side / "example.com.yaml").write_text(zone, "utf-8")
        provider = "class: octodns.provider.yaml.YamlProvider, enforce_order: false"
        config = f"""providers:
  want: {{{provider}, directory: "{folder}/want"}}
  have: {{{provider}, directory: "{folder}/have"}}
zones:
  example.com.: {{sources: [want], targets: [have]}}
"""
        (folder / "config.yaml").write_text(config, "utf-8")
        command = [str(program), "--config-file", str(folder / "config.yaml")]
        runs = REPEATS if size < 10_000 else 1
        yield left.row("octoDNS, unchanged", size, "records", lambda: measure(command), runs)


def has_octodns() -> bool:
    """Install octoDNS beside the project, if it is not there. Return whether it is."""
    if not (OCTODNS / "bin" / "octodns-sync").exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(OCTODNS)], check=True)
            pip = [str(OCTODNS / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
            subprocess.run([*pip, "octodns>=1.10"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"octoDNS is not compared: {error}", file=sys.stderr)
            shutil.rmtree(OCTODNS, ignore_errors=True)
            return False
    return True


# --- what is told --------------------------------------------------------------------------------------------------


def growth(rows: Sequence[Row], row: Row) -> float | None:
    """Return how many times the CPU time is that of a tenth of the objects; None where that was not measured."""
    less = tenth(rows, row.what, row.size, row.of)
    return row.cost.cpu / less.cpu if less is not None and row.cost is not None and row.size else None


def ratio(rows: Sequence[Row], row: Row) -> float | None:
    """Return the CPU time of a plan of unchanged objects as a part of octoDNS's; None where nothing is compared."""
    other = [theirs.cost for theirs in rows if (theirs.what, theirs.size) == ("octoDNS, unchanged", row.size)]
    compared = other and other[0] is not None and row.cost is not None and row.what == "plan, unchanged"
    return row.cost.cpu / other[0].cpu if compared else None  # type: ignore[union-attr]


COLUMNS = ("what", "objects", "CPU", "wall", "memory", "requests", "growth", "of octoDNS", "goal")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def line(rows: Sequence[Row], row: Row) -> str:
    """Return a row as a line of the table."""
    more, part, cost = growth(rows, row), ratio(rows, row), row.cost
    cells = [
        row.what,
        f"{row.size:,} {row.of}" if row.size else "",
        f"{cost.cpu:.2f} s" if cost else "left out",
        f"{cost.wall:.2f} s" if cost else "",
        f"{cost.memory:.0f} MiB" if cost else "",
        "" if cost is None or cost.requests is None else f"{cost.requests:,}",
        f"x {more:.1f}" if more is not None else "",
        f"{part:.2f}" if part is not None else "",
        GOALS.get((row.what, row.size), "") if row.of in ("", "tags") else "",
    ]
    return f"| {' | '.join(cells)} |"


def before_and_now(rows: Sequence[Row]) -> str:
    """Return the table of what the work on speed began with, what it aimed at, and what this run measured."""
    lines = ["| work | before | goal | now: CPU, wall, memory |", "|---|---|---|---|"]
    for (what, size), before in BEFORE.items():
        measured = (row for row in rows if (row.what, row.size, row.of) == (what, size, "tags"))
        row = next(measured, None)
        now = "not measured"
        if row is not None and row.cost is not None:
            part = ratio(rows, row)
            now = f"{row.cost.cpu:.2f} s, {row.cost.wall:.2f} s, {row.cost.memory:.0f} MiB"
            now += f", {part:.2f} of octoDNS" if part is not None else ""
        lines.append(f"| {what}, {size:,} tags | {before} | {GOALS.get((what, size), '')} | {now} |")
    return "\n".join(lines)


def page(rows: Sequence[Row], date: str) -> str:
    """Return docs/benchmarks.md."""
    table = "\n".join([HEAD, *(line(rows, row) for row in rows)])
    return f"""# Benchmarks

```sh
make bench
```

measures start-up and what is done with up to 100,000 objects, and writes this page. It takes {MINUTES:.0f} minutes at
most (`--minutes`): a row that would take longer than what is left, by what a tenth of it took, is left out. The account
is the emulator in a process of its own on the loopback interface, without a rate limit but where one is named. CPU and
memory are those of the program alone, requests those that the account was asked; wall time has the account's work, and
whatever else the machine did, in it. Growth is CPU
against a tenth of the objects. octoDNS plans as many unchanged records from YAML to YAML, in the same run. The numbers
are for people; no test depends on them.

To measure a part: `.venv/bin/python -m scripts.bench --only tags 100 1000`. It is printed; this page stays as it is.
To leave nothing out, add `--all`: the apply and the clone of 100,000 objects run too, each for 5 to 10 minutes.

Measured on {date}, Python {platform.python_version()}, {os.cpu_count()} cores.

{table}

`mixed` are tags, lists, fields with options and a list, deal fields, pipelines with stages, webhooks, and custom
objects with a field and a relation.

## Before and now

Before is wall time on a quiet machine with 2 cores, before the work on speed and memory began. There octoDNS
planned 10,000 records in 4.4 s; where its row says more, the machine is slower by as much.

{before_and_now(rows)}

A plan of 1,000 tags costs 10 requests: one for each 100 objects of a kind. Against a real account, at 5 requests a
second, that is 2 seconds, whatever the CPU does.
{TRIED}"""


def chosen(parts: Sequence[str], sizes: Sequence[int], left: Time) -> Sequence[Callable[[], Iterator[Row]]]:
    """Return what there is to measure, in order."""
    work: list[Callable[[], Iterator[Row]]]
    work = [partial(part, left) for name, part in (("start", start_up), ("network", network)) if name in parts]
    there = "octodns" in parts and has_octodns()
    for size in sizes:
        work += [partial(octodns, left, there, size)] if "octodns" in parts else []
        work += [partial(whole, left, size, "tags", tags(size))] if "tags" in parts else []
    for size in sizes if "mixed" in parts else ():
        work.append(partial(whole, left, size, "mixed", mixed(size)))
    return work


def main(arguments: Sequence[str]) -> int:
    """Measure, print each row as it comes, and write page and data."""
    parser = argparse.ArgumentParser(description="Measure the program.")
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES), metavar="SIZE")
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}, divided by commas")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--minutes", type=float, default=MINUTES, help="what would take longer is left out")
    limit.add_argument("--all", action="store_true", help="leave nothing out, however long it takes")
    parser.add_argument("--no-docs", action="store_true", help="leave docs/benchmarks.md as it is")
    asked = parser.parse_args(arguments)
    parts = asked.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    left = Time(math.inf if asked.all else asked.minutes * 60)
    compileall.compile_dir(ROOT / "reconciler", quiet=1)
    print(HEAD, flush=True)
    for measured in chosen(parts, asked.sizes, left):
        for row in measured():
            left.rows.append(row)
            print(line(left.rows, row), flush=True)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = left.rows
    listed = [{**asdict(row), "growth": growth(rows, row), "of_octodns": ratio(rows, row)} for row in rows]
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_text(json.dumps({"date": today, "rows": listed}, indent=2) + "\n", "utf-8")
    if {*parts} != {*PARTS} or asked.sizes != [*SIZES]:
        print(f"{PAGE.name} stays as it is: it tells of a run of everything", file=sys.stderr)
    elif not asked.no_docs:
        PAGE.write_text(page(rows, today), "utf-8")
    return 0


def stop(number: int, frame: FrameType | None) -> None:
    """End as on Ctrl-C: what was started ends too, and folders are removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, RuntimeError) as error:
        sys.exit(f"nothing is written: {error}")
    except KeyboardInterrupt:
        sys.exit("nothing is written: the run was ended before its time")

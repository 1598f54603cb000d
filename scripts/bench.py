"""Measure the program, and write what came out into docs/benchmarks.md and .cache/bench.json.

Usage: `python -m scripts.bench [--no-docs] [SIZE ...]` (default: 100 1000 10000 100000). The account is the emulator in
a process of its own, without a rate limit, on the loopback interface. octoDNS, installed from the package index into an
environment of its own, plans as many unchanged records in the same run; without it, its columns are empty.

CPU time is that of the program alone; wall time has the account's work in it. Each row is the best of a few runs where
repeating changes nothing, because other work on the machine only ever adds. The numbers are for people.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, DATA = ROOT / "docs" / "benchmarks.md", ROOT / ".cache" / "bench.json"
OCTODNS = ROOT / ".cache" / "octodns"
SIZES = (100, 1_000, 10_000, 100_000)
REPEATS = 3
TOKEN = "emulator-token"
REQUESTS = re.compile(r"(?:this plan took|^) ?([\d,]+) requests?", re.M)
GOALS = {
    ("--help", 0): "0.05 s over a bare interpreter",
    ("version", 0): "0.05 s over a bare interpreter",
    ("validate", 100): "0.25 s",
    ("plan, unchanged", 1_000): "0.4 s, 60 MiB",
    ("plan, unchanged", 10_000): "0.4 of octoDNS, 100 MiB",
    ("plan, unchanged", 100_000): "15 s, 700 MiB",
    ("apply, all new", 1_000): "3 s, 100 MiB",
    ("apply, all new", 10_000): "30 s, 150 MiB",
}


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """What one run took: CPU and wall time in seconds, peak memory in MiB, requests where the program says them."""

    cpu: float
    wall: float
    memory: float
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was done with how many objects (0: no project) of what, and what it took."""

    what: str
    size: int
    of: str
    cost: Cost


def measure(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Cost:
    """Run a program once and return its cost; raises RuntimeError when it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environ or os.environ
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said[-2000:]}")
    found = REQUESTS.findall(said)
    requests = int(found[-1].replace(",", "")) if found else None
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, requests)


def ours(*arguments: str, environ: Mapping[str, str] | None = None) -> Cost:
    """Run the program once."""
    return measure([sys.executable, "-m", "reconciler", *arguments], environ)


def best(*arguments: str, environ: Mapping[str, str] | None = None, runs: int = REPEATS) -> Cost:
    """Return the cheapest of a few runs."""
    return min(ours(*arguments, environ=environ) for _ in range(runs))


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


def write_project(folder: Path, content: str, url: str = "http://127.0.0.1:1") -> None:
    """Write a project of two environments, one and two, for accounts at a URL."""
    (folder / "config").mkdir(parents=True)
    rest = 'token: "${env.AC_TOKEN}", requests_per_second: 10000'
    project = f"""version: 1
environments:
  one: {{url: "{url}", {rest}}}
  two: {{url: "{url}/acct/two", {rest}}}
"""
    (folder / "reconciler.yaml").write_text(project, "utf-8")
    (folder / "config" / "all.yaml").write_text(content, "utf-8")


@contextmanager
def account(folder: Path) -> Iterator[str]:
    """Serve empty accounts, and yield their URL."""
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", "--port", "0", "--rate-limit", "0"]
    with (folder / "served").open("w+") as said:
        served = subprocess.Popen([*command, "--db", str(folder / "one.db")], stdout=said, stderr=subprocess.STDOUT)
        try:
            for _ in range(300):
                found = re.search(r"http://[\d.:]+", (folder / "served").read_text("utf-8"))
                if found:
                    break
                time.sleep(0.1)
            else:
                raise RuntimeError("the emulator does not listen")
            yield found[0]
        finally:
            served.terminate()
            served.wait()


def start_up() -> Iterator[Row]:
    """Measure what needs no project."""
    yield Row("bare interpreter", 0, "", min(measure([sys.executable, "-c", "pass"]) for _ in range(REPEATS)))
    for command in (["--help"], ["version"], ["completion", "bash"]):
        yield Row(" ".join(command), 0, "", best(*command))


def whole(size: int, of: str, content: str) -> Iterator[Row]:
    """Measure everything that is done with so many objects."""
    runs = REPEATS if size < 100_000 else 1
    with tempfile.TemporaryDirectory() as name, account(Path(name)) as url:
        folder = Path(name) / "project"
        write_project(folder, content, url)
        environ = {**os.environ, "AC_TOKEN": TOKEN}
        project = ["--chdir", str(folder)]
        one = [*project, "-e", "one"]
        yield Row("validate", size, of, best(*one, "validate", environ=environ, runs=runs))
        yield Row("plan, all new", size, of, best(*one, "plan", environ=environ, runs=runs))
        approved = ["apply", "--auto-approve"]
        yield Row("apply, all new", size, of, ours(*one, *approved, environ=environ))
        yield Row("plan, unchanged", size, of, best(*one, "plan", environ=environ, runs=runs))
        out = str(Path(name) / "exported")
        yield Row("export", size, of, ours(*one, "export", "--out", out, environ=environ))
        copy = ["clone", "--from", "one", "--to", "two", "--auto-approve"]
        yield Row("clone", size, of, ours(*project, *copy, environ=environ))


def octodns(size: int) -> Iterator[Row]:
    """Measure a plan of octoDNS for as many unchanged records, from YAML to YAML."""
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
        runs = REPEATS if size < 100_000 else 1
        yield Row("octoDNS, unchanged", size, "records", min(measure(command) for _ in range(runs)))


def has_octodns() -> bool:
    """Install octoDNS beside the project, if it is not there. Tell whether it is."""
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
    less = [one for one in rows if (one.what, one.of, one.size * 10) == (row.what, row.of, row.size)]
    return row.cost.cpu / less[0].cost.cpu if less and row.size else None


def ratio(rows: Sequence[Row], row: Row) -> float | None:
    """Return the CPU time of a plan of unchanged objects as a part of octoDNS's; None where nothing is compared."""
    other = [one for one in rows if (one.what, one.size) == ("octoDNS, unchanged", row.size)]
    return row.cost.cpu / other[0].cost.cpu if other and row.what == "plan, unchanged" else None


COLUMNS = ("what", "objects", "CPU", "wall", "memory", "requests", "growth", "of octoDNS", "goal")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def line(rows: Sequence[Row], row: Row) -> str:
    """Return a row as a line of the table."""
    more, part = growth(rows, row), ratio(rows, row)
    cells = [
        row.what,
        f"{row.size:,} {row.of}" if row.size else "",
        f"{row.cost.cpu:.2f} s",
        f"{row.cost.wall:.2f} s",
        f"{row.cost.memory:.0f} MiB",
        "" if row.cost.requests is None else f"{row.cost.requests:,}",
        f"x {more:.1f}" if more is not None else "",
        f"{part:.2f}" if part is not None else "",
        GOALS.get((row.what, row.size), "") if row.of in ("", "tags") else "",
    ]
    return f"| {' | '.join(cells)} |"


def page(rows: Sequence[Row], date: str) -> str:
    """Return docs/benchmarks.md."""
    table = "\n".join([HEAD, *(line(rows, row) for row in rows)])
    return f"""# Benchmarks

```sh
make bench
```

measures start-up and what is done with up to 100,000 objects, and writes this page. The account is the emulator in a
process of its own on the loopback interface, without a rate limit. CPU is that of the program alone; wall time has the
account's work, and whatever else the machine did, in it. Growth is CPU against a tenth of the objects. octoDNS plans
as many unchanged records from YAML to YAML, in the same run. The numbers are for people; no test depends on them. To
measure other sizes: `.venv/bin/python -m scripts.bench 100 1000`.

Measured on {date}, Python {platform.python_version()}, {os.cpu_count()} cores.

{table}

`mixed` are tags, lists, fields with options and a list, deal fields, pipelines with stages, webhooks, and custom
objects with a field and a relation.

A plan of 1,000 tags costs 10 requests: one for each 100 objects of a kind. Against a real account, at 5 requests a
second, that is 2 seconds, whatever the CPU does.
"""


def main(arguments: Sequence[str]) -> int:
    """Measure, print each row as it comes, and write page and data."""
    sizes = [int(one) for one in arguments if one.isdigit()] or list(SIZES)
    rows: list[Row] = []
    compared = has_octodns()
    print(HEAD, flush=True)

    def told(found: Iterator[Row]) -> None:
        for row in found:
            rows.append(row)
            print(line(rows, row), flush=True)

    told(start_up())
    for size in sizes:
        if compared:
            told(octodns(size))
        told(whole(size, "tags", tags(size)))
        if size <= 10_000:
            told(whole(size, "mixed", mixed(size)))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    DATA.parent.mkdir(exist_ok=True)
    listed = [{**asdict(row), "growth": growth(rows, row), "of_octodns": ratio(rows, row)} for row in rows]
    DATA.write_text(json.dumps({"date": today, "rows": listed}, indent=2) + "\n", "utf-8")
    if "--no-docs" not in arguments:
        PAGE.write_text(page(rows, today), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

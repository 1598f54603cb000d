"""The crash matrix over real HTTP: the emulator and the apply are processes, and the apply dies by SIGKILL, or loses an
answer, at each request boundary. One re-run makes everything as declared, without duplicate, orphan or manual step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import program
from reconciler.workflow import doctor
from reconciler.workflow.planning import Options, make_plan
from reconciler.workflow.session import open_session, run_async
from tests.store.wire_proxy import MODES, Mode, Proxy, proxy

CONFIG = """
field_groups: {facts: {label: Facts, object: contact}}
tags: {vip: {name: VIP}, gold: {name: Gold, description: Not silver}}
lists:
  news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: You asked for it}
fields:
  tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news], group: facts}
  notes: {title: Notes, type: textarea, lists: all}
deal_fields: {value: {label: Contract value, type: currency, default_currency: usd}}
account_fields: {region: {label: Region, type: dropdown, options: [North, South]}}
pipelines:
  sales:
    title: Sales
    currency: usd
    stages: {lead: {title: Lead}, talk: {title: Talk}, sure: {title: Sure}, won: {title: Won}}
webhooks: {crm: {name: CRM, url: https://h.example/in, events: [subscribe], sources: [admin], list: news}}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: Tickets}
    fields: {seat: {type: text, labels: {singular: Seat, plural: Seats}}}
"""
KEYS = {
    "tags": ("tag",),
    "lists": ("stringid",),
    "fields": ("title",),
    "fieldOptions": ("field", "value"),
    "fieldRels": ("field", "relid"),
    "dealCustomFieldMeta": ("fieldLabel",),
    "accountCustomFieldMeta": ("fieldLabel",),
    "dealGroups": ("title",),
    "dealStages": ("group", "title"),
    "webhooks": ("name",),
    "groupDefinitions": ("type_id", "label"),
    "groupMembers": ("group_id", "rel_id"),
    "schemas": ("slug",),
}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The emulator as a process of its own; yields its URL."""
    command = [sys.executable, "-m", "reconciler", "emulator", "serve", "--port", "0", "--rate-limit", "0"]
    with subprocess.Popen(
        [*command, "--db", str(folder / "account.db")], stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            yield line.partition("listens on ")[2].partition(" ")[0]
        finally:
            process.kill()


def admin(url: str, method: str, what: str) -> Any:
    """Call the emulator's administration."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/_emulator/{what}", method=method), timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy before an emulator, for all cases of this module."""
    with served(tmp_path_factory.mktemp("emulator")) as url, proxy(url) as made:
        yield made


def project(folder: Path, url: str) -> None:
    """A project about everything."""
    (folder / "config").mkdir(parents=True)
    (folder / "config/main.yaml").write_text(CONFIG, "utf-8")
    text = f"version: 1\nenvironments:\n  live: {{url: '{url}', token: emulator-token, requests_per_second: 2000}}\n"
    (folder / "reconciler.yaml").write_text(text, "utf-8")


def die(folder: Path, wire: Proxy, nth: int, mode: Mode | None) -> int:
    """Apply in a process that something happens to at its nth write; returns its exit code."""
    command = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "apply", "--auto-approve", "--quiet"]
    wire.arm(nth, mode)
    environ = {**os.environ, "NO_PROXY": "127.0.0.1"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ
    ) as process:
        wire.pid = process.pid
        code = process.wait(timeout=100)
    wire.pid = 0
    wire.settle()
    return code


def check_converged(folder: Path, wire: Proxy, case: str) -> None:
    """One re-run, and everything is as declared: no duplicate, nothing invisible, an empty plan, a sound state."""
    wire.arm(0, None)
    code = program.run(["--chdir", str(folder), "apply", "--auto-approve", "--quiet"])
    assert code == 0, case
    dump = admin(wire.target, "GET", "dump")
    for table, names in KEYS.items():
        assert all(name in row for row in dump.get(table, []) for name in names), table
        rows = Counter(tuple(str(row.get(name)) for name in names) for row in dump.get(table, []))
        assert [key for key, count in rows.items() if count > 1] == [], f"{case}: duplicates in {table}"
    assert {t: names for t, names in admin(wire.target, "GET", "visibility").items() if names} == {}, case
    session = open_session(folder, None)
    planned = run_async(make_plan(session, Options()))
    assert [change.address for change in planned.document.changes] == [], case
    assert run_async(doctor.examine(open_session(folder, None))) == [], case
    assert sorted(row["title"] for row in dump["dealStages"]) == ["Lead", "Sure", "Talk", "Won"], case


def writes_of(folder: Path, wire: Proxy) -> int:
    """Return how many writes an undisturbed apply takes."""
    admin(wire.target, "POST", "reset")
    project(folder, wire.url)
    assert die(folder, wire, 10_000, "kill_before") == 0
    return wire.seen


def check_case(folder: Path, wire: Proxy, nth: int, mode: Mode) -> None:
    """One case of the matrix."""
    admin(wire.target, "POST", "reset")
    project(folder, wire.url)
    code = die(folder, wire, nth, mode)
    assert code == -9 if mode.startswith("kill") else code in (0, 5), f"{mode} at write {nth}: exit code {code}"
    check_converged(folder, wire, f"{mode} at write {nth}")


@pytest.mark.socket
@pytest.mark.parametrize(
    ("mode", "share"),
    [("kill_before", 0.3), ("kill_after", 0.1), ("kill_after", 0.6), ("kill_told", 0.8), ("error_after", 0.4)],
)
def test_an_apply_that_dies_is_finished_by_the_next(tmp_path: Path, wire: Proxy, mode: Mode, share: float) -> None:
    """A sample of the matrix: the apply is struck somewhere on its way, and the next one converges."""
    check_case(tmp_path / "project", wire, max(1, round(22 * share)), mode)


@pytest.mark.prove
@pytest.mark.socket
@pytest.mark.timeout(3600)
def test_the_whole_matrix(tmp_path: Path, wire: Proxy) -> None:
    """Every write of the plan, every way to be struck; the number of cases and failures is printed."""
    count = writes_of(tmp_path / "count", wire)
    failures = []
    cases = [(nth, mode) for nth in range(1, count + 1) for mode in MODES]
    for nth, mode in cases:
        try:
            check_case(tmp_path / f"{mode}-{nth}", wire, nth, mode)
        except AssertionError as error:
            failures.append(f"{mode} at {nth}: {str(error)[:300]}")
    print(f"crash matrix: {len(cases)} cases at {count} writes, {len(failures)} failures")  # noqa: T201
    assert failures == []

"""The crash matrix over real HTTP: the emulator and the apply are processes, and the apply dies by SIGKILL, or loses
an answer or its disk, at each request boundary. One re-run makes everything as declared, without duplicate, orphan or
manual step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import program
from reconciler.resources import load_kinds
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
    relationships: {buyer: {namespace: contacts, labels: {singular: Buyer, plural: Buyers}}}
  booking:
    slug: bookings
    labels: {singular: Booking, plural: Bookings}
    fields: {place: {type: text, labels: {singular: Place, plural: Places}}}
    visibility: public
    app_id: studio
  ours: {slug: bookings, labels: {singular: Booking, plural: Bookings}, parent: booking}
settings: {site_tracking: {enabled: true}, event_tracking: {enabled: true}, branding: {site_name: Shop}}
user_groups: {agents: {name: Agents, description: On deals, flags: {pgDeal: true}}}
users: {jane: {email: jane@shop.example, username: jane, first_name: Jane, last_name: Doe, group: agents}}
site_domains: {shop: {domain: shop.example}}
tracked_events: {watched: {name: watched demo}}
connections:
  shop: {service: shop, external_id: s1, name: Shop, logo_url: https://a.example/l, link_url: https://a.example/s}
addresses: {home: {company_name: Shop, address1: Market 1, city: Town, state: CA, zip: "94105", country: US}}
personalizations: {hours: {tag: HOURS, name: Hours, format: text, content: 9 to 17, lists: [news]}}
messages:
  hello: {name: Hello, from_name: Shop, from_email: a@shop.example, reply_to: a@shop.example, subject: Hi, text: Hi}
segments:
  vips:
    name: VIPs
    groups: [{conditions: [{object: tag, fields: [{name: tagid, value: {ref: tag.vip}}]}]}]
deal_roles: {finance: {title: Finance}}
task_types: {demo: {title: Demo}}
task_outcomes: {convinced: {title: Convinced, sentiment: Positive, task_types: [demo]}}
saved_responses: {thanks: {title: Thanks, subject: Thank you, body: <p>Thanks</p>}}
calendars: {deals: {title: Deals, type: Deals, notification: true}}
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
    "schemas": ("slug", "visibility"),
    "groups": ("title",),
    "users": ("username",),
    "userGroups": ("userid", "groupid"),
    "listGroups": ("list", "group"),
    "urlWhitelistings": ("whitelisted_domain",),
    "eventTrackingEvents": ("name",),
    "connections": ("service", "externalid"),
    "addresses": ("address1",),
    "personalizations": ("tag",),
    "messages": ("name", "subject"),
    "segmentsV2": ("name",),
    "dealRoles": ("title",),
    "dealTasktypes": ("title",),
    "taskOutcomes": ("title",),
    "tasktypeOutcomeRels": ("tasktype_id", "outcome_id"),
    "savedResponses": ("title",),
    "calendars": ("title",),
}
IMPATIENT = """
import functools, sys
from reconciler.remote import client
client.Connection = functools.partial(client.Connection, timeout=1.0)
from reconciler.cli import program
sys.exit(program.run(sys.argv[1:]))
"""
"""The program with less patience for answers, so that a timeout takes a second."""


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


def admin(url: str, method: str, what: str, body: Any = None) -> Any:
    """Call the emulator's administration."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_emulator/{what}", content, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
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
    program_ = ["-c", IMPATIENT] if mode == "timeout" else ["-m", "reconciler"]
    command = [sys.executable, *program_, "--chdir", str(folder), "apply", "--auto-approve", "--quiet"]
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


@dataclass(frozen=True)
class Clean:
    """What an undisturbed apply comes to: its writes, the rows of each table, the kinds in its state."""

    writes: int
    rows: dict[str, int]
    kinds: frozenset[str]


def rows_of(wire: Proxy) -> dict[str, int]:
    """Return how many rows each table has: an orphan is one more."""
    return {table: len(rows) for table, rows in admin(wire.target, "GET", "dump").items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, wire: Proxy) -> Clean:
    """The plan of the matrix, carried out once without anything going wrong."""
    folder = tmp_path_factory.mktemp("clean")
    admin(wire.target, "POST", "reset")
    project(folder, wire.url)
    assert die(folder, wire, 10_000, "kill_before") == 0
    writes = wire.seen
    check_converged(folder, wire, "undisturbed")
    state = json.loads((folder / "state/live.json").read_text("utf-8"))
    kinds = frozenset(binding["kind"] for binding in state["resources"].values())
    return Clean(writes, rows_of(wire), kinds)


def check_case(folder: Path, wire: Proxy, clean: Clean, nth: int, mode: Mode) -> None:
    """One case of the matrix."""
    admin(wire.target, "POST", "reset")
    project(folder, wire.url)
    code = die(folder, wire, nth, mode)
    allowed = (-9,) if mode.startswith("kill") else (5,) if mode == "full_disk" else (0, 5)
    assert code in allowed, f"{mode} at write {nth}: exit code {code}"
    check_converged(folder, wire, f"{mode} at write {nth}")
    assert rows_of(wire) == clean.rows, f"{mode} at write {nth}: orphans"


@pytest.mark.socket
def test_the_plan_of_the_matrix_has_every_kind(clean: Clean) -> None:
    """A kind that can be written and is not in the plan would never be struck."""
    assert clean.kinds == {name for name, kind in load_kinds().items() if kind.managed}


@pytest.mark.socket
@pytest.mark.parametrize(
    ("mode", "share"),
    [
        ("kill_before", 0.3),
        ("kill_after", 0.1),
        ("kill_after", 0.6),
        ("kill_told", 0.8),
        ("reset_before", 0.7),
        ("error_after", 0.4),
        ("timeout", 0.5),
        ("full_disk", 0.2),
    ],
)
def test_an_apply_that_dies_is_finished_by_the_next(
    tmp_path: Path, wire: Proxy, clean: Clean, mode: Mode, share: float
) -> None:
    """A sample of the matrix: the apply is struck somewhere on its way, and the next one converges."""
    check_case(tmp_path / "project", wire, clean, max(1, round(clean.writes * share)), mode)


@pytest.mark.prove
@pytest.mark.socket
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
def test_the_whole_matrix(
    tmp_path: Path, wire: Proxy, clean: Clean, mode: Mode, record_property: Callable[[str, object], None]
) -> None:
    """Every write of the plan, every way to be struck; the number of cases and failures is printed."""
    failures = []
    for nth in range(1, clean.writes + 1):
        try:
            check_case(tmp_path / f"{nth}", wire, clean, nth, mode)
        except AssertionError as error:
            failures.append(f"{mode} at {nth}: {str(error)[:300]}")
    record_property("crash matrix over HTTP", f"{mode}: {clean.writes} cases, {len(failures)} failures")
    assert failures == []

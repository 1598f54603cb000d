"""The crash matrix over real HTTP: the emulator and the apply are processes, and the apply dies by SIGKILL, or loses
an answer or its disk, at each request boundary. One re-run makes everything as declared, without duplicate, orphan or
manual step.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import program
from reconciler.model.waits import Waits
from reconciler.resources import load_kinds
from reconciler.workflow.doctor.state import examine
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime, run_async, within
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan
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
CHANGED = """
field_groups: {facts: {label: Facts about them, object: contact}, other: {label: Others, object: deal}}
tags: {vip: {name: Gold, description: Swapped}, gold: {name: VIP}, new: {name: New}}
lists:
  news: {name: Newsletter, string_id: news, sender_url: https://b.example, sender_reminder: You asked for it}
fields:
  tier: {title: Level, type: dropdown, options: [Pro, Team, Free], lists: all, group: facts}
  notes: {title: Notes, type: text, lists: [news], group: facts}
deal_fields:
  value: {label: Contract worth, type: currency, default_currency: usd, group: other}
  due: {label: Due, type: date, group: other}
account_fields: {region: {label: Region, type: dropdown, options: [South, North, West]}}
pipelines:
  sales:
    title: Sales 2
    currency: usd
    stages: {talk: {title: Talk}, lead: {title: Leads}, last: {title: Last}, won: {title: Won}}
  care: {title: Care, currency: usd, stages: {open: {title: Open}}}
webhooks: {crm: {name: CRM, url: https://h.example/out, events: [unsubscribe], sources: [admin, api]}}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: All tickets}
    fields:
      seat: {type: text, labels: {singular: Place, plural: Places}}
      price: {type: number, labels: {singular: Price, plural: Prices}}
    relationships: {buyer: {namespace: contacts, labels: {singular: Buyer, plural: Buyers}}}
settings: {site_tracking: {enabled: false}, event_tracking: {enabled: true}, branding: {site_name: Store}}
user_groups: {agents: {name: Sellers, description: On deals, flags: {pgDeal: true}}}
users: {jane: {email: jane@shop.example, username: jane, first_name: Jane, last_name: Roe, group: agents}}
site_domains: {store: {domain: store.example}}
tracked_events: {seen: {name: seen demo}}
connections:
  shop: {service: shop, external_id: s1, name: Store, logo_url: https://a.example/m, link_url: https://a.example/s}
addresses: {home: {company_name: Store, address1: Market 1, city: Town, state: CA, zip: "94105", country: US}}
personalizations: {hours: {tag: HOURS, name: Opening hours, format: text, content: 9 to 18, lists: [news]}}
messages:
  hello: {name: Hello, from_name: Store, from_email: a@shop.example, reply_to: a@shop.example, subject: Hi, text: Ho}
segments:
  vips:
    name: VIPs
    groups: [{conditions: [{object: tag, fields: [{name: tagid, value: {ref: tag.new}}]}]}]
deal_roles: {legal: {title: Legal}}
task_types: {show: {title: Show}}
task_outcomes: {convinced: {title: Convinced, sentiment: Negative, task_types: [show]}}
saved_responses: {thanks: {title: Thanks, subject: Thank you all, body: <p>Thanks</p>}}
calendars: {deals: {title: Deals, type: All, notification: false}}
"""
PLANS = {"create": ("", CONFIG), "change": (CONFIG, CHANGED), "delete": (CONFIG, "tags: {vip: {name: VIP}}")}
"""What stands before the apply that is struck, and what it is to make of it."""
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
LAX = """
version: 1
environments:
  live:
    url: {url}
    token: emulator-token
    requests_per_second: 2000
    guards: {{max_delete_percent: 100, max_records_lost: 1000000, allow_list_deletes: true, unmanaged_lost: 1000000}}
"""
LAUNCHER = """
import importlib, json, os, pkgutil, sys
import reconciler
from reconciler.cli import program
from reconciler.model.waits import Waits
from reconciler.workflow.opening.runtime import Runtime, within

for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if module.name.rpartition(".")[2] != "__main__":
        importlib.import_module(module.name)
for line in sys.stdin:
    words, answer = json.loads(line)
    begins, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(begins, 1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        with within(Runtime(waits=Waits(settling=(0.0, 0.0), late=0.0, **answer))):
            sys.exit(program.run(words))
    print(child, flush=True)
    sys.stdin.readline()
    os.write(begin, b".")
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os.close(begins), os.close(begin)
"""
"""Runs commands in processes of their own that find the program imported, once it is known which process that is. The
account of these tests shows what it did at once.
"""


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


def project(folder: Path, url: str, config: str = CONFIG) -> None:
    """A project about everything, which may delete what it made."""
    (folder / "config").mkdir(parents=True)
    (folder / "config/main.yaml").write_text(config or "{}", "utf-8")
    (folder / "reconciler.yaml").write_text(LAX.format(url=url), "utf-8")


@dataclass
class Launcher:
    """Applies in processes that something happens to."""

    process: subprocess.Popen[str]
    wire: Proxy

    def die(self, folder: Path, nth: int, mode: Mode | None) -> int:
        """Apply in a process that something happens to at its nth write; returns its exit code."""
        words = ["--chdir", str(folder), "apply", "--auto-approve", "--quiet"]
        self.wire.arm(nth, mode)
        self.wire.pid = int(self.said([words, {"answer": 1.0} if mode == "timeout" else {}]))
        code = int(self.said("begin"))
        self.wire.pid = 0
        self.wire.settle()
        return code

    def said(self, line: object) -> str:
        """Tell the launcher a line, and return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{json.dumps(line)}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@contextmanager
def launching(wire: Proxy) -> Iterator[Launcher]:
    """A launcher, which is a process of its own."""
    environ = {**os.environ, "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", LAUNCHER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as process:
        yield Launcher(process, wire)


def check_converged(folder: Path, wire: Proxy, case: str) -> None:
    """One re-run, and everything is as declared: no duplicate, nothing invisible, an empty plan, a sound state."""
    wire.arm(0, None)
    with within(Runtime(waits=Waits(settling=(0.0, 0.0), late=0.0))):
        code = program.run(["--chdir", str(folder), "apply", "--auto-approve", "--quiet"])
    assert code == 0, case
    dump = admin(wire.target, "GET", "dump")
    for table, names in KEYS.items():
        assert all(name in row for row in dump.get(table, []) for name in names), table
        rows = Counter(tuple(str(row.get(name)) for name in names) for row in dump.get(table, []))
        assert [key for key, count in rows.items() if count > 1] == [], f"{case}: duplicates in {table}"
    assert {t: names for t, names in admin(wire.target, "GET", "visibility").items() if names} == {}, case
    session = open_session(folder, None)
    planned = run_async(make_plan(session, PlanOptions()))
    assert [change.address for change in planned.document.changes] == [], case
    assert run_async(examine(open_session(folder, None))) == [], case


@dataclass(frozen=True)
class Clean:
    """What an undisturbed apply comes to: its writes, the rows of each table, the kinds in its state."""

    writes: int
    rows: dict[str, int]
    kinds: frozenset[str]


def rows_of(wire: Proxy) -> dict[str, int]:
    """Return how many rows each table has: an orphan is one more. What is on all lists may be on one of them as
    well: it is added to all before it leaves any, and is as declared in between.
    """
    dump = admin(wire.target, "GET", "dump")
    everywhere = {str(row["field"]) for row in dump.get("fieldRels", ()) if str(row["relid"]) == "0"}
    rows = dump.get("fieldRels", ())
    dump["fieldRels"] = [row for row in rows if str(row["relid"]) == "0" or str(row["field"]) not in everywhere]
    return {table: len(rows) for table, rows in dump.items()}


@dataclass
class Matrix:
    """The plans of the matrix: each is carried out once without anything going wrong, when it is first asked for."""

    launcher: Launcher
    folder: Path
    known: dict[str, Clean] = field(default_factory=dict)
    stands: dict[str, Any] = field(default_factory=dict)

    @property
    def wire(self) -> Proxy:
        """The proxy before the emulator."""
        return self.launcher.wire

    def begin(self, folder: Path, plan: str) -> None:
        """Bring the account to what stands before a plan, and make a project of what it asks for."""
        before, wanted = PLANS[plan]
        admin(self.wire.target, "POST", "reset")
        if before:
            self.clean("create")
            admin(self.wire.target, "POST", "reset")
            admin(self.wire.target, "POST", "seed", self.stands)
            shutil.copytree(self.folder / "create/state", folder / "state")
        project(folder, self.wire.url, wanted)

    def clean(self, plan: str) -> Clean:
        """Return what an undisturbed apply of a plan comes to."""
        if plan not in self.known:
            folder = self.folder / plan
            self.begin(folder, plan)
            assert self.launcher.die(folder, 10_000, "kill_before") == 0
            writes = self.wire.seen
            check_converged(folder, self.wire, f"{plan}, undisturbed")
            state = json.loads((folder / "state/live.json").read_text("utf-8"))
            kinds = frozenset(binding["kind"] for binding in state["resources"].values())
            self.known[plan] = Clean(writes, rows_of(self.wire), kinds)
            if plan == "create":
                self.stands = admin(self.wire.target, "GET", "dump")
        return self.known[plan]

    def check_case(self, folder: Path, plan: str, nth: int, mode: Mode) -> None:
        """One case of the matrix."""
        clean, case = self.clean(plan), f"{plan}: {mode} at write {nth}"
        self.begin(folder, plan)
        code = self.launcher.die(folder, nth, mode)
        allowed = (-9,) if mode.startswith("kill") else (5,) if mode == "full_disk" else (0, 5)
        assert code in allowed, f"{case}: exit code {code}"
        check_converged(folder, self.wire, case)
        assert rows_of(self.wire) == clean.rows, f"{case}: orphans"


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory, wire: Proxy) -> Iterator[Matrix]:
    """The matrix over one emulator."""
    with launching(wire) as launcher:
        yield Matrix(launcher, tmp_path_factory.mktemp("matrix"))


@pytest.mark.socket
def test_the_plan_of_the_matrix_has_every_kind(matrix: Matrix) -> None:
    """A kind that can be written and is not in the plan would never be struck."""
    assert matrix.clean("create").kinds == {name for name, kind in load_kinds().items() if kind.abilities.managed}


@pytest.mark.socket
@pytest.mark.parametrize(
    ("plan", "mode", "share"),
    [
        ("create", "kill_before", 0.3),
        ("create", "kill_after", 0.1),
        ("create", "kill_after", 0.6),
        ("create", "kill_told", 0.8),
        ("create", "reset_before", 0.7),
        ("create", "error_after", 0.4),
        ("create", "timeout", 0.5),
        ("create", "full_disk", 0.2),
        ("change", "kill_after", 0.5),
        ("change", "error_after", 0.8),
        ("delete", "kill_after", 0.3),
        ("delete", "reset_after", 0.6),
    ],
)
def test_an_apply_that_dies_is_finished_by_the_next(
    tmp_path: Path, matrix: Matrix, plan: str, mode: Mode, share: float
) -> None:
    """A sample of the matrix: the apply is struck somewhere on its way, and the next one converges."""
    matrix.check_case(tmp_path / "project", plan, max(1, round(matrix.clean(plan).writes * share)), mode)


@pytest.mark.prove
@pytest.mark.socket
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("plan", PLANS)
def test_the_whole_matrix(
    tmp_path: Path, matrix: Matrix, plan: str, mode: Mode, record_property: Callable[[str, object], None]
) -> None:
    """Every write of every plan, every way to be struck; the number of cases and failures is printed."""
    failures = []
    writes = matrix.clean(plan).writes
    for nth in range(1, writes + 1):
        try:
            matrix.check_case(tmp_path / f"{nth}", plan, nth, mode)
        except AssertionError as error:
            failures.append(f"{plan}: {mode} at {nth}: {str(error)[:300]}")
    record_property("crash matrix over HTTP", f"{plan}, {mode}: {writes} cases, {len(failures)} failures")
    assert failures == []

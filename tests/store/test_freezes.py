"""Real processes that are stopped (SIGSTOP) somewhere in an apply, while another one waits for the lock, has a clock
that is two minutes fast, or breaks the lock; then they go on (SIGCONT). Nothing is made twice, on any backend.

Somewhere but in one place: between the last question for the lock and the system call that sends the request are some
45 microseconds that no program can close (decision 0135). A process that would stop there is stopped a little later.
The lock lasts three seconds here, so a schedule takes a few; nothing is asserted about time.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.cli import program
from reconciler.model.waits import Waits
from reconciler.workflow.opening.runtime import Runtime, within
from tests.store.conftest import Place, place_of
from tests.store.test_crash_matrix import KEYS, admin, served
from tests.store.wire_proxy import Proxy, proxy
from tests.world import Ran

PROGRAM = """
import sys, time
from reconciler.cli import program
from reconciler.model.waits import Waits
from reconciler.store import Clock
from reconciler.workflow.opening.runtime import Runtime, within

waits = Waits(lease=3.0, look=0.3, poll=0.05, answer=0.7, settling=(0.0, 0.5), late=0.2)
ahead = float(sys.argv[1])
with within(Runtime(waits=waits, clock=Clock(wall=lambda: time.time() + ahead))):
    sys.exit(program.run(sys.argv[2:]))
"""
"""The program with short waits, and a clock that is ahead by the seconds of its first argument."""
MARKED = """
import asyncio.selector_events, mmap, os
from reconciler.remote.client import Client

with open(os.environ["SENDING"], "r+b") as file:
    sending = mmap.mmap(file.fileno(), 1)
asked, write = Client._last_moment, asyncio.selector_events._SelectorSocketTransport.write

async def asked_and_marked(client, event, about):
    await asked(client, event, about)
    if event == "http11.send_request_body.started":
        sending[0] = 1

def write_and_unmark(transport, data):
    write(transport, data)
    sending[0] = 0

Client._last_moment = asked_and_marked
asyncio.selector_events._SelectorSocketTransport.write = write_and_unmark
"""
"""What says beside it when a request is between the last question for the lock and the call that sends."""
WAITS = Waits(lease=3.0, look=0.3, poll=0.05, answer=0.7, settling=(0.0, 0.5), late=0.2)
"""The same."""
IN_FLIGHT = 0.5
"""Seconds that a write may be on its way here; less than an answer may take."""
CONFIG = """
tags: {a: {name: A}, b: {name: B}, c: {name: C}, d: {name: D}, e: {name: E}, f: {name: F}, g: {name: G}, h: {name: H}}
lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: You asked for it}}
fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news]}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}, talk: {title: Talk}}}}
webhooks: {crm: {name: CRM, url: https://h.example/in, events: [subscribe], sources: [admin], list: news}}
deal_roles: {finance: {title: Finance}}
"""
PROJECT = """
version: 1
environments:
  live: {{url: {url}, token: emulator-token, requests_per_second: 100, state: "{state}"}}
"""
WRITES = 16
"""About as many writes as the apply of this configuration has."""
SAMPLE, WHOLE = 1, 50
STOPS = 1000
"""So often a process is stopped again that was about to send."""


@dataclass
class Freeze:
    """Stops a process at one of its writes, or some time after, and lets it go on at a later one of somebody else's."""

    process: subprocess.Popen[str]
    sending: Path
    """Its only byte is 1 while the process is between the last question for the lock and the call that sends."""
    nth: int
    when: str
    wake_after: int
    delay: float = 0.0
    seen: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)
    frozen: threading.Event = field(default_factory=threading.Event)

    def __call__(self, where: str) -> None:
        """Take notice of one end of a write."""
        with self.turn:
            self.seen += where == "before"
            if self.frozen.is_set() and where == "before":
                self.wake_after -= 1
                if self.wake_after == 0:
                    self.wake()
            if self.seen < self.nth or self.frozen.is_set() or where not in self.when:
                return
            if self.delay:
                self.nth = sys.maxsize
                threading.Timer(self.delay, self.stop).start()
                return
            self.stop()
        if self.when == "before, in flight":
            threading.Event().wait(IN_FLIGHT)

    def stop(self) -> None:
        """Freeze the process, if it still lives."""
        for _ in range(STOPS):
            self.process.send_signal(signal.SIGSTOP)
            if self.process.poll() is None:
                os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if self.sending.read_bytes() != b"\1":
                break
            self.wake()
        self.frozen.set()

    def wake(self) -> None:
        """Let the process go on."""
        self.process.send_signal(signal.SIGCONT)


def sending_of(folder: Path) -> Path:
    """Return the file in which a process marks that it is about to send; each gets one of its own."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix="sending-")
    os.write(descriptor, b"\0")
    os.close(descriptor)
    return Path(name)


def environ(sending: Path) -> dict[str, str]:
    """Return the variables of a process that marks there that it is about to send."""
    return {**os.environ, "NO_PROXY": "127.0.0.1", "SENDING": str(sending)}


def command(folder: Path, *argv: str, ahead: float = 0.0) -> list[str]:
    """Return a command of the program with short waits and maybe a clock that is ahead."""
    return [sys.executable, "-c", MARKED + PROGRAM, str(ahead), "--chdir", str(folder), *argv]


def follow(folder: Path, *argv: str) -> Ran:
    """Run a command in this process, when nothing is frozen any more: nobody is to die in it."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), within(Runtime(waits=WAITS)):
        code = program.run(["--chdir", str(folder), *argv])
    return Ran(code, out.getvalue(), err.getvalue())


def call(folder: Path, *argv: str, ahead: float = 0.0) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own to its end."""
    return subprocess.run(
        command(folder, *argv, ahead=ahead),
        capture_output=True,
        text=True,
        timeout=100,
        env=environ(sending_of(folder)),
        check=False,
    )


def take(folder: Path, how: str, chance: random.Random) -> subprocess.CompletedProcess[str]:
    """Apply while another one has the lock and is frozen."""
    if how == "break":
        listed = call(folder, "lock", "list", "--format", "json")
        if listed.returncode:
            return listed  # the frozen one has the file itself
        for row in json.loads(listed.stdout):
            call(folder, "lock", "break", row["id"], "--auto-approve")
    ahead = chance.choice([0.0, 120.0, -120.0]) if how != "clock" else 120.0
    waits = [] if how == "clock" else ["--lock-timeout", "60"]
    return call(folder, "apply", "--auto-approve", *waits, ahead=ahead)


def check_schedule(place: Place, wire: Proxy, seed: int) -> None:
    """One schedule of this seed."""
    chance = random.Random(seed)
    admin(wire.target, "POST", "reset")
    folder = place.folder / f"project{seed}"
    (folder / "config").mkdir(parents=True)
    (folder / "config/main.yaml").write_text(CONFIG, "utf-8")
    state = f"{place.url}{seed}" if place.leases and place.name in ("file", "sqlite") else place.url
    (folder / "reconciler.yaml").write_text(PROJECT.format(url=wire.url, state=state), "utf-8")
    how = chance.choice(["wait", "clock", "break"]) if place.leases else "break"
    nth, when = chance.randint(1, WRITES), chance.choice(["before", "before, in flight", "after", "some time after"])
    wake = chance.choice([0, 1, 2, 5])
    case = f"{place.name}, seed {seed}: frozen {when} write {nth}, the other one: {how}, awake after {wake} writes"
    sending = sending_of(folder)
    with subprocess.Popen(
        command(folder, "apply", "--auto-approve"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(sending),
    ) as first:
        freeze = Freeze(first, sending, nth, when, wake, chance.uniform(0.001, 0.2) if when.startswith("some") else 0.0)
        wire.on_write = freeze
        try:
            while not freeze.frozen.wait(0.1) and first.poll() is None:
                pass
            second = take(folder, how, chance)
            freeze.wake()
            said = first.communicate(timeout=60)[1]
        finally:
            freeze.wake()
            wire.on_write = None
            if first.poll() is None:
                first.kill()
    wire.settle()
    # One that is frozen in the middle of a write to a file has that file: nobody can even read it then.
    in_the_way = second.returncode == 1 and "look for a stopped or hanging reconciler" in second.stderr
    assert second.returncode in (0, 5) or in_the_way, f"{case}: {second.stderr}"
    assert first.returncode in (0, 1, 5), f"{case}: {said}"
    again = follow(folder, "apply", "--auto-approve")
    assert again.code == 0, f"{case}: {again.err}"
    check_account(folder, wire, case)


def check_account(folder: Path, wire: Proxy, case: str) -> None:
    """Nothing is there twice, everything is as declared, and the state is sound."""
    dump = admin(wire.target, "GET", "dump")
    for table, names in KEYS.items():
        rows = Counter(tuple(str(row.get(name)) for name in names) for row in dump.get(table, []))
        twins = [key for key, count in rows.items() if count > 1]
        assert twins == [], f"{case}: twins in {table}: {twins}; {wire.times()}"
    assert follow(folder, "plan", "--detailed-exitcode").code == 0, case
    sound = follow(folder, "state", "doctor")
    assert sound.code == 0, f"{case}: {sound.out}"


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy before an emulator, for all schedules of this module."""
    with served(tmp_path_factory.mktemp("emulator")) as url, proxy(url) as made:
        yield made


@pytest.mark.socket
@pytest.mark.parametrize("seed", range(SAMPLE))
@pytest.mark.parametrize("name", ["file", "sqlite", "http"])
def test_a_frozen_apply_makes_no_twins(
    name: str, seed: int, wire: Proxy, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few schedules."""
    check_schedule(place_of(name, request, tmp_path, monkeypatch), wire, seed)


@pytest.mark.prove
@pytest.mark.socket
@pytest.mark.parametrize("name", ["file", "sqlite", "postgresql", "s3-moto", "http"])
def test_a_frozen_apply_makes_no_twins_in_many_schedules(
    name: str,
    wire: Proxy,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """Fifty schedules of each backend; the number of cases and failures is printed."""
    failures = []
    for seed in range(100, 100 + WHOLE):
        place = place_of(name, request, tmp_path, monkeypatch)
        try:
            check_schedule(place, wire, seed)
        except AssertionError as error:
            failures.append(str(error)[:500])
    record_property("frozen applies", f"{name}: {WHOLE} schedules, {len(failures)} failures")
    assert failures == []

"""One history: an account, a project, and whatever happens to them, all drawn from one seed."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import random
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from reconciler.cli import program
from reconciler.emulator import AccountSettings, Application, open_account
from reconciler.store import Clock, StoreOptions
from reconciler.store.documents import DocumentStore
from reconciler.store.http import HttpBlobStore
from reconciler.store.httplock import HttpLock
from reconciler.workflow.opening.runtime import Runtime, within
from tests.simulation.declaring import RICH, Declaring
from tests.simulation.disk import BeatingLock, Disk, DiskBlobStore
from tests.simulation.ledger import OBJECTS, Ledger, Loss, Removed
from tests.simulation.scheduler import Loop, Process, Scheduler
from tests.simulation.server import ServedWire, Server
from tests.simulation.wire import FAIR, FOUL, Internet, Sent

PROJECT = """\
version: 1
environments:
  test:
    url: https://account.example
    token: emulator-token
default_environment: test
"""
SECOND = """\
  other:
    url: https://other.example
    token: emulator-token
"""
"""Another environment of the project, with an account of its own."""
MAIN, OTHER = "file:state/test.json", "file:state/other.json"
"""Where the states of the two are kept."""
HOLDERS = ("tags", "lists", "fields", "dealCustomFieldMeta", "accountCustomFieldMeta", "dealStages", "schemas")
"""Tables whose objects hold customer records."""


class _Streams(io.TextIOBase):
    """Standard output and error of whichever process has the baton."""

    def __init__(self) -> None:
        self.taken: dict[str, io.StringIO] = {}

    def write(self, text: str) -> int:
        name = threading.current_thread().name
        return self.taken.setdefault(name, io.StringIO()).write(text)

    def isatty(self) -> bool:
        return False


@dataclass
class Ran:
    """A command that ran: what it said, what became of it, and what its requests did to the account."""

    argv: tuple[str, ...]
    process: Process
    code: int | None = None
    text: str = ""
    losses: list[Loss] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    disturbed: bool = False

    @property
    def killed(self) -> bool:
        """Whether it died on the way."""
        return self.process.dead

    def __str__(self) -> str:
        ended = "killed" if self.killed else f"exit {self.code}"
        return f"{self.process.name}: {' '.join(self.argv)} -> {ended}"


@dataclass
class Side:
    """An account with its books, the way to it, the place of its state, and the addresses that its objects had."""

    account: Application
    ledger: Ledger
    net: Internet
    disk: Disk
    known: dict[tuple[str, str], set[str]] = field(default_factory=dict)


class Fork(httpx.AsyncBaseTransport):
    """The way of one process to each of several accounts, by their hosts."""

    def __init__(self, ways: dict[str, httpx.AsyncBaseTransport]) -> None:
        self._ways = ways

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._ways[request.url.host].handle_async_request(request)


@dataclass
class Fate:
    """What is to become of a process: at which of its boundaries it dies, freezes or is interrupted."""

    kill: int = 0
    freeze: int = 0
    seconds: float = 0.0
    interrupt: int = 0
    seen: int = 0


def _held(lock: bytes) -> tuple[str, str]:
    """Return the process and the id of a lock's document; empty where nobody holds it."""
    found = json.loads(lock)
    return (str(found["process"]), str(found["id"])) if found.get("id") else ("", "")


def _name(table: str, row: dict[str, Any]) -> str:
    return str(row.get(OBJECTS[table]))


class World:
    """One account, one project, one disk, and simulated time; `pair`: two accounts, each an environment of the project.
    Everything random comes from `chance`.
    """

    def __init__(self, seed: int, *, foul: bool = True, served: float = 0.1, pair: bool = False) -> None:
        self.chance = random.Random(seed)
        random.seed(seed)  # libraries draw their jitter from it
        self.story: list[str] = []
        self.scheduler = Scheduler()
        self.declaring = Declaring(random.Random(seed + 1))
        self.settings = AccountSettings(
            orphan_stages=self.chance.random() < 0.3,
            id_reuse=self.chance.random() < 0.3,
            list_put=self.chance.choice(["empty", "list"]),
            bulk_options=self.chance.choice(["append", "replace"]),
            cap_limit=self.chance.choice([100, 100, 20]),
            tasktype_delete=self.chance.choice(["refused", "deleted"]),
        )
        self.account = open_account(settings=self.settings, clock=lambda: self.scheduler.now)
        self.ledger = Ledger(self.account)
        self.disk = Disk()
        self.net = Internet(
            self.account, self.ledger, self.chance, self.boundary, FOUL if foul and self.chance.random() < 0.6 else FAIR
        )
        self.folder = Path(tempfile.mkdtemp(prefix="sim-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        (self.folder / "config").mkdir()
        (self.folder / "reconciler.yaml").write_text(PROJECT)
        self.fates: dict[str, Fate] = {}
        self.busy = 0.0
        self.streams = _Streams()
        self.runs: list[Ran] = []
        self.running: list[Ran] = []
        self.arrivals = 0
        self.config: dict[str, Any] = {}
        self.text = ""
        self.refuges: set[tuple[str, str]] = set()
        self.havens: set[str] = set()
        """Addresses that deals are moved to: an undo may take the title back first."""
        self.on_hand_over: Callable[[Sent], None] = lambda sent: None
        self.on_state: Callable[[bytes | None, bytes], None] = lambda before, after: None
        self.lost: dict[str, float] = {}
        self.disk.watch = self._written
        self.net.hand_over = self._handed_over
        self.pause = self.chance.choice([0.0, 0.0, 1.0])
        self.server = Server(changes=self._changes_hands) if self.chance.random() < served else None
        self.added: dict[str, dict[str, int]] = {}
        """Stages that people added, with how many requests each process had sent at that moment."""
        self.declared: dict[str, set[str]] = {}
        self.sides = {"account.example": Side(self.account, self.ledger, self.net, self.disk)}
        self.known = self.sides["account.example"].known
        if pair:
            (self.folder / "reconciler.yaml").write_text(PROJECT.replace("default_env", f"{SECOND}default_env"))
            account = open_account(settings=self.settings, clock=lambda: self.scheduler.now)
            ledger, weather = Ledger(account), self.net.weather
            net = Internet(account, ledger, self.chance, self.boundary, weather, self._handed_over)
            self.sides["other.example"] = Side(account, ledger, net, Disk())
        self.disks: dict[str, Disk] = {}
        """Places of states that are neither of the two."""

    def close(self) -> None:
        """Forget everything."""
        for side in self.sides.values():
            side.account.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _written(self, name: str, before: bytes | None, after: bytes) -> None:
        if name == "":
            self.on_state(before, after)
        if name == "lock":
            self._changes_hands(_held(before or b"{}")[0], _held(after)[0])

    def _changes_hands(self, before: str, after: str) -> None:
        """Remember when a process lost the lock."""
        if before and before != after:
            self.lost[before] = self.scheduler.now

    def _handed_over(self, sent: Sent) -> None:
        self.on_hand_over(sent)

    def tell(self, what: str) -> None:
        """Add to the story of this history."""
        self.story.append(f"{self.scheduler.now:9.1f} {what}")

    # --- what happens at boundaries --------------------------------------------------------------------------------

    def boundary(self, process: Process, where: str = "") -> None:
        """Let happen at one end of a request or write of a process what its fate and chance say."""
        fate = self.fates[process.name]
        fate.seen += 1
        if fate.kill == fate.seen:
            self.tell(f"{process.name} is killed {where}")
            process.die()
        if fate.interrupt == fate.seen and process.interrupt is not None:
            self.tell(f"{process.name} gets a Ctrl-C {where}")
            process.interrupt()
        if fate.freeze == fate.seen:
            self.tell(f"{process.name} freezes for {fate.seconds:.0f} s {where}")
            process.freeze(fate.seconds)
            process.sleep(0.0)
        if self.busy and self.chance.random() < self.busy:
            self.something()

    def something(self) -> None:
        """Let somebody else do something in the account."""
        for ran in self.running:
            ran.disturbed = True
        if len(self.sides) > 1 and self.chance.random() < 0.2:
            self.record(self.sides["other.example"])
        elif self.chance.random() < 0.8:
            self.record()
        else:
            self.edit_by_hand()

    def record(self, side: Side | None = None) -> None:
        """Let a customer record arrive at any object of an account that holds such."""
        side = side or self.sides["account.example"]
        rows = side.account.rows
        places = [
            (table, row)
            for table in HOLDERS
            for row in rows.all(table)
            if table != "dealCustomFieldMeta" or str(row["id"]) != "1"
        ]  # fmt: skip
        if not places:
            return
        self.arrivals += 1
        declared = json.dumps(self.config)
        doomed = [(table, row) for table, row in places if _name(table, row) not in declared]
        table, row = self.chance.choice(doomed if doomed and self.chance.random() < 0.6 else places)
        before = set(side.ledger.records())
        with rows.transaction():
            self._arrive(side.account, table, row, f"9{self.arrivals:05d}")
        new = set(side.ledger.records()) - before
        sent = dict(side.net.numbers)
        side.ledger.arrived |= dict.fromkeys(new, sent)
        self.tell(f"a record arrives at {table}/{row['id']} {_name(table, row)!r}")

    def _arrive(self, account: Application, table: str, row: dict[str, Any], identity: str) -> None:
        rows, owner = account.rows, str(row["id"])
        if table in ("tags", "lists", "fields"):
            rows.put("contacts", identity, {"id": identity, "email": f"c{identity}@example.com"})
        if table == "tags":
            rows.put("contactTags", identity, {"id": identity, "contact": identity, "tag": owner})
        elif table == "lists":
            rows.put("contactLists", identity, {"id": identity, "contact": identity, "list": owner, "status": "1"})
        elif table == "fields":
            options = rows.where("fieldOptions", field=owner)
            value = self.chance.choice(options)["value"] if options else "x"
            rows.put("fieldValues", identity, {"id": identity, "contact": identity, "field": owner, "value": value})
        elif table == "dealStages":
            deal = {"id": identity, "title": f"Deal {identity}", "stage": owner, "group": str(row["group"])}
            rows.put("deals", identity, {**deal, "value": "100", "currency": "usd", "status": "0"})
        elif table == "schemas":
            values = [{"id": one["id"], "value": "x"} for one in row["fields"]]
            rows.put("records", identity, {"id": identity, "schema": owner, "fields": values})
        else:
            holder = "dealId" if table.startswith("deal") else "accountId"
            value = {"id": int(identity), "customFieldId": int(owner), holder: int(identity), "fieldValue": "x"}
            rows.put(table.replace("Meta", "Data"), identity, value)

    def edit_by_hand(self) -> None:
        """Let a person rename something in the account, or add a stage to a pipeline."""
        rows = self.account.rows
        pipelines = rows.all("dealGroups")
        if pipelines and self.chance.random() < 0.4:
            pipeline = self.chance.choice(pipelines)
            with rows.transaction():
                identity = rows.next_id("dealStages", reuse=False)
                kind = self.account.types["dealStages"]
                own = {"group": pipeline["id"], "title": self.declaring.name("by hand"), "order": "9", "id": identity}
                rows.put("dealStages", identity, {**kind.defaults, **own})
            self.added[identity] = dict(self.net.numbers)
            self.tell(f"somebody adds the stage {own['title']!r} to pipeline {pipeline['id']}")
            return
        table, column = self.chance.choice(
            [("tags", "tag"), ("lists", "name"), ("dealStages", "title"), ("fields", "title")]
        )
        there = rows.all(table)
        if there:
            row = self.chance.choice(there)
            name = self.declaring.name("by hand")
            with rows.transaction():
                rows.put(table, row["id"], {**row, column: name})
            self.tell(f"somebody renames {table}/{row['id']} {row[column]!r} to {name!r}")

    def document(self, name: str, side: Side | None = None) -> bytes:
        """Return a document or log of the state of an account as it is kept, b"" for none."""
        disk = self.disk if side is None else side.disk
        if self.server is not None and disk is self.disk:
            return self.server.document(name)
        return disk.documents.get(name) or b"".join(disk.logs.get(name, ()))

    def state(self, side: Side | None = None) -> dict[str, Any]:
        """Return the bindings of the state of an account as JSON, by address."""
        found: dict[str, Any] = json.loads(self.document("", side) or b"{}").get("resources", {})
        return found

    def holder(self) -> tuple[str, str]:
        """Return the process that holds the lock, and the id of the lock; empty for none."""
        if self.server is not None:
            return self.server.holder, self.server.lock_id
        return _held(self.document("lock") or b"{}")

    def learn(self) -> None:
        """Take over from states and journals which object has which addresses."""
        for side in self.sides.values():
            bindings = list(self.state(side).items())
            served = self.server is not None and side.disk is self.disk
            names = self.server.names() if self.server is not None and served else list(side.disk.documents)
            for name in ("journal", *(one for one in names if one.startswith("segments/"))):
                records = [json.loads(line) for line in self.document(name, side).splitlines()]
                bindings += [(one["address"], one["binding"]) for one in records if one.get("binding")]
            for address, binding in bindings:
                side.known.setdefault((binding["kind"], str(binding["id"])), set()).add(address)

    # --- commands --------------------------------------------------------------------------------------------------

    def declare(self, config: dict[str, Any]) -> None:
        """Make this the configuration; JSON is YAML."""
        self.config = config
        self.text = json.dumps(config, indent=1)
        (self.folder / "config" / "all.yaml").write_text(self.text)
        for section, entries in config.items():
            for key, entry in entries.items():
                for value in filter(lambda one: isinstance(one, str), entry.values()):
                    kind = "address" if section == "addresses" else section.removesuffix("s")
                    self.declared.setdefault(value, set()).add(f"{kind}.{key}")
        for name, pipeline in config.get("pipelines", {}).items():
            for key, stage in pipeline["stages"].items():
                self.declared.setdefault(stage["title"], set()).add(f"stage.{name}.{key}")
                to = stage.get("lifecycle", {}).get("on_destroy", {}).get("move_deals_to")
                if to in pipeline["stages"]:
                    self.refuges.add((stage["title"], pipeline["stages"][to]["title"]))
                    self.havens.add(f"stage.{name}.{to}")

    def runtime(self, process: Process) -> Runtime:
        """Return what a process finds: its clocks, the shared disk, the wire."""
        tokens = random.Random(f"{process.name}")
        clock = Clock(
            process.wall_time,
            process.steady,
            process.sleep,
            beat=False,
            process=lambda: process.name,
            dead=lambda name: self.is_dead(name, process.machine),
        )

        def store(url: str, folder: Path, options: StoreOptions) -> DocumentStore:
            told = partial(self.boundary, process)
            mine = url == MAIN or len(self.sides) == 1
            if self.server is not None and mine:
                served = HttpBlobStore(ServedWire(self.server, process, told, lambda: False))
                locks = HttpLock(served, served._wire, clock, options.waits, options.tell)
                return DocumentStore(served, keep=options.history, locks=locks, clock=clock)
            shelf = DiskBlobStore(self.disk if mine else self.disk_at(url), process, told, self.pause)
            return DocumentStore(shelf, keep=options.history, locks=BeatingLock(shelf, clock), clock=clock)

        return Runtime(
            environ={},
            now=lambda: datetime.datetime.fromtimestamp(process.wall_time(), datetime.UTC),
            token=lambda: f"{tokens.getrandbits(64):016x}",
            clock=clock,
            loop=lambda: Loop(process),
            transport=self.way(process),
            open_store=store,
        )

    def way(self, process: Process) -> httpx.AsyncBaseTransport:
        """Return what a process sends by."""
        ways = {host: side.net.transport(process) for host, side in self.sides.items()}
        return Fork(ways) if len(ways) > 1 else self.net.transport(process)

    def disk_at(self, url: str) -> Disk:
        """Return the disk that a state is kept on."""
        return self.sides["other.example"].disk if url == OTHER else self.disks.setdefault(url, Disk())

    def is_dead(self, name: str, machine: int) -> bool:
        """Return whether a process is surely dead, as far as another one on a machine can see."""
        found = [one.process for one in self.runs if one.process.name == name and one.process.machine == machine]
        return bool(found) and (found[0].over or found[0].dead)

    def start(self, *argv: str, fate: Fate | None = None, wall: float = 0.0, machine: int = 1) -> Ran:
        """Start a command as a process of its own, on one of several machines."""
        process = Process(self.scheduler, f"p{len(self.runs) + 1}", wall, machine)
        ran = Ran(argv, process)
        self.fates[process.name] = fate or Fate()
        runtime = self.runtime(process)

        def work() -> None:
            with within(runtime):
                ran.code = program.run(["--chdir", str(self.folder), "-q", *argv])

        def ended() -> None:
            ran.text = "".join(stream.getvalue() for name, stream in self.streams.taken.items() if name == process.name)
            self.running.remove(ran)
            self.tell(str(ran))

        process.at_end.append(ended)
        self.runs.append(ran)
        self.running.append(ran)
        self.scheduler.start(process, lambda: copy_context().run(work))
        return ran

    def run(self, *argv: str, fate: Fate | None = None) -> Ran:
        """Run a command to its end, and let what it sent arrive."""
        self.learn()
        ran = self.start(*argv, fate=fate)
        self.scheduler.join(ran.process)
        self.scheduler.pass_time(10.0)
        self.learn()
        ran.losses = [one for one in self.ledger.losses if one.sent.process is ran.process]
        ran.removed = [one for one in self.ledger.removed if one.sent.process is ran.process]
        return ran


@contextlib.contextmanager
def new_world(seed: int, **options: Any) -> Iterator[World]:
    """Make a world, with its streams in place of those of the test."""
    world = World(seed, **options)
    out, err, where = sys.stdout, sys.stderr, os.getcwd()
    sys.stdout = sys.stderr = world.streams
    os.chdir(world.folder)
    try:
        yield world
    finally:
        sys.stdout, sys.stderr = out, err
        os.chdir(where)
        world.close()


__all__ = ["RICH", "Counter", "Fate", "Ran", "World", "new_world"]

"""One emulated account and one state in memory, and a clock that jumps: whole runs in milliseconds, and processes that
die.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from reconciler.emulator import AccountSettings, Application, Fault, open_account
from reconciler.model.errors import ReconcilerError, Refused
from reconciler.model.ports import Hold, LockInfo
from reconciler.model.state import State
from reconciler.model.summary import ApplySummary
from reconciler.remote.client import Client, Endpoint, in_process
from reconciler.remote.guard import Mode
from reconciler.store.blobs import STATE
from reconciler.store.documents import DocumentStore
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.apply.takeover import fold_journal
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.planning import make_plan
from tests.world import blobs
from tests.world.accounts import Killed
from tests.world.clock import run
from tests.world.paths import WRITABLE

PROJECT = """
version: 1
environments:
  test:
    url: https://account.example/api/3
    token: emulator-token
    requests_per_second: 10000
    guards: {max_delete_percent: 100, max_records_lost: 1000000, allow_list_deletes: true}
"""
EVERYTHING = PlanOptions(allow=("empty_configuration", "max_records_lost=unknown"))


@dataclass(frozen=True)
class Kill:
    """When the process dies: at the nth `request` (before it is sent, after its work, or once it was answered but
    before anything is recorded), or at the nth write to the `store` (before or after it). A write that is `late` kills
    nobody: the program gives up on it, and the account does it after the next read.
    """

    where: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{'' if self.when == 'late' else 'killed '}{self.when} {self.where} {self.nth}"


@dataclass
class Process:
    """One run of the program, which may be killed. Counts its requests and its writes to the store."""

    kill: Kill | None = None
    requests: int = 0
    stores: int = 0
    dead: bool = False
    late: httpx.Request | None = None

    def die(self) -> None:
        self.dead = True
        raise Killed

    def alive(self) -> None:
        if self.dead:
            raise Killed

    def meets(self, where: str, number: int, *when: str) -> bool:
        kill = self.kill
        return kill is not None and (kill.where, kill.nth) == (where, number) and kill.when in when


class Wire(httpx.AsyncBaseTransport):
    """The connection of one process to the account."""

    def __init__(self, inner: httpx.AsyncBaseTransport, process: Process, writing: bool) -> None:
        self.inner, self.process, self.writing = inner, process, writing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on, or die around it."""
        self.process.alive()
        number = 0
        if self.writing:
            self.process.requests += 1
            number = self.process.requests
        if self.process.meets("request", number, "before"):
            self.process.die()
        if request.method != "GET" and self.process.meets("request", number, "late"):
            self.process.late = request
            raise httpx.ReadTimeout("the account took too long", request=request)
        answer = await self.inner.handle_async_request(request)
        if request.method == "GET" and self.process.late is not None:
            late, self.process.late = self.process.late, None
            await self.inner.handle_async_request(late)
        self.process.alive()
        if self.process.meets("request", number, "after"):
            self.process.die()
        if self.process.meets("request", number, "answered"):
            self.process.dead = True
        return answer


@dataclass
class Disk(blobs.Disk):
    """And how often the lock was taken."""

    fence: int = 0


@dataclass
class WorldBlobStore(blobs.MemoryBlobStore):
    """The process may die before or after any write."""

    disk: Disk
    process: Process
    where: str = "memory"
    pause: float = 0.0

    @contextlib.contextmanager
    def write(self) -> Iterator[None]:
        self.process.alive()
        self.process.stores += 1
        if self.process.meets("store", self.process.stores, "before"):
            self.process.die()
        yield
        if self.process.meets("store", self.process.stores, "after"):
            self.process.die()

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        self.held(name, tag)
        with self.write():
            return self.kept(name, content)


@dataclass
class Turn:
    """A lock that one process at a time needs: implements `store.locks.TakenLock` and, on a disk, `Locks`."""

    disk: Disk
    fence: int = 0
    seamless: bool = True

    def acquire(self, info: LockInfo, timeout: float) -> Turn:
        self.disk.fence += 1
        return Turn(self.disk, self.disk.fence)

    def check(self, seconds: float = 0.0) -> None:
        """It is never lost."""

    def raise_fence(self, fence: int) -> None:
        self.fence = self.disk.fence = max(fence, self.disk.fence)

    def release(self) -> None:
        """Nobody waits."""

    def holder(self) -> LockInfo | None:
        return None

    def break_lock(self, lock_id: str, note: Callable[[], None]) -> bool:
        return False


@dataclass
class _Here(Session):
    """A session whose account and store are in memory."""

    world: World = field(default=None)  # type: ignore[assignment]

    @cached_property
    def store(self) -> Any:
        return DocumentStore(WorldBlobStore(self.world.disk, self.world.process), locks=Turn(self.world.disk))

    def connect(
        self,
        stack: AsyncExitStack,
        *,
        write: bool,
        restore: bool = False,
        hold: Hold | None = None,
        writable: Iterable[str] | None = None,
    ) -> Any:
        assert hold is not None or not write
        assert not restore, "histories archive nothing"
        wire = Wire(in_process(self.world.account.app), self.world.process, write)
        connection = Endpoint(self.settings.url, self.settings.token, None)
        client = Client(connection, mode=Mode.WRITE if write else Mode.READ, writable=WRITABLE, transport=wire)
        stack.push_async_callback(client.close)
        return client


@dataclass(frozen=True)
class Result:
    """How a run ended: with a summary, or with an error that has a message for the user."""

    summary: ApplySummary | None = None
    error: ReconcilerError | None = None
    planned: Planned | None = None
    killed: bool = False

    @property
    def clean(self) -> bool:
        """Whether everything was done, or nothing was to do."""
        return self.error is None and not self.killed and (self.summary is None or self.summary.complete)

    def __str__(self) -> str:
        if self.summary is not None:
            return f"failed {list(self.summary.failed)}, skipped {list(self.summary.skipped)}"
        return f"{type(self.error).__name__}: {self.error} ({self.error.hint})" if self.error else "killed"


class World:
    """An account, a project folder and a disk. `apply` and `plan` are whole runs of the program."""

    def __init__(self, folder: Path, settings: AccountSettings | None = None) -> None:
        self.folder = folder
        self.account: Application = open_account(settings=settings, clock=lambda: 0.0)
        self.disk = Disk()
        self.process = Process()
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "reconciler.yaml").write_text(PROJECT)

    def close(self) -> None:
        """Forget the account."""
        self.account.close()

    def declare(self, config: Mapping[str, Any]) -> None:
        """Make this the configuration; JSON is YAML."""
        text = json.dumps(config, ensure_ascii=False, indent=1).replace("${", "$${")
        (self.folder / "config" / "all.yaml").write_text(text, encoding="utf-8")

    def session(self) -> Session:
        """Open the environment as a new process does."""
        stamps = iter(range(10**9))
        around = Runtime(environ={}, token=lambda: f"{next(stamps):016x}")
        opened = open_session(self.folder, "test", around)
        return _Here(**vars(opened), world=self)

    def plan(self, options: PlanOptions = EVERYTHING) -> Planned:
        """Plan. Raises what the program raises."""
        self.process = Process()
        return run(make_plan(self.session(), options))

    def apply(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        kill: Kill | None = None,
        faults: Sequence[Fault] = (),
        during_apply: bool = False,
        options: PlanOptions = EVERYTHING,
    ) -> Result:
        """Plan and apply as one process. `faults` hold from the start or from the apply on, and are gone then."""
        if config is not None:
            self.declare(config)
        self.process = Process(kill)
        self.account.faults = [] if during_apply else [replace(fault) for fault in faults]
        planned = None
        try:
            session = self.session()
            planned = run(make_plan(session, options))
            said = [guard.override.removeprefix("--allow ") for guard in planned.document.tripped if guard.override]
            if said:
                planned = run(make_plan(session, replace(options, allow=(*options.allow, *said))))
            if planned.document.tripped:
                raise Refused("; ".join(guard.message for guard in planned.document.tripped))
            if not planned.plan.steps:
                fold_journal(session, planned)
                return Result(planned=planned)
            if during_apply:
                self.account.faults = [replace(fault) for fault in faults]
            return Result(run(apply_plan(session, planned, Hooks())), planned=planned)
        except ReconcilerError as error:
            return Result(error=error, planned=planned)
        except Killed:
            return Result(killed=True, planned=planned)
        finally:
            self.account.faults = []

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in the account."""
        return {table: [dict(row) for row in rows] for table, rows in self.account.rows.dump().items()}

    def state(self) -> State | None:
        """The state as it is on disk."""
        content = self.disk.documents.get(STATE)
        return State.model_validate_json(content) if content else None

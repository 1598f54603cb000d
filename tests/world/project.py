"""The project side of a world: files, verbs and commands."""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import stamina
import yaml

from reconciler.cli import program
from reconciler.emulator import AccountSettings, Application, Fault
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.http import Request
from reconciler.model.state import State
from reconciler.model.summary import ApplySummary
from reconciler.remote.client import Client, Endpoint, in_process
from reconciler.remote.guard import Mode
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.export import exporting
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime, within
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans import planning
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned as InnerPlan
from tests.world.accounts import Held, Kill, Killed, held_below, hold
from tests.world.clock import JumpingLoop, jumping_clock, run
from tests.world.paths import WRITABLE
from tests.world.readings import reading
from tests.world.standing import Standing, StandingAccount, files_of, put_back

ACCOUNT = "state/account.db"
PROJECT = f"""\
version: 1
environments:
  demo:
    url: emulator:{ACCOUNT}
default_environment: demo
"""
TWO_ACCOUNTS = f"""\
version: 1
environments:
  a: {{url: "emulator:{ACCOUNT}"}}
  b: {{url: "emulator:state/b.db"}}
default_environment: a
"""


_STANDINGS: dict[tuple[object, ...], Standing] = {}
"""Worlds that were prepared, by what prepared them."""


@dataclass(frozen=True)
class Planned:
    """A plan: the workflow's own (`inner`) and its document, with short ways to what tests ask most."""

    inner: InnerPlan

    @property
    def document(self) -> PlanDocument:
        """The plan document."""
        return self.inner.document

    @property
    def empty(self) -> bool:
        """Whether the account matches the configuration and there was nothing to complain about."""
        document = self.document
        return not (document.changes or document.steps or document.skipped or document.warnings or document.guards)

    @property
    def lines(self) -> list[str]:
        """One line for each change: action, address and, for what exists, the attributes that change."""
        return [
            f"{change.action} {change.address}" + (f" ({', '.join(names)})" if names else "")
            for change in self.document.changes
            for names in [sorted(item.name for item in change.attributes) if change.id is not None else []]
        ]

    def change(self, address: str) -> ChangeView:
        """Return the change of an address. Raises LookupError with what there is."""
        found = next((change for change in self.document.changes if change.address == address), None)
        if found is None:
            raise LookupError(f"{address} does not change; the plan has {self.lines}")
        return found

    def origins(self, address: str) -> dict[str, str]:
        """Return whose change each attribute of an address is: config, drift, both."""
        return {item.name: item.origin for item in self.change(address).attributes}


@dataclass(frozen=True)
class Applied:
    """An apply: the plan and what became of it."""

    planned: Planned
    summary: ApplySummary


@dataclass(frozen=True)
class Ran:
    """A command that ran: exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything, for messages of failed tests."""
        return f"exit code {self.code}\n{self.out}\n{self.err}"


@dataclass
class World:
    """A project in `folder` and the account that it is about. Use `new_world` or the fixture `world`."""

    folder: Path
    held: Held
    environ: dict[str, str] = field(default_factory=dict)
    _ticks: int = 0

    @property
    def account(self) -> Application:
        """The emulated account."""
        return self.held._account

    # --- files -----------------------------------------------------------------------------------------------------

    def write(self, content: str | Mapping[str, Any], name: str = "config/main.yaml") -> Path:
        """Write a file of the project: a text, whose common indentation goes, or data in the order given."""
        text = (
            textwrap.dedent(content)
            if isinstance(content, str)
            else yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)
        )
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def set_secrets(self, name: str) -> None:
        """Give a value to every secret that a file names."""
        text = (self.folder / name).read_text("utf-8")
        self.environ |= {secret: "k" + secret.lower() for secret in re.findall(r"\$\{secret\.(\w+)\}", text)}

    def begin_with(self, prepare: Callable[..., object], *arguments: object) -> None:
        """Bring a new world to where `prepare(world, *arguments)` brings one: with the same arguments, and accounts of
        the same settings, that is done once in a process. Its files and all accounts that are held below its folder are
        copied afterwards.
        """
        assert not self._ticks, "this world is not new"
        accounts = {path: held._account for path, held in held_below(self.folder).items()}
        settings = [(path, account.settings) for path, account in accounts.items()]
        key = (prepare, *settings, *map(repr, arguments))
        if key not in _STANDINGS:
            prepare(self, *arguments)
            stand = {path: StandingAccount.of(account) for path, account in accounts.items()}
            _STANDINGS[key] = Standing(stand, files_of(self.folder), dict(self.environ), self._ticks)
        standing = _STANDINGS[key]
        for path, account in accounts.items():
            standing.accounts[path].bring_back(account)
        put_back(self.folder, standing.files)
        self.environ, self._ticks = dict(standing.environ), standing.ticks

    # --- verbs, as `workflow` has them -----------------------------------------------------------------------------

    def session(self, folder: Path | None = None, environment: str | None = None) -> Session:
        """Open the project, with a clock and a chance that repeat."""
        around = Runtime(dict(self.environ), self._now, lambda: f"{self._tick():016x}")
        return open_session(folder or self.folder, environment, around)

    def _now(self) -> datetime.datetime:
        return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=self._tick())

    def _tick(self) -> int:
        self._ticks += 1
        return self._ticks - 1

    def plan(self, folder: Path | None = None, **options: Any) -> Planned:
        """Plan; options are those of `workflow.plans.planning.Options`."""
        return Planned(run(planning.make_plan(self.session(folder), PlanOptions(**options))))

    def apply(
        self, folder: Path | None = None, *, yes: bool = False, incomplete: bool = False, **options: Any
    ) -> Applied:
        """Plan and apply. `yes` says yes to every guard; unless `incomplete`, fails when something was left undone."""
        planned = self.plan(folder, **options)
        if yes and planned.document.tripped:
            said = [guard.override.removeprefix("--allow ") for guard in planned.document.tripped if guard.override]
            planned = self.plan(folder, **{**options, "allow": tuple(said)})
        refused = [one for one in planned.document.skipped if one.refused]
        summary = run(apply_plan(self.session(folder), planned.inner, Hooks()))
        assert incomplete or (summary.complete and not refused), (summary.failed, summary.skipped, refused)
        return Applied(planned, summary)

    def export(self, out: Path | None = None) -> exporting.ExportSummary:
        """Write the account as a project into `out` (default: this project)."""
        return run(exporting.export_account(self.session(), out))

    def state(self, folder: Path | None = None) -> State:
        """Return the state, with what the journal adds to it."""
        return open_book(self.session(folder)).state()

    # --- the command line ------------------------------------------------------------------------------------------

    def cli(self, *argv: str, folder: Path | None = None) -> Ran:
        """Run a command in the project and capture what it prints."""
        out, err = io.StringIO(), io.StringIO()
        around = Runtime({**os.environ, **self.environ}, clock=jumping_clock(), loop=JumpingLoop)
        environ = patch.dict(os.environ, self.environ)
        with environ, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), within(around):
            code = program.run(["--chdir", str(folder or self.folder), *argv])
        return Ran(code, out.getvalue(), err.getvalue())

    # --- the account -----------------------------------------------------------------------------------------------

    def requests(self, *methods: str) -> list[str]:
        """Return the requests that the account answered since the last `forget`: "METHOD /path"."""
        return [f"{one['method']} {one['path']}" for one in self.account.log if not methods or one["method"] in methods]

    def writes(self) -> list[str]:
        """Return the requests that were no reads."""
        return [line for line in self.requests() if not line.startswith("GET ")]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the account as an outsider would, and return the body of its answer."""
        connection = Endpoint("http://emulator", self.account.settings.token, rate=None)
        transport = in_process(self.account.app)

        async def send() -> Any:
            async with Client(connection, mode=Mode.WRITE, writable=WRITABLE, transport=transport) as client:
                return (await client.send(Request(method, path, body=body))).body

        return run(send())

    def forget(self) -> None:
        """Empty the log of requests."""
        self.account.log.clear()

    def rows(self, table: str, **equal: object) -> list[dict[str, Any]]:
        """Return the rows of a table of the account whose properties equal these (compared as text)."""
        return list(self.account.rows.where(table, **equal))

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows of the account by table."""
        return self.account.rows.dump()

    def hidden(self) -> dict[str, list[str]]:
        """Return what a person would not see in the product, by table; empty when all is visible."""
        return {table: names for table, names in self.account.visibility().items() if names}

    def fault(self, action: Any, match: str = ".*", **how: Any) -> None:
        """Let something go wrong, see `emulator.Fault`."""
        self.account.faults.append(Fault(action, match, **how))

    def behave(self, **settings: Any) -> None:
        """Let the account behave by these settings of the emulator from now on; the others stay."""
        self.account.keep(replace(self.account.settings, **settings))

    def kill(self, nth: int, *, after: bool) -> None:
        """Let the program die at the nth request from now: verbs raise `Killed`, until `revive`."""
        self.held.kill = Kill(nth, after)

    def dies(self, nth: int, *, after: bool, **options: Any) -> None:
        """Apply, and die at the nth request of the apply itself, before or after its work; live again afterwards."""
        self.forget()
        self.plan()
        self.kill(len(self.requests()) + nth, after=after)
        with pytest.raises(Killed):
            self.apply(**options)
        self.revive()

    def revive(self) -> None:
        """Let the program live again."""
        self.held.kill = None


@contextlib.contextmanager
def new_world(folder: Path, settings: AccountSettings | None = None, *, project: str = PROJECT) -> Iterator[World]:
    """Make a project in a folder (which is made too) with an account of its own. Retries wait no time inside."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        hold(folder / ACCOUNT, settings or AccountSettings(**reading())) as held,
        stamina.set_testing(True, attempts=20, cap=True),
        patch.object(os, "fsync", lambda descriptor: None),  # no test pulls the plug
    ):
        world = World(folder, held)
        world.write(project, "reconciler.yaml")
        yield world


__all__ = ["Applied", "Killed", "Planned", "Ran", "World", "new_world"]

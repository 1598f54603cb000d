"""A session: one environment of one project, whose configuration is read and whose account is connected to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from reconciler.config import Loaded, Uses, doubts, load
from reconciler.deriving.redaction import secrets_in
from reconciler.model.account_url import EMULATOR
from reconciler.model.catalog import informed
from reconciler.model.desired import Desired
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ReconcilerError
from reconciler.model.facts import Facts
from reconciler.model.http import Remote
from reconciler.model.records import mutable
from reconciler.workflow.opening.connecting import asked_for, open_emulator, paths_of
from reconciler.workflow.opening.environment import OpenEnvironment

if TYPE_CHECKING:  # what only some commands need is imported by them
    from reconciler.config.reading.including import ReadBaseline
    from reconciler.model.ports import Hold
    from reconciler.model.ruling import Rules
    from reconciler.model.state import Binding
    from reconciler.remote.client import Endpoint


@mutable
class Session(OpenEnvironment):
    """An opened environment whose configuration is read and whose account is connected to. Use `open_session`."""

    on_answer: Callable[[str], None] | None = None
    remote: Remote | None = None
    """What stands for the account instead of a connection: a snapshot."""
    adapt: Callable[[Desired], Desired] = lambda desired: desired
    """What is done to the configuration once it is loaded."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Texts in place of the files of these names, there or not."""
    bare: bool = False
    """Folders of the configuration may be missing: what is planned does not come from them."""
    extra: Mapping[str, Binding] = field(default_factory=dict)
    """What is managed for this run beside what the state knows."""
    baselines: ReadBaseline | None = None
    """What the Git repositories hold that the project includes; None: what is locked, from the cache or fetched."""
    rules: Rules | None = None
    """The rules, where they were read for all sessions that have the same ones; None: they are read when asked for."""
    read_configurations: list[str] = field(default_factory=list)
    """Environments whose configuration was read: the redactor knows its secrets, used in this run or not."""
    used_secrets: set[str] = field(default_factory=set)
    """Names of the secrets of the configuration."""

    def doubts(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """Return warnings of what an account would refuse if it had to create what is declared."""
        return doubts(loaded, self.kinds)

    def unprobed(self) -> Session:
        """Return the session as if no probe had found out anything: snapshots hold the answers to the same requests,
        whatever is known.
        """
        return self if self.facts == Facts() else replace(self, facts=Facts(), kinds=informed(self.kinds, Facts()))

    def with_variables(self, more: Mapping[str, Any]) -> Session:
        """Return the session as if its environment gave these variables too."""
        return replace(self, settings=replace(self.settings, variables={**self.settings.variables, **more}))

    def load(self, *, offline: bool = False, texts: Mapping[str, str] | None = None) -> Loaded:
        """Read the configuration; `texts` in place of the files of these names. Raises ConfigError with every
        problem.
        """
        texts = {**self.texts, **(texts or {})}
        if self.bare:
            missing = [name for name in self.project.project.config if not os.path.lexists(self.folder / name)]
            texts = {**{f"{name}/none.yaml": "" for name in missing}, **texts}
        uses, environ = Uses(), self.runtime.environ
        try:
            loaded = load(
                self.project,
                self.settings,
                self.kinds,
                environ,
                offline=offline,
                texts=texts,
                uses=uses,
                baselines=self.baselines or self.locked(offline=offline),
            )
        finally:
            self.redactor.learn(*(environ[name] for name in uses.secrets if name in environ))
            self.used_secrets |= uses.secrets
            self.read_configurations.append(self.settings.name)
        desired = self.adapt(loaded.desired)
        self.redactor.learn(*secrets_in(loaded.desired.resources.values(), self.kinds))
        if desired is not loaded.desired:  # digests of a snapshot stand where secrets did, and are none
            from reconciler.model.snapshot_file import is_digest

            adapted = secrets_in(desired.resources.values(), self.kinds)
            self.redactor.learn(*(name for name in adapted if not is_digest(name)))
        return replace(loaded, desired=desired)

    def locked(self, *, offline: bool) -> ReadBaseline:
        """Return what reads baselines as they are locked; most projects have none, and need not load it."""

        def read(source: str) -> Mapping[str, str]:
            from reconciler.workflow.opening.baselines import locked

            ruling = self.changed.source if self.changed is not None else ""
            return locked(self.project.folder, self.runtime.environ, offline=offline, source=ruling)(source)

        return read

    def expects(self, reads: Mapping[str, frozenset[str]], most: int = 0) -> None:
        """Say what is going to be read, or how many requests will be sent `most`, to who watches the run."""
        if self.runtime.watch is not None and self.remote is None:
            self.runtime.watch.expecting(self.settings.name, asked_for(self.kinds, reads), most)

    def connect(
        self,
        stack: AsyncExitStack,
        *,
        write: bool,
        restore: bool = False,
        hold: Hold | None = None,
        writable: Iterable[str] | None = None,
    ) -> Remote:
        """Return a client of the account; it is closed with the stack. With `restore` it puts records back only;
        `writable` are the paths that it may write to, where those are not all that the kinds write to.

        A session that writes holds the lock: each write is sent only while `hold` is surely ours for as long as it may
        take.
        """
        if (write or restore) and hold is None:
            raise AssertionError("nothing is written to an account without the lock")
        # What goes over the wire now may come back with a secret of before.
        if self.settings.name not in self.read_configurations:
            with suppress(ReconcilerError):
                self.load(offline=True)
        if self.remote is not None:
            return self.remote
        self._learn_secrets(self.used_secrets)
        from reconciler.remote.client import Client, Listeners
        from reconciler.remote.guard import Mode

        endpoint, transport = self._endpoint(stack)
        self.redactor.learn(endpoint.token)
        watch, listeners = self.runtime.watch, Listeners(self.on_wait, self.on_answer, show=self.shown)
        if watch is not None:
            watch.connected(self.settings.name, paths_of(self.kinds), self.rate)
            listeners = listeners._replace(on_request=partial(watch.request, account=self.settings.name))
        client = Client(
            endpoint,
            writable=(writable or [path for kind in self.kinds.values() for path in kind.writable]) if write else (),
            mode=Mode.RESTORE if restore else Mode.WRITE if write else Mode.READ,
            transport=transport,
            listeners=listeners,
            clock=self.runtime.clock.steady,
            pacer=self.pace,
            fence=hold.check if hold is not None else None,
        )
        stack.push_async_callback(client.close)
        return client

    def _endpoint(self, stack: AsyncExitStack) -> tuple[Endpoint, Any]:
        """Return where the account is, and how it is reached where that is not by the network. An emulated one is
        closed with the stack.
        """
        from reconciler.remote.client import Endpoint, in_process

        url, token, transport = self.settings.url, self.settings.token, self.runtime.transport
        if url.startswith(EMULATOR):
            account = open_emulator(self.folder / url.removeprefix(EMULATOR))
            stack.callback(account.close)
            url, token, transport = "http://emulator", account.settings.token, in_process(account.app)
        return Endpoint(url, token, self.rate, self.runtime.waits.answer), transport

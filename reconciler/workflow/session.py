"""A session: one environment of one project, opened. Knows where everything is; decides nothing."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config import (
    EnvironmentSettings,
    Loaded,
    LoadedProject,
    Uses,
    doubts,
    load,
)
from reconciler.deriving.redaction import secrets_in
from reconciler.model.desired import Desired
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.facts import Facts
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds, fits
from reconciler.model.redaction import STARS, Redactor, Shown, redactor
from reconciler.model.values import secrets_of
from reconciler.workflow.connecting import asked_for, open_emulator, paths_of
from reconciler.workflow.runtime import Runtime

if TYPE_CHECKING:  # what only some commands need is imported by them
    from reconciler.config.reading.including import Baselines
    from reconciler.model.document import SettingsView
    from reconciler.model.ports import Hold, LockInfo, Store
    from reconciler.model.ruling import Rules
    from reconciler.model.sight import Eyes
    from reconciler.model.state import Binding, State
    from reconciler.remote.client import Endpoint
    from reconciler.remote.pacer import Pacer
    from reconciler.workflow.secrets import SecretSource

EMULATOR = "emulator:"


def identity_of(url: str) -> str:
    """Return what names the account at a URL, however it is spelled."""
    if url.startswith(EMULATOR):
        return EMULATOR + posixpath.normpath(url.removeprefix(EMULATOR))
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.rpartition("@")[2].rstrip("/").removesuffix("/api/3").lower().partition("/")
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    usual = port == {"https": "443", "http": "80"}.get(scheme.lower())
    return f"{name.rstrip('.')}{'' if usual else colon + port}{slash}{path}"


@dataclass(frozen=True)
class HeldLock:
    """The lock of a state that this session holds, and as whom."""

    info: LockInfo
    hold: Hold


@dataclass
class Session:
    """An opened environment. Use `open_session`."""

    folder: Path
    project: LoadedProject
    settings: EnvironmentSettings
    kinds: Kinds
    runtime: Runtime
    on_wait: Callable[[str, float], None] = lambda reason, seconds: None
    on_answer: Callable[[str], None] | None = None
    remote: Remote | None = None
    """What stands for the account instead of a connection: a snapshot."""
    adapt: Callable[[Desired], Desired] = lambda desired: desired
    """What is done to the configuration once it is loaded."""
    offline: bool = False
    """Nothing is fetched: it was opened for a command that needs no network."""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Texts in place of the files of these names, there or not."""
    bare: bool = False
    """Folders of the configuration may be missing: what is planned does not come from them."""
    extra: Mapping[str, Binding] = field(default_factory=dict)
    """What is managed for this run beside what the state knows."""
    redactor: Redactor = field(default_factory=redactor, repr=False)
    """Knows every credential of the process, and every secret that was resolved so far."""
    facts: Facts = field(default_factory=Facts)
    """What a probe found out about the account; the kinds know it too."""
    baselines: Baselines | None = None
    """What the Git repositories hold that the project includes; None: what is locked, from the cache or fetched."""
    changed: SettingsView | None = None
    """What the project file at hand would change of these settings, where they are those of the target branch."""
    rules: Rules | None = None
    """The rules, where they were read for all sessions that have the same ones; None: they are read when asked for."""
    read_configurations: list[str] = field(default_factory=list, repr=False)
    """Environments whose configuration was read: the redactor knows its secrets, used in this run or not."""
    used_secrets: set[str] = field(default_factory=set, repr=False)
    """Names of the secrets of the configuration."""
    secret_source: SecretSource | None = field(default=None, repr=False)
    """What answers secrets that are not environment variables, once it was asked."""
    eyes: dict[str, Eyes] = field(default_factory=dict, repr=False)
    """Whose key it is, by the URL of the account, once it was asked."""
    stores: dict[str, Store] = field(default_factory=dict, repr=False)
    """The store of each URL, the same one for all that is derived from a session: a lock belongs to its store."""
    paces: dict[str, Pacer] = field(default_factory=dict, repr=False)
    """When the last requests went, by the URL of the account: its limit is one, however often it is connected to."""
    noticed: list[str] = field(default_factory=list, repr=False)
    """Events that were told to the address in `notify`, or that could not be."""
    held: dict[str, HeldLock] = field(default_factory=dict, repr=False)
    """The locks that are held, by the URL of their state."""

    @property
    def state_url(self) -> str:
        """Where the state of this environment is."""
        return self.settings.state or f"file:state/{self.settings.name}.json"

    @property
    def store(self) -> Store:
        """The state store of this environment, one for the session."""
        url = self.state_url
        if url not in self.stores:
            self.stores[url] = self.store_at(url)
        return self.stores[url]

    def store_at(self, url: str) -> Store:
        """Return the store of another URL, with the settings of this environment."""
        from reconciler.store import StoreOptions

        options = StoreOptions(
            self.settings.name,
            self.settings.recipients,
            self.settings.history,
            self.runtime.environ,
            self.runtime.clock,
            self.runtime.waits,
            self._waiting,
            fits(self.kinds),
        )
        return self.runtime.open_store(url, self.folder, options)

    def _waiting(self, reason: str, seconds: float) -> None:
        self.on_wait(reason, seconds)  # which is set later than the store is opened

    @property
    def identity(self) -> str:
        """What the state records as its account: the API's host (and path before `/api/3`), or the emulator's file."""
        return identity_of(self.settings.url)

    @property
    def rate(self) -> float | None:
        """Requests per second; no limit for the embedded emulator unless one is set."""
        if self.settings.requests_per_second is not None:
            return self.settings.requests_per_second
        usual = 3.0 if self.settings.production else 5.0
        return None if self.settings.url.startswith(EMULATOR) else usual

    @property
    def pace(self) -> Pacer:
        """What spaces requests to the account."""
        from reconciler.remote.pacer import Pacer

        if self.identity not in self.paces:
            self.paces[self.identity] = Pacer(self.rate, self.runtime.clock.steady)
        return self.paces[self.identity]

    def doubts(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """Return warnings of what an account would refuse if it had to create what is declared."""
        return doubts(loaded, self.kinds)

    def secret(self, name: str) -> str:
        """Return the value of `${secret.name}`: the environment variable of that name, else what `secrets:` of the
        project file says. Raises ConfigError, and ReconcilerError where that cannot be asked.
        """
        value = self._resolved(name)
        if value is None:
            asked = self.settings.secrets is not None
            hint = f"export {name}=... before running" if not asked else f"neither `secrets` nor a variable has {name}"
            raise ConfigError([Diagnostic(f"the secret `{name}` is not set", hint=hint, code="missing-secret")])
        self.redactor.learn(value)
        return value

    def learn(self, state: State) -> None:
        """Let the redactor know the secrets that a state names: they were sent once, and a server may say them."""
        names = {name for resource in state.resources.values() for name in secrets_of(resource.applied)}
        self._learn_secrets(names)

    def _resolved(self, name: str) -> str | None:
        value = self.runtime.environ.get(name)
        if value is not None or self.settings.secrets is None:
            return value
        if self.secret_source is None:
            from reconciler.workflow.secrets import SecretSource

            ruling = self.changed.source if self.changed is not None else ""
            self.secret_source = SecretSource(self.settings.secrets, self.folder, self.runtime.environ, ruling)
        try:
            return self.secret_source.get(name)
        finally:
            self.redactor.learn(*self.secret_source.values())

    def _learn_secrets(self, names: Iterable[str]) -> None:
        """Let the redactor know secrets that may come back from a server; what cannot be asked for was not sent."""
        for name in sorted(names):
            with suppress(ReconcilerError):
                if (value := self._resolved(name)) is not None:
                    self.redactor.learn(value)

    def shown(self, text: str) -> Shown:
        """Return what the account or a library said without any credential, any e-mail address, and what URLs carry."""
        from reconciler.model.snapshot_file import unreadable

        return self.redactor.show(unreadable(self.redactor.show(text), lambda _: STARS))

    def chosen_kinds(self, names: str | None) -> frozenset[str] | None:
        """Return the kinds of a list with commas; None for all. Raises ReconcilerError for an unknown one."""
        if not names:
            return None
        only = frozenset(filter(None, names.replace(" ", "").split(",")))
        if not only:
            raise ReconcilerError("--kinds names no kind", hint="leave it out for all, or name some: --kinds tag,field")
        for name in sorted(only):
            if name not in self.kinds or not self.kinds[name].abilities.managed:
                import difflib

                managed = [kind for kind in self.kinds if self.kinds[kind].abilities.managed]
                near = difflib.get_close_matches(name, managed, 1)
                hint = f"did you mean `{near[0]}`?" if near else "`reconciler kinds` lists them"
                raise ReconcilerError(f"there is no kind `{name}` to read", hint=hint)
        return only

    def unprobed(self) -> Session:
        """Return the session as if no probe had found out anything: snapshots hold the answers to the same requests,
        whatever is known.
        """
        kinds = {name: kind.informed(Facts()) for name, kind in self.kinds.items()}
        return self if self.facts == Facts() else replace(self, facts=Facts(), kinds=kinds)

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

    def locked(self, *, offline: bool) -> Baselines:
        """Return what reads baselines as they are locked; most projects have none, and need not load it."""

        def read(source: str) -> Mapping[str, str]:
            from reconciler.workflow.baselines import locked

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
            listeners = replace(listeners, on_request=partial(watch.request, account=self.settings.name))
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

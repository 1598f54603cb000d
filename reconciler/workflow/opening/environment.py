"""An environment of a project, opened. Knows where its state and account are, and its secrets; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reconciler.config import EnvironmentSettings, LoadedProject, production_by, without_address
from reconciler.model.account_url import EMULATOR, identity_of, vendor_name
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError, ReconcilerError, WrongInput
from reconciler.model.facts import Facts
from reconciler.model.kind import Kinds, fits
from reconciler.model.records import mutable
from reconciler.model.redaction import STARS, Redactor, Shown, redactor
from reconciler.model.values import secrets_of
from reconciler.workflow.opening.runtime import Runtime

if TYPE_CHECKING:  # what only some commands need is imported by them
    from reconciler.model.document import SettingsView
    from reconciler.model.ports import Hold, LockInfo, Store
    from reconciler.model.sight import Eyes
    from reconciler.model.state import State
    from reconciler.remote.pacer import Pacer
    from reconciler.workflow.opening.secrets import SecretSource


def usual_rate(production_by: str) -> float:
    """Return how many requests a second an account is sent where nothing else is said: its own limit, and of a
    production account what leaves some of it to the others that ask it.
    """
    return 3.0 if production_by else 5.0


def state_url(name: str, url: str | None) -> str:
    """Return where the state of an environment is: as it says, or in the file of its name."""
    return url or f"file:state/{name}.json"


def _called(identity: str) -> str:
    return vendor_name(identity) or identity


class HeldLock(NamedTuple):
    """The lock of a state that this session holds, and as whom."""

    info: LockInfo
    hold: Hold


@mutable
class OpenEnvironment:
    """An opened environment: its settings, and what all that is derived from it has in common."""

    folder: Path
    project: LoadedProject
    settings: EnvironmentSettings
    kinds: Kinds
    runtime: Runtime
    on_wait: Callable[[str, float], None] = lambda reason, seconds: None
    offline: bool = False
    """Nothing is fetched: it was opened for a command that needs no network."""
    redactor: Redactor = field(default_factory=redactor)
    """Knows every credential of the process, and every secret that was resolved so far."""
    facts: Facts = field(default_factory=Facts)
    """What a probe found out about the account; the kinds know it too."""
    changed: SettingsView | None = None
    """What the project file at hand would change of these settings, where they are those of the target branch."""
    secret_source: SecretSource | None = None
    """What answers secrets that are not environment variables, once it was asked."""
    eyes: dict[str, Eyes] = field(default_factory=dict)
    """Whose key it is, by the URL of the account, once it was asked."""
    names: dict[str, frozenset[str]] = field(default_factory=dict)
    """What the account at a URL calls itself, once it was asked."""
    stores: dict[str, Store] = field(default_factory=dict)
    """The store of each URL, the same one for all that is derived from a session: a lock belongs to its store."""
    paces: dict[str, Pacer] = field(default_factory=dict)
    """When the last requests went, by the URL of the account: its limit is one, however often it is connected to."""
    noticed: list[str] = field(default_factory=list)
    """Events that were told to the address in `notify`, or that could not be."""
    held: dict[str, HeldLock] = field(default_factory=dict)
    """The locks that are held, by the URL of their state."""

    @property
    def state_url(self) -> str:
        """Where the state of this environment is."""
        return state_url(self.settings.name, self.settings.state)

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
    def production(self) -> str:
        """What makes this a production account, as the beginning of a sentence; "" where nothing does. It is one by
        whichever environment it is named, as soon as one of the project says so.
        """
        name, by = self.settings.name, self.settings.production_by
        if not by and (names := self.names.get(self.settings.url)):
            by = production_by(self.project, name, self.runtime.environ, names)
        by = by or self._remembered()
        if by in ("", name):
            return by and f"`{name}` is a production account"
        return f"`{name}` is the account of `{by}`, a production account"

    def _remembered(self) -> str:
        """Return a production environment whose address is not known here, and whose state or facts are of this
        account; "" where there is none.
        """
        from reconciler.store.probefile import facts_path, read_facts_file

        hidden = without_address(self.project, self.runtime.environ)
        with suppress(ReconcilerError):
            facts = read_facts_file(facts_path(self.folder, self.identity)) if hidden else None
            if facts is not None and facts.environment in hidden:
                return facts.environment
        return next((name for name in hidden if self._has_state_of(name)), "")

    def _has_state_of(self, name: str) -> bool:
        """Return whether the state of another environment is a file here that can be read, and of this account."""
        url = state_url(name, self.project.project.environments[name].state)
        if url.startswith("file:") and "${" not in url and url != self.state_url:
            with suppress(ReconcilerError, OSError):
                state = self.store_at(url).read()
                return state is not None and _called(state.account) == _called(self.identity)
        return False

    @property
    def rate(self) -> float | None:
        """Requests per second; no limit for the embedded emulator unless one is set."""
        if self.settings.requests_per_second is not None:
            return self.settings.requests_per_second
        return None if self.settings.url.startswith(EMULATOR) else usual_rate(self.settings.production_by)

    @property
    def pace(self) -> Pacer:
        """What spaces requests to the account."""
        from reconciler.remote.pacer import Pacer

        if self.identity not in self.paces:
            self.paces[self.identity] = Pacer(self.rate, self.runtime.clock.steady)
        return self.paces[self.identity]

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
        self._learn_secrets(set(secrets_of([binding.applied for binding in state.resources.values()])))

    def _resolved(self, name: str) -> str | None:
        value = self.runtime.environ.get(name)
        if value is not None or self.settings.secrets is None:
            return value
        if self.secret_source is None:
            from reconciler.workflow.opening.secrets import SecretSource

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
        """Return the kinds of a list with commas; None for all. Raises WrongInput for an unknown one."""
        from reconciler.config.reading.problems import unknown_kind

        if not names:
            return None
        only = frozenset(filter(None, names.replace(" ", "").split(",")))
        if not only:
            raise WrongInput("--kinds names no kind", hint="leave it out for all, or name some: --kinds tag,field")
        managed = [kind for kind in self.kinds if self.kinds[kind].abilities.managed]
        for name in sorted(only.difference(managed)):
            raise unknown_kind(name, managed, " to read")
        return only

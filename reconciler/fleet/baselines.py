"""Baselines: projects that accounts share. Each is read, validated and parsed once for each set of variables and
overlays, however many accounts have it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from reconciler.config import EnvironmentSettings, Loaded, LoadedProject, load_project, recipients_of
from reconciler.config.reading.fleet import LoadedFleet
from reconciler.deriving.redaction import secrets_in
from reconciler.fleet.references import AccountVariables, filled, without
from reconciler.model.account_url import EMULATOR, identity_of
from reconciler.model.baseline import LOCK_FILE
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError, StalePlan
from reconciler.model.fleet import Defaults, Job
from reconciler.model.kind import Kinds
from reconciler.model.project import PROJECT_FILE, Guards
from reconciler.model.records import mutable, record
from reconciler.model.redaction import Redactor, passwords_of
from reconciler.model.ruling import Rules
from reconciler.model.values import Value, secret_marker
from reconciler.remote.pacer import STRICT, Pacer
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.environment import usual_rate
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.secrets import SecretSource
from reconciler.workflow.opening.session import Session
from reconciler.workflow.rules.ruling import rules_of

PACED = 1024
"""Accounts whose last requests are remembered: of those before them, more than a second has gone."""
VAULT = 600.0
"""Seconds for which a vault is not asked again for the same secret."""
KEPT = 64
"""Parsed baselines that are kept at the same time, one for each set of variables and overlays."""
_SECRET = re.compile(r"\$\{secret\.([A-Za-z_][A-Za-z0-9_]*)\}")


@record
class Parsed:
    """A baseline with variables and overlays filled in, its rules, and what must be shown nowhere: `secrets` by name as
    the configuration refers to them, `sensitive` as the texts of the files hold it. It holds for as long as its files
    are these: `digest` is that of everything that was read.
    """

    digest: str
    loaded: Loaded
    rules: Rules
    secrets: frozenset[str] = frozenset()
    sensitive: tuple[str, ...] = ()


@mutable
class FleetSession(Session):
    """A session whose configuration was read for all accounts that have the same one."""

    parsed: Parsed | None = None

    def load(self, *, offline: bool = False, texts: Mapping[str, str] | None = None) -> Loaded:
        """Return the configuration; it is read where it has not been read yet. What was read knows all secrets."""
        if self.parsed is None or texts:
            return super().load(offline=offline, texts=texts)
        environ = self.runtime.environ
        self.redactor.learn(*self.parsed.sensitive, *(environ[name] for name in self.parsed.secrets & environ.keys()))
        self.used_secrets |= self.parsed.secrets
        self.read_configurations.append(self.settings.name)
        return self.parsed.loaded


@mutable
class Baselines:
    """The baselines of a fleet, as their files were when it was opened."""

    folder: Path
    folders: Mapping[str, str]
    defaults: Defaults
    guards: Guards
    kinds: Kinds
    runtime: Runtime
    given: AccountVariables
    _projects: dict[str, LoadedProject] = field(default_factory=dict)
    _parsed: OrderedDict[str, Parsed] = field(default_factory=OrderedDict)
    _vaults: dict[str, tuple[float, SecretSource]] = field(default_factory=dict)
    _paces: OrderedDict[str, Pacer] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, loaded: LoadedFleet, kinds: Kinds, runtime: Runtime) -> Baselines:
        """Return the baselines that a fleet file names; they are read when they are asked for."""
        fleet = loaded.fleet
        folders = {name: baseline.folder for name, baseline in fleet.baselines.items()}
        given = AccountVariables(loaded.folder, runtime)
        return cls(loaded.folder, folders, fleet.defaults, fleet.guards, kinds, runtime, given)

    def renew(self, loaded: LoadedFleet) -> None:
        """Read the files again: a process that goes on for weeks works with those of today."""
        self.folders = {name: baseline.folder for name, baseline in loaded.fleet.baselines.items()}
        self.defaults, self.guards = loaded.fleet.defaults, loaded.fleet.guards
        self.given = AccountVariables(self.folder, self.runtime)
        self._projects.clear()
        self._parsed.clear()
        self._vaults.clear()

    def project(self, name: str) -> LoadedProject:
        """Return a baseline's project. Raises ConfigError."""
        if name not in self._projects:
            self._projects[name] = load_project(self.folder / self.folders[name])
        return self._projects[name]

    def session(self, job: Job) -> FleetSession:
        """Return the session of an account. Raises ConfigError for what is wrong with the baseline or the key, and
        StalePlan where the files are not those that the rollout began with.
        """
        key, job = self._key(job), self.given.whole(job)
        parsed = self._configuration(job)
        if job.digest and parsed.digest != job.digest:  # they may have changed since this process read them
            job = self._forget(job)
            parsed = self._configuration(job)
        if job.digest and parsed.digest != job.digest:
            raise StalePlan(
                f"the files of the baseline `{job.baseline}` are not those that the rollout began with",
                hint="begin a new rollout, or check out the version that it began with",
            )
        opened = self._opened(job, key)
        state = filled(opened.state_url, self.runtime.environ)
        opened.redactor.learn(*passwords_of(state))
        settings = replace(opened.settings, state=state)
        return replace(opened, settings=settings, parsed=parsed, rules=parsed.rules)

    def referring(self, job: Job) -> Job:
        """Return a job with the SHA-256 of what is declared for its account (files, what they include, overlays,
        variables), and without what is secret. No key is needed. Raises ConfigError.
        """
        parsed = self._configuration(job)
        return without(job.model_copy(update={"digest": parsed.digest}), parsed.sensitive)

    def _forget(self, job: Job) -> Job:
        """Read the files of an account's baseline again when they are asked for, and return the job as they have it."""
        self._projects.pop(job.baseline, None)
        self._parsed.pop(named(job), None)
        if job.hidden:
            self.given.reread()
        return self.given.whole(job)

    def _opened(self, job: Job, key: str) -> FleetSession:
        return FleetSession(
            self.folder,
            self.project(job.baseline),
            self._settings(job, key),
            self.kinds,
            self.runtime,
            redactor=Redactor((key,) if key else ()),
            paces=self._pace(job),
            secret_source=self._vault(job.baseline),
        )

    def _vault(self, baseline: str) -> SecretSource | None:
        """Return where the secrets of a baseline come from: asked once for all of its accounts, and again after a
        while, for they are renewed, and a vault that was away comes back.
        """
        project = self.project(baseline)
        if project.project.secrets is None:
            return None
        now = self.runtime.clock.steady()
        if baseline not in self._vaults or now - self._vaults[baseline][0] > VAULT:
            environ = self.runtime.environ
            # No target branch rules a fleet: in a run about a request its vaults stay closed.
            source = SecretSource(project.project.secrets, project.folder, environ, source="")
            self._vaults[baseline] = now, source
        return self._vaults[baseline][1]

    def _pace(self, job: Job) -> dict[str, Pacer]:
        """Return the pace of an account, the same one for each of its jobs in this process."""
        if job.url.startswith(EMULATOR):
            return {}
        name = identity_of(job.url)
        if name not in self._paces:
            self._paces[name] = Pacer(self._rate(job), self.runtime.clock.steady, jitter=STRICT, other=True)
        self._paces.move_to_end(name)
        while len(self._paces) > PACED:
            self._paces.popitem(last=False)
        return {name: self._paces[name]}

    def _rate(self, job: Job) -> float:
        """Return how many requests a second an account is sent."""
        return self.defaults.requests_per_second or usual_rate(job.production_by)

    def _settings(self, job: Job, key: str) -> EnvironmentSettings:
        state = (job.state or self.defaults.state).replace("{name}", job.account)
        variables = {name: _marked(value) for name, value in job.variables.items()}
        rate = None if job.url.startswith(EMULATOR) else self._rate(job)
        project = self.project(job.baseline).project
        return EnvironmentSettings(
            job.account,
            job.url,
            key,
            None,
            state,
            variables,
            tuple(job.overlays),
            rate,
            production_by=job.production_by,
            guards=self.guards if job.guards is None else job.guards,
            recipients=recipients_of(project.encryption),
            secrets=project.secrets,
        )

    def _key(self, job: Job) -> str:
        if job.url.startswith(EMULATOR) and not job.token:
            return ""
        key = self.runtime.environ.get(job.token, "").strip() if job.token else ""
        if not key:
            what = f"the environment variable {job.token} is not set" if job.token else "the account has no token"
            hint = f"export {job.token}=..." if job.token else "say `token: ${env.NAME}` for it, or in `defaults`"
            raise ConfigError([Diagnostic(what, hint=hint, code="no-token")])
        if not re.fullmatch(r"[!-~]+", key):
            what = f"the environment variable {job.token} cannot be an API key"
            raise ConfigError([Diagnostic(what, hint="it has neither spaces nor special characters", code="bad-token")])
        return key

    def _configuration(self, job: Job) -> Parsed:
        """Return what is declared for an account, read once for all that have the same. Raises ConfigError."""
        name = named(job)
        if name not in self._parsed:
            self._parsed[name] = self._read(job)
            while len(self._parsed) > KEPT:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(name)
        return self._parsed[name]

    def _read(self, job: Job) -> Parsed:
        session = self._opened(job, "")
        loaded = Session.load(session)
        digest = hashlib.sha256(named(job).encode())
        for file in (PROJECT_FILE, LOCK_FILE):
            path = session.project.folder / file
            digest.update(b"\0" + (read_regular(path) if path.is_file() else b""))
        included = [(source.file, source.text) for source in loaded.places.included]
        for file, text in sorted([*loaded.texts.items(), *included]):
            digest.update(f"\0{file}\0".encode() + hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
        sensitive = tuple(secrets_in(loaded.desired.resources.values(), self.kinds))
        return Parsed(digest.hexdigest(), loaded, rules_of(session), frozenset(session.used_secrets), sensitive)


def named(job: Job) -> str:
    """Return what tells configurations apart, as long as no file changes."""
    return json.dumps([job.baseline, job.overlays, job.variables], sort_keys=True, ensure_ascii=True, default=str)


def _marked(value: Any) -> Value:
    """Return a value with the markers of its secrets: they are resolved when they are sent."""
    if isinstance(value, str):
        return _SECRET.sub(lambda match: secret_marker(match.group(1)), value)
    if isinstance(value, dict):
        return {str(key): _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    return value  # type: ignore[no-any-return]

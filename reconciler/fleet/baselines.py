"""Baselines: projects that accounts share. Each is read, validated and parsed once for each set of variables and
overlays, however many accounts have it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reconciler.config import EnvironmentSettings, Loaded, LoadedProject, load_project, project_files
from reconciler.config.reading.fleet import LoadedFleet
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError, StalePlan
from reconciler.model.fleet import Defaults, Job
from reconciler.model.kind import Kinds
from reconciler.model.project import Guards
from reconciler.model.redaction import Redactor
from reconciler.model.values import Value, secret_marker
from reconciler.remote.pacer import STRICT, Pacer
from reconciler.store.reading import read_regular
from reconciler.workflow.runtime import Runtime
from reconciler.workflow.session import EMULATOR, Session, identity_of

PACED = 4096
"""Accounts whose last requests are remembered: of those before them, more than a second has gone."""
KEPT = 64
"""Parsed baselines that are kept at the same time, one for each set of variables and overlays."""
_SECRET = re.compile(r"\$\{secret\.([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Parsed:
    """A baseline with variables and overlays filled in. It holds for as long as its files are these."""

    loaded: Loaded
    secrets: tuple[str, ...] = ()


@dataclass
class FleetSession(Session):
    """A session whose configuration was read for all accounts that have the same one."""

    parsed: Parsed | None = None

    def load(self, *, offline: bool = False, texts: Mapping[str, str] | None = None) -> Loaded:
        """Return the configuration; it is read where it has not been read yet."""
        if self.parsed is None or offline or texts:
            return super().load(offline=offline, texts=texts)
        self.redactor.learn(*self.parsed.secrets)
        self.read_configurations.append(self.settings.name)
        return self.parsed.loaded


@dataclass
class Baselines:
    """The baselines of a fleet, as their files were when it was opened."""

    folder: Path
    folders: Mapping[str, str]
    defaults: Defaults
    guards: Guards
    kinds: Kinds
    runtime: Runtime
    _projects: dict[str, LoadedProject] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _parsed: OrderedDict[str, Parsed] = field(default_factory=OrderedDict)
    _paces: OrderedDict[str, Pacer] = field(default_factory=OrderedDict)

    @classmethod
    def of(cls, loaded: LoadedFleet, kinds: Kinds, runtime: Runtime) -> Baselines:
        """Return the baselines that a fleet file names; they are read when they are asked for."""
        fleet = loaded.fleet
        folders = {name: baseline.folder for name, baseline in fleet.baselines.items()}
        return cls(loaded.folder, folders, fleet.defaults, fleet.guards, kinds, runtime)

    def renew(self, loaded: LoadedFleet) -> None:
        """Read the files again: a process that goes on for weeks works with those of today."""
        self.folders = {name: baseline.folder for name, baseline in loaded.fleet.baselines.items()}
        self.defaults, self.guards = loaded.fleet.defaults, loaded.fleet.guards
        self._projects.clear()
        self._texts.clear()

    def project(self, name: str) -> LoadedProject:
        """Return a baseline's project. Raises ConfigError."""
        if name not in self._projects:
            self._projects[name] = load_project(self.folder / self.folders[name])
        return self._projects[name]

    def digest(self, job: Job) -> str:
        """Return the SHA-256 of what is declared for an account: files, overlays, variables. Raises ConfigError."""
        parts = [self._digest_of(job.baseline), *(self._overlay(job.baseline, overlay) for overlay in job.overlays)]
        text = json.dumps([*parts, job.variables], sort_keys=True, ensure_ascii=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _digest_of(self, name: str) -> str:
        if name not in self._texts:
            folder = self.folder / self.folders[name]
            digest = hashlib.sha256()
            for file in sorted(project_files(folder)):
                digest.update(f"{file}\0".encode() + hashlib.sha256(read_regular(folder / file)).digest())
            self._texts[name] = digest.hexdigest()
        return self._texts[name]

    def _overlay(self, baseline: str, name: str) -> str:
        try:
            return hashlib.sha256(read_regular(self.folder / self.folders[baseline] / name)).hexdigest()
        except OSError as error:
            what = f"the overlay `{name}` cannot be read: {error.strerror}"
            raise ConfigError([Diagnostic(what, code="missing-file")]) from error

    def session(self, job: Job) -> FleetSession:
        """Return the session of an account. Raises ConfigError for what is wrong with the baseline or the key, and
        StalePlan where the files are not those that the rollout began with.
        """
        if job.digest and self.digest(job) != job.digest:
            raise StalePlan(
                f"the files of the baseline `{job.baseline}` are not those that the rollout began with",
                hint="begin a new rollout, or check out the version that it began with",
            )
        session = self._opened(job, self._key(job))
        return replace(session, parsed=self._read(session, job))

    def check(self, job: Job) -> None:
        """Read what is declared for an account; no key is needed. Raises ConfigError."""
        self._read(self._opened(job, ""), job)

    def _opened(self, job: Job, key: str) -> FleetSession:
        return FleetSession(
            self.folder,
            self.project(job.baseline),
            self._settings(job, key),
            self.kinds,
            self.runtime,
            redactor=Redactor((key,) if key else ()),
            paces=self._pace(job),
        )

    def _pace(self, job: Job) -> dict[str, Pacer]:
        """Return the pace of an account, the same one for each of its jobs in this process."""
        if job.url.startswith(EMULATOR):
            return {}
        name = identity_of(job.url)
        if name not in self._paces:
            rate, clock = self.defaults.requests_per_second, self.runtime.clock.steady
            self._paces[name] = Pacer(rate, clock, jitter=STRICT, other=True)
        self._paces.move_to_end(name)
        while len(self._paces) > PACED:
            self._paces.popitem(last=False)
        return {name: self._paces[name]}

    def _settings(self, job: Job, key: str) -> EnvironmentSettings:
        state = self.defaults.state.replace("{name}", job.account)
        variables = {name: _marked(value) for name, value in job.variables.items()}
        rate = None if job.url.startswith(EMULATOR) else self.defaults.requests_per_second
        return EnvironmentSettings(
            job.account, job.url, key, None, state, variables, tuple(job.overlays), rate, guards=self.guards
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

    def _read(self, session: FleetSession, job: Job) -> Parsed:
        known = job.digest or self.digest(job)
        if known not in self._parsed:
            loaded = Session.load(session)
            named = {name for text in _texts_of(job.variables) for name in _SECRET.findall(text)}
            secrets = tuple(self.runtime.environ[name] for name in named if name in self.runtime.environ)
            self._parsed[known] = Parsed(loaded, secrets)
            while len(self._parsed) > KEPT:
                self._parsed.popitem(last=False)
        self._parsed.move_to_end(known)
        return self._parsed[known]


def _marked(value: Any) -> Value:
    """Return a value with the markers of its secrets: they are resolved when they are sent."""
    if isinstance(value, str):
        return _SECRET.sub(lambda match: secret_marker(match.group(1)), value)
    if isinstance(value, dict):
        return {str(key): _marked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    return value  # type: ignore[no-any-return]


def _texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts_of(one)]

"""What jobs refer to instead of holding it: the variables that are secret, and those of the process that a state's URL
names. The engine's rows are read by others than the fleet's files are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from reconciler.config.reading.fleet import load_fleet
from reconciler.deriving.redaction import SHORTEST
from reconciler.fleet.accounts import members
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError, StalePlan
from reconciler.model.fleet import Job
from reconciler.model.records import mutable
from reconciler.workflow.opening.runtime import Runtime

AGAIN = 5.0
"""Seconds for which the files are not read again for what they do not say."""
_ENV = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(text: str, environ: Mapping[str, str]) -> str:
    """Return a text with the variables of the process that it names. Raises ConfigError for one that is not set."""
    for name in _ENV.findall(text):
        if not environ.get(name):
            raise ConfigError(
                [Diagnostic(f"the environment variable {name} is not set", hint=f"export {name}=...", code="no-env")]
            )
    return _ENV.sub(lambda match: environ[match.group(1)], text)


def secret_in(variables: Mapping[str, Any], secrets: Collection[str]) -> list[str]:
    """Return the variables that are, or are a part of, or have in them what is secret in a configuration."""
    return [
        name
        for name, value in variables.items()
        if any(text in secret or secret in text for text in _texts(value) for secret in secrets)
    ]


def _texts(value: Any) -> Iterator[str]:
    """Yield what a value says, where it is long enough to be told from a word."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif len(str(value)) >= SHORTEST:
        yield str(value)


@mutable
class AccountVariables:
    """The variables that the files of a fleet give each account: read where a job asks for one."""

    folder: Path
    runtime: Runtime
    _by_account: dict[str, dict[str, Any]] = field(default_factory=dict)
    _defaults: dict[str, Any] = field(default_factory=dict)
    _read: float = float("-inf")

    def whole(self, job: Job) -> Job:
        """Return a job with all of its variables. Raises StalePlan where the files do not give one that it names, and
        ConfigError.
        """
        if not job.hidden:
            return job
        if any(name not in self._given(job) for name in job.hidden):  # it is new in the files, or none was read
            self.reread()
        given = self._given(job)
        if lost := [name for name in job.hidden if name not in given]:
            raise StalePlan(
                f"the files of the fleet give the account no variable `{lost[0]}`",
                hint="begin a new rollout, or check out the version that it began with",
            )
        return job.model_copy(update={"variables": {**job.variables, **{name: given[name] for name in job.hidden}}})

    def _given(self, job: Job) -> dict[str, Any]:
        return self._by_account.get(job.account, self._defaults)  # an agency's list gives accounts none of their own

    def reread(self) -> None:
        """Read the files again, unless that was just done. Raises ConfigError."""
        now = self.runtime.clock.steady()
        if now - self._read > AGAIN:
            loaded = load_fleet(self.folder)
            jobs = members(loaded, self.runtime.environ)
            self._by_account = {name: job.variables for name, job in jobs.items()}
            self._defaults, self._read = loaded.fleet.defaults.variables, now


def without(job: Job, secrets: Collection[str]) -> Job:
    """Return a job as others may read it: it only names the variables that are secret."""
    hidden = secret_in(job.variables, secrets) if secrets else []
    shown = {name: value for name, value in job.variables.items() if name not in hidden}
    return job.model_copy(update={"variables": shown, "hidden": hidden}) if hidden else job

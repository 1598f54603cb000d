"""What is wrong with the configurations of accounts: told once for all of which it is true, with their names."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path

from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.records import mutable

MOST = 20
"""Different configurations that are looked at, where each is wrong: to read one takes some time."""
FEW = 3
"""Accounts that are named."""


@mutable
class WrongConfigurations:
    """What is wrong, by the baseline that it is in; `folders` are those of the baselines, below that of the fleet."""

    folder: Path
    folders: dict[str, str]
    _accounts: dict[tuple[str, Diagnostic], list[str]] = field(default_factory=dict)
    _known: dict[str, ConfigError] = field(default_factory=dict)

    def known(self, configuration: str) -> ConfigError | None:
        """Return what is wrong with a configuration, where it was read before."""
        return self._known.get(configuration)

    def add(self, configuration: str, baseline: str, account: str, error: ConfigError) -> None:
        """Take note of what is wrong with the configuration of an account. Raises ConfigError once it is enough."""
        self._known[configuration] = error
        for diagnostic in error.diagnostics:
            self._accounts.setdefault((baseline, diagnostic), []).append(account)
        if len(self._known) == MOST:
            self.check()

    def check(self) -> None:
        """Raise ConfigError where something is wrong."""
        if self._accounts:
            raise ConfigError([self._told(*what, accounts) for what, accounts in self._accounts.items()])

    def _told(self, baseline: str, diagnostic: Diagnostic, accounts: list[str]) -> Diagnostic:
        more = f" and {len(accounts) - FEW:,} more" if len(accounts) > FEW else ""
        names = ", ".join(f"`{account}`" for account in accounts[:FEW])
        whose = f"baseline `{baseline}`, account{'s' if len(accounts) > 1 else ''} {names}{more}"
        hint = diagnostic.hint or "see `variables` and `overlays` of what is named here, and of `defaults`"
        return self.placed(baseline, diagnostic)._replace(message=f"{diagnostic.message} ({whose})", hint=hint)

    def placed(self, baseline: str, diagnostic: Diagnostic) -> Diagnostic:
        """Return something that is wrong with its place below the folder of the fleet."""
        at, folder = diagnostic.at, self.folders[baseline]
        if at is None or not (self.folder / folder / at.file).exists():
            return diagnostic
        return diagnostic._replace(at=at._replace(file=f"{folder.rstrip('/')}/{at.file}"))

"""Which accounts of a fleet are production accounts: by whichever name one is known, as in a single project (0401)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from reconciler.config import LoadedProject, account_at, account_named
from reconciler.model.account_url import AccountIdentity
from reconciler.model.fleet import Job
from reconciler.model.records import mutable


@mutable
class ProductionAccounts:
    """The accounts that the fleet file, or an environment of a baseline, calls production accounts."""

    folder: Path
    environ: Mapping[str, str]
    _by_name: dict[str, str] = field(default_factory=dict)
    _by_key: dict[str, list[tuple[str, AccountIdentity]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, folder: Path, jobs: Mapping[str, Job], projects: Mapping[str, LoadedProject], environ: Mapping[str, str]
    ) -> ProductionAccounts:
        """Return those of a fleet in `folder`: its accounts, and the projects of its baselines by name."""
        accounts = cls(folder, environ)
        for baseline, project in projects.items():
            for name, environment in project.project.environments.items():
                if environment.production:
                    accounts._add(f"{baseline}/{name}", account_named(project, name, environ))
        for name, job in jobs.items():
            if job.production:
                accounts._add(name, accounts._identity(job))
        return accounts

    def by(self, job: Job) -> str:
        """Return which account or environment makes that of a job a production account; "" where none does. An address
        that cannot tell it from those is one of theirs, unless the fleet file says that it is not.
        """
        if job.production:
            return job.account
        identity = self._identity(job)
        known = next(self._same(identity), "")
        if known or job.production is False or identity.at not in ("", "loopback"):
            return known
        return next(iter(self._by_name.values()), "")

    def _same(self, identity: AccountIdentity) -> Iterator[str]:
        yield from (self._by_name[name] for name in identity.names if name in self._by_name)
        yield from (who for who, other in self._by_key.get(identity.key, ()) if identity.same(other))

    def _add(self, who: str, identity: AccountIdentity) -> None:
        self._by_name.update(dict.fromkeys(identity.names, who))
        if identity.key:
            self._by_key.setdefault(identity.key, []).append((who, identity))

    def _identity(self, job: Job) -> AccountIdentity:
        return account_at(self.folder, job.url, key=self.environ.get(job.token, "").strip() if job.token else "")

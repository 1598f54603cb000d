"""A world as it stands, to be brought back: what stands before many tests is done once in a process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator import AccountSettings, Application


@dataclass(frozen=True)
class StandingAccount:
    """An account: all that is in its memory, and what it remembers beside that."""

    database: bytes
    settings: AccountSettings
    log: tuple[dict[str, Any], ...]
    numbers: tuple[int, int]
    """Requests that it answered, and reads that came so far."""

    @classmethod
    def of(cls, account: Application) -> StandingAccount:
        """Return an account as it stands. What was changed in its rows in place is not in it, which is an error."""
        assert not account.faults, "a fault counts what it meets"
        standing = cls(
            account.rows._db.serialize(),
            account.settings,
            tuple(account.log),
            (account._requests, account._gate._gets),
        )
        before = account.rows.dump()
        standing.bring_back(account)
        assert account.rows.dump() == before
        return standing

    def bring_back(self, account: Application) -> None:
        """Make an account in memory that one."""
        account.rows._db.deserialize(self.database)
        account.rows._forget()
        account.rows._epoch = account.rows.fact("epoch")
        account.rows.refresh()
        account.settings = self.settings
        account.log = deque(self.log, account.log.maxlen)
        account._requests, account._gate._gets = self.numbers


@dataclass(frozen=True)
class Standing:
    """A project with its accounts, by their paths, its files, variables, and how far its clock has come."""

    accounts: dict[str, StandingAccount]
    files: dict[str, tuple[int, bytes]]
    environ: dict[str, str]
    ticks: int


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return the files below a folder by their path in it: permissions and content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def put_back(folder: Path, files: dict[str, tuple[int, bytes]]) -> None:
    """Write such files."""
    for name, (mode, content) in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)

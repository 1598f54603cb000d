"""Accounts that tests hold: whoever opens the path of one gets it, with its faults and its log, instead of a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reconciler import emulator
from reconciler.emulator import AccountSettings, Application

_open = emulator.open_account
_held: dict[str, Held] = {}


class Killed(BaseException):
    """The program died here; like SIGKILL it is no error that anything could handle."""


@dataclass
class Kill:
    """Dies at the nth request from now (1: the next one), before or after its work is done."""

    nth: int
    after: bool
    seen: int = 0


class Held:
    """What opening a held path returns: the account itself, except that closing it leaves it open."""

    def __init__(self, account: Application) -> None:
        self._account = account
        self.kill: Kill | None = None
        self.delay: Callable[[], float] | None = None
        """Seconds that pass before and after the work of a request, in a loop in which waiting takes no time."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._account, name)

    def close(self) -> None:
        """The test closes it."""

    async def app(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Answer as the account does, or die."""
        kill = self.kill
        if kill is not None:
            kill.seen += 1
            if kill.seen > kill.nth or (kill.seen == kill.nth and not kill.after):
                raise Killed
        if self.delay is not None:
            await asyncio.sleep(self.delay())
        await self._account.app(scope, receive, send)
        if self.delay is not None:
            await asyncio.sleep(self.delay())
        if kill is not None and kill.seen >= kill.nth:
            raise Killed


def _open_held(path: str | Path | None = None, **options: Any) -> Any:
    held = _held.get(os.path.abspath(path)) if path is not None else None
    return held if held is not None else _open(path, **options)


def held_below(folder: Path) -> dict[str, Held]:
    """Return the accounts that are held below a folder, by their path in it."""
    inside = os.path.abspath(folder) + os.sep
    return {path.removeprefix(inside): held for path, held in _held.items() if path.startswith(inside)}


@contextmanager
def hold(path: Path, settings: AccountSettings | None = None) -> Iterator[Held]:
    """Hold a new account, in memory, under a path that need not exist."""
    account = _open(None, settings=settings)
    held = Held(account)
    _held[os.path.abspath(path)] = held
    with patch.object(emulator, "open_account", _open_held):
        try:
            yield held
        finally:
            del _held[os.path.abspath(path)]
            account.close()

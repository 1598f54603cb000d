"""Which part of the account answers a path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from reconciler.emulator import classic
from reconciler.emulator.answers import Answer, Request, nothing_here, refused
from reconciler.emulator.families import ROUTES, TYPES

if TYPE_CHECKING:
    from reconciler.emulator.account import Account


def route(account: Account, request: Request) -> Answer:
    """Answer a request that passed the gate. Raises Problem."""
    parts = request.parts
    if not parts:
        return Answer(301, None, {"location": "/admin/"})  # section 1.5; where to is inferred, and ends there
    if _below(parts, account.settings.missing):
        raise nothing_here()
    if _below(parts, account.settings.forbidden):
        raise refused()
    special = ROUTES.get(parts[0])
    if special is not None:
        answer = special(account, request)
        if answer is not None:
            return answer
    kind = TYPES.get(parts[0])
    if kind is None:
        raise nothing_here()
    return classic.handle(account, kind, request)


def _below(parts: Sequence[str], paths: Collection[str]) -> bool:
    """Return whether a path begins with one of these."""
    return bool(paths) and any("/".join(parts[: end + 1]) in paths for end in range(len(parts)))

"""Which part of the account answers a path."""

from __future__ import annotations

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
    if parts[0] in account.settings.missing:
        raise nothing_here()
    if parts[0] in account.settings.forbidden:
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

"""Doubts about listings: an object that is not shown may exist all the same. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container

from reconciler.engine.drive import drive
from reconciler.model.errors import AuthError, Rejected
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds
from reconciler.model.plan import Plan


async def doubts(
    plan: Plan,
    known: Container[str],
    remote: Remote,
    kinds: Kinds,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> dict[str, str]:
    """Return the kinds whose objects may be missing only from sight, with the reason, and the kinds nested in them.

    Asks only for kinds of which a managed object, known to have existed, is not shown any more: the plan would create
    it again, or forget it. An account that refuses the question gives no reason to doubt.
    """
    gone = {change.kind for change in plan.changes if change.live is None and change.address in known}
    found: dict[str, str] = {}
    for name in sorted(gone):
        try:
            why = await drive(kinds[name].doubts(), remote, sleep=sleep)
        except (AuthError, Rejected):
            continue
        if why:
            found |= {one: why for one, kind in kinds.items() if name in (one, kind.nested)}
    return found

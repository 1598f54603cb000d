"""A check of the simulation: with a guard of the program taken out, some history breaks a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.engine.recount import Recount
from reconciler.remote.client import Client
from reconciler.store.lease import Lease, LockWatch
from tests.simulation import alone, together
from tests.simulation.test_histories import HOLDING

MOST = 2000
"""Histories in which each weakening has to show."""
FIRST = 740
"""The first of them: not long before one that shows the weakening which is hardest to see."""
WEAKENED: dict[str, tuple[Callable[[int], alone.Verdict], Any, str, Any]] = {
    "no fence at all": (together.history, Lease, "check", lambda self, seconds=0.0: None),
    "no fence before a request": (together.history, Client, "_last_moment", None),
    "nothing is counted again": (alone.history, Recount, "__call__", None),
    "a lock that seems to have ended is taken at once": (together.history, LockWatch, "left", lambda self, now: 0.0),
}


def _held(verdict: alone.Verdict) -> list[str]:
    """Return which of the rules that hold were broken."""
    return [rule for rule, _ in verdict.broken if rule in HOLDING["together"]]


async def _nothing(*_: Any) -> None:
    """Do nothing."""


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", WEAKENED)
def test_a_guard_that_is_taken_out_is_missed(name: str, record_property: Callable[[str, object], None]) -> None:
    """Without it, a history breaks a rule; with it, the same history breaks none."""
    history, home, attribute, instead = WEAKENED[name]
    found = None
    with patch.object(home, attribute, instead or _nothing):
        for seed in range(FIRST, FIRST + MOST):
            found = history(seed)
            if _held(found):
                break
    assert found is not None
    assert _held(found), f"{MOST} histories did not show it"
    record_property(f"without it ({name})", f"seed {found.seed} breaks `{_held(found)[0]}`")
    assert _held(history(found.seed)) == []

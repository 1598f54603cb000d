"""Selection: --target and --exclude with addresses and globs, dependencies closed over."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from reconciler.model import values
from reconciler.model.desired import Desired
from reconciler.model.errors import PlanError
from reconciler.model.state import State


def select(desired: Desired, state: State, target: Iterable[str], exclude: Iterable[str]) -> frozenset[str] | None:
    """Return the addresses that the plan is about; None for all.

    A target brings what it depends on. An exclusion takes what depends on it, declared or only managed. Raises
    PlanError for a pattern that fits nothing.
    """
    target, exclude = tuple(target), tuple(exclude)
    if not target and not exclude:
        return None
    needs = _needs(desired, state)
    chosen = _closed(_fitting(target, needs), needs) if target else set(needs)
    users: dict[str, set[str]] = {address: set() for address in needs}
    for address, wanted in needs.items():
        for other in wanted:
            users.setdefault(other, set()).add(address)
    return frozenset(chosen - _closed(_fitting(exclude, needs), users))


def _needs(desired: Desired, state: State) -> dict[str, set[str]]:
    needs = {address: set(binding.depends_on) for address, binding in state.resources.items()}
    for address, resource in desired.resources.items():
        needs[address] = {ref.address for ref in values.references(dict(resource.attrs)) if isinstance(ref, values.Ref)}
        if resource.parent:
            needs[address].add(resource.parent)
    return needs


def _fitting(patterns: Iterable[str], needs: Iterable[str]) -> set[str]:
    found: set[str] = set()
    addresses = sorted(needs)
    for pattern in patterns:
        hits = fnmatch.filter(addresses, pattern)
        if not hits:
            raise PlanError(
                f"no declared or managed address fits `{pattern}`",
                hint="`reconciler state list` and your files show the addresses",
            )
        found.update(hits)
    return found


def _closed(start: set[str], edges: dict[str, set[str]]) -> set[str]:
    closed, stack = set(), list(start)
    while stack:
        address = stack.pop()
        if address not in closed:
            closed.add(address)
            stack += edges.get(address, ())
    return closed

"""Selection: --target and --exclude with addresses and globs, dependencies closed over."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.model import values
from reconciler.model.desired import Desired
from reconciler.model.errors import PlanError
from reconciler.model.state import State


@dataclass(frozen=True, slots=True)
class Selected:
    """The addresses that a plan is about (None: all), and which came in, or went, only for their dependencies."""

    addresses: frozenset[str] | None = None
    brought: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def select(desired: Desired, state: State, target: Iterable[str], exclude: Iterable[str]) -> Selected:
    """Return what the plan is about.

    A target brings what it depends on. An exclusion takes what depends on it, declared or only managed. Raises
    PlanError for a pattern that fits nothing.
    """
    target, exclude = tuple(target), tuple(exclude)
    if not target and not exclude:
        return Selected()
    edges = needs(desired, state)
    named = _fitting(target, edges) if target else set(edges)
    chosen = _closed(named, edges)
    users: dict[str, set[str]] = {address: set() for address in edges}
    for address, wanted in edges.items():
        for other in wanted:
            users.setdefault(other, set()).add(address)
    without = _fitting(exclude, edges)
    gone = _closed(without, users)
    left = frozenset(chosen - gone)
    return Selected(left, tuple(sorted(left - named)), tuple(sorted((gone - without) & chosen)))


def needs(desired: Desired, state: State) -> dict[str, set[str]]:
    """Return what each declared or managed address depends on directly."""
    found = {address: set(binding.depends_on) for address, binding in state.resources.items()}
    for address, resource in desired.resources.items():
        found[address] = {ref.address for ref in values.references(dict(resource.attrs)) if isinstance(ref, values.Ref)}
        if resource.parent:
            found[address].add(resource.parent)
    return found


def _fitting(patterns: Iterable[str], known: Iterable[str]) -> set[str]:
    found: set[str] = set()
    addresses = sorted(known)
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

"""The kinds, one file each, found automatically: a module here that defines `KIND` adds a kind. Nothing elsewhere
knows a kind by name.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import Nested, RefTo, attributes


@functools.cache
def load_kinds() -> Kinds:
    """Return every kind by name, those first that others refer to."""
    kinds: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "KIND", None)
        if isinstance(kind, Kind):
            kinds[kind.name] = kind
    return {name: kinds[name] for name in _order(kinds)}


def _order(kinds: dict[str, Kind]) -> list[str]:
    """Return the names such that a kind comes after the kinds it refers to; ties by name."""
    needs = {name: _referred(kind) & set(kinds) - {name} for name, kind in kinds.items()}
    for name, kind in kinds.items():
        for attribute in attributes(kind.spec).values():
            nested = attribute.mark(Nested)
            if nested is not None and nested.kind in needs:
                needs[nested.kind].add(name)
    order: list[str] = []
    while needs:
        ready = sorted(name for name, wanted in needs.items() if wanted <= set(order))
        if not ready:
            raise RuntimeError(f"kinds refer to each other in a circle: {sorted(needs)}")
        order += ready
        needs = {name: wanted for name, wanted in needs.items() if name not in ready}
    return order


def _referred(kind: Kind) -> set[str]:
    marks = (attribute.mark(RefTo) for attribute in kind.attributes.values())
    return {mark.kind for mark in marks if mark is not None and not mark.later} | set(kind.depends_on)

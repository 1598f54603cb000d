"""The order of the kinds, in which their objects are created."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.kind import Kind
from reconciler.model.spec import Nested, RefTo, attributes


def ordered(kinds: Iterable[Kind]) -> list[Kind]:
    """Return the kinds such that each comes after those it refers to; by name where
    neither does. Raises RuntimeError for a circle.
    """
    by_name = {kind.name: kind for kind in kinds}
    needs = {name: _referred(kind) & set(by_name) - {name} for name, kind in by_name.items()}
    for name, kind in by_name.items():
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
    return [by_name[name] for name in order]


def _referred(kind: Kind) -> set[str]:
    marks = (attribute.mark(RefTo) for attribute in kind.attributes.values())
    return {mark.kind for mark in marks if mark is not None and not mark.later} | set(kind.depends_on)

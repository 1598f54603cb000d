"""What depends on what among the changes, as mermaid text of a size that code hosts draw themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.document import ChangeView
from reconciler.render.diagrams import by_kind, mermaid, of_changes

MOST_NODES = 40
"""Objects that are drawn one by one; more than that are drawn by kind."""

_MOST_EDGES = 400


def graph(changes: Sequence[ChangeView]) -> str:
    """Return a `graph LR` with an arrow from each object to what needs it; empty when nothing depends on anything."""
    diagram = of_changes(changes)
    if not diagram.edges:
        return ""
    if len(changes) > MOST_NODES:
        diagram = by_kind(changes)
    return mermaid(replace(diagram, edges=diagram.edges[:_MOST_EDGES]))

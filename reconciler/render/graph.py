"""Where the steps of an apply, or objects that depend on each other, are drawn: in columns by when each can come, with
lines to what has to wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reconciler.model.document import StepView
from reconciler.model.records import record
from reconciler.model.redaction import abridged

OP_SYMBOLS = {
    "create": "+", "update": "~", "delete": "-", "bind": "<=", "forget": "#", "move": ">", "finish": "=", "park": "~",
}  # fmt: skip
OP_TONES = {
    "create": "add", "update": "change", "delete": "destroy", "bind": "adopt", "forget": "forget", "move": "move",
    "finish": "refresh", "park": "change",
}  # fmt: skip

NODE_WIDTH, NODE_HEIGHT = 264, 26
_GAP_WAVE, _GAP_COLUMN, _GAP_ROW, _TOP, _MARGIN = 72, 14, 8, 34, 8
_LABEL = 29
_SWEEPS = 2
MOST_EDGES = 4_000
"""Lines that are drawn; a picture with more tells nothing."""


@record
class GraphItem:
    """What is to be drawn: its number, what is written on it and told in full, and the numbers of what comes before it
    (`after`: only has to come before, not to succeed).
    """

    number: int
    address: str
    label: str
    title: str
    tone: str
    waits: Sequence[int] = ()
    after: Sequence[int] = ()


@record
class GraphNode:
    """An item: its corner in pixels, its number, what is written on it and what is told in full."""

    x: int
    y: int
    number: int
    address: str
    label: str
    title: str
    tone: str


@record
class Edge:
    """A line as an SVG path; `soft` where the later step only has to come after, not to succeed."""

    path: str
    soft: bool


@record
class Picture:
    """A drawing in pixels. `waves` are (x, heading) of groups of steps that can run at the same time."""

    width: int
    height: int
    nodes: Sequence[GraphNode]
    edges: Sequence[Edge]
    waves: Sequence[tuple[int, str]]
    left_out: int


def picture(steps: Sequence[StepView]) -> Picture:
    """Return the drawing of a plan's steps; empty for none."""
    return drawn([_item(step) for step in steps])


def drawn(items: Sequence[GraphItem], *, apart: bool = False) -> Picture:
    """Return the drawing of items, each behind what it waits for; `apart` puts what has no line at all behind the rest,
    and breaks no other wave into columns: a line from the first to the next wave would seem to end at the second.
    Takes time linear in items and lines, but for sorting.
    """
    waves = _waves(items)
    last = _part(items, waves) if apart else -1
    layers: list[list[GraphItem]] = [[] for _ in range(max(waves.values(), default=-1) + 1)]
    for item in items:
        layers[waves[item.number]].append(item)
    _untangle(layers)
    most = max(10, math.ceil(math.sqrt(len(items)) * 1.3))
    rows = [max(most, len(layer)) if apart and index != last else most for index, layer in enumerate(layers)]
    corners, headings, x = _placed(layers, rows)
    edges = _edges(items, corners)
    height = max((y for _, y in corners.values()), default=0) + NODE_HEIGHT + _MARGIN
    nodes = [
        GraphNode(*corners[item.number], item.number, item.address, item.label, item.title, item.tone)
        for layer in layers
        for item in layer
    ]
    return Picture(
        max(x - _GAP_WAVE, 0) + _MARGIN, height, nodes, edges[:MOST_EDGES], headings, max(len(edges) - MOST_EDGES, 0)
    )


def _part(items: Sequence[GraphItem], waves: dict[int, int]) -> int:
    """Put what has no line at all into a wave of its own behind the rest, and return which."""
    linked = {number for item in items for number in ((*item.waits, item.number) if item.waits else ())}
    last = 1 + max((waves[number] for number in linked), default=-1)
    waves.update((item.number, last) for item in items if item.number not in linked)
    return last


def _placed(
    layers: Sequence[Sequence[GraphItem]], rows: Sequence[int]
) -> tuple[dict[int, tuple[int, int]], list[tuple[int, str]], int]:
    """Return the corners of items by number, the places of headings, and where the next wave would begin. A wave is
    broken into columns of so many `rows`.
    """
    corners: dict[int, tuple[int, int]] = {}
    headings = []
    x = _MARGIN
    for index, (layer, most) in enumerate(zip(layers, rows, strict=True)):
        headings.append((x, f"wave {index + 1}"))
        for place, item in enumerate(layer):
            column, row = divmod(place, most)
            corners[item.number] = (x + column * (NODE_WIDTH + _GAP_COLUMN), _TOP + row * (NODE_HEIGHT + _GAP_ROW))
        columns = math.ceil(len(layer) / most)
        x += columns * NODE_WIDTH + (columns - 1) * _GAP_COLUMN + _GAP_WAVE
    return corners, headings, x


def _waves(items: Sequence[GraphItem]) -> dict[int, int]:
    """Return the wave of each item, from 0: one more than the latest that it waits for. Items come in a valid order."""
    waves: dict[int, int] = {}
    for item in items:
        earlier = [waves[number] for number in (*item.waits, *item.after) if number in waves]
        waves[item.number] = 1 + max(earlier, default=-1)
    return waves


def _untangle(layers: list[list[GraphItem]]) -> None:
    """Sort each wave by where its neighbours stand, forth and back, which keeps most lines from crossing."""
    later: dict[int, list[int]] = {}
    earlier: dict[int, list[int]] = {}
    for layer in layers:
        for item in layer:
            earlier[item.number] = [*item.waits, *item.after]
            for number in earlier[item.number]:
                later.setdefault(number, []).append(item.number)
    for _ in range(_SWEEPS):
        _sweep(layers, earlier)
        _sweep(layers[::-1], later)


def _sweep(layers: Sequence[list[GraphItem]], neighbours: Mapping[int, Sequence[int]]) -> None:
    places: dict[int, float] = {}
    for layer in layers:
        means: dict[int, float] = {}
        for index, item in enumerate(layer):
            known = [places[number] for number in neighbours.get(item.number, ()) if number in places]
            means[item.number] = sum(known) / len(known) if known else index / max(len(layer), 1)
        layer.sort(key=lambda item: (means[item.number], item.number))
        places.update((item.number, index / len(layer)) for index, item in enumerate(layer))


def _edges(items: Sequence[GraphItem], corners: Mapping[int, tuple[int, int]]) -> list[Edge]:
    edges = []
    for item in items:
        edges += [
            Edge(_path(corners[number], corners[item.number]), False) for number in item.waits if number in corners
        ]
        soft = (number for number in item.after if number in corners and number not in item.waits)
        edges += [Edge(_path(corners[number], corners[item.number]), True) for number in soft]
    return edges


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + NODE_WIDTH, source[1] + NODE_HEIGHT // 2
    x2, y2 = target[0], target[1] + NODE_HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _item(step: StepView) -> GraphItem:
    title = f"{step.number}. {step.op} {step.address}"
    if step.requests:
        title += f": {', '.join(step.requests)}"
    label = f"{OP_SYMBOLS[step.op]} {short(step.address)}"
    return GraphItem(step.number, step.address, label, title, OP_TONES[step.op], step.waits, step.after)


def beginning(name: str) -> str:
    """Return a name as it fits on a node: people know it by its beginning."""
    return abridged(name, _LABEL)


def short(address: str) -> str:
    """Return an address as it fits on a node. The end of a long one tells more than its beginning: stages of one
    pipeline differ there.
    """
    return address if len(address) <= _LABEL else "…" + address[1 - _LABEL :]

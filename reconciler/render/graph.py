"""Where the steps of an apply are drawn: in columns by when they can run, with lines to what has to wait for them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.document import StepView

OP_SYMBOLS = {
    "create": "+", "update": "~", "delete": "-", "bind": "<=", "forget": "#", "move": ">", "finish": "=",
    "evacuate": ">", "park": "~",
}  # fmt: skip
OP_TONES = {
    "create": "add", "update": "change", "delete": "destroy", "bind": "adopt", "forget": "forget", "move": "move",
    "finish": "refresh", "evacuate": "manual", "park": "change",
}  # fmt: skip

NODE_WIDTH, NODE_HEIGHT = 264, 26
_GAP_WAVE, _GAP_COLUMN, _GAP_ROW, _TOP, _MARGIN = 72, 14, 8, 34, 8
_LABEL = 29
_SWEEPS = 2
MOST_EDGES = 4_000
"""Lines that are drawn; a picture with more tells nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """A step: its corner in pixels, its number, what is written on it and what is told in full."""

    x: int
    y: int
    number: int
    address: str
    label: str
    title: str
    tone: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A line as an SVG path; `soft` where the later step only has to come after, not to succeed."""

    path: str
    soft: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing in pixels. `waves` are (x, heading) of groups of steps that can run at the same time."""

    width: int
    height: int
    nodes: Sequence[Node]
    edges: Sequence[Edge]
    waves: Sequence[tuple[int, str]]
    left_out: int


def picture(steps: Sequence[StepView]) -> Picture:
    """Return the drawing of a plan's steps; empty for none. Takes time linear in steps and lines, but for sorting."""
    waves = _waves(steps)
    layers: list[list[StepView]] = [[] for _ in range(max(waves.values(), default=-1) + 1)]
    for step in steps:
        layers[waves[step.number]].append(step)
    _untangle(layers)
    rows = max(10, math.ceil(math.sqrt(len(steps)) * 1.3))
    corners: dict[int, tuple[int, int]] = {}
    headings = []
    x = _MARGIN
    for index, layer in enumerate(layers):
        headings.append((x, f"wave {index + 1}"))
        for place, step in enumerate(layer):
            column, row = divmod(place, rows)
            corners[step.number] = (x + column * (NODE_WIDTH + _GAP_COLUMN), _TOP + row * (NODE_HEIGHT + _GAP_ROW))
        columns = math.ceil(len(layer) / rows)
        x += columns * NODE_WIDTH + (columns - 1) * _GAP_COLUMN + _GAP_WAVE
    edges = _edges(steps, corners)
    height = max((y for _, y in corners.values()), default=0) + NODE_HEIGHT + _MARGIN
    nodes = [_node(step, corners[step.number]) for layer in layers for step in layer]
    return Picture(
        max(x - _GAP_WAVE, 0) + _MARGIN, height, nodes, edges[:MOST_EDGES], headings, max(len(edges) - MOST_EDGES, 0)
    )


def _waves(steps: Sequence[StepView]) -> dict[int, int]:
    """Return the wave of each step, from 0: one more than the latest that it waits for. Steps come in a valid order."""
    waves: dict[int, int] = {}
    for step in steps:
        earlier = [waves[number] for number in (*step.waits, *step.after) if number in waves]
        waves[step.number] = 1 + max(earlier, default=-1)
    return waves


def _untangle(layers: list[list[StepView]]) -> None:
    """Sort each wave by where its neighbours stand, forth and back, which keeps most lines from crossing."""
    later: dict[int, list[int]] = {}
    earlier: dict[int, list[int]] = {}
    for layer in layers:
        for step in layer:
            earlier[step.number] = [*step.waits, *step.after]
            for number in earlier[step.number]:
                later.setdefault(number, []).append(step.number)
    for _ in range(_SWEEPS):
        _sweep(layers, earlier)
        _sweep(layers[::-1], later)


def _sweep(layers: Sequence[list[StepView]], neighbours: Mapping[int, Sequence[int]]) -> None:
    places: dict[int, float] = {}
    for layer in layers:
        means: dict[int, float] = {}
        for index, step in enumerate(layer):
            known = [places[number] for number in neighbours.get(step.number, ()) if number in places]
            means[step.number] = sum(known) / len(known) if known else index / max(len(layer), 1)
        layer.sort(key=lambda step: (means[step.number], step.number))
        places.update((step.number, index / len(layer)) for index, step in enumerate(layer))


def _edges(steps: Sequence[StepView], corners: Mapping[int, tuple[int, int]]) -> list[Edge]:
    found = []
    for step in steps:
        found += [
            Edge(_path(corners[number], corners[step.number]), False) for number in step.waits if number in corners
        ]
        soft = (number for number in step.after if number in corners and number not in step.waits)
        found += [Edge(_path(corners[number], corners[step.number]), True) for number in soft]
    return found


def _path(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + NODE_WIDTH, source[1] + NODE_HEIGHT // 2
    x2, y2 = target[0], target[1] + NODE_HEIGHT // 2
    bend = max((x2 - x1) // 2, 24)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _node(step: StepView, corner: tuple[int, int]) -> Node:
    address = step.address
    # The end of a long address tells more than its beginning: stages of one pipeline differ there.
    short = address if len(address) <= _LABEL else "…" + address[1 - _LABEL :]
    title = f"{step.number}. {step.op} {address}"
    if step.requests:
        title += f": {', '.join(step.requests)}"
    return Node(*corner, step.number, step.address, f"{OP_SYMBOLS[step.op]} {short}", title, OP_TONES[step.op])

"""The tree of a YAML file: plain values that know where they stand. Nothing here knows what the values mean.

Nodes are shared where a file uses anchors, so nothing changes one after it was made. Lines and columns count from 0 in
nodes, from 1 in positions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from reconciler.model.diagnostics import Position

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML counts as the end of a line."""


class Source:
    """A file's name, relative to the project folder, and its text."""

    __slots__ = ("_lines", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines: list[str] | None = None

    def line(self, number: int) -> str:
        """Return the text of a line, counted from 0, without its end; empty past the end of the file."""
        if self._lines is None:
            self._lines = _BREAK.split(self.text)
        return self._lines[number] if number < len(self._lines) else ""

    def spot_at(self, offset: int, length: int = 1) -> Spot:
        """Return the place of a character, given its offset in the text."""
        breaks = list(_BREAK.finditer(self.text, 0, offset))
        return Spot(self, len(breaks), offset - (breaks[-1].end() if breaks else 0), length)


class Spot(NamedTuple):
    """A place that a diagnostic points at, `length` characters long."""

    source: Source
    line: int = 0
    column: int = 0
    length: int = 1

    @property
    def position(self) -> Position:
        """The place as people count it."""
        return Position(self.source.file, self.line + 1, self.column + 1)


@dataclass(slots=True, eq=False, repr=False)
class Scalar:
    """A single value. `value` is what it means, `text` what is written; `plain` without quotes and on no `|` or `>`."""

    source: Source
    line: int
    column: int
    text: str
    plain: bool
    value: bool | int | float | str | None

    @property
    def spot(self) -> Spot:
        """Where it stands; at most to the end of its first line."""
        room = len(self.source.line(self.line)) - self.column
        length = len(self.text) if self.plain else len(self.text) + 2
        return Spot(self.source, self.line, self.column, max(1, min(length, room)))

    @property
    def position(self) -> Position:
        """Where it begins, as people count it."""
        return Position(self.source.file, self.line + 1, self.column + 1)


@dataclass(slots=True, eq=False, repr=False)
class Sequence:
    """A list. `size` counts the nodes below it, aliases as often as they are used."""

    source: Source
    line: int
    column: int
    items: list[Node] = field(default_factory=list)
    size: int = 1

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return Spot(self.source, self.line, self.column)


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """One entry of a map."""

    key: Scalar
    value: Node

    @property
    def spot(self) -> Spot:
        """The value's place, or the key's where nothing is written after it."""
        empty = isinstance(self.value, Scalar) and self.value.plain and not self.value.text
        return self.key.spot if empty else self.value.spot


@dataclass(slots=True, eq=False, repr=False)
class Map:
    """A map in the order of the file; keys are texts. `size` counts as in `Sequence`."""

    source: Source
    line: int
    column: int
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1

    @property
    def spot(self) -> Spot:
        """Where it begins."""
        return Spot(self.source, self.line, self.column)


Node = Scalar | Sequence | Map


class Positions(Mapping[str, Position]):
    """Where each entry of a map is declared; positions are made when they are asked for. The nodes are not kept: they
    are larger than what they declare.
    """

    __slots__ = ("_places",)

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        places: list[str | int] = []
        for name, entry in entries.items():
            key = entry.key
            places += (sys.intern(name), key.source.file, key.line, key.column)
        self._places = tuple(places)

    def __getitem__(self, name: str) -> Position:
        for place in range(0, len(self._places), 4):
            if self._places[place] == name:
                _, file, line, column = self._places[place : place + 4]
                return Position(str(file), int(line) + 1, int(column) + 1)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (str(name) for name in self._places[::4])

    def __len__(self) -> int:
        return len(self._places) // 4

    def __repr__(self) -> str:
        return f"Positions({dict(self)})"


def is_null(node: Node) -> bool:
    """Return whether a node is `null`, in any spelling."""
    return isinstance(node, Scalar) and node.value is None


def entries_of(node: Node | None) -> dict[str, Entry]:
    """Return the entries of a map; none for anything else."""
    return node.entries if isinstance(node, Map) else {}


def at(node: Node, *path: str) -> Entry | None:
    """Return the entry that a path of keys leads to, or None."""
    entry: Entry | None = None
    for key in path:
        entry = entries_of(entry.value if entry is not None else node).get(key)
        if entry is None:
            return None
    return entry


def spot_of(tree: Map, *path: str) -> Spot:
    """Return the place of a value of a file; of the file itself where it is not there."""
    entry = at(tree, *path)
    return entry.spot if entry is not None else Spot(tree.source)


def merge_patch(base: Node | None, patch: Node) -> Node:
    """Return `base` changed as `patch` says (RFC 7396): maps merge, null removes, anything else replaces.

    What the patch sets stands where the patch says so; everything else keeps its place.
    """
    if not isinstance(patch, Map):
        return patch
    start = base if isinstance(base, Map) else patch
    return Map(
        start.source, start.line, start.column, merged_entries(entries_of(base), patch.entries), start.size + patch.size
    )


def merged_entries(base: Mapping[str, Entry], patch: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the entries of a map after a merge patch."""
    merged = dict(base)
    for name, entry in patch.items():
        before = merged.get(name)
        if is_null(entry.value):
            merged.pop(name, None)
        elif before is not None and isinstance(entry.value, Map) and isinstance(before.value, Map):
            merged[name] = Entry(before.key, merge_patch(before.value, entry.value))
        else:
            merged[name] = Entry(entry.key, merge_patch(None, entry.value))
    return merged

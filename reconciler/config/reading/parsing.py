"""YAML text to trees. Built from the event stream: deep nesting crashes the C composer, aliases may multiply without
end, and PyYAML lets the last of two equal keys win in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence, Source, Spot
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.scalars import meaning
from reconciler.model.characters import compiled

MAX_DEPTH = 100
MAX_ALIASED = 1_000_000
"""Nodes that aliases may stand for in one file, counted without expanding them."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNREADABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue003-\ufffd\U00010000-\U0010ffff]"
"""What YAML does not allow in a file, and the three characters that stand for secrets and keys inside this program."""
_UNREADABLE_IN_ASCII = re.compile("[^\t\n\r -~]")

_HINTS = {
    "mapping values are not allowed in this context": "put quotes around a text with `: `, and check the indentation",
    "could not find expected ':'": "a key is followed by `:` and a blank; check the indentation, too",
    "did not find expected key": "check the indentation: keys of one map begin in the same column",
    "did not find expected '-' indicator": "check the indentation: items of one list begin in the same column",
    "did not find expected ',' or ']'": "close the list with `]`, or put quotes around a text with `[`, `]` or `,`",
    "did not find expected ',' or '}'": "close the map with `}`, or put quotes around a text with `{`, `}` or `,`",
    "found unexpected end of stream": "close the quotes",
    "found unknown escape character": "in double quotes write `\\\\` for a backslash, or use single quotes",
    "did not find expected comment or line break": "put quotes around a text that begins with `>` or `|`",
    "found character that cannot start any token": "put quotes around a text that begins with this character",
}


class _Stop(Exception):
    """The rest of the file cannot be read."""


def parse(source: Source, problems: Problems) -> list[Node] | None:
    """Return the documents of a file; None when it cannot be read, which `problems` then tells."""
    bad = (_UNREADABLE_IN_ASCII if source.text.isascii() else compiled(_UNREADABLE)).search(source.text)
    if bad is not None:
        code = f"U+{ord(bad.group()):04X}"
        problems.error(
            "bad-character", f"the character {code} is not allowed here", source.spot_at(bad.start()), _bad_hint(code)
        )
        return None
    text, shifts, pairs = joined(source.text)
    builder = _Builder(source, problems, shifts, pairs)
    loader = _LOADER(text)
    try:
        return builder.documents(loader.get_event)
    except yaml.YAMLError as error:
        _report(error, source, problems)
    except _Stop:
        pass
    finally:
        loader.dispose()
    return None


_PAIR = r"(?<!\\)(?P<before>(?:\\\\)*)\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
"""One character as JSON writes it: two escapes (RFC 8259, section 7). YAML knows only whole ones."""
Shifts = dict[int, list[int]]
"""By line: the columns behind which the text that is read is two characters shorter than the file."""


def joined(text: str) -> tuple[str, Shifts, dict[str, str]]:
    """Return the text with each pair of surrogate escapes as one escape, where columns differ from the file's, and what
    was written for each escape: outside of double quotes it is not an escape at all.
    """
    if "\\u" not in text:
        return text, {}, {}
    shifts: Shifts = {}
    pairs: dict[str, str] = {}

    def character(match: re.Match[str]) -> str:
        code = 0x10000 + ((int(match["high"], 16) - 0xD800) << 10) + (int(match["low"], 16) - 0xDC00)
        pairs[f"\\U{code:08X}"] = f"\\u{match['high']}\\u{match['low']}"
        return f"{match['before']}\\U{code:08X}"

    lines = text.split("\n")
    for number, line in enumerate(lines):
        places = [match.end() for match in re.finditer(_PAIR, line)] if "\\u" in line else []
        if places:
            shifts[number] = [place - 2 * count for count, place in enumerate(places, 1)]
            lines[number] = re.sub(_PAIR, character, line)
    return "\n".join(lines), shifts, pairs


class _Mark(Protocol):
    """A place in the text."""

    line: int
    column: int


class _Event(Protocol):
    """What either parser says one after the other; what an event does not have is never asked of it."""

    start_mark: _Mark
    value: str
    style: str | None
    tag: str | None
    anchor: str


def _bad_hint(code: str) -> str:
    return "remove it" if code != "U+0000" else "is the file UTF-16? save it as UTF-8"


def _report(error: yaml.YAMLError, source: Source, problems: Problems) -> None:
    if not isinstance(error, yaml.MarkedYAMLError):
        problems.error("bad-yaml", f"not valid YAML: {error}", Spot(source))
        return
    mark = error.problem_mark or error.context_mark
    spot = Spot(source, mark.line, mark.column) if mark is not None else Spot(source)
    if source.line(spot.line)[spot.column : spot.column + 1] == "\t":
        problems.error(
            "tab", "a tab where YAML expects blanks", spot, "indent with two blanks; editors can convert tabs"
        )
        return
    problem = error.problem or "unknown problem"
    hint = _HINTS.get(problem, "")
    context = f" {error.context}" if error.context else ""
    if error.context_mark is not None and error.context_mark.line != spot.line:
        context += f" (line {error.context_mark.line + 1})"
    problems.error("bad-yaml", f"not valid YAML: {problem}{context}", spot, hint)


@dataclass(slots=True, eq=False, repr=False)
class _Frame:
    """A collection that is still open."""

    node: Map | Sequence
    anchor: str | None
    key: Scalar | None = None
    merges: list[Map] = field(default_factory=list)


class _Builder:
    """Builds nodes from events with a stack of its own, so that no depth can hurt."""

    def __init__(self, source: Source, problems: Problems, shifts: Shifts, pairs: dict[str, str]) -> None:
        self.source = source
        self.shifts = shifts
        self.pairs = pairs
        self.problems = problems
        self.stack: list[_Frame] = []
        self.anchors: dict[str, Node] = {}
        self.roots: list[Node] = []
        self.aliased = 0

    def documents(self, next_: Callable[[], _Event | None]) -> list[Node]:
        """Consume the events and return the root of each document."""
        does: dict[type[object], Callable[[_Event], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: lambda event: self._open(event, Map),
            yaml.SequenceStartEvent: lambda event: self._open(event, Sequence),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: lambda _: self.anchors.clear(),
        }
        end: type[object] = yaml.StreamEndEvent
        while (event := next_()) is not None and event.__class__ is not end:
            if (do := does.get(event.__class__)) is not None:
                do(event)
        return self.roots

    def _column(self, mark: _Mark) -> int:
        """Return the column in the file."""
        column: int = mark.column
        return column + 2 * sum(column >= place for place in self.shifts.get(mark.line, ()))

    def _scalar(self, event: _Event) -> None:
        mark, text, plain = event.start_mark, event.value, not event.style
        if self.pairs and event.style != '"':
            for escape, written in self.pairs.items():
                text = text.replace(escape, written)
        if event.tag is not None:
            self._refuse_tag(event)
        column = self._column(mark) if self.shifts else mark.column
        node = Scalar(self.source, mark.line, column, text, plain, meaning(text) if plain else text)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._add(node, 1)

    def _open(self, event: _Event, kind: type[Map] | type[Sequence]) -> None:
        mark = event.start_mark
        if len(self.stack) >= MAX_DEPTH:
            spot = Spot(self.source, mark.line, self._column(mark))
            self.problems.error("too-deep", f"nested more than {MAX_DEPTH} levels deep", spot)
            raise _Stop
        if event.tag is not None:
            self._refuse_tag(event)
        self.stack.append(_Frame(kind(self.source, mark.line, self._column(mark)), event.anchor))

    def _close(self, _: Any) -> None:
        frame = self.stack.pop()
        node = frame.node
        if frame.merges and isinstance(node, Map):
            merged: dict[str, Entry] = {}
            for other in reversed(frame.merges):
                merged |= other.entries
            node.entries = {**merged, **node.entries}
        if frame.anchor is not None:
            self.anchors[frame.anchor] = node
        self._add(node, node.size)

    def _alias(self, event: _Event) -> None:
        mark = event.start_mark
        spot = Spot(self.source, mark.line, self._column(mark), len(event.anchor) + 1)
        node = self.anchors.get(event.anchor)
        if node is None:
            inside = any(frame.anchor == event.anchor for frame in self.stack)
            what = (
                "stands for something that contains itself" if inside else f"has no anchor `&{event.anchor}` before it"
            )
            self.problems.error("bad-alias", f"the alias `*{event.anchor}` {what}", spot, "write out what is meant")
            raise _Stop
        size = 1 if isinstance(node, Scalar) else node.size
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            self.problems.error(
                "alias-bomb",
                f"aliases stand for more than {MAX_ALIASED:,} values",
                spot,
                "use fewer aliases of aliases",
            )
            raise _Stop
        self._add(node, size)

    def _add(self, node: Node, size: int) -> None:
        if not self.stack:
            self.roots.append(node)
            return
        frame = self.stack[-1]
        parent = frame.node
        parent.size += size
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif frame.key is None:
            frame.key = node if node.__class__ is Scalar else self._no_key(node)
        else:
            key, frame.key = frame.key, None
            if key.text in parent.entries or key.text == "<<":
                self._entry(frame, key, node)
            else:
                parent.entries[key.text] = Entry(key, node)

    def _no_key(self, node: Node) -> Scalar:
        self.problems.error(
            "bad-key", "a key must be text, not a list or a map", node.spot, "put quotes around a text with `{` or `[`"
        )
        raise _Stop

    def _entry(self, frame: _Frame, key: Scalar, value: Node) -> None:
        entries = frame.node.entries if isinstance(frame.node, Map) else {}
        if key.plain and key.text == "<<":
            self._merge(frame, key, value)
        elif key.text in entries:
            first = entries[key.text].key.spot.position
            self.problems.error(
                "duplicate-key", f"the key `{key.text}` appears twice in one map", key.spot, f"the first is at {first}"
            )
        else:
            entries[key.text] = Entry(key, value)

    def _merge(self, frame: _Frame, key: Scalar, value: Node) -> None:
        others = value.items if isinstance(value, Sequence) else [value]
        maps = [other for other in others if isinstance(other, Map)]
        if len(maps) != len(others):
            self.problems.error(
                "bad-merge", "`<<` merges maps only", key.spot, "write `<<: *name` or `<<: [*one, *two]`"
            )
        elif frame.merges:
            self.problems.error(
                "duplicate-key", "the key `<<` appears twice in one map", key.spot, "write `<<: [*one, *two]`"
            )
        else:
            frame.merges = maps

    def _refuse_tag(self, event: _Event) -> None:
        mark = event.start_mark
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        self.problems.error(
            "tag",
            f"tags such as `{tag}` are not supported",
            Spot(self.source, mark.line, self._column(mark)),
            "write the value without it; quotes make a text",
        )

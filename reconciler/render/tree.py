"""What changed between two encoded values, as lines: trees of maps, items of lists with moves, text diffs."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias, TypeGuard

from reconciler.model.records import record
from reconciler.model.values import Value, is_empty_or_off
from reconciler.render.layout import INDENT, STEP
from reconciler.render.lines import as_before, blocks, lines, written
from reconciler.render.quoting import apart, is_marker, key, literal

_COMPARED = 400
"""Entries of a list among which those are looked for that look the same."""
_IDENTITIES = ("key", "id", "value", "name", "address")


@record
class Line:
    """One line of a view: what happens (`+ - ~ > ! #`, blank for context), the text, and small print after it."""

    mark: str
    depth: int
    text: str
    note: str = ""


class NoValue(Enum):
    """Stands for a value that is not there, where `null` is one."""

    MISSING = "missing"


MISSING: Final = NoValue.MISSING
SideValue: TypeAlias = "Value | NoValue"


def compare(
    name: str, before: SideValue, after: SideValue, *, depth: int = 0, width: int = 80, pad: int = 0
) -> list[Line]:
    """Return the lines that tell `before` from `after`; equal parts are only counted. `pad` aligns the `=`."""
    if before is MISSING or (before is None and not _absent(after)):
        return _one_sided("+", name, after, "", depth, width, pad)
    if after is MISSING or (after is None and before is not None):
        return _one_sided("-", name, before, "" if after is MISSING else " -> null", depth, width, pad)
    parts = _parts(before, after, depth + 1, width)
    if parts is not None:
        return [Line("~", depth, f"{name}:"), *parts]
    was, now = _told_apart(before, after)
    line = Line("~", depth, f"{name:<{pad}} = {was} -> {now}")
    if fits(line, width):
        return [line]
    return [Line("~", depth, f"{name}:"), Line("-", depth + 1, was), Line("+", depth + 1, now)]


def _parts(before: Value, after: Value, depth: int, width: int) -> Iterable[Line] | None:
    """Return the lines of what differs inside two maps, lists or texts of several lines; None for other values."""
    if isinstance(before, str) and isinstance(after, str):
        return _texts(before, after, depth) if "\n" in before + after else None
    if same(before, after):
        return None
    if _is_map(before) and _is_map(after):
        return _maps(before, after, depth, width)
    return _lists(before, after, depth, width) if isinstance(before, list) and isinstance(after, list) else None


def _told_apart(before: Value, after: Value) -> tuple[str, str]:
    was, now = literal(before), literal(after)
    return apart(was, [now]), apart(now, [was])


def same(mine: SideValue, other: SideValue) -> bool:
    """Return whether two values mean the same although one is written shorter.

    A member that is left out is like an empty one, and a text is like a map that says nothing but that text: an option
    may be declared as `Free` where the account spells out its value, its label and that it is not a default.
    """
    if _absent(mine) or _absent(other):
        return _blank(mine) and _blank(other)
    if _is_map(mine) and _is_map(other):
        return all(same(mine.get(name, MISSING), other.get(name, MISSING)) for name in mine | other)
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(same(*pair) for pair in zip(mine, other, strict=True))
    for text, entries in ((mine, other), (other, mine)):
        if isinstance(text, str) and _is_map(entries):
            return _says_only(entries, text)
    return type(mine) is type(other) and bool(mine == other)


def _absent(value: SideValue) -> bool:
    return value is MISSING or value is None


def _says_only(entries: Mapping[str, Value], text: str) -> bool:
    return text in entries.values() and all(_blank(item) or item == text for item in entries.values())


def _blank(value: SideValue) -> bool:
    return value is MISSING or is_empty_or_off(value)


def fits(line: Line, width: int) -> bool:
    """Return whether a line needs no wrapping, give or take the width of unusual characters."""
    return INDENT + STEP * line.depth + 2 + len(line.text) <= width


def padding(names: Iterable[str]) -> int:
    """Return the width at which the `=` signs of these names line up; very long names do not count."""
    return max((len(name) for name in names if len(name) <= 24), default=0)


def _is_map(value: SideValue) -> TypeGuard[dict[str, Value]]:
    return isinstance(value, dict) and not is_marker(value)


def _one_sided(mark: str, name: str, value: SideValue, tail: str, depth: int, width: int, pad: int) -> list[Line]:
    """A value that is only on one side: on one line if it fits, else as a tree."""
    line = Line(mark, depth, f"{name:<{pad}} = {literal(value)}{tail}")
    if isinstance(value, str) and "\n" in value:
        return [
            Line(mark, depth, f"{name}:{tail}"),
            *(_text(mark, text, depth + 1) for text in lines(value)),
        ]
    if fits(line, width) or not value or not (_is_map(value) or isinstance(value, list)):
        return [line]
    head = Line(mark, depth, f"{name}:{tail}")
    if isinstance(value, list):
        return [head, *(each for item in value for each in _item(mark, item, depth + 1, width))]
    return [head, *_entries(mark, value, depth + 1, width)]


def _entries(mark: str, value: Mapping[str, Value], depth: int, width: int) -> list[Line]:
    pad = padding(key(name) for name in value)
    return [line for name, item in value.items() for line in _one_sided(mark, key(name), item, "", depth, width, pad)]


def _item(mark: str, item: Value, depth: int, width: int, others: Sequence[str] = ()) -> list[Line]:
    """An item of a list that is new or gone; `others` are those that it might be taken for."""
    line = Line(mark, depth, apart(literal(_shortest(item)), others))
    if fits(line, width) or not _is_map(item):
        return [line]
    return [Line(mark, depth, f"{_title(item)}:"), *_entries(mark, item, depth + 1, width)]


def _maps(before: Mapping[str, Value], after: Mapping[str, Value], depth: int, width: int) -> list[Line]:
    names = list(after) + [name for name in before if name not in after]
    changed = [name for name in names if not same(before.get(name, MISSING), after.get(name, MISSING))]
    pad = padding(key(name) for name in changed)
    lines: list[Line] = []
    for name in changed:
        lines += compare(
            key(name), before.get(name, MISSING), after.get(name, MISSING), depth=depth, width=width, pad=pad
        )
    return lines + _unchanged(len(names) - len(changed), depth)


def _unchanged(count: int, depth: int) -> list[Line]:
    return [Line(" ", depth, "", f"# {count:,} unchanged")] if count else []


def _identity(item: Value) -> str:
    """What tells an item of a list from its siblings: a reference, a scalar, or the member of a map that names it.

    A text and a map with that text as its `value` are one item: options are written both ways.
    """
    if _is_map(item):
        for name in _IDENTITIES:
            if isinstance(item.get(name), str | int):
                return json.dumps(item[name], default=str)
    return json.dumps(item, sort_keys=True, default=str)


def _shortest(item: Value) -> Value:
    """An option whose value is its label and that says nothing else, as the text that it may be declared as."""
    text = item.get("value") if _is_map(item) else None
    return text if isinstance(text, str) and same(text, item) else item


def _title(item: Value) -> str:
    if _is_map(item):
        return next((literal(item[name]) for name in _IDENTITIES if isinstance(item.get(name), str | int)), "item")
    return literal(item)


def _numbered(items: Sequence[Value]) -> dict[tuple[str, int], int]:
    """Return the place of each item by identity; twins are told apart by how often they came before."""
    seen: dict[str, int] = {}
    places = {}
    for place, item in enumerate(items):
        identity = _identity(item)
        seen[identity] = seen.get(identity, -1) + 1
        places[identity, seen[identity]] = place
    return places


@record
class ListEntry:
    """An entry of a list, before and after. `was` and `now` are its places, counted from 0; None where it is not there.
    `moved`: its place among those that stay is another one.
    """

    before: SideValue
    after: SideValue
    was: int | None
    now: int | None
    moved: bool = False


def entries(before: Sequence[Value], after: Sequence[Value]) -> list[ListEntry]:
    """Return the entries of two lists: those that went, then the others in the order in which they are now."""
    old, new = _numbered(before), _numbered(after)
    stay = [identity for identity in new if identity in old]
    still = _longest_rising([old[identity] for identity in stay])
    kept = {identity for index, identity in enumerate(stay) if index in still}
    gone = [ListEntry(before[place], MISSING, place, None) for identity, place in old.items() if identity not in new]
    return gone + [
        ListEntry(before[old[identity]], after[place], old[identity], place, identity not in kept)
        if identity in old
        else ListEntry(MISSING, after[place], None, place)
        for identity, place in new.items()
    ]


def _lists(before: Sequence[Value], after: Sequence[Value], depth: int, width: int) -> list[Line]:
    """Items that came, went, changed inside or changed their relative order, in the order in which they are now."""
    lines: list[Line] = []
    quiet, looks = 0, [literal(_shortest(item)) for item in (*before, *after)][:_COMPARED]
    for entry in entries(before, after):
        was, now = entry.before, entry.after
        if was is MISSING or now is MISSING:
            mark, item = ("+", now) if was is MISSING else ("-", was)
            lines += _item(mark, None if item is MISSING else item, depth, width, looks)
            continue
        if entry.moved:
            place = f"moved from place {(entry.was or 0) + 1} to {(entry.now or 0) + 1}"
            lines.append(Line(">", depth, f"{_title(now)} {place}"))
        alike = same(was, now)
        if not alike:
            lines += _inside(was, now, depth, width)
        quiet += alike and not entry.moved
    return lines + _unchanged(quiet, depth)


def _inside(was: Value, now: Value, depth: int, width: int) -> list[Line]:
    """An item that is the same one, with other contents."""
    if _is_map(was) and _is_map(now):
        return [Line("~", depth, f"{_title(now)}:"), *_maps(was, now, depth + 1, width)]
    old, new = _told_apart(was, now)
    return [Line("~", depth, f"{old} -> {new}")]


def _longest_rising(values: Sequence[int]) -> set[int]:
    """Return the indexes of a longest rising subsequence: what did not move when the rest did."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, value in enumerate(values):
        place = bisect_left(tails, value)
        previous.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        ends[place : place + 1] = [index]
    rising: set[int] = set()
    cursor = ends[-1] if ends else -1
    while cursor >= 0:
        rising.add(cursor)
        cursor = previous[cursor]
    return rising


def _texts(before: str, after: str, depth: int) -> Iterator[Line]:
    """A diff of two texts by lines, with one line of context. A newline at the end counts."""
    for block in blocks(before, after):
        if block.unchanged:
            yield Line(" ", depth, "", f"# {as_before(block.unchanged)}")
        elif block.same:
            yield from (_text(" ", line, depth) for line in block.new)
        else:
            yield from (_text("-", line, depth, block.new) for line in block.old)
            yield from (_text("+", line, depth, block.old) for line in block.new)


def _text(mark: str, line: str, depth: int, others: Sequence[str] = ()) -> Line:
    shown = written(line)
    return Line(mark, depth, apart(shown.text, others), f"# {shown.note}" if shown.note else "")

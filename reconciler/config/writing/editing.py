"""Changes to YAML files that leave every other byte alone: comments, order, quotes and layout stay as written.

A change is spliced in at the marks of the nodes concerned, the last one in the file first; then the result is read back
and compared with the data that was asked for, before it is written.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias

import yaml

from reconciler.config.reading.loading import plain_data
from reconciler.config.writing.emitting import as_block, as_flow
from reconciler.model.errors import ReconcilerError
from reconciler.model.records import record
from reconciler.model.values import Value, identical, items_of, map_of

EntryPath = tuple[str | int, ...]
INDENT = 2
WIDTH = 100


class NoEntry(Enum):
    """What stands for an entry that goes: null is a value."""

    MISSING = "missing"


MISSING: Final = NoEntry.MISSING
Data: TypeAlias = "Value | NoEntry"


@record
class Put:
    """Set the value at a path of keys; maps on the way are made where they are missing."""

    path: EntryPath
    value: Value


@record
class Drop:
    """Remove the entry at a path; nothing happens where there is none."""

    path: EntryPath


Edit = Put | Drop


@record
class _Splice:
    start: int
    end: int
    text: str


class Unfit(Exception):
    """A splice would have to touch what belongs to others (an alias, a merge key, an odd layout)."""


def edited(text: str, edits: Sequence[Edit], file: str = "the file") -> str:
    """Return the text after the edits, in their order. Raises ReconcilerError where an edit has no safe place."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    before = plain_data(text, file)
    wanted = before
    for edit in edits:
        wanted = _applied(wanted, edit)
    if len(edits) > 1 and not identical(wanted, before):
        at_once = _tried(text, before, wanted, file)
        if at_once is not None:
            return mark + at_once
    for edit in edits:
        before = plain_data(text, file)
        wanted = _applied(before, edit)
        if not identical(wanted, before):
            text = _checked(text, edit, before, wanted, file)
    return mark + text


def _tried(text: str, before: Value, wanted: Value, file: str) -> str | None:
    """Return the text with all changes spliced in at once, None where some have no safe place."""
    try:
        changed = _spliced(text, before, wanted)
        return changed if identical(plain_data(changed, file), wanted) else None
    except (Unfit, yaml.YAMLError, ReconcilerError):
        return None


def _checked(text: str, edit: Edit, before: Value, wanted: Value, file: str) -> str:
    changed = _tried(text, before, wanted, file)
    if changed is not None:
        return changed
    where = ".".join(str(step) for step in edit.path)
    raise ReconcilerError(
        f"{file}: `{where}` cannot be changed without touching what stands around it",
        hint=f"change it manually to: {as_flow(_at(wanted, edit.path))}"
        if isinstance(edit, Put)
        else "remove it manually",
    )


def _applied(data: Value, edit: Edit) -> Value:
    """Return the data as it should be after an edit; the input stays as it is."""
    changed = _changed(data, edit.path, edit.value if isinstance(edit, Put) else MISSING)
    return None if changed is MISSING else changed


def _changed(data: Value, path: EntryPath, value: Data) -> Data:
    if not path:
        return value
    step, *rest = path
    if isinstance(data, list) and isinstance(step, int):
        items = [_changed(item, tuple(rest), value) if place == step else item for place, item in enumerate(data)]
        return [item for item in items if item is not MISSING]
    entries = dict(data) if isinstance(data, Mapping) else {}
    if value is MISSING and step not in entries:
        return data
    inner = _changed(entries.get(str(step)), tuple(rest), value)
    if inner is MISSING:
        entries.pop(str(step))
    else:
        entries[str(step)] = inner
    return entries


def _at(data: Value, path: EntryPath) -> Value:
    for step in path:
        data = items_of(data)[step] if isinstance(step, int) else map_of(data)[step]
    return data


# --- the tree with its marks -----------------------------------------------------------------------------------------


class _Alias(yaml.ScalarNode):
    """Stands where a file says `*name`; what it stands for is somewhere else."""


class _Loader(yaml.SafeLoader):
    """Composes nodes; an alias stays what it is."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            return _Alias("alias", event.anchor, event.start_mark, event.end_mark)
        return super().compose_node(parent, index)


@record
class _Place:
    """A value's node with what is around it: the column of its map or list, and whether that is in braces."""

    node: yaml.Node
    column: int
    flow: bool


def compose(text: str) -> yaml.Node | None:
    """Return the tree of a text's first document, with marks; None where there is none."""
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def ends_at(node: yaml.Node, text: str) -> int:
    """Return where a node ends: a block's own end mark lies behind the blank lines and comments that follow it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return ends_at(node.value[-1][1], text)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return ends_at(node.value[-1], text)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[: node.end_mark.index].rstrip("\n "))
    return int(node.end_mark.index)


def _entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        yield str(key.value), key, value


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    """Return the index behind the end of the line that holds `index`."""
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1


# --- splicing --------------------------------------------------------------------------------------------------------


def _spliced(text: str, have: Value, wanted: Value) -> str:
    root = compose(text)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        return _begun(text, root, wanted)
    place = _Place(root, 0, bool(root.flow_style))
    for splice in sorted(
        _between(text, place, have, wanted), key=lambda splice: (splice.start, splice.end), reverse=True
    ):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return text


def _begun(text: str, root: yaml.Node | None, wanted: Value) -> str:
    """Return a file without content (comments at most, or an empty map) with its first content."""
    if root is not None:
        text = text[: root.start_mark.index] + text[root.end_mark.index :].lstrip(" ")
    head = text if not text.strip() or text.endswith("\n") else text + "\n"
    return head.lstrip("\n") + "\n".join(as_block(wanted, "")) + "\n"


def _between(text: str, place: _Place, have: Value, wanted: Value) -> Iterator[_Splice]:
    """Yield the splices that turn what a node means into the wanted data."""
    node = place.node
    if identical(have, wanted):
        return
    if isinstance(node, yaml.MappingNode) and isinstance(wanted, Mapping) and wanted and node.value:
        yield from _map(text, node, map_of(have), wanted)
    elif isinstance(node, yaml.SequenceNode) and isinstance(wanted, list) and wanted and node.value:
        yield from _list(text, node, items_of(have), wanted)
    else:
        yield _replaced(text, place, wanted)


def _map(
    text: str, node: yaml.MappingNode, have: Mapping[str, Value], wanted: Mapping[str, Value]
) -> Iterator[_Splice]:
    """Change, remove and add entries. What `<<` merges in stays; what differs from it is written out."""
    flow, column = bool(node.flow_style), node.value[0][0].start_mark.column
    present = {name: (key, value) for name, key, value in _entries(node) if name != "<<"}
    if any(name not in present and name not in wanted for name in have):
        raise Unfit  # it comes from a merged map
    for name, (key, value) in present.items():
        if name not in wanted:
            yield _removed(text, node, key, value)
        elif _is_value(value):
            yield from _between(text, _Place(value, column, flow), have[name], wanted[name])
        elif wanted[name] is not None:
            yield _after(text, key, wanted[name], column, flow=flow)
    news = {
        name: item
        for name, item in wanted.items()
        if name not in present and (name not in have or not identical(have[name], item))
    }
    if news:
        yield _inserted(text, node, news, column, flow=flow)


def _is_value(value: yaml.Node) -> bool:
    """Return whether anything is written for a value (`key:` alone means null)."""
    return not (isinstance(value, yaml.ScalarNode) and value.start_mark.index == value.end_mark.index)


def _after(text: str, key: yaml.Node, wanted: Value, column: int, *, flow: bool) -> _Splice:
    """Write a value after a key that has none."""
    colon = text.index(":", key.end_mark.index) + 1
    value = _value(wanted, column, flow=flow, room=WIDTH - column - len(str(key.value)) - 2)
    return _below(text, colon, colon, value)


def _below(text: str, start: int, end: int, value: str) -> _Splice:
    """Put a value behind a colon; a block of lines goes below the comment on the line of the colon."""
    stop = text.find("\n", end)
    stop = len(text) if stop < 0 else stop
    rest = text[end:stop].strip()
    if not value.startswith("\n") or (rest and not rest.startswith("#")):
        return _Splice(start, end, value)
    return _Splice(start, stop, f"{text[end:stop].rstrip()}{value}")


def _list(text: str, node: yaml.SequenceNode, have: Sequence[Value], wanted: Sequence[Value]) -> Iterator[_Splice]:
    """Change, remove and add items, as few as possible."""
    items = list(node.value)
    if node.flow_style:
        yield from _flow_list(text, node, have, wanted)
        return
    dash = _dash(text, items[0])
    column = dash - _line_start(text, dash)
    matcher = difflib.SequenceMatcher(
        None, [repr(item) for item in have], [repr(item) for item in wanted], autojunk=False
    )
    for op, a, b, c, d in matcher.get_opcodes():
        if op == "equal":
            continue
        paired = min(b - a, d - c)
        for step in range(paired):
            place, old, new = _Place(items[a + step], column, False), have[a + step], wanted[c + step]
            another = isinstance(old, Mapping) and isinstance(new, Mapping) and not old.keys() & new.keys()
            yield from (_replaced(text, place, new),) if another else _between(text, place, old, new)
        for item in items[a + paired : b]:
            start = _line_start(text, _dash(text, item))
            yield _Splice(start, _line_end(text, ends_at(item, text)), "")
        if wanted[c + paired : d]:
            at = _line_end(text, ends_at(items[a + paired - 1], text)) if a + paired else _line_start(text, dash)
            yield _lines(text, at, as_block(wanted[c + paired : d], " " * column))


def _flow_list(text: str, node: yaml.SequenceNode, have: Sequence[Value], wanted: Sequence[Value]) -> Iterator[_Splice]:
    if len(have) == len(wanted):
        for item, old, new in zip(node.value, have, wanted, strict=True):
            yield from _between(text, _Place(item, 0, True), old, new)
        return
    start, end = node.start_mark.index, node.end_mark.index
    if "#" in text[start:end] and "\n" in text[start:end]:
        raise Unfit  # a comment may be among the items
    yield _Splice(start, end, as_flow(wanted))


def _lines(text: str, at: int, lines: Sequence[str]) -> _Splice:
    """Insert whole lines where a line begins, or behind a last line that has no end."""
    block = "\n".join(lines)
    return _Splice(at, at, f"{block}\n" if at == 0 or text[at - 1] == "\n" else f"\n{block}")


def _dash(text: str, item: yaml.Node) -> int:
    """Return where the dash of a list's item is."""
    dash = text.rfind("-", 0, item.start_mark.index)
    if dash < 0 or text[dash + 1 : item.start_mark.index].strip(" \n"):
        raise Unfit
    return dash


def _removed(text: str, node: yaml.MappingNode, key: yaml.Node, value: yaml.Node) -> _Splice:
    """Take out an entry: in a block its lines, in braces the entry with one comma."""
    if not node.flow_style:
        start = _line_start(text, key.start_mark.index)
        if text[start : key.start_mark.index].strip():
            raise Unfit  # the first entry of an item stands behind its dash
        return _Splice(start, _line_end(text, max(ends_at(value, text), key.end_mark.index)), "")
    place = [pair[0] for pair in node.value].index(key)
    if place + 1 < len(node.value):
        return _Splice(key.start_mark.index, node.value[place + 1][0].start_mark.index, "")
    start = node.value[place - 1][1].end_mark.index if place else key.start_mark.index
    return _Splice(start, value.end_mark.index, "")


def _inserted(text: str, node: yaml.MappingNode, news: Mapping[str, Value], column: int, *, flow: bool) -> _Splice:
    """Add entries at the end of a map, in its own style."""
    key, value = node.value[-1]
    end = max(ends_at(value, text), text.index(":", key.end_mark.index) + 1)
    if flow:
        return _Splice(end, end, ", " + as_flow(dict(news))[1:-1])
    lines = as_block(dict(news), " " * column)
    return _lines(text, _line_end(text, end), ["", *lines] if column == 0 else lines)


def _replaced(text: str, place: _Place, wanted: Value) -> _Splice:
    """Put a new value where an old one is."""
    node = place.node
    start, end = node.start_mark.index, ends_at(node, text)
    first = _line_start(text, start)
    if re.search(r"(?:^|\s)[&!]\S+\s*$", text[first:start]):
        raise Unfit  # others refer to its anchor
    if place.flow:
        return _Splice(start, end, as_flow(wanted))
    room = WIDTH - (start - first)
    if text[first:start].strip():
        value = _value(wanted, place.column, flow=False, room=room)
        if not value.startswith("\n"):
            return _Splice(start, end, value.removeprefix(" "))
        return _below(text, len(text[:start].rstrip()), end, value)
    start = len(text[:start].rstrip())  # a block begins on a line of its own: back to the colon before it
    return _Splice(start, end, _value(wanted, place.column, flow=False, room=room))


def _value(value: Value, column: int, *, flow: bool, room: int) -> str:
    """Return what stands after a colon or dash, beginning with a blank or a line break."""
    if not flow and isinstance(value, str) and "\n" in value:
        head, *lines = as_block({"x": value}, " " * column)
        return head.strip().removeprefix("x:") + "".join(f"\n{line}" for line in lines)
    short = as_flow(value)
    nested = isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values())
    if flow or not isinstance(value, Mapping | list) or not value or (len(short) <= room and not nested):
        return f" {short}"
    return "".join(f"\n{line}" for line in as_block(value, " " * (column + INDENT)))

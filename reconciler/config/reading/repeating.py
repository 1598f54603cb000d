"""`for_each`: one declaration that stands for several, alike but for `${each.key}` and `${each.value}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence
from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import Nested

FOR_EACH = "for_each"
EACH = re.compile(r"\$\$\{|\$\{each\.(key|value)(?:\.([A-Za-z0-9_-]+))?\}")
"""`${each.key}`, `${each.value}`, and `${each.value.x}` where the values are maps; `$${` is a literal `${`."""


class Each(NamedTuple):
    """One of the things that a declaration is repeated for. Of a list, key and value are the same."""

    key: str | int
    value: Any

    def __call__(self, match: re.Match[str]) -> Any:
        """Return what an expression stands for; as it is written where it stands for nothing."""
        whole, part, name = match.group(), match.group(1), match.group(2)
        if part is None:
            return whole
        filler = self.key if part == "key" else self.value
        if name is None:
            return whole if isinstance(filler, dict) else filler
        return filler[name] if isinstance(filler, dict) and name in filler else whole


def _repeats(text: str) -> bool:
    return "${" in text and any(match.group(1) for match in EACH.finditer(text))


def expanded(kind: Kind, entries: Mapping[str, Entry], kinds: Kinds, scope: Scope) -> dict[str, Entry]:
    """Return the entries of a section with each `for_each` replaced by what it stands for, nested ones too."""
    by_name: dict[str, Entry] = {}
    nested = kind.marked(Nested)
    for key, entry in entries.items():
        for name, instance in _instances(key, entry, scope):
            if name in by_name:
                first = by_name[name].key.spot.position
                message = f"the key `{name}` is declared twice"
                scope.problems.error("twin-keys", message, instance.key.spot, f"the first is at {first}")
                continue
            by_name[name] = _with_nested(instance, nested, kinds, scope) if nested else instance
    return by_name


def _instances(key: str, entry: Entry, scope: Scope) -> Iterator[tuple[str, Entry]]:
    whole = entry.value
    parts = whole.entries if isinstance(whole, Map) else {}
    if not isinstance(whole, Map) or FOR_EACH not in parts:
        if _repeats(key):
            hint = f"add `{FOR_EACH}: [...]` to it"
            scope.problems.error("for-each", f"`{key}` does not say what to repeat for", entry.key.spot, hint)
        else:
            yield key, entry
        return
    if not _repeats(key):
        message = f"`{key}` is repeated, and every copy needs a key of its own"
        scope.problems.error("for-each", message, entry.key.spot, "write ${each.key} or ${each.value} into the key")
        return
    rest = {name: part for name, part in parts.items() if name != FOR_EACH}
    for value in _values(parts[FOR_EACH], scope):
        node = Map(whole.source, whole.line, whole.column, rest, whole.size)
        copy = Entry(_filled_key(entry.key, value), _filled(node, value))
        yield copy.key.text, copy


def _values(entry: Entry, scope: Scope) -> list[Each]:
    data = scope.data(entry.value)
    if id(entry.value) in scope.spoiled:
        return []
    if isinstance(data, list) and all(isinstance(item, str | int) and not isinstance(item, bool) for item in data):
        return [Each(item, item) for item in data]
    if isinstance(data, dict) and all(map(_plain, data.values())):
        return [Each(key, item) for key, item in data.items()]
    message = f"`{FOR_EACH}` takes a list of texts or whole numbers, or a map of values or of maps of values"
    hint = f"for example `{FOR_EACH}: [de, fr]`, or `{FOR_EACH}: {{de: Germany, fr: France}}`"
    scope.problems.error("for-each", message, entry.spot, hint)
    return []


def _plain(value: Any) -> bool:
    """Return whether a value of the map can be filled in: a scalar, or a map of scalars."""
    inside = value.values() if isinstance(value, dict) else [value]
    return all(item is not None and not isinstance(item, dict | list) for item in inside)


def _with_nested(entry: Entry, nested: Mapping[str, Nested], kinds: Kinds, scope: Scope) -> Entry:
    node = entry.value
    if not isinstance(node, Map):
        return entry
    entries = dict(node.entries)
    for name, mark in nested.items():
        inner = entries.get(name)
        if inner is not None and isinstance(inner.value, Map):
            children = expanded(kinds[mark.kind], inner.value.entries, kinds, scope)
            place = inner.value
            entries[name] = Entry(inner.key, Map(place.source, place.line, place.column, children, place.size))
    return Entry(entry.key, Map(node.source, node.line, node.column, entries, node.size))


def _filled_key(key: Scalar, value: Each) -> Scalar:
    text = _replaced(key.text, value)
    return Scalar(key.source, key.line, key.column, text, key.plain, text)


def _filled(node: Node, value: Each) -> Node:
    """Return a copy of a tree with the value filled in; a text that is nothing else becomes the value itself."""
    if isinstance(node, Scalar):
        if not isinstance(node.value, str) or not _repeats(node.value):
            return node
        alone = EACH.fullmatch(node.value)
        whole = value(alone) if alone is not None else _replaced(node.value, value)
        return Scalar(node.source, node.line, node.column, node.text, node.plain, whole)
    if isinstance(node, Sequence):
        items = [_filled(item, value) for item in node.items]
        return Sequence(node.source, node.line, node.column, items, node.size)
    entries: dict[str, Entry] = {}
    for entry in node.entries.values():
        key = _filled_key(entry.key, value)
        entries[key.text] = Entry(key, _filled(entry.value, value))
    return Map(node.source, node.line, node.column, entries, node.size)


def _replaced(text: str, value: Each) -> str:
    def filled(match: re.Match[str]) -> str:
        filler = value(match)
        return str(filler).lower() if isinstance(filler, bool) else str(filler)

    return EACH.sub(filled, text)

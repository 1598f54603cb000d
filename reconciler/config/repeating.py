"""`for_each`: one declaration that stands for several, alike but for `${each.value}`. There is no other logic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.interpolation import Scope
from reconciler.config.nodes import Entry, Map, Node, Scalar, Sequence
from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import Nested

FOR_EACH = "for_each"
_EACH = re.compile(r"\$\$\{|\$\{each\.value\}")
_WRITTEN = "${each.value}"


def expanded(kind: Kind, entries: Mapping[str, Entry], kinds: Kinds, scope: Scope) -> dict[str, Entry]:
    """Return the entries of a section with each `for_each` replaced by what it stands for, nested ones too."""
    found: dict[str, Entry] = {}
    nested = {name: mark for name, one in kind.attributes.items() if (mark := one.mark(Nested)) is not None}
    for key, entry in entries.items():
        for name, one in _instances(key, entry, scope):
            if name in found:
                first = found[name].key.spot.position
                message = f"the key `{name}` is declared twice"
                scope.problems.error("twin-keys", message, one.key.spot, f"the first is at {first}")
                continue
            found[name] = _with_nested(one, nested, kinds, scope) if nested else one
    return found


def _instances(key: str, entry: Entry, scope: Scope) -> Iterator[tuple[str, Entry]]:
    whole = entry.value
    parts = whole.entries if isinstance(whole, Map) else {}
    if not isinstance(whole, Map) or FOR_EACH not in parts:
        if _WRITTEN in key:
            hint = f"add `{FOR_EACH}: [...]` to it"
            scope.problems.error("for-each", f"`{key}` does not say what to repeat for", entry.key.spot, hint)
        else:
            yield key, entry
        return
    if _WRITTEN not in key:
        message = f"`{key}` is repeated, and every copy needs a key of its own"
        scope.problems.error("for-each", message, entry.key.spot, f"write {_WRITTEN} into the key")
        return
    rest = {name: one for name, one in parts.items() if name != FOR_EACH}
    for value in _values(parts[FOR_EACH], scope):
        node = Map(whole.source, whole.line, whole.column, rest, whole.size)
        copy = Entry(_filled_key(entry.key, value), _filled(node, value))
        yield copy.key.text, copy


def _values(entry: Entry, scope: Scope) -> list[Any]:
    data = scope.data(entry.value)
    if id(entry.value) in scope.spoiled:
        return []
    if isinstance(data, list) and all(isinstance(one, str | int) and not isinstance(one, bool) for one in data):
        return data
    message = f"`{FOR_EACH}` takes a list of texts or whole numbers"
    scope.problems.error("for-each", message, entry.spot, f"for example `{FOR_EACH}: [de, fr]`")
    return []


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


def _filled_key(key: Scalar, value: object) -> Scalar:
    text = _replaced(key.text, value)
    return Scalar(key.source, key.line, key.column, text, key.plain, text)


def _filled(node: Node, value: object) -> Node:
    """Return a copy of a tree with the value filled in; a text that is nothing else becomes the value itself."""
    if isinstance(node, Scalar):
        if not isinstance(node.value, str) or _WRITTEN not in node.value:
            return node
        whole = value if node.value == _WRITTEN else _replaced(node.value, value)
        return Scalar(node.source, node.line, node.column, node.text, node.plain, whole)
    if isinstance(node, Sequence):
        items = [_filled(item, value) for item in node.items]
        return Sequence(node.source, node.line, node.column, items, node.size)
    entries: dict[str, Entry] = {}
    for entry in node.entries.values():
        key = _filled_key(entry.key, value)
        entries[key.text] = Entry(key, _filled(entry.value, value))
    return Map(node.source, node.line, node.column, entries, node.size)


def _replaced(text: str, value: object) -> str:
    return _EACH.sub(lambda match: match.group() if match.group() == "$${" else str(value), text)

"""Overlays are RFC 7396 merge patches: the test vectors of its appendix A, and the example of section 3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence, Source, is_null, merge_patch
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.places import written
from reconciler.config.reading.problems import Problems

SOURCE = Source("a.yaml", "")
# original, patch, result: appendix A of RFC 7396, in its order.
VECTORS: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
ARTICLE = (
    {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    },
    {"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": None}, "tags": ["example"]},
    {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    },
)


def tree(data: Any) -> Node:
    """Return data as a tree, every node at the beginning of the file."""
    if isinstance(data, dict):
        entries = {name: Entry(Scalar(SOURCE, 0, 0, name, True, name), tree(item)) for name, item in data.items()}
        return Map(SOURCE, 0, 0, entries)
    if isinstance(data, list):
        return Sequence(SOURCE, 0, 0, [tree(item) for item in data])
    return Scalar(SOURCE, 0, 0, json.dumps(data), True, data)


@pytest.mark.parametrize(("original", "patch", "result"), [*VECTORS, ARTICLE], ids=lambda one: json.dumps(one)[:40])
def test_the_vectors_of_the_standard(original: Any, patch: Any, result: Any) -> None:
    """Maps merge, null removes, anything else replaces; what was merged stays as it was."""
    base = tree(original)
    assert written(merge_patch(base, tree(patch))) == result
    assert written(base) == original


def test_the_vectors_survive_yaml() -> None:
    """The same from files: JSON is YAML, and a null in any spelling is null."""
    for original, patch, result in VECTORS:
        problems = Problems()
        trees = [(parse(Source("a.yaml", json.dumps(one)), problems) or [])[0] for one in (original, patch)]
        assert written(merge_patch(*trees)) == result
    spelled = (parse(Source("a.yaml", "a: ~\nb: Null\nc:\n"), Problems()) or [])[0]
    assert isinstance(spelled, Map)
    assert all(is_null(entry.value) for entry in spelled.entries.values())
    assert written(merge_patch(tree({"a": 1, "b": 2, "c": 3, "d": 4}), spelled)) == {"d": 4}

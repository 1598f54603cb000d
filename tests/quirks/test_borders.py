"""The border between an account and the program: what is no id, path or type is refused there, for every kind."""

from __future__ import annotations

import ast
import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.engine.refresh import refresh
from reconciler.model.errors import AmbiguousResponse
from reconciler.model.http import NoPath, Response, at, delete, get, segment
from reconciler.model.live import Collection
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.resources import load_kinds
from tests.quirks.strange import Strange

pytestmark = pytest.mark.off_contract("bodies and paths stand for any")

KINDS = load_kinds()
NO_IDS: list[Any] = [
    "1?x=",
    "../tags/2",
    "..",
    ".",
    "",
    "1#",
    "1 2",
    "1%2F2",
    None,
    True,
    1.5,
    -1,
    [1],
    {"id": 1},
    "9" * 40,
    "\ud800",
]
STRANGE_TEXTS = ("1?x=", "../tags/2", "1#", "1 2", "1%2F2", "9" * 40)
ODD: list[Any] = [
    None,
    True,
    False,
    "",
    "x",
    "0",
    [],
    {},
    [[]],
    [None],
    {"0": 1},
    {"a": {"b": [1]}},
    -1,
    1.5,
    10**30,
    float("inf"),
    float("nan"),
    "9" * 5000,
    "\ud800",
    "1?x=",
]


@pytest.mark.parametrize(
    "wrong", [None, True, False, 1.5, -1, [], {}, "", ".", "..", "a\nb", "\ud800", "x" * 501, 10**19]
)
def test_what_is_no_id_comes_into_no_path(wrong: Any) -> None:
    """Neither a path nor the id of a create is made of it."""
    with pytest.raises(NoPath):
        at("/tags", wrong)
    with pytest.raises(AmbiguousResponse):
        Response(201, {"tag": {"id": wrong}}).created("tag")


@pytest.mark.parametrize("text", ["1?x=", "1#a", "a/b", "a/../b", "%2e%2e", "My event", "é", "a&b=c", "1\\2"])
def test_an_id_stays_one_segment(text: str) -> None:
    """Whatever it holds, a path has as many segments and no query more."""
    path = delete(at("/eventTrackingEvents", text)).path
    assert path.count("/") == 2
    assert not set("?#\\ ") & set(path)


@pytest.mark.parametrize(
    "path",
    [
        "tags",
        "/tags?x=1",
        "/tags/..",
        "/tags/../users",
        "/tags//1",
        "/tags/",
        "/tags#a",
        "/a b",
        "//host/x",
        "/tags/%zz",
        "/a\\b",
    ],
)
def test_a_request_goes_nowhere_else(path: str) -> None:
    """A path with a query, a way up or an empty segment is refused before it is sent."""
    with pytest.raises(NoPath):
        get(path)


def _formatted(root: Path) -> Iterator[str]:
    """Find what puts values into paths by itself: texts with a slash next to a value, in calls that make requests."""
    makers = {"get", "post", "put", "delete", "Request", "Collection", "counted", "counted_rows", "carried", "at"}
    for file in sorted(root.rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in makers:
                first = call.args[1:2] if call.func.id == "Request" else call.args[:1]
                yield from (f"{file.name}:{call.lineno}" for one in first if isinstance(one, ast.JoinedStr | ast.BinOp))


def test_only_the_builder_puts_ids_into_paths() -> None:
    """No kind, flow or reader makes a path of a text and a value; the base of a table's path is no id."""
    root = Path(reconciler.__file__).parent
    found = [
        where for part in ("resources", "engine", "model", "workflow", "planning") for where in _formatted(root / part)
    ]
    assert [where for where in found if not where.startswith("records.py")] == []
    assert segment("a/b") == "a%2Fb"


def _read(kind: str, answers: dict[str, Any]) -> Snapshot:
    remote = Strange({"/users/me": {"user": {"id": "1"}}, "/tags": {"tags": []}, **answers})
    reads = {kind: frozenset[str](), "tag": frozenset[str]()}
    return snapshot(KINDS, reads, asyncio.run(refresh(remote, KINDS, reads)).tables)


def _body(collection: Collection, *rows: Any) -> dict[str, Any]:
    return {collection.key: list(rows), **{side: [] for side in collection.sides}}


PLAIN = sorted(name for name, kind in KINDS.items() if not kind.reading.collections[0].single and name != "tag")


@pytest.mark.parametrize("name", PLAIN)
def test_a_row_with_an_id_that_is_none_makes_its_kind_unknown(name: str) -> None:
    """Only that kind, with the path of the listing: nothing is planned on it, and nothing breaks."""
    collection = KINDS[name].reading.collections[0]
    wrong = [
        one for one in NO_IDS if one not in {"number": (), "word": ("9" * 40,), "text": STRANGE_TEXTS}[collection.ids]
    ]
    for one in wrong:
        seen = _read(name, {collection.path: _body(collection, {collection.identity: one})})
        assert collection.path in seen.unknown[name], one
        assert "tag" in seen.lives


@pytest.mark.parametrize("name", PLAIN)
def test_a_property_of_another_type_never_breaks_a_run(name: str) -> None:
    """Each property in twenty odd forms: the object is read or its kind is unknown, and the tags are read."""
    kind, collection = KINDS[name], KINDS[name].reading.collections[0]
    rolls = random.Random(name)
    reads = sorted(
        {one.read for one in kind.attributes.values() if one.read} | {"fields", "relationships", "labels", "links"}
    )
    for one in ODD:
        row = {collection.identity: "1", **dict.fromkeys(rolls.sample(reads, min(3, len(reads))), one)}
        seen = _read(name, {collection.path: _body(collection, row)})
        assert (name in seen.lives) != (name in seen.unknown), one
        assert "tag" in seen.lives


@pytest.mark.parametrize("name", PLAIN)
def test_a_structure_for_a_text_is_unknown_and_never_empty(name: str) -> None:
    """A map where a text, a flag, a number or a reference is documented is told with the path and the row."""
    for attribute in KINDS[name].attributes.values():
        if attribute.shape not in ("text", "flag", "number", "ref") or not attribute.read:
            continue
        with pytest.raises(ValueError, match=attribute.name):
            attribute.decode({"a": "b"})


def test_parts_of_a_schema_as_a_map_are_the_same_schema() -> None:
    """Maps of numbers are lists (row 53), texts that are numbers are numbers; nobody knows what other maps are."""
    part = {"id": "seat", "type": "number", "labels": {"singular": "S", "plural": "S"}, "scale": "0"}
    row = {"id": "u-1", "slug": "ticket", "labels": {"singular": "T", "plural": "T"}, "fields": [part]}
    plain, mapped, odd = (
        _read("custom_object", {"/customObjects/schemas": {"schemas": [{**row, "fields": fields}]}})
        for fields in ([{**part, "scale": 0}], {"3": part}, {"seat": part})
    )
    assert plain.lives["custom_object"][0].attrs == mapped.lives["custom_object"][0].attrs
    (other,) = odd.lives["custom_object"]
    assert ("fields" in other.attrs, other.odd, other.attrs["slug"]) == (False, {"fields": "fields"}, "ticket")

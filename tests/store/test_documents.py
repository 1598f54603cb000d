"""The program's own documents: read the same with and without a tree of them, and parts that share what they can."""

from __future__ import annotations

import copy
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.documents import Lean, outermost, read_document, read_json, written
from reconciler.model.garbage import LARGE
from reconciler.model.run import RunRecord
from reconciler.model.state import Binding, State
from reconciler.store.formats import dump_state, parse_state

SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=8,
)


@st.composite
def contents(draw: st.DrawFn) -> str:
    """A document, sometimes truncated, with a member twice, or with half of a character."""
    text = json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()))
    text = draw(st.sampled_from([text, text.replace('"b":', '"a":'), f'{{"a": {text}, "c": "\\ud83d"}}']))
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def _read(read: Any, text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        return type(error)


@given(contents())
def test_nothing_is_read_that_is_no_document(text: str) -> None:
    """Whatever is refused when a tree is made is refused when none is, and scalar members are the same."""
    whole, outer = _read(read_json, text), _read(outermost, text)
    if isinstance(whole, type) or isinstance(outer, type):
        assert whole == outer, text
    elif isinstance(whole, dict):
        assert outer.keys() == whole.keys(), text
        assert all(outer[name] == value for name, value in whole.items() if not isinstance(value, dict | list)), text
    else:
        assert outer == {}, text


FULL = {
    "id": "1",
    "kind": "tag",
    "natural_key": ["name", "One"],
    "applied": {"name": "One"},
    "digests": {"name": "x"},
    "depends_on": ["tag.two"],
}


@pytest.mark.parametrize("members", [{"id": "1", "kind": "tag"}, FULL])
def test_parts_of_documents_are_as_they_would_be_alone(members: dict[str, Any]) -> None:
    """A part that shares its names and what is empty says what it was given, also once it was written, read, copied."""
    made = Binding(**members)
    said = made.model_dump()
    assert {name: said[name] for name in members} == members
    state = State(lineage="x", resources={"tag.one": made})
    again = read_document(State, state.model_dump_json()).resources["tag.one"]
    for other in (again, copy.deepcopy(made), made.model_copy(), Binding(**said)):
        assert other == made
        assert other.model_dump() == said
    changed = made.model_copy(update={"spares": ["7"], "run": "r"})
    assert (changed.model_dump(), made.model_dump()) == ({**said, "spares": ["7"], "run": "r"}, said)


def test_what_is_empty_in_all_parts_stays_so() -> None:
    """Nobody writes into what thousands of parts share; what a part has of its own can be changed, as anywhere."""
    one = Binding(id="1", kind="tag", applied={"name": "One"})
    for write in (
        lambda: one.rewritten.update(a=1),
        lambda: one.rewritten.__setitem__("a", 1),
        lambda: one.rewritten.setdefault("a", 1),
        lambda: one.rewritten.__ior__({"a": 1}),
        lambda: one.spares.append("1"),
        lambda: one.spares.extend(["1"]),
        lambda: one.spares.insert(0, "1"),
        lambda: one.spares.__iadd__(["1"]),
        lambda: one.spares.__setitem__(slice(0, 0), ["1"]),
    ):
        with pytest.raises(TypeError, match="share"):
            write()
    one.applied["name"] = "Two"
    two = Binding(id="2", kind="tag")
    assert (two.rewritten, two.spares, two.applied, one.applied) == ({}, [], {}, {"name": "Two"})


def test_parts_take_the_room_of_their_values() -> None:
    """Two bindings without anything share what is empty and the names of their members."""
    one, two = Binding(id="1", kind="tag"), read_document(Binding, '{"id": "2", "kind": "tag", "digests": {}}')
    assert one.digests is two.digests is one.applied
    assert one.spares is two.depends_on
    several = [Binding(id=str(number), kind="tag") for number in range(40)]  # Python finds out how many names there are
    assert vars(several[-1]).__sizeof__() < dict(vars(one), more=1).__sizeof__() / 2


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_memory_is_given_back_after_large_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """The C library is asked once for each large state that is read, and not where it has no such thing to ask for."""
    asked: list[int] = []
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace(malloc_trim=asked.append))
    small = State(lineage="x", resources={"tag.one": Binding(id="1", kind="tag")})
    large = State(lineage="x", resources={f"tag.t{number}": Binding(id="1", kind="tag") for number in range(4_000)})
    assert len(dump_state(large)) > LARGE > len(dump_state(small))
    for state, times in ((small, 0), (large, 1)):
        assert parse_state(dump_state(state), "x") == state
        assert len(asked) == times
    monkeypatch.setattr("ctypes.CDLL", lambda _: SimpleNamespace())
    assert parse_state(dump_state(large), "x") == large


def test_documents_are_written_as_pydantic_writes_them() -> None:
    """What is written is the indented JSON with a line end, also of texts beyond ASCII and of members left out."""
    state = State(lineage="ä\n☃", resources={"tag.one": Binding(id="1", kind="tag", applied={"name": "\u2028"})})
    for document in (state, RunRecord(name="r", operation="apply"), PlanDocument()):
        assert written(document) == (document.model_dump_json(indent=2) + "\n").encode(), type(document)
        assert read_document(type(document), written(document)) == document


def test_no_part_takes_more_room_than_a_copy_of_it() -> None:
    """Names are shared by up to thirty members; what has more, as a change of a plan, has no gaps for more to come."""
    change = ChangeView(address="tag.vip", kind="tag", action="create")
    binding = Binding(id="1", kind="tag")
    assert len(binding.__dict__) <= 30 < len(change.__dict__)
    for part in (change, change.model_copy(update={"id": "7"}), binding):
        assert sys.getsizeof(part.__dict__) <= sys.getsizeof(dict(part.__dict__.items()))


def test_parts_of_one_class_share_names_and_no_values() -> None:
    """A class that adds nothing, and one that adds a member, have parts of their own; none holds what another does."""

    class One(Lean):
        a: list[int]
        b: dict[str, int] = Field(default_factory=dict)

    class Same(One):
        a: list[int] = Field(default_factory=lambda: [9])

    class More(One):
        c: str = "c"

    texts = ['{"a": [1], "b": {}}', '{"a": [], "b": {"x": 2}}', '{"a": [3]}']
    parts = [(model, text, model.model_validate_json(text)) for text in texts for model in (One, More, Same)]
    for model, text, part in parts:
        expected = {"b": {}, **json.loads(text), **({"c": "c"} if model is More else {})}
        assert part.model_dump() == expected, (model, text)
        assert list(part.__dict__) == list(model.model_fields), (model, text)
    lacking: Any = One.model_construct
    assert list(lacking(b={}).__dict__) == ["b"], "what is not there is not made up"

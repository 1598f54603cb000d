"""What follows from a kind is computed once for a process, and is what it would be each time."""

from __future__ import annotations

from copy import copy
from typing import Annotated, get_args

import pytest

from reconciler.model.spec import Ensure, Once, RefTo, WriteOnly, attributes
from reconciler.resources import load_kinds

KINDS = load_kinds()
SCALARS = ("", "text", "(sensitive)", "0", 0, 1, -7, 2**60, 0.0, 0.5, 1.25, True, False, None)


@pytest.mark.parametrize("name", KINDS)
def test_marks_are_those_of_the_attributes(name: str) -> None:
    """Whoever asks a kind for the attributes with a mark gets those that carry it."""
    kind = KINDS[name]
    for mark in (Ensure, Once, RefTo, WriteOnly):
        carried = {one.name: one.mark(mark) for one in kind.attributes.values() if one.has(mark)}
        assert dict(kind.marked(mark)) == carried
    declared = {key for spec in (kind.variants.values() or (kind.spec,)) for key in attributes(spec)}
    assert declared <= kind.attributes.keys()
    assert kind.attributes is kind.attributes


@pytest.mark.parametrize("name", KINDS)
def test_a_scalar_fits_by_its_type_alone(name: str) -> None:
    """What is known of the types of scalars is what looking at each value says; of an unknown attribute nothing is."""
    kind = KINDS[name]
    for attribute in [*kind.attributes, "no_such_attribute"]:
        for value in SCALARS:
            assert kind.holds(attribute, value) == kind._holds(attribute, value), (attribute, value)
    assert "no_such_attribute" not in kind._scalars


@pytest.mark.parametrize("name", KINDS)
def test_rows_are_decoded_by_what_is_answered_and_kept(name: str) -> None:
    """The decoders of a kind are those of the attributes that answers have, without what is only sent."""
    kind = KINDS[name]
    read = {one.name: one.read for one in kind.attributes.values() if one.read and not one.has(WriteOnly, Once)}
    assert {attribute: found for attribute, found, _ in kind._decoders} == read


def test_what_a_mark_says_is_said_by_its_type_too() -> None:
    """Marks of two types with the same words are two: `typing` would put the first in place of the other."""
    attribute = (one for kind in KINDS.values() for one in kind.attributes.values())
    types = {type(mark) for one in attribute for mark in one.marks if type(mark).__module__ == Ensure.__module__}
    marks = [kind(*["x"] * len(getattr(kind, "_fields", ()))) for kind in types - {RefTo}]
    assert len(marks) > 20
    for mark in marks:
        assert [other for other in marks if other == mark] == [mark]
        assert [other for other in marks if other != mark] == [other for other in marks if other is not mark]
        assert (mark, hash(mark)) == (copy(mark), hash(copy(mark)))
        assert type(get_args(Annotated[str, mark])[1]) is type(mark)

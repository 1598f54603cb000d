"""Data classes of our own mean what those of the standard library mean."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.model import records

OPTIONS = [
    {"frozen": frozen, "slots": slots, "eq": eq, "order": order, "kw_only": kw_only}
    for frozen, slots, eq, order, kw_only in itertools.product([False, True], repeat=5)
    if eq or not order
]


def pair(options: dict[str, bool]) -> list[type]:
    """Return one class made by the standard library and by ours, and each one's class below it."""

    def make(decorator: Callable[..., Any]) -> tuple[type, type]:
        @decorator(**options)
        class Point:
            """A point."""

            put: Any
            y: Any = 2
            absent: list[int] = dataclasses.field(default_factory=list)
            shade: Any = dataclasses.field(default=None, compare=False, repr=False)
            label: str = dataclasses.field(default="", hash=False)
            total: Any = dataclasses.field(init=False, repr=False, compare=False)
            fixed: int = dataclasses.field(init=False, default=7)

            def __post_init__(self) -> None:
                object.__setattr__(self, "total", [self.put, self.y])

        @decorator(**options)
        class Below(Point):
            """With one more."""

            z: Any = 3

        return Point, Below

    return [*make(dataclasses.dataclass), *make(records.dataclass)]


def outcome(run: Callable[[], object]) -> object:
    """Return what came of it, errors as their class and text."""
    try:
        return run()
    except Exception as error:  # noqa: BLE001 - whichever it is, both are to have the same
        return type(error), str(error)


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1,), {}),
    ((), {"put": 1}),
    ((), {"put": 1, "y": 1, "absent": [1], "shade": 9, "label": "l"}),
    ((1, 1, [1], 8, "l"), {}),
    ((1, 2, [], None, "other"), {}),
    ((1,), {"total": 4}),
    ((), {"put": float("nan")}),
    (({},), {"y": None}),
    ((1, 2, 3, 4, 5, 6, 7, 8), {}),
]


def same_hash(one: object, other: object) -> bool:
    """Return whether two objects have one hash."""
    return hash(one) == hash(other)


def replaced(one: Any) -> str:
    """Return the object with another y, as text."""
    return repr(dataclasses.replace(one, y=0))


def behaviour(made: Any) -> list[object]:
    """Return what comes of everything that is done with objects of a class."""
    tried = [outcome(functools.partial(made, *positional, **named)) for positional, named in CALLS]
    objects: list[Any] = [one for one in tried if not isinstance(one, tuple)]
    assert objects
    found: list[object] = [one if isinstance(one, tuple) else repr(one) for one in tried]
    for left, right in itertools.product(objects, repeat=2):
        compared: tuple[Callable[[Any, Any], Any], ...] = (
            operator.eq,
            operator.ne,
            operator.lt,
            operator.le,
            operator.gt,
            operator.ge,
        )
        found += [outcome(functools.partial(compare, left, right)) for compare in compared]
    found.append(outcome(functools.partial(compared[2], objects[0], object())))
    for one in objects:
        twin = copy.deepcopy(one)
        found += [one.total, hasattr(one, "__dict__"), repr(twin), outcome(functools.partial(same_hash, one, twin))]
        found += [outcome(functools.partial(replaced, one))]
        found += [outcome(functools.partial(setattr, twin, "y", 5)), twin.y]
        found += [outcome(functools.partial(delattr, twin, "label")), hasattr(twin, "label")]
    return [*found, made.__match_args__, [one.name for one in dataclasses.fields(made)], made.__doc__]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda one: "-".join(k for k, v in one.items() if v) or "none")
def test_our_classes_do_what_those_of_the_standard_library_do(options: dict[str, bool]) -> None:
    """In every way that they can be made, one below another, and with wrong arguments."""
    theirs, below, ours, ours_below = pair(options)
    assert behaviour(ours) == behaviour(theirs)
    assert behaviour(ours_below) == behaviour(below)


@records.dataclass(frozen=True, slots=True)
class Kept:
    """What can be pickled has a name in its module."""

    x: int
    y: str = ""


def test_frozen_objects_with_slots_are_copied_and_pickled() -> None:
    """Although nothing can be put into them."""
    for copied in (copy.copy(Kept(1, "a")), copy.deepcopy(Kept(1, "a")), pickle.loads(pickle.dumps(Kept(1, "a")))):
        assert copied == Kept(1, "a")


def test_methods_that_a_class_writes_itself_are_kept() -> None:
    """Also those that a data class has of its own."""

    @records.dataclass(frozen=True)
    class Own:
        """With methods of its own."""

        x: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 3

    assert (repr(Own(1)), Own(1) == 4, hash(Own(1))) == ("own", True, 3)


def test_an_object_inside_itself_can_be_shown() -> None:
    """Without an end to it."""

    @records.dataclass
    class Ring:
        """May hold itself."""

        inside: Any = None

    ring = Ring()
    ring.inside = ring
    assert repr(ring).endswith("Ring(inside=...)")

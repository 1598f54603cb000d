"""Tests: offline, in parallel, in random order; each test states a behaviour in its docstring."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import pytest

from reconciler.model import records

# Every worker imports every test: what one has compiled, the others take, also where an environment says otherwise.
sys.dont_write_bytecode = False
# Modules beside the tests that assert for them: their assertions say what differs, too.
pytest.register_assert_rewrite("tests.world", "tests.conformance")

T = TypeVar("T")


def _refusing(make: Callable[[type[T]], type[T]]) -> Callable[[type[T]], type[T]]:
    """Return what makes a record that fails when it is compared: the program takes any two of them for different."""

    def equal(self: object, other: object) -> bool:
        if self is not other and type(self) is type(other):
            raise AssertionError(f"two {type(self).__name__} are compared: what is compared is a data class")
        return self is other

    @wraps(make)
    def decorate(cls: type[T]) -> type[T]:
        made = make(cls)
        setattr(made, "__eq__", equal)  # noqa: B010
        setattr(made, "__hash__", object.__hash__)  # noqa: B010
        return made

    return decorate


for name in ("record", "mutable"):
    setattr(records, name, _refusing(getattr(records, name)))

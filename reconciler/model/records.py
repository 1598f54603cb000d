"""Classes of named members that are neither compared nor printed: each object is itself.

A data class writes up to eight methods as text and compiles them, at every start of the program. Of most classes only
`__init__` is ever called, so only that is made: 0.2 ms in place of 0.7 for a class. What is compared or is a key stays
a data class or a named tuple (decision 0443).
"""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a class whose members stay as they were given: the type checker refuses assignments, nothing does when the
    program runs. It has slots; `dataclasses.replace` and `fields` know it.
    """
    return dataclass(eq=False, repr=False, slots=True)(cls)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def mutable(cls: type[T]) -> type[T]:
    """Make a class whose members change, or which does something with what it was given."""
    return dataclass(eq=False, repr=False)(cls)

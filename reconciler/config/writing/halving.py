"""Finding out which edits files cannot be read with: halves are tried until it is known whose fault it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def fitting(items: Sequence[T], wrong: Callable[[Sequence[T]], str]) -> tuple[list[T], dict[T, str]]:
    """Return the items that can all be there together, and why each of the others cannot: earlier ones come first.
    `wrong` returns why some cannot be there together, "" where they can; a fault is found in few tries of many items.
    """
    kept: list[T] = []
    faults: dict[T, str] = {}

    def settle(rest: Sequence[T]) -> None:
        why = wrong([*kept, *rest])
        if not why:
            kept.extend(rest)
        elif len(rest) == 1:
            faults[rest[0]] = why
        else:
            middle = len(rest) // 2
            settle(rest[:middle])
            settle(rest[middle:])

    if items:
        settle(items)
    return kept, faults

"""The fewest new numbers that bring numbered things into the declared order: stages of a board, options of a field,
members of a field group. No kind lives here.

Only the relative order counts, and gaps are legal (section 8.1). So are equal numbers of neighbours, which the account
then shows by id. Numbers begin at 1: a 0 might be taken for "not given". A first one at 0 may stay there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Held = tuple[int | None, str] | None
"""The number that something has now, and its id; None for what is not there, or cannot stay."""


def kept(wanted: Sequence[Held]) -> dict[int, int]:
    """Return the numbers that can stay, by place: of the longest chain in which each has room for those between it and
    the one before. Of chains of one length, the one that ends lowest: nearest to numbers as this program makes them.
    """
    best: dict[int, _Chain] = {}
    for index, sibling in enumerate(wanted):
        number, identity = sibling if sibling is not None else (None, "")
        if number is None:
            continue
        longest = _Chain(1, None, number, identity) if number - index >= 1 or index == 0 else None
        for before, chain in best.items():
            if chain.has_room_for(number, identity, index - before):
                longest = _longer(longest, _Chain(chain.length + 1, before, number, identity))
        if longest is not None:
            best[index] = longest
    numbers: dict[int, int] = {}
    cursor = max(best, key=lambda index: (best[index].length, index - best[index].number), default=None)
    while cursor is not None:
        numbers[cursor] = best[cursor].number
        cursor = best[cursor].before
    return numbers


class _Chain(NamedTuple):
    """The longest chain that ends at a place: its length, the place before, and the number and id at its end."""

    length: int
    before: int | None
    number: int
    identity: str

    def has_room_for(self, number: int, identity: str, distance: int) -> bool:
        """Return whether it continues with this number so many places later, with a number for each place between them.
        Neighbours of one number stand in order of their ids.
        """
        if number - self.number >= distance:
            return True
        tied = number == self.number and distance == 1
        return tied and (len(self.identity), self.identity) < (len(identity), identity)


def _longer(longest: _Chain | None, other: _Chain) -> _Chain:
    """Return the longer of two chains, of equal ones the later."""
    return other if longest is None or other.length >= longest.length else longest


def numbered(count: int, stay: Mapping[int, int]) -> list[int]:
    """Return the number of every place: what stays as it is, a new one right after that of the place before."""
    numbers: list[int] = []
    for index in range(count):
        numbers.append(stay.get(index, (numbers[-1] if numbers else 0) + 1))
    return numbers

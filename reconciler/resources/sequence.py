"""The fewest new numbers that bring numbered things into the declared order: stages of a board, options of a field,
members of a field group. No kind lives here.

Only the relative order counts, and gaps are legal (section 8.1). So are equal numbers of neighbours, which the account
then shows by id. Numbers begin at 1: a 0 might be taken for "not given". A first one at 0 may stay there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Held = tuple[int | None, str] | None
"""The number that something has now, and its id; None for what is not there, or cannot stay."""


def kept(wanted: Sequence[Held]) -> dict[int, int]:
    """Return the numbers that can stay, by place: of the longest chain in which each has room for those between it and
    the one before. Of chains of one length, the one that ends lowest: nearest to numbers as this program makes them.
    """
    best: dict[int, tuple[int, int | None, int]] = {}
    for index, held in enumerate(wanted):
        number, identity = held if held is not None else (None, "")
        if number is None:
            continue
        longest: tuple[int, int | None, int] | None = (1, None, number) if number - index >= 1 or index == 0 else None
        for before, (length, _, other) in best.items():
            if (longest is None or length + 1 >= longest[0]) and number - other >= index - before:
                longest = (length + 1, before, number)
        tied = best.get(index - 1)
        if tied is not None and (longest is None or tied[0] + 1 >= longest[0]) and tied[2] == number:
            one = (wanted[index - 1] or (None, ""))[1]
            if (len(one), one) < (len(identity), identity):
                longest = (tied[0] + 1, index - 1, number)
        if longest is not None:
            best[index] = longest
    found: dict[int, int] = {}
    cursor = max(best, key=lambda index: (best[index][0], index - best[index][2]), default=None)
    while cursor is not None:
        found[cursor] = best[cursor][2]
        cursor = best[cursor][1]
    return found


def numbered(count: int, stay: Mapping[int, int]) -> list[int]:
    """Return the number of every place: what stays as it is, a new one right after that of the place before."""
    numbers: list[int] = []
    for index in range(count):
        numbers.append(stay.get(index, (numbers[-1] if numbers else 0) + 1))
    return numbers

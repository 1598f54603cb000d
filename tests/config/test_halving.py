"""Which of several edits cannot be there: against trying every one of them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.writing.halving import fitting


@given(st.integers(0, 20), st.sets(st.integers(0, 19)), st.sets(st.tuples(st.integers(0, 19), st.integers(0, 19))))
def test_what_is_at_fault_alone_or_beside_another_is_found(
    count: int, bad: set[int], clashes: set[tuple[int, int]]
) -> None:
    """The first of two that cannot be together stays; each of the others has a reason."""
    clashes = {(low, high) for low, high in clashes if low < high}

    def wrong(some: Sequence[int]) -> str:
        found = [*(one for one in some if one in bad), *(pair for pair in clashes if {*pair} <= {*some})]
        return str(found[0]) if found else ""

    one_by_one: list[int] = []
    for item in range(count):
        one_by_one += [item] if not wrong([*one_by_one, item]) else []
    kept, faults = fitting(range(count), wrong)
    assert kept == one_by_one
    assert sorted(faults) == [item for item in range(count) if item not in kept]
    assert all(faults.values())

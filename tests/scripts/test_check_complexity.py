"""The check of the complexity of functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_complexity import MOST, functions, known, problems


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A module with a function of 17, and one of 1."""
    branches = "".join(f"    if value == {number}:\n        return {number}\n" for number in range(MOST + 1))
    (tmp_path / "reconciler").mkdir()
    (tmp_path / "reconciler/one.py").write_text(f"def many(value):\n{branches}\n\ndef few():\n    pass\n", "utf-8")
    return tmp_path


def test_a_function_beyond_is_named(clone: Path) -> None:
    """With its place, what it has, and what it may have."""
    assert problems(functions(clone), {}) == [
        "reconciler/one.py:1: many has a complexity of 17, at most 15",
    ]


def test_a_known_one_may_shrink_and_not_grow(clone: Path) -> None:
    """The list says what it had."""
    assert problems(functions(clone), known("# known\nreconciler/one.py many 17\n")) == []
    (line,) = problems(functions(clone), known("reconciler/one.py many 16\n"))
    assert line.endswith("many has a complexity of 17, at most 16")


def test_one_that_is_not_beyond_any_more_leaves_the_list(clone: Path) -> None:
    """So that it cannot grow back."""
    (line,) = problems(functions(clone), {"reconciler/one.py few": 16, "reconciler/one.py many": 17})
    assert "take out `reconciler/one.py few`" in line

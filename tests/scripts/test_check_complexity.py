"""The check of the complexity of functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.check_complexity import MOST, functions, problems


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A module with a function of 17, one of 15, and one of 1."""
    (tmp_path / "reconciler").mkdir()
    many, most = (_branches(count) for count in (MOST + 1, MOST - 1))
    text = f"def many(value):\n{many}\n\ndef most(value):\n{most}\n\ndef few():\n    pass\n"
    (tmp_path / "reconciler/one.py").write_text(text, "utf-8")
    return tmp_path


def _branches(count: int) -> str:
    return "".join(f"    if value == {number}:\n        return {number}\n" for number in range(count))


def test_a_function_beyond_is_named(clone: Path) -> None:
    """With its place, what it has, and what it may have; what has exactly that much is not."""
    assert problems(functions(clone)) == ["reconciler/one.py:1: many has a complexity of 17, at most 15"]

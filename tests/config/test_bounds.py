"""Files that would take memory and time without end are refused with their place."""

from __future__ import annotations

import pytest

from tests.world import World

ALIASES = (
    "x-a: &a ["
    + "1, " * 99
    + "1]\n"
    + "".join(f"x-{name}: &{name} [{', '.join([f'*{before}'] * 100)}]\n" for before, name in ("ab", "bc", "cd"))
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tags: {a: {name: " + "[" * 200_000, "nesting depth"),
        ("tags: " + "{a: " * 5_000 + "1" + "}" * 5_000, "too-deep"),
        (ALIASES + "tags: {a: {name: *d}}\n", "alias-bomb"),
    ],
    ids=["brackets", "maps", "aliases"],
)
def test_depth_and_aliases_are_bounded(world: World, text: str, code: str) -> None:
    """Nested brackets, which crash the parser below, and aliases that multiply."""
    world.write(text)
    ran = world.cli("validate")
    assert (ran.code, code in ran.err) == (3, True), ran.text[:2000]

"""A variable that a broken expression names is used: no warning tells to take it out."""

from __future__ import annotations

import pytest

from tests.world import World

BROKEN = {
    "a for_each over a text": "tags:\n  a:\n    for_each: ${var.word}\n    name: x\n",
    "a for_each with a wrong key": 'tags:\n  a:\n    for_each: ["${var.word}", {a: b}]\n    nam: x\n',
    "a filter": "tags:\n  a: {name: '${var.word | upper}'}\n",
    "blanks": "tags:\n  a: {name: '${ var.word }'}\n",
    "no end": "tags:\n  a: {name: 'x ${var.word'}\n",
    "an unknown section": "tgs:\n  a: {name: '${var.word}'}\n",
    "an unknown attribute": "tags:\n  a: {nam: '${var.word}'}\n",
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_variable_that_something_broken_names_is_used(world: World, broken: str) -> None:
    """The error is told, and nothing of the variable; one that nothing names is still told."""
    world.write("variables:\n  word: {default: w}\n  idle: {default: w}\n" + BROKEN[broken])
    ran = world.cli("validate")
    assert ran.code == 3, ran.text
    assert "nothing uses the variable `word`" not in ran.text, ran.text
    assert "nothing uses the variable `idle`" in ran.text, ran.text

"""Messages that name a kind are English whatever it is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import reconciler
from reconciler.model.grammar import a
from tests.world import World

SOURCES = Path(reconciler.__file__).parent
OURS = ("emulator", "fleet", "probe")
"""Parts that name no kind of the account, or always the same ones."""


@pytest.mark.parametrize("said", ["a tag", "an account field", "an address", "a user group", "a URL", "an automation"])
def test_the_article_fits(said: str) -> None:
    """By the sound at the beginning of the noun."""
    noun = said.partition(" ")[2]
    assert a(noun) == said


def test_no_message_puts_an_article_before_a_kind_by_itself() -> None:
    """It would be `a account field` for one of them."""
    pattern = re.compile(r"\b[Aa]n? \{[^}]*(?:title|kind|called)[^}]*\}")
    found = [
        f"{path.relative_to(SOURCES)}: {line.strip()}"
        for path in sorted(SOURCES.rglob("*.py"))
        if path.relative_to(SOURCES).parts[0] not in OURS
        for line in path.read_text("utf-8").splitlines()
        if pattern.search(line)
    ]
    assert found == []


def test_a_reference_to_another_kind_is_told_in_english(world: World) -> None:
    """In the files, and where nothing of the kind is declared."""
    world.write("tags: {a: {name: A}}\nlists: {b: {name: B, user_groups: [{ref: account_field.x}]}}\n")
    text = " ".join(world.cli("validate").text.split())
    assert "a account_field" not in text

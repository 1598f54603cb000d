"""The page of messages names those that the program prints."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import reconciler

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
MESSAGES = re.findall(r"^### `(.+)`$", PAGE, re.M)
HOLE = "\0"


def templates() -> list[str]:
    """Return every text of the program, with a mark where something is filled in."""
    found = []
    for path in Path(reconciler.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else HOLE for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


TEMPLATES = [text.replace(f"{HOLE} in", "reconciler.yaml in") if HOLE in text else text for text in templates()]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_the_program_prints(message: str) -> None:
    """Word for word, apart from what is filled in."""
    pieces = [re.escape(piece.strip("` ")) for piece in message.split("...")]
    pattern = re.compile(".*".join(pieces), re.S)
    assert any(pattern.search(text) for text in TEMPLATES if len(text) < 400), message


def test_the_page_has_the_messages_of_a_first_day() -> None:
    """It is about many of them, and each section says something."""
    assert len(MESSAGES) >= 20
    assert len(set(MESSAGES)) == len(MESSAGES)
    for section in PAGE.split("\n### ")[1:]:
        assert len(section.split("\n", 1)[1].split()) >= 12, section.splitlines()[0]

"""The page of messages names those that the program prints."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

import reconciler
from tests.world import World

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
MESSAGES = re.findall(r"^### `(.+)`$", PAGE, re.M)
HOLE = "\0"


@functools.cache
def templates() -> list[str]:
    """Return every shorter text of the program, with a mark where something is filled in."""
    found = []
    for path in Path(reconciler.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else HOLE for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return [text.replace(f"{HOLE} in", "reconciler.yaml in") for text in found if len(text) < 400]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_the_program_prints(message: str) -> None:
    """Word for word, apart from what is filled in."""
    pieces = [re.escape(piece.strip("` ")) for piece in message.split("...")]
    pattern = re.compile(".*".join(pieces), re.S)
    assert any(pattern.search(text) for text in templates()), message


PROJECT = """
version: 1
default_environment: demo
environments: {demo: {url: "emulator:a.db"}, live: {url: "${env.URL}", token: "${env.KEY}"}}
"""
MISTAKES = [
    ("tags: {vip: {nam: VIP}}", "plan"), ("tags:\n\tvip: {}", "plan"), ("tag: {vip: {}}", "plan"),
    ("contacts: {ann: {}}", "plan"), ("tags: {vip: {}, other: {name: vip}}", "plan"),
    ("tags: {vip: {}, vip: {}}", "plan"), ("lists: {a: {name: yes}}", "plan"), ("tags: {vip: {name: [A]}}", "plan"),
    ("fields: {a: {title: A, type: text, lists: [news]}}", "plan"), ("tags: {}", "--env live plan"),
    ("tags: {}", "--env prod plan"), ("tags: {}", "plan --target tag.x"), ("tags: {}", "runs show x"),
    ("tags: {}", "undo"), ("tags: {}", "--chdir config plan"),
]  # fmt: skip


def test_the_mistakes_of_a_first_day_are_on_the_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed of each is a heading there."""
    headings = [".*".join(re.escape(piece.strip("` ")) for piece in message.split("...")) for message in MESSAGES]
    world.write(PROJECT, "reconciler.yaml")
    monkeypatch.chdir(world.folder)
    for config, line in MISTAKES:
        world.write(config)
        said = world.cli(*line.split()).err
        first = re.search(r"error: (.+?)(?: \[[\w-]+\])?$", said, re.M)
        assert first is not None, (line, said)
        assert any(re.search(heading, first[1].replace("`", "")) for heading in headings), (config, line, said)


def test_the_page_has_the_messages_of_a_first_day() -> None:
    """It is about many of them, and each section says something."""
    assert len(MESSAGES) >= 20
    assert len(set(MESSAGES)) == len(MESSAGES)
    for section in PAGE.split("\n### ")[1:]:
        assert len(section.split("\n", 1)[1].split()) >= 12, section.splitlines()[0]

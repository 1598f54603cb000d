"""Whole command-line stories as files: what was typed and what was answered, reviewed as text.

`UPDATE_GOLDEN=1 pytest tests/trust` writes them anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.world import World

FOLDER = Path(__file__).with_name("stories")


class Story:
    """Collects commands and their answers. What differs from run to run (folder, digests, times) is replaced."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lines: list[str] = []

    def tell(self, sentence: str) -> None:
        """Add a sentence about what happened in between."""
        self.lines.append(f"# {sentence}")

    def run(self, *argv: str) -> int:
        """Run a command, add it with its answer, and return its exit code."""
        self.world.forget()
        ran = self.world.cli(*argv)
        words = (f"'{word}'" if re.search(r"[\s{}]", word) else word for word in argv)
        self.lines.append(self._plain("$ reconciler " + " ".join(words)))
        self.lines += [self._plain(line) for line in (ran.out + ran.err).splitlines()]
        self.lines.append(f"[exit code {ran.code}, {len(self.world.writes())} writes]\n")
        return ran.code

    def _plain(self, line: str) -> str:
        line = line.replace(str(self.world.folder), "PROJECT")
        line = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", line)
        line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|-05:00)(-[0-9a-f]{6})?", "TIME", line)
        return re.sub(r"\b(in|after) \d+(\.\d+)? s\b", r"\1 N s", line).rstrip()

    def check(self, name: str) -> None:
        """Compare with the approved story."""
        text = "\n".join(self.lines)
        path = FOLDER / f"{name}.txt"
        if os.environ.get("UPDATE_GOLDEN"):
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        assert path.is_file(), f"{path.name} does not exist: UPDATE_GOLDEN=1 pytest tests/trust, then review it"
        assert text == path.read_text("utf-8"), (
            f"{path.name} differs: if that is meant, UPDATE_GOLDEN=1 pytest tests/trust"
        )

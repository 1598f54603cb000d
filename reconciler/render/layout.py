"""Fitting text into columns and colouring it. Only this module knows terminal codes and the width of characters."""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.model.characters import clusters

STEP = 4
INDENT = 6
"""Columns of indent per level, and columns before the mark of the first level."""

_CODES = {
    "add": "32", "change": "33", "destroy": "31", "replace": "31", "adopt": "36", "forget": "35", "move": "36",
    "manual": "35", "refresh": "36", "bold": "1", "faint": "2", "error": "1;31", "warning": "1;33", "note": "36",
    "good": "1;32",
}  # fmt: skip


_CODE = r"\x1b\[[0-9;]*m"


def cells(text: str) -> int:
    """Return how many columns a text takes: wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def wrap(text: str, width: int) -> list[str]:
    """Break a text at blanks into lines of at most `width` columns; a longer word is broken where it must be.

    Blanks inside a line stay as they are. A width under 10 counts as 10.
    """
    width = max(width, 10)
    if cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in re.findall(r"\s*\S+|\s+$", text):
        if cells(line + word) <= width:
            line += word
            continue
        if line:
            lines.append(line)
        line = word.lstrip() if line else word
        while cells(line) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line] if line else lines


def folded(text: str, width: int) -> str:
    """Return a text in which no line is wider than `width`, broken at blanks; what goes on is indented by two more, or
    stands below what is behind `hint:`. A longer word, and a command that stands alone, are left: they are copied.
    """
    return "\n".join(part for line in text.split("\n") for part in _parts(line, width))


def _parts(line: str, width: int) -> list[str]:
    bare = re.sub(_CODE, "", line)
    start = bare.lstrip()
    if cells(bare) <= width or start.startswith(("reconciler ", "export ")):
        return [line]
    indent = " " * min(len(bare) - len(start) + (6 if start.startswith("hint:") else 2), width // 2)
    lines, now = [], ""
    for word in re.findall(r"\s*\S+", line):
        if now and cells(re.sub(_CODE, "", now + word)) > width:
            lines.append(now)
            now = indent + word.lstrip()
        else:
            now += word
    return [*lines, now]


def _head(text: str, width: int) -> str:
    """The longest start of a text that fits."""
    if text.isascii():
        return text[:width]
    head, used = "", 0
    for cluster in clusters(text):
        used += cells(cluster)
        if used > width and head:
            break
        head += cluster
    return head


class Paper(NamedTuple):
    """Where text goes: its width in columns and whether it is coloured."""

    width: int = 80
    colour: bool = False

    def ink(self, tone: str, text: str) -> str:
        """Return `text` in the colour of `tone`; plain on plain paper. A blank tone is not a colour."""
        return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if self.colour and text and tone else text

    def paragraph(self, text: str, *, first: str = "", indent: str = "", tone: str = "") -> list[str]:
        """Return the wrapped lines of `text`: the first after `first`, the others after `indent`, equally wide."""
        room = self.width - cells(indent)
        return [(indent if index else first) + self.ink(tone, line) for index, line in enumerate(wrap(text, room))]

    def noted(self, text: str, note: str, *, first: str, indent: str, tone: str = "") -> list[str]:
        """Return the lines of `text` and its small print: beside it where both fit, else below it."""
        room = self.width - cells(indent)
        lines = [self.ink(tone, line) for line in wrap(text, room)] if text else []
        if note and len(lines) == 1 and cells(text) + 2 + cells(note) <= room:
            lines = [f"{lines[0]}  {self.ink('faint', note)}"]
        elif note:
            lines += [self.ink("faint", line) for line in wrap(note, room)]
        return [(indent if index else first) + line for index, line in enumerate(lines)]

"""Texts of several lines, before and after: what changes with a line around it, and how many lines are as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconciler.render.quoting import clean, quoted

_CONTEXT = 1
_BREAK = "\n"
"""Stands behind the last line of a text that ends with a line break, where the other one does not."""


class Block(NamedTuple):
    """Neighbouring lines of two texts. Where they are `same`, both have the same ones; those in between two blocks are
    only counted, in `unchanged`.
    """

    old: Sequence[str] = ()
    new: Sequence[str] = ()
    same: bool = False
    unchanged: int = 0


class WrittenLine(NamedTuple):
    """A line as it is shown; one on which nothing can be seen has a note in place of it."""

    text: str
    note: str = ""


def blocks(before: str, after: str) -> Iterator[Block]:
    """Yield the lines of two texts from the first one that differs to the last one."""
    import difflib  # few plans change a text of several lines

    ended = before.endswith("\n") and after.endswith("\n")
    old, new = (_split(text, ended=ended) for text in (before, after))
    shown = 0
    matcher = difflib.SequenceMatcher(_says_nothing, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        if group[0][1] > shown:
            yield Block(unchanged=group[0][1] - shown)
        for tag, old_from, old_to, new_from, new_to in group:
            yield Block(old[old_from:old_to], new[new_from:new_to], same=tag == "equal")
        shown = group[-1][2]
    if len(old) > shown:
        yield Block(unchanged=len(old) - shown)


def _says_nothing(line: str) -> bool:
    """Return whether a line looks like many others: that it is there again tells nothing of the lines around it."""
    return not line.strip()


def lines(text: str) -> list[str]:
    """Return the lines of a text that stands alone."""
    return _split(text, ended=text.endswith("\n"))


def _split(text: str, *, ended: bool) -> list[str]:
    """Return the lines of a text. Where both texts end with a line break (`ended`), there is nothing behind it."""
    split = text.split("\n")
    if split[-1] or len(split) == 1:
        return split
    return split[:-1] if ended else [*split[:-1], _BREAK]


def written(line: str) -> WrittenLine:
    """Return a line as it is, in quotes where blanks at its end would not be seen."""
    if line == _BREAK:
        return WrittenLine("", "line break at the end")
    if not line:
        return WrittenLine("", "empty line")
    return WrittenLine(clean(line) if line == line.rstrip() else quoted(line))


def as_before(count: int) -> str:
    """Return what stands in place of lines that do not change."""
    return f"{count:,} {'line' if count == 1 else 'lines'} unchanged"

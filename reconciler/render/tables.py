"""Listings: rows as an aligned table for people or as a JSON array for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from reconciler.render.layout import cells, folded, wrap
from reconciler.render.quoting import clean, literal, to_json

MARGIN = 2
NARROWEST = 10
"""Columns that a cell may be made narrow to, where its words are shorter."""


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    fmt: Literal["text", "json"] = "text",
    width: int | None = None,
) -> str:
    """Return rows as text with a heading, or as JSON; ends with a newline. Where they are wider than `width`, the
    widest cells are broken into lines at blanks; where their words are too long for that, every cell is on a line of
    its own. No word is broken: names and addresses are copied.

    Text shows `columns` in that order, missing members as blanks, and nothing at all when there are no rows. JSON
    carries each row whole, in its own order, and `[]` when there are none.
    """
    if fmt == "json":
        return to_json([dict(row) for row in rows])
    return _aligned(rows, columns, width) if rows else ""


def _aligned(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], width: int | None) -> str:
    grid = [
        [column.replace("_", " ").upper() for column in columns],
        *([_cell(row.get(column)) for column in columns] for row in rows),
    ]
    numeric = [all(_is_number(row.get(column)) for row in rows) for column in columns]
    by_column = [*zip(*grid, strict=True)]
    widths = [max(map(cells, column)) for column in by_column]
    if width is not None:
        least = [
            max(_longest_word(column), min(NARROWEST, wide)) for column, wide in zip(by_column, widths, strict=True)
        ]
        room = width - MARGIN * (len(widths) - 1)
        if sum(least) > room:
            return "".join(_stacked(grid[0], line, width) for line in grid[1:])
        widths = _narrowed(widths, least, room)
    lines = [line for row in grid for line in _broken(row, widths)]
    return "".join(
        "  ".join(_fitted(*cell) for cell in zip(line, widths, numeric, strict=True)).rstrip() + "\n" for line in lines
    )


def _longest_word(column: Sequence[str]) -> int:
    return max((cells(word) for text in column for word in text.split()), default=0)


def _narrowed(widths: list[int], least: list[int], room: int) -> list[int]:
    """Return widths that take no more than `room` together, none below its `least`: the widest shrink first."""
    widths = list(widths)
    while sum(widths) > room:
        widest = max((index for index in range(len(widths)) if widths[index] > least[index]), key=widths.__getitem__)
        below = max([least[widest], *(width for width in widths if width < widths[widest])])
        widths[widest] -= min(widths[widest] - below, sum(widths) - room)
    return widths


def _stacked(heading: Sequence[str], row: Sequence[str], width: int) -> str:
    """Return a row as lines: what it is about, and below that what each further column says of it."""
    lines = [row[0], *(f"  {name.lower()}: {cell}" for name, cell in zip(heading[1:], row[1:], strict=True) if cell)]
    return "".join(f"{folded(line, width)}\n" for line in lines)


def _broken(row: Sequence[str], widths: Sequence[int]) -> Iterator[list[str]]:
    """Yield the lines that a row takes where its cells are broken to these widths."""
    parts = [wrap(cell, size) if cells(cell) > size else [cell] for cell, size in zip(row, widths, strict=True)]
    for number in range(max(map(len, parts))):
        yield [part[number].strip() if number < len(part) else "" for part in parts]


def _cell(value: Any) -> str:
    """A cell's text: scalars as they are, lists with commas, nothing for what is not there."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return literal(value)


def _fitted(text: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - cells(text))
    return blanks + text if to_the_right else text + blanks


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

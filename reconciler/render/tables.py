"""Listings: rows as an aligned table for people or as a JSON array for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from reconciler.render.layout import cells
from reconciler.render.quoting import clean, literal, to_json


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], fmt: Literal["text", "json"] = "text") -> str:
    """Return rows as text with a heading, or as JSON; ends with a newline.

    Text shows `columns` in that order, missing members as blanks, and nothing at all when there are no rows. JSON
    carries each row whole, in its own order, and `[]` when there are none.
    """
    if fmt == "json":
        return to_json([dict(row) for row in rows])
    if not rows:
        return ""
    grid = [
        [column.replace("_", " ").upper() for column in columns],
        *([_cell(row.get(column)) for column in columns] for row in rows),
    ]
    widths = [max(cells(line[index]) for line in grid) for index in range(len(columns))]
    numeric = [
        all(isinstance(row.get(column), int | float) and not isinstance(row.get(column), bool) for row in rows)
        for column in columns
    ]
    return "".join(
        "  ".join(_fitted(*cell) for cell in zip(line, widths, numeric, strict=True)).rstrip() + "\n" for line in grid
    )


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

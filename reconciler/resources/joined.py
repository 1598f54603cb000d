"""What `Kind.rows` joins to the rows of a listing, under names that begin with `_`. No kind lives here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from reconciler.model.live import Row
from reconciler.model.values import Json


def pairs(joined: Json) -> Sequence[tuple[str, str]]:
    """Return pairs of ids: of a relation, and of what it leads to."""
    return cast("Sequence[tuple[str, str]]", joined)


def rows_of(joined: Json) -> Sequence[Row]:
    """Return rows of another listing."""
    return cast("Sequence[Row]", joined)

"""Who uses an object: where in the account its names are looked for, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from reconciler.model.live import Collection, Row
from reconciler.model.mention import Mention
from reconciler.model.records import record

Certainty = Literal["used", "maybe", "not inspected"]


@record
class Use:
    """One place that mentions an object, may mention it, or could not be looked into."""

    where: str
    certainty: Certainty = "used"
    note: str = ""
    by: tuple[str, str] = ("", "")
    """The title of the place, and the id of what mentions the object; "" where it is not one."""
    rows: int = 0
    """Of what could not be looked into: how many rows of the place; 0 where it is the place as a whole."""


class Place(NamedTuple):
    """A listing whose rows may mention objects.

    `finds(row, mention)` says "used", "maybe", "not inspected" (it does not know such rows), or "" for no use. `about`
    are the kinds that can be mentioned there; empty: all. `names` is a listing with the names of what `owner` points
    to. `detail` is the path by which a single row is read in full, `sort` the property that says what sort of row it
    is. `spelled(row)` is the row that `finds` is given, each id that it holds a value of its own.
    """

    title: str
    collection: Collection
    finds: Callable[[Row, Mention], Certainty | Literal[""]]
    about: frozenset[str] = frozenset()
    label: str = "name"
    names: Collection | None = None
    owner: str = ""
    detail: str = ""
    sort: str = ""
    spelled: Callable[[Row], Row] = lambda row: row


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (nearest property name, text) of every scalar in a JSON value."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, key)
    elif value is not None and not isinstance(value, bool):
        yield key, str(value)

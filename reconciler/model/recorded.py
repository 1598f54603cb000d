"""What was recorded since the state was written, without what a later result left void."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from reconciler.model.state import Record


class Recorded:
    """The records that are not in the state yet, in their order: those that were found, and without them what a later
    result of the same address left void. Of ten thousand creates there is one record each, not three.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._kept = dict(enumerate(records))
        self._numbers = itertools.count(len(self._kept))
        self._mine: dict[str, list[int]] = {}
        """The numbers of what was added since the last move, by address."""

    def add(self, record: Record) -> None:
        """Add a record; a result takes the place of what this run recorded of its address before, and of the result
        before it, so that the state has its objects in the order in which they were made.
        """
        number = next(self._numbers)
        if record.op == "move":
            self._mine.clear()
        mine = self._mine.pop(record.address, [])
        if record.op in ("bind", "drop"):
            number = next((number for number in mine if record.op == self._kept[number].op == "bind"), number)
            stays = [number for number in mine if record.op == "bind" and self._kept[number].op == "drop"]
            for void in mine:
                if void not in (*stays, number):
                    del self._kept[void]
            mine = stays
        self._kept[number] = record
        if record.address and record.op != "move":
            self._mine[record.address] = [*mine, number]

    def result(self, address: str) -> Record | None:
        """Return the last result that was added for an address, if there is one since the last move."""
        mine = (self._kept[number] for number in reversed(self._mine.get(address, ())))
        return next((record for record in mine if record.op in ("bind", "drop")), None)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

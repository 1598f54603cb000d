"""Customer records that go with an object: how they are read before, and put back afterwards where the API can."""

import json
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from reconciler.model.documents import Count
from reconciler.model.http import PAGE, Request, filled, is_id, page_of

CustomerRecord = Mapping[str, Any]


class ArchiveHead(BaseModel):
    """The first line of an archive file: what of which object follows, `verified` where it is surely the object's."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    format_version: Literal["1.0"]
    run: str
    account: str
    address: str
    kind: str
    id: str
    action: str
    records: Count
    verified: bool


class ArchiveSpec(NamedTuple):
    """A listing of the records (`{id}` in `path` and `query` stands for the object), and what is kept of each row.

    `table` is a listing of all contacts', for accounts that do not have the other path.
    `mine` tells whether a row belongs to the object: an account may ignore a filter. `total` is the path, wrapper and
    property of a number that the rows have to match where they cannot tell themselves. `holder` names the part of a
    kept record that tells it from the others: where the object has a record of that holder already, none is put back.
    `back` builds the request that puts a record back to the object with a new id; without it, `lost` says why there is
    none. `stays` means that records may also be put back to an object that was changed, not deleted. `untold`: the
    listing tells no total, so that only an empty page ends it.
    """

    path: str
    key: str
    kept: Callable[[CustomerRecord], dict[str, Any]]
    holder: str
    query: tuple[tuple[str, str], ...] = ()
    table: str = ""
    mine: Callable[[str, CustomerRecord], bool] = lambda identity, row: True
    total: tuple[str, str, str] | None = None
    back: Callable[[str, CustomerRecord], Request] | None = None
    stays: bool = False
    untold: bool = False
    lost: str = ""
    warning: str = ""
    """What putting back may set off in the account."""

    def keeps(self, record: object) -> bool:
        """Return whether this can be a record that was kept: it names its holder by an id, its values are scalars or
        lists of them (those of custom objects also maps), and it can be put back, where that is possible at all.
        """
        if not isinstance(record, dict) or not all(
            is_id(record[name], digits=name != "externalId") for name in {self.holder, "id"} if name in record
        ):
            return False
        if not all(_scalar(value) or (name in DEEP and _deep(value)) for name, value in record.items()):
            return False
        try:
            return self.back is None or bool(self.back("1", record))
        except (AttributeError, LookupError, TypeError, ValueError):
            return False

    def page(self, identity: str, offset: int, *, whole: bool = False) -> Request:
        """Return the request of one page; of the `whole` table where asked for."""
        if whole:
            return page_of(self.table, offset)
        query = tuple((name, value.replace("{id}", identity)) for name, value in self.query)
        return page_of(filled(self.path, identity), offset, query, expect=(404,) if self.table else ())

    def requests(self, count: int) -> int:
        """Return how many requests it takes to read so many records."""
        return max(1, ceil(count / PAGE)) + (self.total is not None) + self.untold

    def same(self, record: CustomerRecord) -> str:
        """Return what makes two kept records the same one: their holder, and all they say where none is named."""
        return json.dumps(record.get(self.holder) or dict(record), sort_keys=True, default=str)


DEEP = frozenset({"fields", "relationships"})
"""Members of records of custom objects that are lists of maps, and maps of lists."""


def _scalar(value: object) -> bool:
    return not isinstance(value, dict) and not (isinstance(value, list) and any(map(_inner, value)))


def _inner(value: object) -> bool:
    return isinstance(value, dict | list)


def _deep(value: object) -> bool:
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [[[[]]]]
    return all(_scalar(part) or (isinstance(part, dict) and all(map(_scalar, part.values()))) for part in parts)


class ArchivedRecords(NamedTuple):
    """The archived records of one object. `why` says why none of them can be put back; `warning` what that sets off."""

    address: str
    kind: str
    run: str
    records: tuple[CustomerRecord, ...]
    why: str = ""
    warning: str = ""


class Returned(NamedTuple):
    """What became of a lot: records put back, there already, and lost with the reason."""

    lot: ArchivedRecords
    back: int = 0
    present: int = 0
    lost: int = 0
    why: str = ""

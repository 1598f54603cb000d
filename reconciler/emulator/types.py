"""What a classic endpoint is: a row of the table, and what it does beyond the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

ISO, PLAIN, OFFSET = "%Y-%m-%dT%H:%M:%S-05:00", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S+00:00"
"""Forms of dates: account zone with offset, without, and of deal fields (section 1.4)."""

CDATE = {"cdate": ISO}
DATED = {"cdate": ISO, "udate": ISO}
STAMPED = {"created_timestamp": PLAIN, "updated_timestamp": PLAIN}
UTC_STAMPED = {"created_utc_timestamp": ISO, "updated_utc_timestamp": ISO}
AUTHORS: Row = {"created_by": None, "updated_by": None}
TOUCHED = ("udate", "mdate", "updated_timestamp", "updated_utc_timestamp", "updatedTimestamp")
"""Dates that an update renews."""

ALL = frozenset({"list", "create", "get", "update", "delete"})
READ = frozenset({"list", "get"})


@dataclass(frozen=True)
class Filter:
    """A documented filter: rows whose `column` equals or contains the value; with `through`, rows whose id is the
    `contact` of a row of that table with the value in `column`.
    """

    column: str
    contains: bool = False
    through: str = ""


@dataclass(frozen=True)
class Child:
    """A relation named in `links`: rows of `table` whose `key` is the parent's id; or, `one`, the single such row."""

    table: str
    key: str
    one: bool = False


class Behaviour:
    """What a type does beyond the table; this one does nothing. `given` is what was sent, under its names in reads."""

    def creating(self, account: Account, given: Row) -> None:
        """Check and complete what a create sent."""

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Complete a new row (it may be changed in place) and do what its creation brings along."""

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """Return what a create's answer holds beside the wrapper, or under it in place of `answer`."""
        return {}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Check and complete what an update sent."""

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """Do what an update brings along; `row` is what is stored now."""

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """Return what an update's answer holds beside the wrapper, or under it in place of `answer`."""
        return {}

    def deleting(self, account: Account, row: Row) -> None:
        """Refuse a delete."""

    def deleted(self, account: Account, row: Row) -> None:
        """Remove what goes with a row."""

    def shown(self, account: Account, row: Row) -> Row:
        """Return a row as a read returns it."""
        return row

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """Return the rows that a listing covers, after the table's filters."""
        return rows

    def sides(self, account: Account, page: list[Row]) -> dict[str, list[Row]]:
        """Return the arrays that come along with a page; they belong to that page only (section 1.7)."""
        return {}

    def meta(self, account: Account, rows: list[Row]) -> dict[str, Any]:
        """Return what `meta` holds beside the total."""
        return {}


@dataclass(frozen=True)
class Type:
    """One classic endpoint.

    `one` is the wrapper key, `label` the class name of error messages, `total` the type of `meta.total` (section 1.4).
    Columns are what rows hold beside id and dates: those of `defaults`, `required`, `columns`; others that are sent
    are echoed and forgotten (section 1.3). `names` maps what is written to what is read; `readonly` cannot be
    written; `frozen` not after the create. `native` rows keep JSON types. `dates` maps names to forms, `echoed` are
    those that a create answers. `limit` is the default page. `missing` maps methods to the documented status of a
    missing id where it is not 404, `plain` lists those served as text/plain. `seeds` are columns that only seeds set.
    """

    path: str
    one: str
    label: str
    total: Literal["text", "int", "none"] = "text"
    defaults: Row = field(default_factory=dict)
    required: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    readonly: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    native: bool = False
    dates: Mapping[str, str] = field(default_factory=lambda: DATED)
    echoed: tuple[str, ...] = ("cdate", "udate")
    does: frozenset[str] = ALL
    limit: int = 20
    filters: Mapping[str, Filter] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    children: Mapping[str, Child] = field(default_factory=dict)
    created: int = 201
    deleted: Any = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    acts: Behaviour = field(default_factory=Behaviour)

    def writable(self, name: str) -> bool:
        """Whether a create may set a column."""
        known = name in self.defaults or name in self.required or name in self.columns
        return known and name not in self.readonly

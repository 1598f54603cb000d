"""What an emulated account is: its rows, settings and time, and the classic endpoints that it was handed.

An endpoint is a row of a table, and what it does beyond the table.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from reconciler.emulator.rows import Row, Rows
from reconciler.emulator.settings import AccountSettings
from reconciler.emulator.types import ALL, DATED, ISO
from reconciler.model.records import record

FIRST_SECOND = 1_590_713_486
"""When an account is born: 2020-05-28, as most recordings."""


@record
class Filter:
    """A documented filter: rows whose `column` equals or contains the value; with `through`, rows whose id is the
    `contact` of a row of that table with the value in `column`.
    """

    column: str
    contains: bool = False
    through: str = ""


@record
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


@record
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


class Account:
    """Rows in a SQLite file, settings, and time; `types` are its classic endpoints by path."""

    def __init__(self, path: str | Path | None, settings: AccountSettings | None, types: Mapping[str, Type]) -> None:
        self.rows, self.types = Rows(path), types
        kept = self.rows.fact("settings")
        self.settings = settings or (AccountSettings.of(json.loads(kept)) if kept else AccountSettings())

    def keep(self, settings: AccountSettings) -> None:
        """Change the settings, for good."""
        self.settings = settings
        with self.rows.transaction():
            self.rows.remember("settings", json.dumps(settings.data()))

    def close(self) -> None:
        """Close the file."""
        self.rows.close()

    def now(self) -> time.struct_time:
        """The account's time: later by a second with each object that is made or changed, so that dates differ."""
        number = int(self.rows.fact("births", "0")) + 1
        self.rows.remember("births", str(number))
        return time.gmtime(FIRST_SECOND + number)

    def stamp(self) -> str:
        """The account's time as an ISO date."""
        return time.strftime(ISO, self.now())

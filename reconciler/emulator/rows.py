"""What an account remembers: rows by table and id, held in memory, written through to SQLite, shared by processes.

Every request is one transaction that begins by taking over what other processes have written since.
Rows are values: change one by putting a new one, never in place.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
PATIENCE_SECONDS = 30.0
"""How long a request waits for another process to finish its own."""


class Rows:
    """Rows by table, in the order in which they were made. `where` is quick: columns that are asked for are indexed.

    Raises OSError for a file that cannot be opened, or is none of SQLite.
    """

    def __init__(self, path: str | Path | None) -> None:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        where = str(path) if path is not None else ":memory:"
        try:
            self._db = sqlite3.connect(where, check_same_thread=False, isolation_level=None, timeout=PATIENCE_SECONDS)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")  # a killed process loses nothing, a power cut may
            self._prepare()
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        self._tables: dict[str, dict[str, Row]] = {}
        self._places: dict[str, dict[str, int]] = {}
        self._tops: dict[str, int] = {}
        self._indexes: dict[tuple[str, str], _Index] = {}
        self._version = -1
        self._seen = 0
        self._epoch = ""
        self.refresh()

    def _prepare(self) -> None:
        """Create the tables; a body of NULL is a removed row, so that other processes learn of it."""
        with self.transaction():
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS objects"
                " (type TEXT, id TEXT, body TEXT, change INTEGER, PRIMARY KEY (type, id))"
            )
            self._db.execute("CREATE INDEX IF NOT EXISTS by_change ON objects (change)")
            self._db.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT)")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all writes of the block or, when it raises, none; other processes wait meanwhile. Blocks may nest.

        Raises OSError where the file cannot be written.
        """
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._roll_back()
            raise OSError(f"the emulator's account cannot be written: {error}") from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # where the disk is full, SQLite has rolled back by itself
            self._db.execute("ROLLBACK")
        self._forget()
        self.refresh()

    def refresh(self) -> bool:
        """Take over what other processes have written; return whether there was anything."""
        version = int(self._db.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version:
            return False
        self._version = version
        last = self._change()
        if (epoch := self.fact("epoch")) != self._epoch:  # another process has reset the account
            self._forget()
            self._version, self._epoch = version, epoch
        for table, identity, body in self._db.execute(
            "SELECT type, id, body FROM objects WHERE change > ? ORDER BY rowid", (self._seen,)
        ):
            if body is None:
                self._drop(table, identity)
            else:
                self._keep(table, identity, json.loads(body))
        self._seen = last
        return True

    def _forget(self) -> None:
        self._tables, self._places, self._tops, self._indexes = {}, {}, {}, {}
        self._version, self._seen = -1, 0

    def _change(self) -> int:
        return int(self._db.execute("SELECT COALESCE(MAX(change), 0) FROM objects").fetchone()[0])

    # --- facts -----------------------------------------------------------------------------------------------------

    def fact(self, name: str, default: str = "") -> str:
        """Return a remembered fact, such as the settings or the last id of a table."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else default

    def remember(self, name: str, value: str) -> None:
        """Keep a fact."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # --- reading ---------------------------------------------------------------------------------------------------

    def all(self, table: str) -> list[Row]:
        """Return the rows of a table."""
        return list(self._tables.get(table, {}).values())

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return len(self._tables.get(table, {}))

    def get(self, table: str, identity: object) -> Row | None:
        """Return one row."""
        return self._tables.get(table, {}).get(str(identity))

    def where(self, table: str, **equal: object) -> list[Row]:
        """Return the rows whose properties equal these, compared as text."""
        if not equal:
            return self.all(table)
        (first, value), *others = equal.items()
        index = self._indexes.get((table, first))
        if index is None:
            index = self._indexes[(table, first)] = _Index(first)
            for identity, row in self._tables.get(table, {}).items():
                index.keep(identity, row)
        places = self._places.get(table, {})
        rows = self._tables.get(table, {})
        matching = [rows[identity] for identity in sorted(index.find(str(value)), key=places.__getitem__)]
        return [row for row in matching if all(str(row.get(name)) == str(wanted) for name, wanted in others)]

    def next_id(self, table: str, *, reuse: bool) -> str:
        """Return a fresh id: one more than any before, or with `reuse` one more than any that lives."""
        if reuse:
            last = max((int(i) for i in self._tables.get(table, {}) if i.isdigit()), default=0)
        else:
            last = max(self._tops.get(table, 0), int(self.fact(f"last:{table}", "0")))
        self.remember(f"last:{table}", str(last + 1))
        return str(last + 1)

    def dump(self) -> dict[str, list[Row]]:
        """Return all rows by table."""
        return {table: list(rows.values()) for table, rows in self._tables.items() if rows}

    # --- writing ---------------------------------------------------------------------------------------------------

    def put(self, table: str, identity: object, row: Row) -> Row:
        """Insert or replace a row."""
        self.put_many(table, [(str(identity), row)])
        return row

    def put_many(self, table: str, rows: Iterable[tuple[str, Row]]) -> None:
        """Insert or replace many rows at once."""
        written: list[tuple[str, str, str | None, int]] = []
        for identity, row in rows:
            self._keep(table, identity, row)
            self._seen += 1
            written.append((table, identity, json.dumps(row), self._seen))
        self._write(written)

    def remove(self, table: str, identity: object) -> None:
        """Remove a row, if it is there."""
        if self._drop(table, str(identity)):
            self._seen += 1
            self._write([(table, str(identity), None, self._seen)])

    def remove_where(self, table: str, **equal: object) -> None:
        """Remove the rows whose properties equal these."""
        for row in self.where(table, **equal):
            self.remove(table, row["id"])

    def clear(self) -> None:
        """Forget everything but the settings."""
        self._forget()
        self._epoch = str(int(self.fact("epoch", "0")) + 1)
        self._db.execute("DELETE FROM objects")
        self._db.execute("DELETE FROM facts WHERE name <> 'settings'")
        self.remember("epoch", self._epoch)

    def _write(self, rows: list[tuple[str, str, str | None, int]]) -> None:
        self._db.executemany(
            "INSERT INTO objects VALUES (?, ?, ?, ?)"
            " ON CONFLICT (type, id) DO UPDATE SET body = excluded.body, change = excluded.change",
            rows,
        )

    def _keep(self, table: str, identity: str, row: Row) -> None:
        rows, places = self._tables.setdefault(table, {}), self._places.setdefault(table, {})
        if identity not in rows:
            places[identity] = next(reversed(places.values()), -1) + 1
            if identity.isdigit():
                self._tops[table] = max(self._tops.get(table, 0), int(identity))
        rows[identity] = row
        for (of, _), index in self._indexes.items():
            if of == table:
                index.keep(identity, row)

    def _drop(self, table: str, identity: str) -> bool:
        if self._tables.get(table, {}).pop(identity, None) is None:
            return False
        del self._places[table][identity]
        for (of, _), index in self._indexes.items():
            if of == table:
                index.drop(identity)
        return True


class _Index:
    """The ids of the rows that have a value in a column."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._ids: dict[str, dict[str, None]] = {}
        self._values: dict[str, str] = {}

    def find(self, value: str) -> Iterable[str]:
        return self._ids.get(value, {})

    def keep(self, identity: str, row: Row) -> None:
        value = str(row.get(self._column))
        if self._values.get(identity) != value:
            self.drop(identity)
            self._values[identity] = value
            self._ids.setdefault(value, {})[identity] = None

    def drop(self, identity: str) -> None:
        value = self._values.pop(identity, None)
        if value is not None:
            self._ids[value].pop(identity, None)

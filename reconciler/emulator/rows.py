"""What an account remembers: rows by table and id, kept in memory and written through to SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Rows:
    """Rows by table, in the order in which they were made. `commit` makes the changes of a request durable."""

    def __init__(self, path: str | Path | None) -> None:
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(str(path) if path is not None else ":memory:", check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS rows (type TEXT, id TEXT, body TEXT, PRIMARY KEY (type, id))")
        self._db.execute("CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT)")
        self._tables: dict[str, dict[str, Row]] = {}
        for table, identity, body in self._db.execute("SELECT type, id, body FROM rows ORDER BY rowid"):
            self._tables.setdefault(table, {})[identity] = json.loads(body)

    def close(self) -> None:
        """Close the file."""
        self._db.commit()
        self._db.close()

    def commit(self) -> None:
        """Make what was changed durable (against a killed process)."""
        self._db.commit()

    def fact(self, name: str, default: str = "") -> str:
        """Return a remembered fact, such as the settings or the last id of a table."""
        found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else default

    def remember(self, name: str, value: str) -> None:
        """Keep a fact."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def all(self, table: str) -> list[Row]:
        """Return the rows of a table."""
        return list(self._tables.get(table, {}).values())

    def get(self, table: str, identity: object) -> Row | None:
        """Return one row."""
        return self._tables.get(table, {}).get(str(identity))

    def where(self, table: str, **equal: object) -> Iterator[Row]:
        """Yield the rows whose properties equal these, compared as text."""
        for row in self._tables.get(table, {}).values():
            if all(str(row.get(name)) == str(value) for name, value in equal.items()):
                yield row

    def put(self, table: str, identity: object, row: Row) -> Row:
        """Insert or replace a row."""
        self._tables.setdefault(table, {})[str(identity)] = row
        self._db.execute(
            "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (type, id) DO UPDATE SET body = excluded.body",
            (table, str(identity), json.dumps(row)),
        )
        return row

    def put_many(self, table: str, rows: Iterable[tuple[str, Row]]) -> None:
        """Insert many rows at once."""
        rows = list(rows)
        self._tables.setdefault(table, {}).update(rows)
        self._db.executemany(
            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", [(table, i, json.dumps(row)) for i, row in rows]
        )

    def remove(self, table: str, identity: object) -> None:
        """Remove a row, if it is there."""
        self._tables.get(table, {}).pop(str(identity), None)
        self._db.execute("DELETE FROM rows WHERE type = ? AND id = ?", (table, str(identity)))

    def remove_where(self, table: str, **equal: object) -> None:
        """Remove the rows whose properties equal these."""
        for row in list(self.where(table, **equal)):
            self.remove(table, row["id"])

    def next_id(self, table: str, *, reuse: bool) -> str:
        """Return a fresh id: one more than any before, or with `reuse` one more than any that lives."""
        living = max((int(i) for i in self._tables.get(table, {}) if i.isdigit()), default=0)
        last = living if reuse else max(living, int(self.fact(f"last:{table}", "0")))
        self.remember(f"last:{table}", str(last + 1))
        return str(last + 1)

    def clear(self) -> None:
        """Forget everything but the settings."""
        self._tables.clear()
        self._db.execute("DELETE FROM rows")
        self._db.execute("DELETE FROM facts WHERE name <> 'settings'")

    def dump(self) -> dict[str, list[Row]]:
        """Return all rows by table."""
        return {table: list(rows.values()) for table, rows in self._tables.items() if rows}

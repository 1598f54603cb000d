"""State in an SQLite file: documents as rows, each write a transaction."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from reconciler.model.errors import StateDamaged, StateError
from reconciler.store.blobs import Blob, Conflict, NoLogs

TABLE = "CREATE TABLE IF NOT EXISTS documents (name TEXT PRIMARY KEY, content BLOB NOT NULL, version INTEGER NOT NULL)"
PATIENCE = 10.0
"""Seconds to wait for another process's transaction."""


class SqliteBlobStore(NoLogs):
    """Documents of one file. A connection lives for one operation, so threads and forks need no care."""

    pause = 0.0

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def where(self) -> str:
        """The path of the database."""
        return f"sqlite:{self._path}"

    @contextlib.contextmanager
    def _open(self, *, write: bool) -> Iterator[sqlite3.Connection | None]:
        """A transaction; None where there is no database to read."""
        if not write and not self._path.exists():
            yield None
            return
        try:
            if not self._path.exists():
                self._begin()
            if not self._path.stat().st_size:
                raise StateDamaged(
                    f"the state {self.where} is an empty file",
                    hint="bring it back from a copy; if there never was a state, remove the file. Nothing was changed",
                )
            connection = sqlite3.connect(self._path, timeout=PATIENCE, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                if write:
                    connection.execute(TABLE)
                yield connection
                connection.execute("COMMIT")
            finally:
                connection.close()
        except (sqlite3.Error, OSError) as error:
            busy = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
            stopped = f"another process has it for {PATIENCE:.0f} seconds: look for a stopped or hanging reconciler"
            raise StateError(
                f"the state {self.where} cannot be {'written' if write else 'read'}: {error}",
                hint=stopped if busy else "nothing was overwritten",
            ) from error

    def _begin(self) -> None:
        """Make a database that has its table from the start: a file that is empty was one and was truncated."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as blank:
            blank.execute(TABLE)
            content = blank.serialize()
        try:
            with self._path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            return  # another process was faster
        except OSError:
            self._path.unlink(missing_ok=True)
            raise

    def get(self, name: str) -> Blob | None:
        """Return a row."""
        with self._open(write=False) as connection:
            row = _row(connection, name) if connection is not None else None
        return None if row is None else Blob(bytes(row[0]), str(row[1]))

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write a row whose version is still `tag`."""
        with self._open(write=True) as connection:
            if connection is None:
                raise AssertionError("a writing transaction has a connection")
            row = _row(connection, name)
            if (str(row[1]) if row is not None else None) != tag:
                raise Conflict
            version = (row[1] if row is not None else _highest(connection)) + 1
            connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (name, content, version))
        return str(version)

    def remove(self, name: str) -> None:
        """Remove a row."""
        with self._open(write=True) as connection:
            if connection is not None:
                connection.execute("DELETE FROM documents WHERE name = ?", (name,))

    def names(self, folder: str) -> list[str]:
        """Return the names below a folder."""
        with self._open(write=False) as connection:
            if connection is None or not _table(connection):
                return []
            query = "SELECT name FROM documents WHERE substr(name, 1, ?) = ? ORDER BY name"
            return [row[0] for row in connection.execute(query, (len(folder) + 1, f"{folder}/"))]


def _table(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone() is not None


def _row(connection: sqlite3.Connection, name: str) -> tuple[bytes, int] | None:
    if not _table(connection):
        return None
    row: tuple[bytes, int] | None = connection.execute(
        "SELECT content, version FROM documents WHERE name = ?", (name,)
    ).fetchone()
    return row


def _highest(connection: sqlite3.Connection) -> int:
    """A document that is written again after a removal must not carry a tag that it had before."""
    return int(connection.execute("SELECT coalesce(max(version), 0) FROM documents").fetchone()[0])

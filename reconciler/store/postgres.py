"""State in PostgreSQL (the extra `postgres`): documents as rows of one table. The only home of psycopg."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.model.errors import ReconcilerError, StateError
from reconciler.model.redaction import abridged
from reconciler.store.blobs import Blob, Conflict, NoLogs

T = TypeVar("T")
TABLE = """
CREATE TABLE IF NOT EXISTS reconciler_documents (
    state text NOT NULL, name text NOT NULL, content bytea NOT NULL, version bigint NOT NULL,
    PRIMARY KEY (state, name));
CREATE SEQUENCE IF NOT EXISTS reconciler_versions"""
TRIES = 3
"""A connection that broke is opened again so often for one operation."""


class Cursor(Protocol):
    """What a statement is run with."""

    def execute(self, query: str, values: tuple[object, ...] = ..., /) -> Cursor: ...
    def fetchone(self) -> tuple[object, ...] | None: ...
    def fetchall(self) -> list[tuple[object, ...]]: ...


class PostgresConnection(Protocol):
    """A connection that commits each statement by itself."""

    def cursor(self) -> Cursor: ...
    def execute(self, query: str, /) -> Cursor: ...
    def transaction(self) -> AbstractContextManager[object]: ...
    def close(self) -> None: ...


class Driver(Protocol):
    """The library `psycopg`, as far as it is used here: it is an extra, imported late."""

    Error: type[Exception]
    OperationalError: type[Exception]
    InterfaceError: type[Exception]

    def connect(self, url: str, /, *, autocommit: bool) -> PostgresConnection: ...


class PostgresBlobStore(NoLogs):
    """Documents of one state. `?state=NAME` names it where a database keeps several; the rest is libpq's own URL.

    A write compares the row's version and locks the row while it does; versions come from a sequence and never
    return.
    """

    pause = 1.0

    def __init__(self, url: str, default: str) -> None:
        self._psycopg = _psycopg()
        parts = urlsplit(url)
        pieces = [piece for piece in parts.query.split("&") if piece]
        rest = [piece for piece in pieces if not piece.startswith("state=")]
        if not any(piece.startswith("connect_timeout=") for piece in rest):
            rest.append("connect_timeout=10")
        options = dict(parse_qsl(parts.query))
        self._state = options.get("state", default)
        secrets = (parts.password or "", unquote(parts.password or ""), options.get("password", ""))
        self._secrets = [secret for secret in secrets if secret]
        # Put together manually: `urlunsplit` drops the `//` of a URL without a host, which libpq needs.
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path}?{'&'.join(rest)}"
        self._where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path} ({self._state})"
        self._turn = threading.RLock()
        self._connection: PostgresConnection | None = None

    @property
    def where(self) -> str:
        """Host, database and name of the state."""
        return self._where

    def get(self, name: str) -> Blob | None:
        """Return a row."""
        query = "SELECT content, version FROM reconciler_documents WHERE state = %s AND name = %s"
        row = self._do("read", lambda cursor: cursor.execute(query, (self._state, name)).fetchone())
        return None if row is None else Blob(bytes(cast(bytes, row[0])), str(row[1]))

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write a row whose version is still `tag`."""
        create = (
            "INSERT INTO reconciler_documents VALUES (%s, %s, %s, nextval('reconciler_versions')) "
            "ON CONFLICT DO NOTHING RETURNING version"
        )
        update = (
            "UPDATE reconciler_documents SET content = %s, version = nextval('reconciler_versions') "
            "WHERE state = %s AND name = %s AND version = %s RETURNING version"
        )
        query, values = (
            (create, (self._state, name, content)) if tag is None else (update, (content, self._state, name, int(tag)))
        )
        row = self._do("written", lambda cursor: cursor.execute(query, values).fetchone())
        if row is None:
            raise Conflict
        return str(row[0])

    def remove(self, name: str) -> None:
        """Remove a row."""
        query = "DELETE FROM reconciler_documents WHERE state = %s AND name = %s"
        self._do("written", lambda cursor: cursor.execute(query, (self._state, name)))

    def names(self, folder: str) -> list[str]:
        """Return the names below a folder."""
        query = "SELECT name FROM reconciler_documents WHERE state = %s AND starts_with(name, %s)"
        rows = self._do("read", lambda cursor: cursor.execute(query, (self._state, f"{folder}/")).fetchall())
        return sorted(str(row[0]) for row in rows)

    def _do(self, what: str, action: Callable[[Cursor], T]) -> T:
        """Run one statement, which commits by itself. A statement whose answer was lost may run twice; compare-and-set
        makes the second one a conflict, which its caller sees through.
        """
        with self._turn:
            for attempt in range(1, TRIES + 1):
                try:
                    return action(self._open().cursor())
                except (self._psycopg.OperationalError, self._psycopg.InterfaceError) as error:
                    self.close()
                    if attempt == TRIES:
                        raise self._failed(what, error) from error
                except self._psycopg.Error as error:
                    raise self._failed(what, error) from error
        raise AssertionError("unreachable")

    def _open(self) -> PostgresConnection:
        if self._connection is None:
            self._connection = self._psycopg.connect(self._url, autocommit=True)
            table = self._connection.execute("SELECT to_regclass('reconciler_documents')").fetchone()
            if table is None or table[0] is None:
                self._make_table(self._connection)
        return self._connection

    def _make_table(self, connection: PostgresConnection) -> None:
        with connection.transaction():
            # Two first runs at once: CREATE IF NOT EXISTS alone still collides in the catalogue.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('reconciler_documents'))")
            connection.execute(TABLE)

    def _failed(self, what: str, error: Exception) -> StateError:
        message = next(iter(str(error).splitlines()), type(error).__name__)
        for secret in self._secrets:  # libpq quotes a token that it cannot read
            message = message.replace(secret, "***")
        return StateError(
            f"the state {self._where} cannot be {what}: {abridged(message, 300)}",
            hint="check the URL, the user's rights and the network; nothing was overwritten",
        )

    def close(self) -> None:
        """Close the connection; the next operation opens another."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _psycopg() -> Driver:
    try:
        import psycopg
    except ImportError as error:
        raise ReconcilerError(
            "a state in PostgreSQL needs the extra `postgres`", hint="pip install 'activecampaign-reconciler[postgres]'"
        ) from error
    return cast(Driver, psycopg)

"""A shelf: where documents lie, by name. All that a backend has to offer; `documents` makes a store of it."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

STATE = ""
"""The name of the state document itself; every other name is beside it, with `/` between its parts."""


class Conflict(Exception):
    """A document is not what its writer expected: another process wrote, created or removed it."""


class Blob(NamedTuple):
    """A document: its bytes, and a tag that changes with every write."""

    content: bytes
    tag: str


class BlobStore(Protocol):
    """Documents by name. Every method raises StateError where the backend fails; a write is durable when it returns,
    but for a line of a log that may wait.

    Methods may be called from several threads.
    """

    @property
    def where(self) -> str:
        """A name for messages, without secrets."""
        ...

    @property
    def pause(self) -> float:
        """Seconds between two writes of results that can wait; 0 where a write is cheap."""
        ...

    def get(self, name: str) -> Blob | None:
        """Return a document, or None."""
        ...

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write a document that still has `tag` (None: that does not exist) and return its new tag. Raises Conflict."""
        ...

    def remove(self, name: str) -> None:
        """Remove a document; one that is not there is fine."""
        ...

    def names(self, folder: str) -> list[str]:
        """Return the names that begin with `folder/`, sorted."""
        ...

    def append(self, name: str, line: bytes, *, durable: bool = True) -> bool:
        """Add a line to a log, cutting off what a crash left half-written; False where the shelf has no logs. One that
        is not `durable` outlives the process, and the machine once a later one is.
        """
        ...

    def batch(self) -> AbstractContextManager[None]:
        """Writes inside may be sent together at the end."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class NoLogs:
    """What shelves have in common that keep documents only, one write at a time."""

    def append(self, name: str, line: bytes, *, durable: bool = True) -> bool:
        """Say that there are no logs here."""
        return False

    def batch(self) -> AbstractContextManager[None]:
        """Every write is sent at once."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing is held open."""


def put_once(blobs: BlobStore, name: str, content: bytes, tag: str | None) -> str:
    """Write like `shelf.put`, and see through a lost answer: a retry of a write that worked finds its own content."""
    try:
        return blobs.put(name, content, tag)
    except Conflict:
        blob = blobs.get(name)
        if blob is not None and blob.content == content:
            return blob.tag
        raise


def replace(blobs: BlobStore, name: str, content: bytes) -> None:
    """Write a document whatever is there. Raises Conflict when another process keeps writing it."""
    for attempt in range(5):
        blob = blobs.get(name)
        try:
            put_once(blobs, name, content, blob.tag if blob is not None else None)
            return
        except Conflict:
            if attempt == 4:
                raise

"""A shelf in memory, compared and set like those of every backend; what happens around a write is for those who use it
to say.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field

from reconciler.store.blobs import Blob, Conflict


@dataclass
class Disk:
    """What survives a process: documents and logs by name."""

    documents: dict[str, bytes] = field(default_factory=dict)
    logs: dict[str, list[bytes]] = field(default_factory=dict)


class MemoryBlobStore:
    """Implements `store.blobs.BlobStore` on a `Disk`."""

    disk: Disk

    def write(self) -> contextlib.AbstractContextManager[None]:
        """Return what is held while something is written; the process may die before or after it."""
        raise NotImplementedError

    def get(self, name: str) -> Blob | None:
        """Return a document."""
        content = self.disk.documents.get(name, b"".join(self.disk.logs.get(name, ())) or None)
        return None if content is None else Blob(content, _tag(content))

    def held(self, name: str, tag: str | None) -> None:
        """Raise Conflict unless the document still has the tag."""
        found = self.get(name)
        if (found.tag if found is not None else None) != tag:
            raise Conflict(name)

    def kept(self, name: str, content: bytes) -> str:
        """Keep a document, and return its tag."""
        self.disk.documents[name] = content
        return _tag(content)

    def remove(self, name: str) -> None:
        """Remove a document."""
        with self.write():
            self.disk.documents.pop(name, None)
            self.disk.logs.pop(name, None)

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder."""
        return sorted(name for name in (*self.disk.documents, *self.disk.logs) if name.startswith(f"{folder}/"))

    def append(self, name: str, line: bytes, *, durable: bool = True) -> bool:
        """Add a line."""
        with self.write():
            self.disk.logs.setdefault(name, []).append(line + b"\n")
        return True

    def batch(self) -> contextlib.AbstractContextManager[None]:
        """Every write is made at once."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing is open."""


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

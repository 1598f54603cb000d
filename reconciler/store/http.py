"""State behind Terraform's http backend protocol (GET, POST, DELETE, LOCK, UNLOCK), GitLab's variant included.

The protocol keeps one document and one lock per URL, so all documents of a state travel as one bundle. Its top-level
`serial` rises with every POST: GitLab takes the version of a state from there and refuses one that it has already.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from typing import Any

from reconciler.model.documents import read_json
from reconciler.model.errors import StateError
from reconciler.store.blobs import Blob, Conflict, NoLogs
from reconciler.store.wire import Wire, WireAnswer

BUNDLE = 1
"""Format of the bundle."""


class HttpBlobStore(NoLogs):
    """The documents of a bundle. While the lock is held, its id goes along with every write, and the server refuses
    the writes of a holder that lost it.
    """

    pause = 5.0

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._turn = threading.RLock()
        self._staged: dict[str, Any] | None = None
        self.lock_id = ""
        self.refused = False
        """Whether the server refused a write under this lock."""

    @property
    def where(self) -> str:
        """The address without user and password."""
        return self._wire.where

    def get(self, name: str) -> Blob | None:
        """Return a document of the bundle."""
        with self._turn:
            content = self._bundle()["documents"].get(name)
        return None if content is None else _held(_plain(content))

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Post the bundle with this document in it. The compare is ours; the server's lock keeps others out."""
        with self._turn, self._changing() as documents:
            now = documents.get(name)
            if (_held(_plain(now)).tag if now is not None else None) != tag:
                raise Conflict
            documents[name] = _packed(content)
        return _held(content).tag

    def remove(self, name: str) -> None:
        """Post the bundle without a document."""
        with self._turn:
            if name in self._bundle()["documents"]:
                with self._changing() as documents:
                    documents.pop(name, None)

    def names(self, folder: str) -> list[str]:
        """Return the names below a folder."""
        with self._turn:
            return sorted(name for name in self._bundle()["documents"] if name.startswith(f"{folder}/"))

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Collect writes and post them together; nothing is posted when one of them fails."""
        with self._turn:
            if self._staged is not None:
                yield
                return
            self._staged = bundle = self._fetch()
            before = json.dumps(bundle)
            try:
                yield
            finally:
                self._staged = None
            if json.dumps(bundle) != before:
                self._post(bundle)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        with self.batch():
            yield self._bundle()["documents"]

    def _bundle(self) -> dict[str, Any]:
        return self._staged if self._staged is not None else self._fetch()

    def _fetch(self) -> dict[str, Any]:
        answer = self._wire.send("GET")
        if answer.status in (204, 404) or (answer.status == 200 and not answer.body.strip()):
            return {"version": 4, "bundle": BUNDLE, "serial": 0, "lineage": "", "documents": {}}
        if answer.status != 200:
            raise self._refused("read", answer)
        try:
            content = read_json(answer.body)
        except ValueError as error:
            raise StateError(
                f"the state {self.where} is corrupt: it is not JSON ({error})", hint="nothing was changed"
            ) from error
        if not isinstance(content, dict) or not isinstance(content.get("documents"), dict):
            raise StateError(
                f"{self.where} holds a document of another program (Terraform's own state?)",
                hint="give this environment a state of its own; nothing was changed",
            )
        if content.get("bundle") != BUNDLE:
            raise StateError(
                f"the state {self.where} has bundle format {content.get('bundle')}; this program knows {BUNDLE}",
                hint="install the version that wrote it, or a newer one; nothing was changed",
            )
        return content

    def _post(self, bundle: dict[str, Any]) -> None:
        bundle["serial"] = int(bundle.get("serial") or 0) + 1
        bundle["lineage"] = bundle.get("lineage") or _lineage(self.where)
        content = json.dumps(bundle, indent=1).encode()
        answer = self._wire.send("POST", content, query={"ID": self.lock_id} if self.lock_id else {})
        if answer.status in (200, 201, 202, 204):
            return
        if answer.status in (409, 423):
            self.refused = True
            raise StateError(
                f"{self.where} refused the write: the lock is not ours any more, or another process holds it "
                f"({answer.status})",
                hint="nothing was overwritten; see `reconciler lock list`, then run the command again",
            )
        raise self._refused("written", answer)

    def _refused(self, what: str, answer: WireAnswer) -> StateError:
        hints = {
            401: "set TF_HTTP_USERNAME and TF_HTTP_PASSWORD (for GitLab: the user and a token with the scope `api`)",
            403: "the user may not do this; GitLab asks for the role Maintainer to write",
            **dict.fromkeys((301, 302, 303, 307, 308), "redirects are not followed: write the address it leads to"),
        }
        return StateError(
            f"the state {self.where} cannot be {what}: the server answered {answer.status}",
            hint=hints.get(answer.status, "check the URL; nothing was overwritten"),
        )


def _held(content: bytes) -> Blob:
    return Blob(content, hashlib.sha256(content).hexdigest())


def _packed(content: bytes) -> Any:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _plain(packed: Any) -> bytes:
    return base64.b64decode(packed["base64"]) if isinstance(packed, dict) else str(packed).encode()


def _lineage(where: str) -> str:
    """Return a lineage that stays the same for this address, in the form of a UUID."""
    digits = hashlib.sha256(where.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))

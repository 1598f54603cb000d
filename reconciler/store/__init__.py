"""Where states live: backends behind the `Store` protocol of the model, chosen by URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.model.errors import StateError
from reconciler.store.options import Clock, StoreOptions

if TYPE_CHECKING:
    from reconciler.model.state import State
    from reconciler.store.blobs import BlobStore
    from reconciler.store.documents import DocumentStore
    from reconciler.store.encryption import Seal
    from reconciler.store.locks import Locks

__all__ = ["Clock", "StoreOptions", "new_state", "open_store"]

SCHEMES = "file:, sqlite:, s3://, gs://, az://, postgresql://, https://"


def open_store(url: str, folder: Path, options: StoreOptions | None = None) -> DocumentStore:
    """Return the store of a URL; paths are relative to `folder`. Raises StateError for a URL that is none of
    `SCHEMES`, ReconcilerError naming the extra that is missing.
    """
    from reconciler.store.encryption import Seal

    options = options or StoreOptions()
    seal = Seal(options.recipients, options.environ)
    scheme, colon, _ = url.partition(":")
    _check_form(url)
    backend = BACKENDS.get(scheme if colon else "file")
    if backend is None:
        raise StateError(f"a state cannot be kept in `{scheme}:`", hint=f"known are {SCHEMES}")
    return backend(url, folder, seal, options)


def _check_form(url: str) -> None:
    """Raise StateError for what cannot be parsed; it is not shown whole, for it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StateError(
            f"the URL of the state, `{url.partition(':')[0]}:...`, is none: {error}", hint=f"known are {SCHEMES}"
        ) from None
    if ":" in parts.netloc and "@" not in parts.netloc and "@" in url.partition(parts.netloc)[2]:
        raise StateError(
            f"the URL of the state, `{parts.scheme}:...`, cannot be parsed: its password has a `/`, `?` or `#`",
            hint="write these letters percent-encoded: %2F, %3F, %23",
        )


def _path(url: str, folder: Path) -> Path:
    _, colon, rest = url.partition(":")
    return folder / (rest.removeprefix("//") if colon else url)


def _file(url: str, folder: Path, seal: Seal, options: StoreOptions) -> DocumentStore:
    from reconciler.store.file import FileBlobStore

    return _on(FileBlobStore(_path(url, folder)), seal, options)


def _sqlite(url: str, folder: Path, seal: Seal, options: StoreOptions) -> DocumentStore:
    from reconciler.store.sqlite import SqliteBlobStore

    return _on(SqliteBlobStore(_path(url, folder)), seal, options)


def _objects(url: str, folder: Path, seal: Seal, options: StoreOptions) -> DocumentStore:
    from reconciler.store.objects import ObjectBlobStore

    return _on(ObjectBlobStore(url), seal, options)


def _postgres(url: str, folder: Path, seal: Seal, options: StoreOptions) -> DocumentStore:
    from reconciler.store.postgres import PostgresBlobStore

    return _on(PostgresBlobStore(url, options.environment), seal, options)


def _http(url: str, folder: Path, seal: Seal, options: StoreOptions) -> DocumentStore:
    from reconciler.store.http import HttpBlobStore
    from reconciler.store.httplock import HttpLock
    from reconciler.store.wire import Wire

    wire = Wire(url, options.environ)
    blobs = HttpBlobStore(wire)
    return _on(blobs, seal, options, HttpLock(blobs, wire, options.clock, options.waits, options.tell))


def _on(blobs: BlobStore, seal: Seal, options: StoreOptions, locks: Locks | None = None) -> DocumentStore:
    from reconciler.store.documents import DocumentStore

    return DocumentStore(
        blobs,
        seal=seal,
        keep=options.history,
        locks=locks,
        clock=options.clock,
        waits=options.waits,
        tell=options.tell,
        fits=options.fits,
    )


Backend = Callable[[str, Path, "Seal", StoreOptions], "DocumentStore"]
BACKENDS: Mapping[str, Backend] = {
    "file": _file,
    "sqlite": _sqlite,
    **dict.fromkeys(("s3", "gs", "az"), _objects),
    **dict.fromkeys(("postgresql", "postgres"), _postgres),
    **dict.fromkeys(("http", "https"), _http),
}
"""What opens a state, by the scheme of its URL. A backend is one file beside this one and one entry here."""


def new_state(account: str, *, lineage: str, salt: str) -> State:
    """Return the state of an account about which nothing is known yet; randomness is passed in."""
    from reconciler.model.state import State

    return State(lineage=lineage, account=account, salt=salt)

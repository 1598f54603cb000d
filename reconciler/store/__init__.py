"""Where states live: backends behind the `Store` protocol of the model, chosen by URL."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.errors import StateError
from reconciler.model.ports import Store
from reconciler.model.state import State
from reconciler.store.file import FileStore

__all__ = ["FileStore", "new_state", "open_store"]


def open_store(url: str, folder: Path, *, environment: str) -> Store:
    """Return the store of a URL: `file:PATH` or a plain path, relative to `folder`. Raises StateError for other
    schemes.
    """
    scheme, colon, rest = url.partition(":")
    if not colon:
        return FileStore(folder / url, environment)
    if scheme == "file":
        return FileStore(folder / rest.removeprefix("//"), environment)
    raise StateError(
        f"this version keeps states in files only, not in `{scheme}:`", hint="write `state: file:state/NAME.json`"
    )


def new_state(account: str, *, lineage: str, salt: str) -> State:
    """Return the state of an account about which nothing is known yet; randomness is passed in."""
    return State(lineage=lineage, account=account, salt=salt)

"""What a connection needs to know of the kinds, and the emulator in place of an account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.catalog import outlines
from reconciler.model.errors import WrongInput
from reconciler.model.kind import Kinds

if TYPE_CHECKING:  # what only some commands need is imported by them
    from reconciler.emulator import Application


def paths_of(kinds: Kinds) -> dict[str, str]:
    """Return the paths of all listings with the kind that each belongs to; that of its objects is the first one."""
    known = outlines(kinds)
    first = {outline.listing: name for name, outline in known.items() if outline.listing}
    others = {path: name for name, outline in known.items() for path in outline.paths}
    return {**first, **{path: name for path, name in others.items() if path not in first}}


def asked_for(kinds: Kinds, reads: Mapping[str, frozenset[str]]) -> list[str]:
    """Return the kinds whose listings are read where these kinds are, with these attributes, as `paths_of` says it:
    what is inside of another kind comes with that.
    """
    paths = paths_of(kinds)
    listings = (need for name, declared in reads.items() for need in kinds[name].needs(declared))
    return list(dict.fromkeys(paths[listing.known(kinds[paths[listing.path]].facts).path] for listing in listings))


def open_emulator(path: Path) -> Application:
    """Open the emulator's account in a file. Raises WrongInput where the file cannot be used."""
    from reconciler.emulator import open_account

    try:
        return open_account(path)
    except OSError as error:
        raise WrongInput(
            f"the emulator's account {path} cannot be opened: {error}",
            hint="the file and its folder have to be writable, and the file is made by the emulator alone",
        ) from error

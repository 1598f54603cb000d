"""Versions of the state document: each earlier format is brought up one step at a time, a newer one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.model.documents import as_document, outermost, read_json, written
from reconciler.model.errors import StateDamaged, StateError
from reconciler.model.garbage import give_back
from reconciler.model.identity import Fits
from reconciler.model.state import STATE_VERSION, State

Content = dict[str, Any]


def _fences(content: Content) -> Content:
    """1 -> 2: says which lock holder wrote last, which journal records are in it, and which creates are open."""
    return {**content, "fence": 0, "folded": 0, "updated": "", "intents": {}}


def _moves(content: Content) -> Content:
    """2 -> 3: bindings say by which `moved` block they came to their address; it is unknown of earlier ones."""
    return content


UPGRADES: Mapping[int, Callable[[Content], Content]] = {1: _fences, 2: _moves}
"""What leads from a format to the next one."""


def parse_state(text: bytes, where: str, hint: str = "nothing was changed", fits: Fits | None = None) -> State:
    """Return the state of a document of any known format, whose ids are those of their kinds. Raises StateError that
    tells corrupt from foreign from newer.
    """
    try:
        version = outermost(text).get("format_version")
    except ValueError as error:
        raise StateDamaged(f"the state {where} is corrupt: it is truncated or not JSON ({error})", hint=hint) from error
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StateDamaged(f"the state {where} is not a state of this program", hint=hint)
    if version > STATE_VERSION:
        raise StateError(
            f"the state {where} has format {version}; this program knows up to {STATE_VERSION}",
            hint=f"install a version of reconciler that knows format {version} (the one that wrote it does); "
            "nothing was changed",
        )
    try:
        state = as_document(State, text if version == STATE_VERSION else json.dumps(_upgraded(read_json(text))), fits)
    except ValueError as error:
        raise StateDamaged(f"the state {where} is corrupt: {first_of(error)}", hint=hint) from error
    give_back(len(text))
    return state


def _upgraded(content: Content) -> Content:
    for step in range(content["format_version"], STATE_VERSION):
        content = {**UPGRADES[step](content), "format_version": step + 1}
    return content


def first_of(error: Exception) -> str:
    """Return what is wrong first, and where."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{first['msg']} at {'.'.join(str(part) for part in first['loc'])}"


def dump_state(state: State) -> bytes:
    """Return a state as it is written: JSON, indented, in the newest format."""
    return written(state)

"""What is said where an interrupt ended a command: what was read, what was changed, and what goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reconciler.model.address import abridged
from reconciler.render import words
from reconciler.render.quoting import place
from reconciler.render.traffic import Traffic

_OURS = (".reconciler",)
"""Folders of what the program keeps for itself."""


def message(traffic: Traffic | None, what: str, written: Sequence[str], next_command: str) -> str:
    """Return the lines. `what` was done with accounts ("": nothing), `written` are files and places of states, and
    `next_command` goes on ("": the same command begins again).
    """
    kept = (path for path in written if not path.endswith(".lock") and not _gone(path))
    places = [_from_here(name) for name in kept if not set(_OURS) & set(Path(name).parts)]
    lines = [_reading(traffic, what), _changed(traffic, places)]
    if next_command:
        lines.append(f"`{next_command}` goes on from there.")
    elif what:
        lines.append("The same command begins again.")
    return "\n".join(filter(None, lines))


def _gone(name: str) -> bool:
    """Return whether a file was only there while others were written."""
    return os.path.isabs(name) and not os.path.lexists(name)


def _from_here(place: str) -> str:
    """Return a path as a user in this folder calls it; elsewhere, and of a server, as it is."""
    return os.path.relpath(place) if os.path.isabs(place) and Path(place).is_relative_to(Path.cwd()) else place


def _reading(traffic: Traffic | None, what: str) -> str:
    if traffic is None or not what or not traffic.names:
        return "Cancelled."
    with traffic.frozen():
        kinds, requests = traffic.kinds, words.counted(traffic.requests, "request")
        over = sum(topic.over for topic in kinds)
        account = " and ".join(traffic.names)
    if not kinds:
        return f"Cancelled. {requests} had been sent to {account}."
    done = "checked" if what == "Checking" else "read"
    return f"Cancelled. {over} of {len(kinds)} kinds of {account} had been {done}, with {requests}."


def _changed(traffic: Traffic | None, places: Sequence[str]) -> str:
    writes = traffic.written if traffic is not None else 0
    account = (
        f"{words.counted(writes, 'request')} that {'changes' if writes == 1 else 'change'} something had been sent to "
        "the account; the next plan shows what it holds."
        if writes
        else ""
    )
    if not places:
        return account or "Nothing was changed."
    shown = [place(path) for path in places]
    files = f"Written before: {abridged(shown)}."
    return f"{account or 'Nothing was changed in the account.'} {files}"

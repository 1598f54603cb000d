"""How other things of the account name an object."""

from __future__ import annotations

from typing import NamedTuple


class Mention(NamedTuple):
    """How others name an object: its id under one of these parameter names, or one of these texts in contents."""

    kind: str
    id: str
    keys: frozenset[str]
    texts: tuple[str, ...] = ()

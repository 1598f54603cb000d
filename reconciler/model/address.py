"""Addresses: the stable names of declared things. `kind.key`, and `stage.<pipeline key>.<stage key>` for nested
ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Address = str

KEY_PATTERN = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]*$")


def join(kind: str, key: str) -> Address:
    """Return the address of `key` (which may hold a parent's key, `sales.won`) of `kind`."""
    return f"{kind}.{key}"


def split(address: Address) -> tuple[str, str]:
    """Return (kind, key); the key of a nested address keeps its dots. Raises ValueError where there is no dot."""
    kind, dot, key = address.partition(".")
    if not dot or not kind or not key:
        raise ValueError(f"'{address}' is not an address: write kind.key, for example tag.vip")
    return kind, key


def kind_of(address: Address) -> str:
    """Return the kind of a well-formed address."""
    return address.partition(".")[0]


def key_of(address: Address) -> str:
    """Return the key of a well-formed address."""
    return address.partition(".")[2]


def by_identity(ids: Mapping[Address, str]) -> dict[tuple[str, str], Address]:
    """Return addresses by kind and remote id, of ids by address."""
    return {(kind_of(address), identity): address for address, identity in ids.items()}


def abridged(names: Sequence[str], most: int = 8) -> str:
    """Return names for a sentence, with commas; of many the first ones, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")

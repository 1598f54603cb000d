"""What a rename of addresses takes along: everything that is nested in what moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.model.address import Address, join, key_of, kind_of

if TYPE_CHECKING:
    from reconciler.model.kind import Kinds


def with_nested(moves: Mapping[Address, Address], known: Iterable[Address], kinds: Kinds) -> dict[Address, Address]:
    """Return the moves with those of everything that is nested in what moves, unless it moves on its own account."""
    renamed = dict(moves)
    taken = set(moves.values())
    for address in known if moves else ():
        kind = kinds.get(kind_of(address))
        if kind is None or not kind.nested or address in renamed:
            continue
        parent, _, last = key_of(address).rpartition(".")
        there = moves.get(join(kind.nested, parent))
        if there is not None and (target := join(kind.name, f"{key_of(there)}.{last}")) not in taken:
            renamed[address] = target
    return renamed

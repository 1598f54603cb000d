"""The order of the account, as the order of the entries in files: of what stands in something else, such as stages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.config.reading.places import nesting
from reconciler.config.writing.arranging import interleaved
from reconciler.config.writing.rewriting import Arrangement
from reconciler.deriving.export import placed
from reconciler.model.address import key_of, kind_of
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.planning.ranks import arranged_names


def arranges(kind: Kind, name: str) -> bool:
    """Return whether an attribute of a kind follows from where a resource stands among its siblings in the file."""
    return bool(kind.nested) and name in arranged_names(kind)


def own_key(address: str) -> str:
    """Return the key of a resource within what it stands in."""
    return key_of(address).rpartition(".")[2]


def by_parent(addresses: Iterable[str], kinds: Kinds) -> dict[str, list[str]]:
    """Return the addresses of what is arranged among siblings, by what it stands in."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for address in addresses:
        kind = kinds[kind_of(address)]
        if kind.nested and kind.arrange([(address, {}, None)]):
            grouped[kind.parent_of(address)].append(address)
    return grouped


def in_files(addresses: Iterable[str], declared: Mapping[str, Resource]) -> list[str]:
    """Return the declared ones of these addresses in the order of the files."""
    return sorted((address for address in addresses if address in declared), key=lambda address: declared[address].rank)


def in_account(addresses: Iterable[str], lives: Mapping[str, Live]) -> list[str]:
    """Return those of these addresses that an account holds, in its order."""
    return sorted((address for address in addresses if address in lives), key=lambda address: placed(lives[address]))


def arrangements(declared: Mapping[str, Resource], lives: Mapping[str, Live], kinds: Kinds) -> list[Arrangement]:
    """Return how the files have to be arranged to stand in the order of the account; what only they have stays where it
    is, and what only the account has is taken to be new in them.
    """
    moved = []
    for parent, addresses in by_parent({**declared, **lives}, kinds).items():
        have = [own_key(address) for address in in_files(addresses, declared)]
        wanted = [own_key(address) for address in in_account(addresses, lives)]
        keys = interleaved(have, wanted)
        if parent in declared and keys != have:
            moved.append(Arrangement(parent, inside(addresses[0], kinds), tuple(keys)))
    return moved


def inside(address: str, kinds: Kinds) -> str:
    """Return the attribute of the parent that holds what stands in it."""
    kind = kinds[kind_of(address)]
    return nesting(kinds[kind.nested], kind.name)

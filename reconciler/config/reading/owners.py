"""Who is in charge of what is declared: `x-owner`, in a resource, in what it is nested in, or at the top of the file.
Nothing is planned by it, and no account is told of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.reading.loading import Loaded
from reconciler.config.reading.nodes import Map, Node, Scalar, Source, at
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.resources import OWNER
from reconciler.model.address import Address


def owners_of(loaded: Loaded) -> dict[Address, str]:
    """Return the owner of each resource that has one: the nearest `x-owner` wins."""
    places, owners = loaded.places, dict[Address, str]()
    files = {source.file: owner for source in (*places.sources, *places.included) for owner in _of_file(source)}
    for address, resource in loaded.desired.resources.items():
        own = _text(entry.value) if (entry := places.entry(address, OWNER)) is not None else ""
        above = owners.get(resource.parent, "") if resource.parent else ""
        owner = own or above or (files.get(resource.at.file, "") if resource.at is not None else "")
        if owner:
            owners[address] = owner
    return owners


def _of_file(source: Source) -> Iterator[str]:
    """Yield what a file says of all that it holds, if it does."""
    if OWNER not in source.text:
        return
    for root in parse(source, Problems()) or []:
        entry = at(root, OWNER) if isinstance(root, Map) else None
        if entry is not None and (text := _text(entry.value)):
            yield text


def _text(node: Node) -> str:
    return str(node.value).strip() if isinstance(node, Scalar) and node.value is not None else ""

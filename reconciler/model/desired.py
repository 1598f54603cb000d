"""What the YAML asks for: resources with their places, and the blocks that move, forget or import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.address import Address
from reconciler.model.diagnostics import Position
from reconciler.model.empty import NOTHING
from reconciler.model.spec import Lifecycle
from reconciler.model.values import Value

_PLAIN = Lifecycle.model_construct()


class Resource(NamedTuple):
    """One declared resource. `attrs` holds only what is declared (and identity defaults); references are `Ref` or
    `Lookup`.

    `rank` is the place among its siblings in the file, counted from 0; `parent` the address it is nested in.
    `places` maps attribute names to where they are declared. `nested` names the attributes whose maps became
    resources of their own: declared, even where the map is empty. `elsewhere` is what other resources say in place of
    this one (see `Roster`): names of its attributes, and addresses of entries of its lists.
    """

    address: Address
    kind: str
    key: str
    attrs: Mapping[str, Value]
    lifecycle: Lifecycle = _PLAIN
    at: Position | None = None
    places: Mapping[str, Position] = NOTHING
    parent: Address | None = None
    rank: int = 0
    nested: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


class Moved(NamedTuple):
    """`from` is what the resource was called in the state, `to` its address now."""

    source: Address
    target: Address
    at: Position | None = None


class Removed(NamedTuple):
    """Forget `address`; `destroy` false leaves the live object alone."""

    address: Address
    destroy: bool
    at: Position | None = None


class Import(NamedTuple):
    """Bind the declared `target` to the live object with this id."""

    target: Address
    id: str
    at: Position | None = None


class Desired(NamedTuple):
    """A whole configuration, by address in the order of the files."""

    resources: Mapping[Address, Resource] = NOTHING
    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
    imports: tuple[Import, ...] = ()

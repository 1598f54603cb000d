"""The blocks `moved`, `removed` and `imports`: what happens to names and bindings rather than to objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Source, Spot
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.validation import validated
from reconciler.model import address as addresses
from reconciler.model.desired import Import, Moved, Removed
from reconciler.model.grammar import a
from reconciler.model.kind import Kinds
from reconciler.model.nearest import Words, did_you_mean
from reconciler.model.records import mutable


class _Block(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)


class MovedBlock(_Block):
    """A resource was renamed in these files; the object stays the same."""

    source: str = Field(alias="from", description="Address that the resource had.")
    target: str = Field(alias="to", description="Address that it has now.")


class RemovedBlock(_Block):
    """A resource is no longer declared."""

    address: str = Field(description="Address that the resource had.")
    destroy: bool = Field(description="false: forget the object and leave it alive; true: delete it.")


class ImportBlock(_Block):
    """A declared resource is an object that exists already."""

    target: str = Field(alias="to", description="Address of the declaration.")
    id: str | int = Field(description="Id of the object in the account.")


Block = TypeVar("Block", bound=_Block)


class _Placed(NamedTuple):
    """A block with its entry, whose map holds the places."""

    entry: Entry

    def spot(self, key: str) -> Spot:
        value = self.entry.value
        return value.entries[key].spot if isinstance(value, Map) and key in value.entries else self.entry.spot


@mutable
class Blocks:
    """Reads the blocks. `declared` holds every declared address; without `complete`, some files could not be read."""

    kinds: Kinds
    scope: Scope
    declared: Mapping[str, Entry]
    complete: bool = True
    prefixes: Mapping[Source, str] = field(default_factory=dict)

    @property
    def problems(self) -> Problems:
        """Where to tell what is wrong."""
        return self.scope.problems

    def moved(self, nodes: Iterable[Node]) -> tuple[Moved, ...]:
        """Return the moves, each to where its resource is now: chains are followed up to the next declared key, so that
        two keys can be swapped and keys be handed on.
        """
        steps: dict[str, str] = {}
        places: dict[str, _Placed] = {}
        for block, placed in self._read(nodes, MovedBlock):
            if not (
                self._address(block.source, placed.spot("from")) and self._address(block.target, placed.spot("to"))
            ):
                continue
            if addresses.kind_of(block.source) != addresses.kind_of(block.target):
                self.problems.error(
                    "wrong-kind",
                    f"`{block.source}` cannot become {a(addresses.kind_of(block.target))}",
                    placed.spot("to"),
                )
            elif block.source in steps:
                first = places[block.source].spot("from").position
                self.problems.error(
                    "twin-blocks", f"`{block.source}` moves twice", placed.spot("from"), f"the first is at {first}"
                )
            else:
                steps[block.source], places[block.source] = block.target, placed
        blocks = tuple(move for source in steps if (move := self._followed(source, steps, places[source])) is not None)
        for move in blocks:
            # A key that is declared again is another resource's now: one that moved there, or in place of it.
            if move.source in self.declared and move.source not in {block.target for block in blocks}:
                spot = places[move.source].spot("from")
                self._still_declared(move.source, spot, "a resource that moved away")
        return blocks

    def _followed(self, source: str, steps: Mapping[str, str], placed: _Placed) -> Moved | None:
        target, seen = steps[source], {source}
        while target in steps and target not in seen and target not in self.declared:
            seen.add(target)
            target = steps[target]
        if target in seen:
            self.problems.error("moved-cycle", f"`{source}` moves in a circle", placed.spot("from"))
            return None
        if not self._declared(target, placed.spot("to")):
            return None
        return Moved(source, target, placed.entry.spot.position)

    def removed(self, nodes: Iterable[Node]) -> tuple[Removed, ...]:
        """Return what to forget or to delete."""
        blocks: dict[str, Removed] = {}
        for block, placed in self._read(nodes, RemovedBlock):
            spot = placed.spot("address")
            if not self._address(block.address, spot):
                continue
            if block.address in self.declared:
                self._still_declared(block.address, spot, "what is removed")
            elif block.address in blocks:
                self.problems.error(
                    "twin-blocks",
                    f"`{block.address}` is removed twice",
                    spot,
                    f"the first is at {blocks[block.address].at}",
                )
            else:
                blocks[block.address] = Removed(block.address, block.destroy, placed.entry.spot.position)
        return tuple(blocks.values())

    def imports(self, nodes: Iterable[Node]) -> tuple[Import, ...]:
        """Return which declarations are bound to which objects."""
        blocks: dict[str, Import] = {}
        owners: dict[tuple[str, str], Import] = {}
        for block, placed in self._read(nodes, ImportBlock):
            spot, identity = placed.spot("to"), str(block.id)
            if not (self._address(block.target, spot) and self._declared(block.target, spot)):
                continue
            wanted = Import(block.target, identity, placed.entry.spot.position)
            owner = owners.setdefault((addresses.kind_of(block.target), identity), wanted) if identity else wanted
            if blocks.setdefault(block.target, wanted) is not wanted:
                hint = f"the first is at {blocks[block.target].at}"
                self.problems.error("twin-blocks", f"`{block.target}` is imported twice", spot, hint)
            elif owner is not wanted:
                hint = f"the first is at {owner.at}"
                self.problems.error(
                    "twin-blocks",
                    f"the object {identity} is imported as `{owner.target}` and as `{block.target}`",
                    spot,
                    hint,
                )
        return tuple(blocks.values())

    def _read(self, nodes: Iterable[Node], model: type[Block]) -> Iterable[tuple[Block, _Placed]]:
        for node in nodes:
            entry = Entry(Scalar(node.source, node.line, node.column, "", True, ""), node)
            block = validated(model, self.scope.data(node), entry, self.scope)
            if block is not None:
                yield self._prefixed(block, self.prefixes.get(node.source, "")), _Placed(entry)

    def _prefixed(self, block: Block, prefix: str) -> Block:
        """Return a block of an included file with the keys as the project sees them."""
        names = [name for name in ("source", "target", "address") if prefix and hasattr(block, name)]
        changed = {name: _with_prefix(getattr(block, name), prefix) for name in names}
        return block.model_copy(update=changed)

    def _address(self, address: str, spot: Spot) -> bool:
        """Return whether an address is well-formed and of a known kind."""
        try:
            kind, key = addresses.split(address)
        except ValueError as error:
            self.problems.error("bad-address", str(error), spot)
            return False
        managed = [name for name, known in self.kinds.items() if known.abilities.managed]
        if kind not in managed:
            hint = did_you_mean(kind, managed, f"there are {listed(managed, 40)}")
            self.problems.error("unknown-kind", f"there is no kind `{kind}`", spot, hint)
            return False
        parts = key.split(".")
        wanted = 2 if self.kinds[kind].nested else 1
        if len(parts) != wanted or not all(addresses.KEY_PATTERN.match(part) for part in parts):
            shape = f"{kind}.<{self.kinds[kind].nested} key>.<key>" if wanted == 2 else f"{kind}.<key>"
            self.problems.error("bad-address", f"`{address}` is not an address of {a(kind)}", spot, f"write {shape}")
            return False
        return True

    @cached_property
    def _addresses(self) -> Words:
        return Words(self.declared)

    def _declared(self, address: str, spot: Spot) -> bool:
        if address in self.declared:
            return True
        if self.complete:
            hint = did_you_mean(address, self._addresses)
            self.problems.error("dangling-reference", f"`{address}` is not declared", spot, hint)
        return False

    def _still_declared(self, address: str, spot: Spot, what: str) -> None:
        where = self.declared[address].key.spot.position
        self.problems.error(
            "still-declared",
            f"`{address}` is still declared at {where}",
            spot,
            f"{what} has no declaration any more: take out one of the two",
        )


def _with_prefix(address: str, prefix: str) -> str:
    kind, dot, key = address.partition(".")
    return f"{kind}.{prefix}{key}" if dot else address

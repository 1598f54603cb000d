"""One rename of addresses, everywhere they stand: bindings with what they refer to, open creates, records of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.model import values
from reconciler.model.address import Address, join, key_of, kind_of, split
from reconciler.model.values import Ref, Value

if TYPE_CHECKING:
    from reconciler.model.kind import Kinds
    from reconciler.model.run import RunRecord
    from reconciler.model.state import Binding, Intent


def with_nested(moves: Mapping[Address, Address], known: Iterable[Address], kinds: Kinds) -> dict[Address, Address]:
    """Return the moves with those of everything that is nested in what moves, unless it moves on its own account."""
    found = dict(moves)
    taken = set(moves.values())
    for address in known:
        kind = kinds.get(kind_of(address))
        if kind is None or not kind.nested or address in found:
            continue
        parent, _, last = key_of(address).rpartition(".")
        there = moves.get(join(kind.nested, parent))
        if there is not None and (target := join(kind.name, f"{key_of(there)}.{last}")) not in taken:
            found[address] = target
    return found


@dataclass(frozen=True, slots=True)
class Renaming:
    """All moves (old address -> new) at once, so that two addresses may swap."""

    moves: Mapping[Address, Address]

    def address(self, address: Address) -> Address:
        """Return what an address is called afterwards."""
        return self.moves.get(address, address)

    def value(self, encoded: Any) -> Any:
        """Return an encoded value with the references in it renamed."""
        value = values.decode(encoded)
        if not any(isinstance(one, Ref) and one.address in self.moves for one in values.references(value)):
            return encoded
        return values.encode(values.transform(value, self._leaf))

    def _leaf(self, leaf: Value) -> Value:
        return Ref(*split(self.address(leaf.address))) if isinstance(leaf, Ref) else leaf

    def _values(self, encoded: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.value(value) for name, value in encoded.items()}

    def binding(self, binding: Binding) -> Binding:
        """Return a binding that refers to everything by its new address."""
        news = {
            "applied": self._values(binding.applied),
            "rewritten": self._values(binding.rewritten),
            "depends_on": [self.address(one) for one in binding.depends_on],
            "on_destroy": {what: self.address(to) for what, to in binding.on_destroy.items()},
        }
        changed = {name: value for name, value in news.items() if value != getattr(binding, name)}
        return binding.model_copy(update=changed) if changed else binding

    def bindings(self, resources: Mapping[Address, Binding], *, marked: bool = True) -> dict[Address, Binding]:
        """Return all bindings under their new addresses; `marked` ones remember the move, see `Binding.moved_from`."""
        found = {}
        for address, binding in resources.items():
            target, one = self.address(address), self.binding(binding)
            found[target] = one.model_copy(update={"moved_from": address}) if marked and target != address else one
        return found

    def intents(self, intents: Mapping[Address, Intent]) -> dict[Address, Intent]:
        """Return open creates under their new addresses."""
        return {
            self.address(address): intent.model_copy(update={"address": self.address(address)})
            for address, intent in intents.items()
        }

    def run(self, run: RunRecord) -> RunRecord:
        """Return the record of an earlier run as if it had been about the new addresses."""
        steps = [
            step.model_copy(
                update={
                    "address": self.address(step.address),
                    "parent": self.address(step.parent) if step.parent else step.parent,
                    "before": self._values(step.before) if step.before is not None else None,
                    "binding": self.binding(step.binding) if step.binding is not None else None,
                    "pointing": [self.address(one) for one in step.pointing],
                }
            )
            for step in run.steps
        ]
        return run.model_copy(update={"steps": steps})

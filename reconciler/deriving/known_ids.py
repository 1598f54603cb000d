"""The ids of one environment: from its state, and from its account where that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.ids import IdPart, PartGroup, Values
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.records import record
from reconciler.model.redaction import redactor
from reconciler.model.state import Binding
from reconciler.model.values import Value, carries_secret, decode


@record
class KnownIds:
    """One environment: what is declared, what its state knows, and what its account says where it was asked."""

    name: str
    kinds: Kinds
    resources: Mapping[str, Resource]
    bindings: Mapping[str, Binding]
    adopted: Mapping[str, Live] = field(default_factory=dict)
    lives: Mapping[tuple[str, str], Live] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    """Addresses whose object was looked for in the account, and is not there any more."""

    def live(self, address: str) -> Live | None:
        """Return the live object, where the account was asked for it."""
        adopted = self.adopted.get(address)
        binding = self.bindings.get(address)
        return adopted or (self.lives.get((binding.kind, binding.id)) if binding is not None else None)

    def identity(self, address: str) -> str | None:
        """Return the id of a declared address; None where neither the state nor the account has one."""
        if address in self.gone:
            return None
        live = self.adopted.get(address)
        binding = self.bindings.get(address)
        return live.id if live is not None else binding.id if binding is not None else None

    def attrs(self, address: str) -> Mapping[str, Value]:
        """Return what the account holds of an object as far as it is known: as read, as last applied, as declared."""
        declared, binding, live = self.resources[address].attrs, self.bindings.get(address), self.live(address)
        applied = {name: decode(value) for name, value in binding.applied.items()} if binding is not None else declared
        return {**applied, **({name: value for name, value in live.attrs.items() if name in applied} if live else {})}

    def values(self, address: str) -> Values:
        """Return id and names of an object."""
        kind, live, attrs = self.kinds[kind_of(address)], self.live(address), self.attrs(address)
        named = {"id": self.identity(address) or ""}
        for name in kind.identity.code_names:
            value = live.attrs.get(name) if live is not None else attrs.get(name)
            if isinstance(value, str) and value and not carries_secret(value):
                named[name] = redactor().show(value)
        return named

    def parts(self, address: str) -> tuple[PartGroup, ...]:
        """Return what code names inside the object, as far as it is there."""
        groups = []
        for group in self._declared(address):
            there = self._there(address, group.name)
            groups.append(replace(group, parts=tuple(part for part in group.parts if part.key in there)))
        return tuple(groups)

    def missing(self) -> list[str]:
        """Return the addresses, and the parts of objects, that are declared and have no id."""
        names = []
        for address in self.resources:
            if self.identity(address) is None:
                names.append(address)
                continue
            for group in self._declared(address):
                there = self._there(address, group.name)
                names += [f"{address} ({part.key})" for part in group.parts if part.key not in there]
        return names

    def _declared(self, address: str) -> tuple[PartGroup, ...]:
        return self.kinds[kind_of(address)].inside(self.resources[address].attrs, self.live(address))

    def _there(self, address: str, group: str) -> frozenset[str]:
        """Return the keys of the parts whose ids the account told, where it was asked; that were applied otherwise."""
        live = self.live(address)
        kind, attrs = self.kinds[kind_of(address)], self.resources[address].attrs
        groups = kind.inside(attrs if live is not None else self.attrs(address), live)
        parts = [part for there in groups if there.name == group for part in there.parts]
        return frozenset(part.key for part in parts if live is None or not unseen(part))


def unseen(part: IdPart) -> bool:
    """Return whether an account that was asked does not hold a part."""
    return None in part.values.values()

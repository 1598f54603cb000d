"""From what is live to what could be declared: readable keys, references as keys, defaults left out. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Set

from reconciler.deriving.exported import Exported
from reconciler.deriving.said_once import said_once
from reconciler.model import values
from reconciler.model.address import join, key_of
from reconciler.model.demands import TakenNames, demands
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.live import Live
from reconciler.model.nearness import plain
from reconciler.model.redaction import LONG, Redactor
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Nested, Roster, attributes
from reconciler.model.state import Binding
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.declarable import Declarable, declarable, undeclared


def refused(resource: Resource, kind: Kind, names: TakenNames | None = None) -> list[str]:
    """Return why an account would refuse to create what another one holds, beside the names that it has: accounts are
    older than their rules.
    """
    findings = demands(kind, resource.attrs, None, resource.key)
    messages = [finding.message for finding in findings if finding.severity == "error"]
    return [*messages, *(names.taken(resource) if names is not None else ())]


def unmade(exported: Iterable[Exported], kinds: Kinds) -> dict[str, list[str]]:
    """Return what an empty account would refuse to create of an export, by address, with the reasons."""
    names = TakenNames(kinds)
    reasons = {}
    for entry in exported:
        why = refused(entry.resource, kinds[entry.resource.kind], names)
        if why:
            reasons[entry.resource.address] = why
        else:
            names.held(entry.resource)
    return reasons


def export(
    snapshot: Snapshot,
    kinds: Kinds,
    bindings: Mapping[str, Binding],
    only: frozenset[str] | None = None,
    *,
    redactor: Redactor | None = None,
    declared: Mapping[str, Resource] | None = None,
    referred: Container[str] | None = None,
) -> list[Exported]:
    """Return a resource for every live object that can be managed. An object that the state knows keeps its key; no
    key is made of what `redactor` knows. What two resources can say is said where `declared` says it. Only the
    addresses that are `referred` to, all for None, stand in references; other objects are looked up by name.
    """
    live_objects = _LiveObjects(snapshot, kinds, bindings, only, redactor=redactor)
    live_objects.referred = referred
    entries = live_objects.run()
    return said_once(entries, snapshot, kinds, declared or {})


def export_for_files(
    snapshot: Snapshot,
    kinds: Kinds,
    bindings: Mapping[str, Binding],
    only: frozenset[str] | None = None,
    *,
    redactor: Redactor | None = None,
    declared: Mapping[str, Resource] | None = None,
    reserved: Mapping[str, Set[str]] | None = None,
    silent: bool = False,
) -> tuple[list[Exported], list[str]]:
    """Return what `export` does, without what no file can say, and one line for each object left out for that. Without
    those that came with the account and say nothing, unless they are asked for (`silent`): another account's may.

    `reserved` are addresses that objects of other names have elsewhere (see `names_elsewhere`).
    """
    exporting = _LiveObjects(snapshot, kinds, bindings, only, for_files=True, silent=silent, redactor=redactor)
    exporting.reserved = reserved or {}
    return said_once(exporting.run(), snapshot, kinds, declared or {}), exporting.left_out


def names_elsewhere(
    snapshot: Snapshot, kinds: Kinds, bindings: Mapping[str, Binding], declared: Mapping[str, Resource]
) -> dict[str, set[str]]:
    """Return by address what the objects of another environment are called, in the form that near twins share: a key
    that is made of a name may be the same for different names (`VIP` and `VIP!`), and what is not bound is not the
    object that has it there.
    """
    lives = {(kind, live.id): live.attrs for kind, lives in snapshot.lives.items() for live in lives}
    names: dict[str, set[str]] = {}
    rows = [(address, binding.kind, lives.get((binding.kind, binding.id), {})) for address, binding in bindings.items()]
    for address, kind, attrs in (
        *rows,
        *((resource.address, resource.kind, resource.attrs) for resource in declared.values()),
    ):
        name = attrs.get(kinds[kind].identity.name_attribute) if kind in kinds else None
        if isinstance(name, str):
            names.setdefault(address, set()).add(plain(name))
    return names


def export_comparable(
    snapshot: Snapshot,
    kinds: Kinds,
    bindings: Mapping[str, Binding],
    only: frozenset[str] | None = None,
    *,
    redactor: Redactor | None = None,
    reserved: Mapping[str, Set[str]] | None = None,
) -> tuple[list[Exported], list[str]]:
    """Return what `export` does of the objects that a declaration can say, all that they hold, and one line for each
    object that none says: what two accounts hold of those is not understood well enough to be compared.

    With the same `reserved` as an export for files, what is bound nowhere has the same address in both.
    """
    exporting = _LiveObjects(snapshot, kinds, bindings, only, comparing=True, redactor=redactor)
    exporting.reserved = reserved or {}
    return said_once(exporting.run(), snapshot, kinds, {}), exporting.left_out


def undeclarable_keys(snapshot: Snapshot, kinds: Kinds, names: Iterable[str]) -> dict[str, set[NaturalKey]]:
    """Return, by kind of these, the natural keys of the objects that no declaration says."""
    return {
        name: {
            key
            for live in snapshot.lives.get(name, ())
            if not (live.builtin or kinds[name].incidental(live)) and declarable(kinds[name], live).problem
            for key in kinds[name].natural_keys(live.attrs)
        }
        for name in names
    }


def sound(exported: Iterable[Exported]) -> list[Exported]:
    """Return what can be declared as it is now, without what stands in something that cannot."""
    exported = list(exported)
    gone = {entry.resource.address for entry in exported if entry.problem}
    return [entry for entry in exported if not ({entry.resource.address, entry.resource.parent} & gone)]


class _LiveObjects:
    def __init__(
        self,
        snapshot: Snapshot,
        kinds: Kinds,
        bindings: Mapping[str, Binding],
        only: frozenset[str] | None,
        *,
        for_files: bool = False,
        comparing: bool = False,
        silent: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        self.redactor = redactor or Redactor()
        self.snapshot, self.kinds, self.only, self.for_files = snapshot, kinds, only, for_files
        self.comparing, self.silent = comparing, silent
        self.known = {(binding.kind, binding.id): address for address, binding in bindings.items()}
        self.names: dict[tuple[str, str], str] = {}
        self.found: dict[tuple[str, str], Declarable] = {}
        self.left_out: list[str] = []
        self.reserved: Mapping[str, Set[str]] = {}
        self.labels: dict[str, Counter[str]] = {}
        self.referred: Container[str] | None = None

    def run(self) -> list[Exported]:
        chosen = {
            name: kind
            for name, kind in self.kinds.items()
            if kind.abilities.managed and name in self.snapshot.lives and (self.only is None or name in self.only)
        }
        self.names = {
            (kind, identity): address for (kind, identity), address in self.known.items() if kind not in chosen
        }
        for kind in chosen.values():
            self._name(kind, [live for live in self.snapshot.lives[kind.name] if self._wanted(kind, live)])
        exported = []
        for kind in chosen.values():
            exported += self._resources(kind)
        return exported

    def _wanted(self, kind: Kind, live: Live) -> bool:
        """Return whether to declare an object: not what came with the account; what is not expected to be managed, or
        what no file can say, only where the state knows it.
        """
        known = (kind.name, live.id) in self.known
        if live.builtin or (kind.incidental(live) and not known):
            self._set_aside(kind, live, known=known)
            return False
        if self.for_files and not self.silent and kind.silent(live) and not known:
            if self._is_second(kind, live):
                self._leave_out(kind, live, "it came with the account and says nothing, and another one has its name")
            return False
        untold = self.snapshot.untold(live)
        reason = declarable(kind, live, untold) if self.for_files else undeclared(kind, live)
        self.found[kind.name, live.id] = reason
        problem = declarable(kind, live, untold).problem if self.comparing else reason.problem
        if problem and (self.comparing or not known):
            self._leave_out(kind, live, problem)
            return False
        return True

    def _is_second(self, kind: Kind, live: Live) -> bool:
        """Return whether what came with the account is there twice."""
        keys = set(kind.natural_keys(live.attrs))
        others = (candidate for candidate in self.snapshot.lives[kind.name] if candidate.id != live.id)
        return any(keys & set(kind.natural_keys(other.attrs)) for other in others)

    def _set_aside(self, kind: Kind, live: Live, *, known: bool) -> None:
        """Say of what is not declared by default why, where the kind has a reason."""
        if not known and not self.comparing and (why := kind.aside(live)):
            self._leave_out(kind, live, why)

    def _leave_out(self, kind: Kind, live: Live, why: str) -> None:
        name = live.attrs.get(kind.identity.name_attribute)
        self.left_out.append(f"{kind.title}{f' `{name}`' if name else ''} (id {live.id}) is left out: {why}")

    def _name(self, kind: Kind, lives: Iterable[Live]) -> None:
        """Give every object an address: the one it has, or one made of its name, numbered where names collide."""
        lives = sorted(lives, key=lambda live: (len(live.id), live.id))
        taken: set[str] = set()
        for live in lives:
            address = self.known.get((kind.name, live.id))
            if address is not None:
                self.names[kind.name, live.id] = address
                taken.add(key_of(address))
        for live in lives:
            if (kind.name, live.id) in self.names:
                continue
            prefix = self._prefix(kind, live)
            if prefix is None:
                self._leave_out(kind, live, f"the {self.kinds[kind.nested].title.lower()} that it stands in is")
                continue
            label = str(live.attrs.get(kind.identity.name_attribute) or live.id)
            base = prefix + (f"id_{slug(live.id)}" if self.redactor.knows(label, LONG) else slug(label))
            key, number = base, 1
            while key in taken or self._means_another(join(kind.name, key), label):
                number += 1
                key = f"{base}_{number}"
            taken.add(key)
            self.names[kind.name, live.id] = join(kind.name, key)

    def _means_another(self, address: str, label: str) -> bool:
        names = self.reserved.get(address)
        return bool(names) and plain(label) not in (names or ())

    def _prefix(self, kind: Kind, live: Live) -> str | None:
        """Return the parent's key with a dot for nested kinds; None for a child whose parent is not exported."""
        nesting = self._nesting(kind)
        if nesting is None:
            return ""
        parent = live.attrs.get(nesting.parent)
        address = self.names.get((parent.kind, parent.id)) if isinstance(parent, RemoteId) else None
        return f"{key_of(address)}." if address else None

    def _nesting(self, kind: Kind) -> Nested | None:
        return self.kinds[kind.nested].nesting(kind.name) if kind.nested else None

    def _resources(self, kind: Kind) -> list[Exported]:
        nesting = self._nesting(kind)
        siblings: dict[str | None, list[Live]] = defaultdict(list)
        for live in self.snapshot.lives[kind.name]:
            address = self.names.get((kind.name, live.id))
            if address is not None and not live.builtin:
                parent = live.attrs.get(nesting.parent) if nesting else None
                siblings[self.names.get((parent.kind, parent.id)) if isinstance(parent, RemoteId) else None].append(
                    live
                )
        resources = []
        for parent_address, lives in siblings.items():
            lives.sort(key=placed if nesting else (lambda live: (self.names[kind.name, live.id],)))
            for rank, live in enumerate(lives):
                resource, reason = self._resource(kind, live, parent_address, rank), self.found[kind.name, live.id]
                gone = tuple(self._gone(resource))
                resources.append(Exported(resource, live, reason.dropped, reason.problem, gone, reason.partly))
        return resources

    def _resource(self, kind: Kind, live: Live, parent: str | None, rank: int) -> Resource:
        address = self.names[kind.name, live.id]
        declared = self.found[kind.name, live.id].attrs
        spec = attributes(kind.spec_of(key_of(address)) or kind.spec)
        attrs = {name: values.transform(value, self._link) for name, value in declared.items() if name in spec}
        nesting = self._nesting(kind)
        if nesting is not None and parent is not None:
            attrs[nesting.parent] = Ref(nesting.kind if nesting.kind != kind.name else kind.nested, key_of(parent))
        nested = tuple(name for name, attribute in spec.items() if attribute.has(Nested))
        return Resource(address, kind.name, key_of(address), attrs, parent=parent, rank=rank, nested=nested)

    def _gone(self, resource: Resource) -> Iterable[str]:
        known = self.kinds[resource.kind].attributes
        for name, value in resource.attrs.items():
            for reference in values.references(value):
                if (
                    isinstance(reference, Lookup)
                    and reference.by == "id"
                    and self._lost(reference)
                    and not known[name].has(Roster)
                ):
                    title = self.kinds[reference.kind].title.lower()
                    yield f"`{name}` is {title} id {reference.value}, which the account does not show"

    def _lost(self, lookup: Lookup) -> bool:
        lives = self.snapshot.lives.get(lookup.kind)
        return lives is not None and all(live.id != lookup.value for live in lives)

    def _link(self, leaf: Value) -> Value:
        """Return a live reference as people write it: a key, or a look-up by a name that only one object has."""
        if not isinstance(leaf, RemoteId):
            return leaf
        address = self.names.get((leaf.kind, leaf.id))
        if address is not None and (self.referred is None or address in self.referred):
            return Ref(leaf.kind, key_of(address))
        label = self.kinds[leaf.kind].identity.name_attribute
        live = next((live for live in self.snapshot.lives.get(leaf.kind, ()) if live.id == leaf.id), None)
        name = live.attrs.get(label) if live is not None else None
        if name is None or self._count(leaf.kind, label)[str(name)] != 1:
            return Lookup(leaf.kind, "id", leaf.id)
        return Lookup(leaf.kind, "email" if label == "email" else "name", str(name))

    def _count(self, kind: str, label: str) -> Counter[str]:
        if kind not in self.labels:
            self.labels[kind] = Counter(str(live.attrs.get(label)) for live in self.snapshot.lives.get(kind, ()))
        return self.labels[kind]


def placed(live: Live) -> tuple[int, int, str]:
    """Return the place of an object among its siblings: by its order where it has one, else by age."""
    order = live.attrs.get("order")
    return (order if isinstance(order, int) else 0), len(live.id), live.id


LONGEST_KEY = 60
"""Letters of a key that is made of a name: YAML readers take long ones for no simple keys."""


def slug(text: str) -> str:
    """Return a key made of a name: at most 60 lower-case ASCII letters, digits and underscores; `x` where nothing is
    left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:LONGEST_KEY].strip("_") or "x"

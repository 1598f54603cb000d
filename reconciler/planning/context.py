"""What one planning run knows so far. The modules that plan read and extend it, kind by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, field

from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.catalog import outlines
from reconciler.model.desired import Desired, Resource
from reconciler.model.grammar import a
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change, Skipped
from reconciler.model.records import record
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Once
from reconciler.model.state import Binding, Intent, State
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.bindings import after_moves, revealer
from reconciler.planning.identity import NotFound, Resolver, comparable
from reconciler.planning.rosters import leaving, roster_of, spoken, still


@record
class Inputs:
    """Everything a plan is made from. `intents` are creates whose answer never came; `only` restricts the plan to
    some addresses.
    """

    _: KW_ONLY
    desired: Desired
    state: State
    snapshot: Snapshot
    kinds: Kinds
    secret: Callable[[str], str] = str
    intents: Mapping[str, Intent] = field(default_factory=dict)
    only: frozenset[str] | None = None
    tearing_down: bool = False
    """The user asked for the end of everything: an empty configuration is not an accident."""
    in_flight: frozenset[str] = frozenset()
    """Addresses whose last update may have been taken without an answer: what holds of them is recorded."""
    eyes: Eyes | None = None
    """Whose key the account was read with; None: nothing depends on it, or it was not asked."""
    compares: bool = False
    """The plan is not carried out: what the API cannot change in any way differs like anything else."""
    whole: bool = False
    """The declarations are all that is to be, as two accounts are compared: what objects hold beside them differs too,
    entries of maps and rosters among it.
    """

    replaced: Mapping[str, str] = field(default_factory=dict)
    """Objects that are to be made again though nothing asks for it, by address, with the id that goes: what comes after
    it has another one, and stays.
    """
    barred: Mapping[str, str] = field(default_factory=dict)
    """Writes that the account said no to when it was asked, by address, with the reason: they are left out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "desired", spoken(self.desired, self.kinds))

    def covers(self, address: str) -> bool:
        """Whether the plan is about this address."""
        return self.only is None or address in self.only


def _by_parent(lives: Iterable[Live], kind: str, attribute: str) -> Mapping[str, Sequence[Live]]:
    """Return objects by the id of what an attribute of theirs names, an object of that kind."""
    inside: dict[str, list[Live]] = {}
    for live in lives:
        owner = live.attrs.get(attribute)
        if isinstance(owner, RemoteId) and owner.kind == kind:
            inside.setdefault(owner.id, []).append(live)
    return inside


class PlanningContext:
    """One planning run: what has been matched and decided so far, in the order in which kinds refer to each other."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.kinds: Kinds = inputs.kinds
        self.bindings: dict[str, Binding]
        self.bindings, self.moved, wrong = after_moves(inputs.state.resources, inputs.desired, inputs.kinds)
        labels = {name: outline.label for name, outline in outlines(self.kinds).items()}
        self.resolver = Resolver(lives=inputs.snapshot.lives, labels=labels)
        self.pinned = {block.target: block.id for block in reversed(inputs.desired.imports)}
        self.bound: dict[str, dict[str, Binding]] = defaultdict(dict)
        """The bindings by kind."""
        for address, binding in self.bindings.items():
            self.bound[kind_of(address)][address] = binding
        self.owners = {(binding.kind, binding.id): address for address, binding in self.bindings.items()}
        self.released = {block.address for block in inputs.desired.removed if not block.destroy}
        self.matched: dict[str, Live] = {}
        self.changes: dict[str, Change] = {}
        self.skipped: dict[str, Skipped] = {}
        self.spares: dict[str, list[str]] = {}
        self.freed: dict[tuple[str, str], set[Value]] = {}
        """Members -> the objects whose rosters let go of them."""
        self.problems: list[str] = [*wrong, *impossible_evacuations(inputs.desired, inputs.kinds)]
        self.warnings: list[str] = []
        self.kept = 0
        self._nested: dict[str, Mapping[str, Mapping[str, Sequence[Live]]]] = {}
        self.reveal = revealer(inputs.secret, self.bindings, inputs.snapshot, inputs.state.salt)

    def will_be_deleted(self, reference: RemoteId) -> bool:
        """Return whether this plan deletes an object: what only it makes visible would be hidden afterwards."""
        address = self.owners.get((reference.kind, reference.id))
        if address is None or not self.inputs.covers(address):
            return False
        if address in self.inputs.desired.resources:
            change = self.changes.get(address)
            return change is not None and change.action is Action.REPLACE
        return address not in self.released

    def nested(self, kind: Kind) -> Mapping[str, Mapping[str, Sequence[Live]]]:
        """Return the objects that are nested in those of a kind, as far as the listings show them: by their kind, and
        by the id of what they are nested in.
        """
        if kind.name not in self._nested:
            self._nested[kind.name] = {
                child.name: _by_parent(self.inputs.snapshot.lives.get(child.name, ()), kind.name, mark.parent)
                for child in self.kinds.values()
                if (mark := kind.nesting(child.name)) is not None
            }
        return self._nested[kind.name]

    def bind(self, address: str, binding: Binding) -> None:
        """Remember an object that the state does not know."""
        self.bindings[address] = self.bound[kind_of(address)][address] = binding

    def let_go(self, kinds: Iterable[Kind]) -> None:
        """Remember which objects the rosters of these kinds let go of in this plan: who is who has to be known."""
        rosters = {kind.name: roster[0] for kind in kinds if (roster := roster_of(kind)) is not None}
        for address, live in self.matched.items() if rosters else ():
            name = rosters.get(live.kind, "")
            resource, binding = self.inputs.desired.resources.get(address), self.bindings.get(address)
            if resource is None or binding is None or name not in resource.attrs or not self.inputs.covers(address):
                continue
            if name in resource.lifecycle.ignore_changes:
                continue
            applied = self.known(still(resource, values.decode(binding.applied.get(name))))
            for reference in leaving(self.kinds[live.kind], live, self.known(resource.attrs[name]), applied):
                self.freed.setdefault((reference.kind, reference.id), set()).add(RemoteId(live.kind, live.id))

    def match(self, address: str, live: Live) -> None:
        """Remember which object an address is."""
        self.matched[address] = live
        self.resolver.ids[address] = live.id

    def shown(self, address: str) -> bool:
        """Whether the account shows an address, or this plan makes it."""
        return address in self.matched or address in self.changes

    def hide(self, address: str, why: str) -> None:
        """Skip what may only be hidden; what the state calls it goes on to serve as a reference."""
        self.skipped[address] = Skipped(address, why, forbidden=True)
        if address in self.bindings:
            self.resolver.ids[address] = self.bindings[address].id

    def resolved(self, resource: Resource) -> dict[str, Value]:
        """Return the declared attributes by which an object can be told, with ids for references and secrets revealed;
        unknown look-ups stay as they are. What is sent only once tells nothing, and is not known later.
        """
        once = self.kinds[resource.kind].marked(Once)
        return {name: self.known(value) for name, value in resource.attrs.items() if name not in once}

    def known(self, value: Value) -> Value:
        """Return a value as far as it can be known by now."""
        if value.__class__ in values.SCALARS:
            return self.reveal(value)
        return values.transform(comparable(value, self.resolver), self.reveal)

    def strictly(self, leaf: Value) -> Value:
        """Return a text with its secrets. Raises ConfigError where one is not set."""
        return values.reveal(leaf, self.inputs.secret) if isinstance(leaf, str) and values.has_secret(leaf) else leaf

    def possible(self, resource: Resource) -> bool:
        """Check that everything the resource refers to can be known; otherwise skip it, with the reason."""
        if not values.references(resource.attrs):
            return True
        live = self.matched.get(resource.address)
        for name, value in resource.attrs.items():
            for reference in values.references(value):
                why = (
                    self._blocked(reference)
                    if isinstance(reference, Ref)
                    else self._unknown(resource, name, reference, live)
                    if isinstance(reference, Lookup)
                    else None
                )
                if why is not None:
                    self.skipped[resource.address] = why._replace(address=resource.address)
                    return False
        return True

    def reachable(self, resource: Resource) -> bool:
        """Return whether the resource needs nothing that was skipped: then it can be told which object it is."""
        references = values.references(resource.attrs)
        return not any(isinstance(reference, Ref) and self._blocked(reference) is not None for reference in references)

    def _blocked(self, reference: Ref) -> Skipped | None:
        blocked = self.skipped.get(reference.address)
        if blocked is None or reference.address in self.resolver.ids:
            return None
        return Skipped("", f"it needs {reference.address}, which was skipped", blocked.forbidden, blocked.refused)

    def _unknown(self, resource: Resource, name: str, lookup: Lookup, live: Live | None) -> Skipped | None:
        """Return why a look-up cannot be known. An id that the object itself holds needs no object behind it: people
        leave, lists go, and the account keeps the number.
        """
        if lookup.by == "id" and self._holds(resource, name, lookup, live):
            self.resolver.gone[lookup] = RemoteId(lookup.kind, lookup.value)
            return None
        why = self.inputs.snapshot.unknown.get(lookup.kind)
        if why:
            return Skipped("", f"it looks up {a(lookup.kind)}: {why}", forbidden=True)
        try:
            self.resolver(lookup)
        except NotFound as missing:
            place = resource.places.get(name) or resource.at
            return Skipped("", f"`{name}`{f' ({place})' if place else ''}: {missing}")
        return None

    def _holds(self, resource: Resource, name: str, lookup: Lookup, live: Live | None) -> bool:
        """Return whether the live object has this id where the look-up stands; where it is not shown, whether it was
        applied so.
        """
        if live is None:
            return False
        value = live.attrs.get(name)
        if name not in live.attrs:
            binding = self.bindings.get(resource.address)
            value = values.decode(binding.applied.get(name)) if binding is not None else None
        return any(reference in (lookup, RemoteId(lookup.kind, lookup.value)) for reference in values.references(value))


def impossible_evacuations(desired: Desired, kinds: Kinds) -> list[str]:
    """Return what is declared and the API cannot do."""
    return [
        f"{resource.at or ''}{': ' if resource.at else ''}{address}: on_destroy: {what}: {why}"
        for address, resource in desired.resources.items()
        for what, target in resource.lifecycle.on_destroy.items()
        if (why := kinds[resource.kind].unmovable(what, address, target))
    ]

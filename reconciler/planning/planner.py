"""The planner: declared resources, state and snapshot in, plan out. Pure: it never calls the API and never reads a
clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import ConfigError, PlanError
from reconciler.model.kind import Finding, Kind, Kinds, Live
from reconciler.model.plan import Action, Change, Plan, Skipped, write_of
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import CreateOnly, Expected, Nested, Once, attributes
from reconciler.model.state import Binding, Intent, State
from reconciler.model.values import Ref, RemoteId, Value
from reconciler.planning.binding import remembered
from reconciler.planning.diff import completed, differences
from reconciler.planning.evacuation import impossible_evacuations, within_reach
from reconciler.planning.match import Match, NotFound, Resolver, Twins, bound, by_key, recognise, resolve, stored_key
from reconciler.planning.moves import after_moves, unused_blocks
from reconciler.planning.order import arrange_steps, sort_resources

TIERS = 4
"""Natural keys of one object, at most."""


@dataclass(frozen=True)
class Inputs:
    """Everything a plan is made from. `intents` are creates whose answer never came; `only` restricts the plan to
    some addresses.
    """

    desired: Desired
    state: State
    snapshot: Snapshot
    kinds: Kinds
    secret: Callable[[str], str] = str
    intents: Mapping[str, Intent] = field(default_factory=dict)
    only: frozenset[str] | None = None
    tearing_down: bool = False
    """The user asked for the end of everything: an empty configuration is no accident."""

    def covers(self, address: str) -> bool:
        """Whether the plan is about this address."""
        return self.only is None or address in self.only


def plan(inputs: Inputs) -> Plan:
    """Return the plan. Raises PlanError, with every problem found in the message."""
    return _Planning(inputs).run()


class _Planning:
    """One planning run: what has been matched so far, kind by kind, in the order in which kinds refer to each other."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.kinds = inputs.kinds
        self.bindings, self.moved, wrong = after_moves(inputs.state.resources, inputs.desired, inputs.kinds)
        labels = {name: kind.label for name, kind in self.kinds.items()}
        self.resolver = Resolver(lives=inputs.snapshot.lives, labels=labels)
        self.matched: dict[str, Live] = {}
        self.changes: dict[str, Change] = {}
        self.skipped: dict[str, Skipped] = {}
        self.spares: dict[str, list[str]] = {}
        self.problems: list[str] = [*wrong, *impossible_evacuations(inputs.desired, inputs.kinds)]
        self.warnings: list[str] = []
        self.kept = 0
        self.remembered = remembered(self.bindings, inputs.snapshot, inputs.state.salt)

    def run(self) -> Plan:
        resources = sort_resources(self.inputs.desired.resources, self.kinds)
        by_kind: dict[str, list[Resource]] = defaultdict(list)
        for resource in resources:
            by_kind[resource.kind].append(resource)
        for name, kind in self.kinds.items():
            self._plan_kind(kind, by_kind.get(name, []))
        self._removals()
        if self.inputs.only is None:
            self.problems += unused_blocks(
                self.inputs.desired, self.matched, self.inputs.state.resources, self.changes.values()
            )
        self.changes, lost = within_reach(self.changes, self.resolver.ids)
        self.warnings += lost
        if self.problems:
            raise PlanError("the plan cannot be made:\n" + "\n".join(f"- {problem}" for problem in self.problems))
        changes = tuple(self.changes.values())
        reads = tuple(
            name
            for name in self.kinds
            if any(change.kind == name and change.action is not Action.FORGET for change in changes)
        )
        return Plan(
            changes=changes,
            steps=arrange_steps(changes, self.kinds),
            skipped=tuple(self.skipped.values()),
            warnings=tuple(self.warnings),
            kept=self.kept,
            reads=reads,
            ids=self.resolver.ids | {str(lookup): found.id for lookup, found in self.resolver.found.items()},
        )

    # --- one kind --------------------------------------------------------------------------------------------------

    def _plan_kind(self, kind: Kind, resources: list[Resource]) -> None:
        lives = self.inputs.snapshot.lives.get(kind.name)
        unknown = self.inputs.snapshot.unknown.get(kind.name)
        if lives is None or unknown:
            self._without_listing(resources, unknown, kind)
            return
        by_id = {live.id: live for live in lives}
        index = by_key(kind, lives)
        taken = self._bind(kind, resources, by_id, index)
        self._claim_interrupted(kind, index, taken)
        # Whoever fits an object exactly takes it before somebody whom it fits only loosely.
        waiting = {one.address: one for one in resources if one.address not in self.matched and self._possible(one)}
        for tier in range(TIERS):
            for resource in list(waiting.values()):
                if self._recognise(kind, resource, index, by_id, taken, tier):
                    del waiting[resource.address]
        self._orphans_to_spares(kind)
        self._diff_kind(kind, [resource for resource in resources if self.inputs.covers(resource.address)], index)

    def _without_listing(self, resources: list[Resource], unknown: str | None, kind: Kind) -> None:
        """Nothing is created or deleted on missing evidence; ids of the state still serve as references."""
        for address, binding in self.bindings.items():
            if kind_of(address) == kind.name:
                self.resolver.ids[address] = binding.id
                if unknown and self.inputs.covers(address) and address not in self.inputs.desired.resources:
                    self.skipped[address] = Skipped(address, unknown, forbidden=True)
        for resource in resources:
            if self.inputs.covers(resource.address):
                self.skipped[resource.address] = Skipped(
                    resource.address, unknown or "its kind was not read", forbidden=bool(unknown)
                )

    def _bind(
        self,
        kind: Kind,
        resources: list[Resource],
        by_id: Mapping[str, Live],
        index: Mapping[tuple[object, ...], list[Live]],
    ) -> set[str]:
        """Match by bound id; returns the ids that are taken."""
        declared = {resource.address: resource for resource in resources}
        taken: set[str] = set()
        for address, binding in self.bindings.items():
            if kind_of(address) != kind.name:
                continue
            resource = declared.get(address)
            attrs = self._resolved(resource) if resource is not None else None
            others = lambda key, own=binding.id: any(live.id != own for live in index.get(key, ()))  # noqa: E731
            live = bound(kind, attrs, binding, by_id, others)
            if live is not None and live.id not in taken:
                self._found(address, live)
                taken.add(live.id)
                self.spares[address] = list(binding.spares)
        return taken

    def _claim_interrupted(self, kind: Kind, index: Mapping[tuple[object, ...], list[Live]], taken: set[str]) -> None:
        """Find what creates without an answer made, by the name that they sent, whatever is declared today.

        An object that nobody declares any more becomes managed all the same: it is removed, not left over.
        """
        for address, intent in self.inputs.intents.items():
            if intent.kind != kind.name or address in self.matched or not intent.natural_key:
                continue
            key = tuple(self._if_found(values.decode(item)) for item in intent.natural_key)
            hits = [
                live for live in index.get(key, ()) if not (live.builtin or live.id in taken or live.id in intent.known)
            ]
            if len(hits) > 1:
                self.problems.append(_twins(kind, Twins(address, tuple(hits), key)))
            elif hits:
                self._found(address, hits[0])
                taken.add(hits[0].id)
                if address not in self.inputs.desired.resources:
                    self.bindings[address] = Binding(
                        id=hits[0].id, kind=kind.name, natural_key=intent.natural_key, incomplete=True
                    )

    def _recognise(
        self,
        kind: Kind,
        resource: Resource,
        index: Mapping[tuple[object, ...], list[Live]],
        by_id: Mapping[str, Live],
        taken: set[str],
        tier: int,
    ) -> bool:
        """Tell whether the resource was found, or found to be a problem; otherwise a weaker tier may know it."""
        pinned = next((block.id for block in self.inputs.desired.imports if block.target == resource.address), None)
        intent = self.inputs.intents.get(resource.address)
        found: Match | Twins | None
        if pinned is not None:
            live = by_id.get(pinned)
            if live is None or live.id in taken:
                self.problems.append(
                    f"{resource.address}: imports says id {pinned}, but "
                    + ("that object is managed under another address" if live else "the account has no such object")
                )
                return True
            found = Match(live, "imports block")
        else:
            found = recognise(kind, resource, self._resolved(resource), index, taken, intent, tier)
        if isinstance(found, Twins):
            self.problems.append(_twins(kind, found))
        elif found is not None:
            if pinned is None and intent is None and resource.lifecycle.adopt == "never":
                self.problems.append(
                    f"{resource.address}: an object of that name exists (id {found.live.id}) "
                    "and `adopt: never` forbids to take it over"
                )
                return True
            self._found(resource.address, found.live)
            taken.add(found.live.id)
        return found is not None

    def _found(self, address: str, live: Live) -> None:
        self.matched[address] = live
        self.resolver.ids[address] = live.id

    def _orphans_to_spares(self, kind: Kind) -> None:
        """Children of an object whose create answer was lost came with it: they are spares, not strangers."""
        children = [
            (child, mark.parent) for child in self.kinds.values() if (mark := _nesting(kind, child)) is not None
        ]
        for address in self.matched:
            if kind_of(address) != kind.name or address not in self.inputs.intents:
                continue
            for child, parent in children:
                owner = RemoteId(kind.name, self.matched[address].id)
                mine = [
                    live for live in self.inputs.snapshot.lives.get(child.name, ()) if live.attrs.get(parent) == owner
                ]
                mine.sort(key=lambda live: (live.attrs.get("order") or 0, live.id))
                self.spares[address] = [live.id for live in mine]

    # --- one resource ----------------------------------------------------------------------------------------------

    def _resolved(self, resource: Resource) -> dict[str, Value]:
        """Return the declared attributes with ids for references and secrets revealed; unknown look-ups stay as
        they are.
        """
        return {name: self._known(value) for name, value in resource.attrs.items()}

    def _known(self, value: Value) -> Value:
        if value.__class__ in values.SCALARS:
            return self._reveal(value)
        return values.transform(self._if_found(value), self._reveal)

    def _if_found(self, value: Value) -> Value:
        try:
            return resolve(value, self.resolver)
        except NotFound:
            return value

    def _reveal(self, leaf: Value) -> Value:
        """Return a text with its secrets. Where one is not set, a text that is declared as it was last applied means
        what the account holds, if that is what was applied.
        """
        if not isinstance(leaf, str) or not values.has_secret(leaf):
            return leaf
        try:
            return values.reveal(leaf, self.inputs.secret)
        except ConfigError:
            if leaf not in self.remembered:
                raise
            return self.remembered[leaf]

    def _strictly(self, leaf: Value) -> Value:
        return values.reveal(leaf, self.inputs.secret) if isinstance(leaf, str) and values.has_secret(leaf) else leaf

    def _full(self, value: Value) -> Value:
        if value.__class__ in values.SCALARS:
            return self._reveal(value)
        return values.transform(resolve(value, self.resolver), self._reveal)

    def _possible(self, resource: Resource) -> bool:
        """Check that everything the resource refers to can be known; otherwise skip it with the reason, or report
        the problem.
        """
        for reference in values.references(dict(resource.attrs)):
            if isinstance(reference, Ref):
                blocked = self.skipped.get(reference.address)
                if blocked is not None and reference.address not in self.resolver.ids:
                    self.skipped[resource.address] = Skipped(
                        resource.address, f"it needs {reference.address}, which was skipped", blocked.forbidden
                    )
                    return False
            elif isinstance(reference, values.Lookup):
                why = self.inputs.snapshot.unknown.get(reference.kind)
                if why:
                    self.skipped[resource.address] = Skipped(
                        resource.address, f"it looks up a {reference.kind}: {why}", True
                    )
                    return False
                try:
                    self.resolver(reference)
                except NotFound as missing:
                    place = f"{resource.at}: " if resource.at else ""
                    self.problems.append(f"{place}{resource.address}: {missing}")
                    return False
        return True

    def _diff_kind(self, kind: Kind, resources: list[Resource], index: Mapping[tuple[object, ...], list[Live]]) -> None:
        arranged = self._arranged(kind, resources)
        claimed: dict[str, int] = defaultdict(int)
        for resource in resources:
            if resource.address in self.skipped or not self._possible(resource):
                continue
            live = self.matched.get(resource.address)
            if live is None and not kind.creatable:
                why = f"the account shows no such {kind.title.lower()}, and the API cannot create one"
                self.skipped[resource.address] = Skipped(resource.address, why, forbidden=True)
                continue
            attrs = completed(kind, {**arranged.get(resource.address, {}), **resource.attrs}, live)
            change = self._change(kind, resource, attrs, live)
            if change is None:
                self.kept += 1
                continue
            for value in attrs.values():
                values.transform(value, self._strictly)  # what is written needs every secret
            if change.action is Action.CREATE:
                resolved = self._resolved(resource)
                keys = kind.natural_keys(resolved)
                held = (*keys, *kind.settling_keys(resolved))
                change = replace(
                    change,
                    known=tuple(sorted({live.id for key in held for live in index.get(key, ())})),
                    natural_key=tuple(stored_key(keys[0])) if keys else (),
                )
                if resource.parent is not None:
                    change = replace(change, spare=claimed[resource.parent])
                    claimed[resource.parent] += 1
            if change.action in (Action.REPLACE,):
                self.resolver.ids.pop(resource.address, None)
            self.changes[resource.address] = change
        self._claim(kind)

    def _arranged(self, kind: Kind, resources: list[Resource]) -> dict[str, dict[str, Value]]:
        """Return what follows from the order of siblings, unless a saved plan says it already."""
        groups: dict[str | None, list[Resource]] = defaultdict(list)
        for resource in self.inputs.desired.resources.values():
            if resource.kind == kind.name:
                groups[resource.parent].append(resource)
        wanted = {resource.address for resource in resources}
        found: dict[str, dict[str, Value]] = {}
        for siblings in groups.values():
            siblings.sort(key=lambda resource: resource.rank)
            arranged = kind.arrange([(one.address, one.attrs, self.matched.get(one.address)) for one in siblings])
            found |= {address: attrs for address, attrs in arranged.items() if address in wanted}
        return found

    def _change(self, kind: Kind, resource: Resource, attrs: dict[str, Value], live: Live | None) -> Change | None:
        binding = self.bindings.get(resource.address)
        if live is None:
            attrs = {name: value for name, value in attrs.items() if value is not None}
        else:
            attrs = {name: value for name, value in attrs.items() if not _once(kind, name)}
        changed = differences(kind, resource, attrs, binding, live, self._full, self.inputs.state.salt)
        if live is not None and not changed and self._settled(resource, binding, live):
            return None
        base = Change(
            address=resource.address,
            kind=kind.name,
            action=Action.NONE,
            attributes=tuple(changed),
            desired=attrs,
            live=live,
            binding=binding,
            resource=resource,
            depends_on=tuple(sorted({ref.address for ref in values.references(attrs) if isinstance(ref, Ref)})),
            moved_from=self.moved.get(resource.address),
        )
        if live is None:
            return self._create(kind, base)
        return self._existing(kind, base)

    def _settled(self, resource: Resource, binding: Binding | None, live: Live) -> bool:
        """Tell whether there is nothing to do for an object whose attributes all hold, nor for what is known of it."""
        return (
            binding is not None
            and binding.id == live.id
            and not binding.incomplete
            and resource.address not in self.moved
            and resource.address not in self.inputs.intents
            and not binding.spares
            and not self.spares.get(resource.address)
            and not _remembers_another_end(binding, resource)
        )

    def _create(self, kind: Kind, base: Change) -> Change:
        reason = "no longer in the account" if base.binding is not None else ""
        missing = [
            name for name, attribute in kind.attributes.items() if attribute.has(Expected) and name not in base.desired
        ]
        findings = tuple(
            Finding(f"`{name}` is documented as required on create and is not declared", "warning", name)
            for name in missing
        )
        return replace(base, action=Action.CREATE, reason=reason, binding=None, findings=findings)

    def _existing(self, kind: Kind, base: Change) -> Change | None:
        live, binding = base.live, base.binding
        if live is None:
            raise AssertionError("an existing change has a live object")
        settled = base.address in self.inputs.intents and binding is None
        adopts = binding is None or binding.id != live.id
        spares = self._open_spares(base.address)
        manual = _by_hand(kind, live, base)
        stuck = {name.partition(".")[0] for name in manual}
        todo = tuple(item for item in base.attributes if item.name not in stuck)
        base = replace(
            base,
            adopts=adopts and not settled,
            settled=settled,
            manual=manual,
            page=kind.page if manual else "",
            spares=tuple(spares),
            natural_key=_first_key(kind, live),
            findings=tuple(kind.refusals(write_of(base, "update", str))) if todo else (),
        )
        if any(item.forces_replacement for item in todo):
            names = ", ".join(item.name for item in todo if item.forces_replacement)
            return replace(base, action=Action.REPLACE, reason=f"{names} cannot be changed in place")
        if todo:
            desired = {name: value for name, value in base.desired.items() if name not in stuck}
            return replace(base, action=Action.UPDATE, attributes=todo, desired=desired)
        if adopts:
            return replace(
                base, action=Action.ADOPT, reason="finishes an interrupted create" if settled else "exists already"
            )
        if manual:
            return replace(base, action=Action.MANUAL)
        if base.moved_from is not None:
            return replace(base, action=Action.MOVE)
        if binding is not None and (
            binding.incomplete or binding.spares or _remembers_another_end(binding, base.resource)
        ):
            return replace(
                base,
                action=Action.REFRESH,
                reason="remove what the server made on its own" if spares else "record what holds already",
            )
        return None

    def _open_spares(self, address: str) -> list[str]:
        """Return the ids that the server made below this object, still live, and that no declared child holds."""
        spares = self.spares.get(address)
        if not spares:
            return []
        children = {child.name for child in self.kinds.values() if child.nested == kind_of(address)}
        held = {live.id for live in self.matched.values() if live.kind in children}
        held |= {binding.id for binding in self.bindings.values() if binding.kind in children}
        alive = {live.id for name in children for live in self.inputs.snapshot.lives.get(name, ())}
        return [spare for spare in spares if spare in alive and spare not in held]

    def _claim(self, kind: Kind) -> None:
        """Strike from the parents' spares what a child of this kind was recognised in by its natural key."""
        held = {live.id for address, live in self.matched.items() if kind_of(address) == kind.name}
        for address, change in self.changes.items():
            if change.spares and change.kind == kind.nested:
                self.changes[address] = replace(
                    change, spares=tuple(spare for spare in change.spares if spare not in held)
                )

    # --- removals --------------------------------------------------------------------------------------------------

    def _removals(self) -> None:
        kept = {block.address for block in self.inputs.desired.removed if not block.destroy}
        for address, binding in self.bindings.items():
            if address in self.inputs.desired.resources or address in self.skipped or not self.inputs.covers(address):
                continue
            kind = self.kinds.get(binding.kind)
            live = self.matched.get(address)
            if kind is None or binding.kind not in self.inputs.snapshot.lives:
                self.skipped[address] = Skipped(
                    address, self.inputs.snapshot.unknown.get(binding.kind, "its kind was not read"), forbidden=True
                )
                continue
            base = Change(
                address,
                kind.name,
                Action.FORGET,
                live=live,
                binding=binding,
                depends_on=tuple(binding.depends_on),
                natural_key=tuple(binding.natural_key),
            )
            if address in kept:
                self.changes[address] = replace(base, reason="removed block with destroy: false")
            elif live is None:
                self.changes[address] = replace(base, reason="no longer in the account")
            else:
                self.changes[address] = _removal(kind, base, live)


def _once(kind: Kind, name: str) -> bool:
    return name in kind.attributes and kind.attributes[name].has(Once)


def _by_hand(kind: Kind, live: Live, base: Change) -> dict[str, str]:
    """Return what the API offers no endpoint for: attribute, or part of one, -> what a person has to do."""
    manual = kind.blocked(live, {item.name: (item.before, item.after) for item in base.attributes})
    marks = {item.name: kind.attributes[item.name].mark(CreateOnly) for item in base.attributes}
    return manual | {name: mark.how for name, mark in marks.items() if mark is not None}


def _removal(kind: Kind, base: Change, live: Live) -> Change:
    """Return what becomes of a live object that is no longer declared, as far as the API offers it."""
    name = kind.title.lower()
    if kind.retires and kind.retired(live):
        return replace(base, reason=f"the API cannot delete a {name}; {kind.retires} already")
    if not kind.deletable and not kind.retires:
        return replace(base, reason=f"the API cannot delete a {name}; it stays as it is")
    reason = f"the API cannot delete a {name}: {kind.retires}" if kind.retires else "no longer declared"
    refused = kind.refusals(write_of(base, "delete", str))
    return replace(base, action=Action.DELETE, reason=reason, findings=tuple(refused))


def _remembers_another_end(binding: Binding, resource: Resource | None) -> bool:
    """Tell whether the state holds another protection or evacuation than is declared: both outlive their block."""
    if resource is None:
        return False
    lifecycle = resource.lifecycle
    return (binding.prevent_destroy, binding.on_destroy) != (lifecycle.prevent_destroy, lifecycle.on_destroy)


def _first_key(kind: Kind, live: Live) -> tuple[object, ...]:
    keys = kind.natural_keys(live.attrs)
    return tuple(stored_key(keys[0])) if keys else ()


def _nesting(parent: Kind, child: Kind) -> Nested | None:
    """Return the mark by which `child` is nested in `parent`."""
    marks = (attribute.mark(Nested) for attribute in attributes(parent.spec).values())
    return next((mark for mark in marks if mark is not None and mark.kind == child.name), None)


def _twins(kind: Kind, twins: Twins) -> str:
    ids = " and ".join(live.id for live in twins.lives)
    return (
        f"{twins.address}: {len(twins.lives)} objects of the account fit it (ids {ids}, same {twins.key[0]}); "
        f'pin one with `imports: [{{to: {twins.address}, id: "{twins.lives[0].id}"}}]`'
    )

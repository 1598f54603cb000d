"""Selections: which addresses a plan is about, and whether that part can go without the rest.

A step has a direction. What is declared comes or stays: it takes along what it needs. What is managed and no longer
declared goes: it takes along what cannot exist without it (what is nested in it) and nothing else. What refers to an
object that goes has to be in the selection too (`check_selection`): nothing is pulled in by what is destroyed.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import field, replace
from typing import NamedTuple

from reconciler.model import values
from reconciler.model.address import abridged, kind_of
from reconciler.model.desired import Desired
from reconciler.model.errors import PlanError, Refused
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.nearest import nearest
from reconciler.model.plan import DESTROYS, Action, Change, Plan
from reconciler.model.records import record
from reconciler.model.spec import Roster
from reconciler.model.state import Binding, State
from reconciler.model.values import Ref, RemoteId
from reconciler.planning.bindings import after_moves
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan

Edges = Mapping[str, Iterable[str]]


class Selection(NamedTuple):
    """What of a plan is asked for. `target` and `exclude` are addresses and globs, `kinds` names of kinds, `named` are
    exact addresses in place of targets. `within` is what the plan can be about at all, e.g. what an undone run did.
    `no_delete` leaves out whatever would be destroyed, `only_adopt` whatever is more than taking over an object.
    """

    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    kinds: frozenset[str] | None = None
    named: frozenset[str] | None = None
    within: frozenset[str] | None = None
    no_delete: bool = False
    only_adopt: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


class Selected(NamedTuple):
    """The addresses that a plan is about (None: all). `brought` came in because others need them, `along` go with what
    they are part of, `dropped` went out with what was excluded, `kept` would go and stay.
    """

    addresses: frozenset[str] | None = None
    brought: tuple[str, ...] = ()
    along: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def _named(graph: _Graph, selection: Selection) -> set[str]:
    """Return what the selection names itself: by address, by a list, or by kind. Raises PlanError."""
    named = graph.fitting(selection.target) if selection.target else set(graph.known)
    if selection.named is not None:
        named = set(selection.named & graph.known)
    return named if selection.kinds is None else {pattern for pattern in named if kind_of(pattern) in selection.kinds}


def select(desired: Desired, state: State, kinds: Kinds, selection: Selection) -> Selected:
    """Return what the plan is about. Raises PlanError for a pattern that fits nothing."""
    if selection.everything:
        return Selected()
    graph = _Graph.of(desired, state, kinds, selection.within)
    chosen_by = bool(selection.target) or selection.kinds is not None or selection.named is not None
    if not (chosen_by or selection.exclude or selection.no_delete):
        return Selected(selection.within)
    named = _named(graph, selection)
    chosen = graph.with_needs(named) if chosen_by else named
    out = graph.without(graph.fitting(selection.exclude)) if selection.exclude else {}
    needing, needed = ({address for address, why in out.items() if why == reason} for reason in ("needs", "needed"))
    forgotten = {block.address for block in desired.removed if not block.destroy}
    going = graph.going - forgotten if selection.no_delete else set()
    left = frozenset(chosen - set(out) - going)
    return Selected(
        left,
        brought=tuple(sorted(left - named - graph.going)),
        along=tuple(sorted((left - named) & graph.going)),
        dropped=tuple(sorted(needing & chosen)),
        kept=tuple(sorted((going | needed) & chosen)),
    )


def needs(desired: Desired, state: State) -> dict[str, set[str]]:
    """Return what each declared or managed address depends on directly."""
    needed = {address: set(binding.depends_on) for address, binding in state.resources.items()}
    for address, resource in desired.resources.items():
        needed[address] = {ref.address for ref in values.references(dict(resource.attrs)) if isinstance(ref, Ref)}
        if resource.parent:
            needed[address].add(resource.parent)
    return needed


def _told(binding: Binding) -> set[str]:
    """Return the addresses that the state says an object refers to."""
    applied = values.references([values.decode(value) for value in binding.applied.values()])
    refs = {reference.address for reference in applied if isinstance(reference, Ref)}
    return refs | set(binding.depends_on) | set(binding.on_destroy.values())


@record
class _Graph:
    """All addresses (`known`: those that the plan can be about) with their directions: what each needs to come or stay,
    what it is said to refer to now, what is nested in it, and what moves along with it.
    """

    named: frozenset[str]
    known: frozenset[str]
    going: set[str]
    wants: dict[str, set[str]] = field(default_factory=dict)
    holds: dict[str, set[str]] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, desired: Desired, state: State, kinds: Kinds, within: frozenset[str] | None) -> _Graph:
        bindings, moved, _ = after_moves(state.resources, desired, kinds)
        named = frozenset({*bindings, *desired.resources})
        known = named if within is None else named & within
        going = {address for address in known if address not in desired.resources}
        wants = {address: set(wanted) & known for address, wanted in needs(desired, State(lineage="")).items()}
        holds = {address: _told(binding) for address, binding in bindings.items()}
        for address in going:
            # What it moves away from itself before it goes needs a place, if that is still to be made.
            ends = bindings[address].on_destroy.values()
            wants[address] = {end for end in ends if end in desired.resources and end not in bindings} & known
        children: dict[str, set[str]] = {}
        for address in known:
            kind = kinds.get(kind_of(address))
            if kind is not None and (parent := kind.parent_of(address)):
                children.setdefault(parent, set()).add(address)
                if address in holds:
                    holds[address].add(parent)
        return cls(named, known, going, wants, holds, children, {old: new for new, old in moved.items()})

    def fitting(self, patterns: Iterable[str]) -> set[str]:
        """Return the addresses that fit any of the patterns; a moved one is known by its old address too."""
        fits: set[str] = set()
        addresses = sorted(self.named)
        for pattern in patterns:
            hits = fnmatch.filter(addresses, pattern) or [new for old, new in self.renamed.items() if old == pattern]
            if not hits:
                raise PlanError(
                    f"no declared or managed address fits `{pattern}`",
                    hint="`reconciler state list` and your files show the addresses",
                )
            fits.update(hits)
        return fits & self.known

    def with_needs(self, named: Iterable[str]) -> set[str]:
        """Return these with all that they take along: what they need, what goes with them, what moves with them."""
        moved = set(self.renamed.values())

        def takes(address: str) -> set[str]:
            children = self.children.get(address, set())
            if address in self.going:
                return self.wants.get(address, set()) | (children & self.going)
            return self.wants.get(address, set()) | (children & moved if address in moved else set())

        return _closed(named, takes)

    def without(self, excluded: set[str]) -> dict[str, str]:
        """Return what an exclusion takes out, with why: it is "excluded", it "needs" what is, or is "needed" by it."""
        users: dict[str, set[str]] = {}
        for address, wanted in self.wants.items():
            for other in wanted:
                users.setdefault(other, set()).add(address)
        out = dict.fromkeys(excluded, "excluded")
        for address in _closed(excluded, lambda address: users.get(address, set()) | self.children.get(address, set())):
            out.setdefault(address, "needs")
        closure = _closed(out, lambda address: {other for other in self.holds.get(address, ()) if other in self.going})
        for address in closure:
            out.setdefault(address, "needed")
        return out


def _closed(start: Iterable[str], more: Callable[[str], Iterable[str]]) -> set[str]:
    closed: set[str] = set()
    stack = list(start)
    while stack:
        address = stack.pop()
        if address not in closed:
            closed.add(address)
            stack += more(address)
    return closed


def to_replace(
    addresses: Iterable[str], desired: Desired, state: State, kinds: Kinds, among: frozenset[str] | None
) -> dict[str, str]:
    """Return the ids of the objects that are to be made again, by address; the plan is about those `among` which they
    are (None: all). Raises PlanError for what cannot be.
    """
    replaced = {}
    for address in addresses:
        resource, binding = desired.resources.get(address), state.resources.get(address)
        if resource is None:
            near = nearest(address, desired.resources)
            hint = f"did you mean {near}?" if near else "--replace takes the address of a declared object"
            raise PlanError(f"--replace: {address} is not declared", hint=hint)
        if binding is None:
            raise PlanError(f"--replace: {address} is not managed yet", hint="apply it first")
        if among is not None and address not in among:
            hint = "plan more, or leave --target, --exclude and --kinds out"
            raise PlanError(f"--replace: {address} is not part of what is planned", hint=hint)
        able = kinds[resource.kind].abilities
        if not (able.deletable and able.creatable) or kinds[resource.kind].texts.removal_effect:
            raise PlanError(f"--replace: the API cannot delete {resource.kind} objects and make them again")
        if inside := [resource.address for resource in desired.resources.values() if resource.parent == address]:
            hint = "replace what is in it, one by one; or take it out of the files, apply, and put it back"
            raise PlanError(f"--replace: {abridged(inside)} would go with {address}", hint=hint)
        replaced[address] = binding.id
    return replaced


TAKES = ("lost", "along", "unmanaged")
"""Effects of a change that take something away: records, parts of the object, objects that go with it."""


def taking(plan: Plan) -> set[str]:
    """Return the addresses whose update takes something away, or may: an option with what was chosen, members, parts;
    where the records it touches were not counted, it may.
    """
    return {
        change.address
        for change in plan.changes
        if change.action is Action.UPDATE
        and (change.uncounted or any(impact.effect in TAKES for impact in change.impacts))
    }


def narrowed(
    made: Plan, inputs: Inputs, selected: Selected, selection: Selection, besides: Set[str] = frozenset()
) -> tuple[Plan, Inputs, Selected]:
    """Return the plan without the steps that turned out to be of another sort than was asked for, and those `besides`
    them.
    """
    unwanted = set(besides)
    if selection.no_delete:
        unwanted |= {change.address for change in made.changes if change.action is Action.REPLACE}
    if selection.only_adopt:
        unwanted |= {change.address for change in made.changes if change.action is not Action.ADOPT}
    if not unwanted:
        return made, inputs, selected
    known = frozenset(
        {*inputs.desired.resources, *inputs.state.resources, *(change.address for change in made.changes)}
    )
    left = (known if inputs.only is None else inputs.only) - unwanted
    inputs = replace(inputs, only=left)
    return plan(inputs), inputs, selected._replace(addresses=left, kept=tuple(sorted({*selected.kept, *unwanted})))


# --- can it go without the rest? -------------------------------------------------------------------------------------


def check_selection(made: Plan, inputs: Inputs, selected: Selected, selection: Selection) -> None:
    """Check that what a plan destroys is destroyed on its own account. Raises Refused with the addresses to add: those
    of managed objects outside the plan that refer to what goes, and of what would only go because others need it.
    """
    lines, missing = _open_ends(made, inputs, selected)
    if not lines:
        return
    wider, more = selection, missing
    while more and (selection.within is None or missing <= selection.within):
        wider = _wider(wider, more, inputs)
        chosen = select(inputs.desired, inputs.state, inputs.kinds, wider)
        there = replace(inputs, only=chosen.addresses)
        more = _open_ends(*narrowed(plan(there), there, chosen, wider))[1] - missing
        missing |= more
    to_destroy = sorted(change.address for change in made.changes if change.action in DESTROYS)
    message = "the selection cannot be planned on its own:\n" + "\n".join(f"- {line}" for line in lines)
    against = [pattern for pattern in selection.exclude if pattern not in wider.exclude]
    raise Refused(message, hint=_hint(missing, to_destroy, selection, against))


def _open_ends(plan: Plan, inputs: Inputs, selected: Selected) -> tuple[list[str], set[str]]:
    """Return what is wrong, in words, and the addresses that are missing."""
    to_destroy = [change for change in plan.changes if change.action in DESTROYS] if inputs.only is not None else []
    if not to_destroy:
        return [], set()
    pulled = {change.address for change in to_destroy if change.address in selected.brought}
    lines = [
        f"{address} would be destroyed and created again, and is in the plan only because others need it"
        for address in sorted(pulled)
    ]
    outside = _outside(inputs)
    pointing = {change.address: _pointing(change, outside) for change in to_destroy}
    lines += [f"{target} would be destroyed, and {_listed(users)} to it" for target, users in pointing.items() if users]
    return lines, pulled.union(*pointing.values())


def _wider(selection: Selection, more: set[str], inputs: Inputs) -> Selection:
    """Return a selection with these in it: named where something is, and without the exclusions that keep them out."""
    graph = _Graph.of(inputs.desired, inputs.state, inputs.kinds, selection.within)
    left = tuple(pattern for pattern in selection.exclude if not more & graph.without(graph.fitting((pattern,))).keys())
    wider = selection._replace(exclude=left)
    if selection.kinds is not None:
        return wider._replace(kinds=selection.kinds | {kind_of(address) for address in more})
    return wider._replace(target=(*selection.target, *sorted(more))) if selection.target else wider


class _Outside(NamedTuple):
    """A managed object that the plan leaves alone: where its state and the account say it points to."""

    refers: frozenset[str]
    holds: frozenset[RemoteId]


def _outside(inputs: Inputs) -> dict[str, _Outside]:
    bindings, _, _ = after_moves(inputs.state.resources, inputs.desired, inputs.kinds)
    lives: dict[str, dict[str, Live]] = {
        name: {live.id: live for live in rows} for name, rows in inputs.snapshot.lives.items()
    }
    outside: dict[str, _Outside] = {}
    for address, binding in bindings.items():
        live = lives.get(binding.kind, {}).get(binding.id)
        gone = binding.kind in lives and live is None and binding.kind not in inputs.snapshot.unknown
        if inputs.covers(address) or gone:
            continue
        kind, resource = inputs.kinds.get(kind_of(address)), inputs.desired.resources.get(address)
        parent = kind.parent_of(address) if kind is not None else ""
        refers = _told(binding) | ({parent} if parent else set())
        names = {*binding.applied, *(resource.attrs if resource is not None else ())}
        outside[address] = _Outside(frozenset(refers), _held(live, names, kind) if live is not None else frozenset())
    return outside


def _held(live: Live, names: Iterable[str], kind: Kind | None) -> frozenset[RemoteId]:
    """Return what these attributes of an object name. Members of a roster that are not listed go with themselves."""
    attributes = kind.attributes if kind is not None else {}
    named = [live.attrs.get(name) for name in names if name not in attributes or not attributes[name].has(Roster)]
    return frozenset(reference for reference in values.references(named) if isinstance(reference, RemoteId))


def _pointing(change: Change, outside: Mapping[str, _Outside]) -> list[str]:
    here = RemoteId(change.kind, change.live.id) if change.live is not None else None
    names = {change.address, change.moved_from} if change.action is Action.REPLACE else {change.address}
    return sorted(address for address, outside in outside.items() if names & outside.refers or here in outside.holds)


def _listed(addresses: list[str]) -> str:
    return f"{abridged(addresses)} {'refers' if len(addresses) == 1 else 'refer'}"


def _hint(missing: set[str], to_destroy: list[str], selection: Selection, against: list[str]) -> str:
    if selection.within is not None and not missing <= selection.within:
        return "point them elsewhere or destroy them first: they are not part of what this command is about"
    without = f", without {' '.join(f'--exclude {pattern}' for pattern in against)}" if against else ""
    if selection.kinds is not None:
        return f"add --kinds {','.join(sorted(selection.kinds | {kind_of(address) for address in missing}))}{without}"
    if selection.target:
        return f"add {' '.join(f'--target {address}' for address in sorted(missing))}{without}"
    leave = " ".join(f"--exclude {address}" for address in to_destroy)
    return f"leave out what they refer to as well ({leave}), or plan {', '.join(sorted(missing))} with it"

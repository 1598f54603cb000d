"""What has to be read of an account (the kinds, each with the attributes that matter), and what an absence proves:
nothing, where the account may only not show the object. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from reconciler.model import values
from reconciler.model.address import key_of, kind_of
from reconciler.model.catalog import outlines
from reconciler.model.desired import Desired, Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.plan import Action, Plan
from reconciler.model.spec import RefTo
from reconciler.model.state import Binding, State
from reconciler.planning.context import Inputs


def of_kinds(state: State, names: Iterable[str]) -> State:
    """Return the state with only the bindings of these kinds."""
    chosen = set(names)
    return state.model_copy(
        update={
            "resources": {address: resource for address, resource in state.resources.items() if resource.kind in chosen}
        }
    )


def wanted(desired: Desired, state: State, kinds: Kinds) -> dict[str, frozenset[str]]:
    """Return the kinds to read, each with the attributes that are declared or were applied; of variants, with
    the keys too.
    """
    needed: dict[str, set[str]] = defaultdict(set)
    looked_up: set[str] = set()
    for resource in desired.resources.values():
        needed[resource.kind].update(resource.attrs)
        looked_up |= _looked_up(resource, state.resources.get(resource.address))
    for binding in state.resources.values():
        needed[binding.kind].update(binding.applied)
    for name in [name for name in kinds if name in needed and kinds[name].variants]:
        needed[name].update(
            key_of(address) for address in (*desired.resources, *state.resources) if kind_of(address) == name
        )
    needed |= {name: set() for name in looked_up if name not in needed}
    for name, outline in outlines(kinds).items():
        if outline.nested in needed:
            needed.setdefault(name, set())  # what goes with a parent is named, managed or not
    return {name: frozenset(needed[name]) for name in kinds if name in needed}


def _looked_up(resource: Resource, before: Binding | None) -> set[str]:
    """Return the kinds of which a resource looks something up. What was looked up at the last apply is looked up again,
    to show which side changed it.
    """
    mentioned = values.references(resource.attrs)
    if before is not None and not values.is_flat(before.applied.values()):
        applied = [values.decode(before.applied.get(name)) for name in resource.attrs]
        mentioned = [*mentioned, *values.references(applied)]
    return {reference.kind for reference in mentioned if isinstance(reference, values.Lookup)}


def looked_over(desired: Desired, state: State, kinds: Kinds) -> dict[str, frozenset[str]]:
    """Return what to read in order to tell what is filled in beside the declarations: of each kind that is managed
    every attribute, with what costs listings of its own (members, relations).
    """
    managed = {binding.kind for binding in state.resources.values()}
    reads = wanted(desired, state, kinds)
    return {name: names | kinds[name].attributes.keys() if name in managed else names for name, names in reads.items()}


def referred(kinds: Kinds) -> frozenset[str]:
    """Return the kinds that attributes refer to and that an export leaves out: they are read for their names."""
    marks = (mark for kind in kinds.values() for mark in kind.marked(RefTo).values())
    names = {name for mark in marks for name in mark.every if name in kinds}
    return frozenset(
        name for name in names if not kinds[name].abilities.managed or kinds[name].reading.mostly_unmanaged
    )


def all_reads(kinds: Kinds, only: frozenset[str] | None = None) -> dict[str, frozenset[str]]:
    """Return every kind that can be managed (of these) and those they refer to, with all attributes."""
    named = referred(kinds)
    wanted = [
        name
        for name, kind in kinds.items()
        if (kind.abilities.managed and (only is None or name in only)) or name in named
    ]
    return {name: frozenset((*kinds[name].attributes, *kinds[name].variants)) for name in wanted}


def with_named(reads: Mapping[str, frozenset[str]], kinds: Kinds) -> dict[str, frozenset[str]]:
    """Return what to read, with the kinds that its references name: a file says their names, not ids."""
    marks = (mark for name in reads for mark in kinds[name].marked(RefTo).values())
    more = {name for mark in marks for name in mark.every if name in kinds}
    return {name: reads.get(name, frozenset()) for name in kinds if name in reads or name in more}


# --- what an absence proves -------------------------------------------------------------------------------------------


def unproven(inputs: Inputs, kind: Kind, address: str, shown: Callable[[str], bool]) -> str:
    """Return why an object that is not shown may exist; "" where it does not. `shown` tells it of others.

    The parts of an object that is shown are shown with it. Where it is unknown whose key it is, an object is doubted
    that the state knows, for it was there once; one that was never seen is not.
    """
    if why := unread_variant(inputs, kind, address):
        return why
    if inputs.eyes is None or not inputs.eyes.why or not kind.reading.filtered or shown(kind.parent_of(address)):
        return ""
    never = not inputs.eyes.strict and inputs.eyes.sees == "unknown"
    if never and address not in inputs.state.resources and address not in inputs.intents:
        return ""
    return f"the account shows no such {kind.title.lower()}, which proves nothing: {inputs.eyes.why}"


def unread_variant(inputs: Inputs, kind: Kind, address: str) -> str:
    """Return why one of the objects that every account has was not read while others of its kind were, or ""."""
    unread = inputs.snapshot.unread.get(kind.name, {}) if kind.variants else {}
    why = unread.get(key_of(address))
    return why.reason if why is not None else ""


def concludes(plan: Plan, inputs: Inputs) -> bool:
    """Return whether a plan acts on the absence of something that permissions may hide."""
    absent = {
        change.address: change.kind
        for change in plan.changes
        if change.live is None and change.action in (Action.CREATE, Action.FORGET, Action.DELETE)
    }
    absent |= {address: intent.kind for address, intent in inputs.intents.items() if address not in plan.ids}
    return any(
        inputs.kinds[kind].reading.filtered and inputs.kinds[kind].parent_of(address) not in plan.ids
        for address, kind in absent.items()
        if kind in inputs.kinds
    )

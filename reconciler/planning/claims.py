"""Who is who: which live object each resource of a kind is, by its binding, by an interrupted create, by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model import values
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Live
from reconciler.model.plan import Skipped
from reconciler.model.state import Binding, Intent
from reconciler.model.values import RemoteId
from reconciler.planning.bindings import is_kept
from reconciler.planning.context import PlanningContext
from reconciler.planning.identity import AmbiguousMatch, Index, Match, bound, comparable, named_by, recognise

TIERS = 4
"""Natural keys of one object, at most."""


def claim(
    context: PlanningContext, kind: Kind, resources: Sequence[Resource], lives: Sequence[Live], index: Index
) -> None:
    """Match the resources of a kind; each object is taken once. Who fits two objects is a problem of the plan."""
    by_id = {live.id: live for live in lives}
    taken = _bind(context, kind, resources, by_id, index)
    _claim_interrupted(context, kind, index, taken)
    # What an import names is taken first; what fits an object exactly takes it before what fits it loosely.
    ordered = sorted(resources, key=lambda resource: resource.address not in context.pinned)
    waiting = {
        resource.address: resource
        for resource in ordered
        if resource.address not in context.matched and context.reachable(resource)
    }
    for tier in range(TIERS):
        for resource in list(waiting.values()):
            if _recognise(context, kind, resource, index, by_id, taken, tier):
                del waiting[resource.address]
    _orphans_to_spares(context, kind)


def _bind(
    context: PlanningContext,
    kind: Kind,
    resources: Sequence[Resource],
    by_id: Mapping[str, Live],
    index: Index,
) -> set[str]:
    """Match by bound id; returns the ids that are taken. An account may give out an id again (section 1.10 of the API
    page): of several bindings to one, that one has it whose name the object has.
    """
    declared = {resource.address: resource for resource in resources}
    taken: set[str] = set()
    for exact in (True, False):
        for address, binding in context.bound[kind.name].items():
            live = by_id.get(binding.id)
            if live is None or live.id in taken or named_by(kind, binding, live, context.resolver) is not exact:
                continue
            if exact:  # what `bound` says of an object that has the name under which it was bound
                holds = not live.builtin
            else:
                resource = declared.get(address)
                attrs = context.resolved(resource) if resource is not None else None
                others = lambda key, own=binding.id: any(live.id != own for live in index.get(key, ()))  # noqa: E731
                holds = bound(kind, attrs, binding, by_id, others) is not None
            if holds:
                context.match(address, live)
                taken.add(live.id)
                context.spares[address] = list(binding.spares)
    return taken


def _claim_interrupted(context: PlanningContext, kind: Kind, index: Index, taken: set[str]) -> None:
    """Find what creates without an answer made, by the name that they sent, whatever is declared today.

    An object that is not declared any more becomes managed anyway: it is removed, not left over.
    """
    for address, intent in context.inputs.intents.items():
        if intent.kind != kind.name or address in context.matched or not intent.natural_key:
            continue
        key = _sent_key(context, intent, index)
        hits = [
            live for live in index.get(key, ()) if not (live.builtin or live.id in taken or live.id in intent.known)
        ]
        if len(hits) > 1:
            context.problems.append(_twins(kind, AmbiguousMatch(address, tuple(hits), key)))
        elif hits:
            context.match(address, hits[0])
            taken.add(hits[0].id)
            if address not in context.inputs.desired.resources:
                binding = Binding(id=hits[0].id, kind=kind.name, natural_key=intent.natural_key, incomplete=True)
                context.bind(address, binding)


def _sent_key(context: PlanningContext, intent: Intent, index: Index) -> NaturalKey:
    """Return the name that a create sent; where a part of it is secret, the live one that has its salted hash."""
    if not any(map(values.is_hashed, intent.natural_key)):
        return tuple(comparable(values.decode(item), context.resolver) for item in intent.natural_key)
    salt = context.inputs.state.salt
    sent = intent.natural_key
    for key in index:
        if len(key) == len(sent) and all(is_kept(shown, part, salt) for shown, part in zip(key, sent, strict=True)):
            return key
    return ()


def _recognise(
    context: PlanningContext,
    kind: Kind,
    resource: Resource,
    index: Index,
    by_id: Mapping[str, Live],
    taken: set[str],
    tier: int,
) -> bool:
    """Return whether the resource was found, or found to be a problem; otherwise a weaker tier may know it."""
    pinned = context.pinned.get(resource.address)
    intent = context.inputs.intents.get(resource.address)
    match: Match | AmbiguousMatch | None
    if pinned is not None:
        live = by_id.get(pinned)
        if live is None or live.id in taken:
            # Both are properties of the account: one that was reset gives the id to something else.
            why = "the account has no such object" if live is None else "that object is managed under another address"
            context.skipped[resource.address] = Skipped(resource.address, f"imports says id {pinned}, and {why}")
            return True
        match = Match(live, "imports block")
    else:
        match = recognise(kind, resource, context.resolved(resource), index, taken, intent, tier)
    if isinstance(match, AmbiguousMatch):
        context.problems.append(_twins(kind, match))
    elif match is not None:
        if pinned is None and intent is None and resource.lifecycle.adopt == "never":
            context.problems.append(
                f"{resource.address}: an object of that name exists (id {match.live.id}) "
                "and `adopt: never` forbids to take it over"
            )
            return True
        context.match(resource.address, match.live)
        taken.add(match.live.id)
    return match is not None


def _orphans_to_spares(context: PlanningContext, kind: Kind) -> None:
    """Children of an object whose create answer was lost came with it: its declared children may claim them."""
    if not context.inputs.intents:
        return
    children = [
        (context.kinds[child], mark.parent) for child in context.kinds if (mark := kind.nesting(child)) is not None
    ]
    for address in context.inputs.intents:
        if kind_of(address) != kind.name or address not in context.matched:
            continue
        for child, parent in children:
            owner = RemoteId(kind.name, context.matched[address].id)
            mine = [
                live
                for live in context.inputs.snapshot.lives.get(child.name, ())
                if live.attrs.get(parent) == owner and child.born(live)  # what a person added is that person's
            ]
            mine.sort(key=lambda live: (live.attrs.get("order") or 0, len(live.id), live.id))
            context.spares[address] = [live.id for live in mine]


def _twins(kind: Kind, twins: AmbiguousMatch) -> str:
    ids = " and ".join(live.id for live in twins.lives)
    commands = " or ".join(f"`reconciler import {twins.address} {live.id}`" for live in twins.lives)
    return (
        f"{twins.address}: {len(twins.lives)} objects of the account fit it (ids {ids}, same {twins.key[0]}); "
        f"say which with {commands}, or in the files with "
        f'`imports: [{{to: {twins.address}, id: "{twins.lives[0].id}"}}]`'
    )

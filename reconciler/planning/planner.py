"""The planner: declared resources, state and snapshot in, plan out. Pure: it never calls the API and never reads a
clock.

A kind at a time, those that others refer to first: `claims` says which objects its resources are, `changes` what is to
be done for them; `context` is what both know.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model import values
from reconciler.model.demands import TakenNames
from reconciler.model.desired import Resource
from reconciler.model.errors import PlanError
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import WRITES, Action, Change, Plan, Skipped
from reconciler.model.values import Value
from reconciler.model.write import Finding
from reconciler.planning.bindings import unused_blocks
from reconciler.planning.changes import change_of, judged, removals, strike_spares
from reconciler.planning.claims import claim
from reconciler.planning.context import Inputs, PlanningContext
from reconciler.planning.declarable import losses, unsaid
from reconciler.planning.diff import completed
from reconciler.planning.effects import hand_over, with_effects, within_reach
from reconciler.planning.identity import Index, stored_key
from reconciler.planning.nearness import near_twins
from reconciler.planning.order import after_members, arrange_steps, sort_resources
from reconciler.planning.ranks import arranged_names, rank_moves
from reconciler.planning.reads import unproven, unread_variant
from reconciler.planning.rosters import knots
from reconciler.planning.unread import untold


def plan(inputs: Inputs) -> Plan:
    """Return the plan. Raises PlanError, with every problem found in the message."""
    context = PlanningContext(inputs)
    resources = sort_resources(context.inputs.desired.resources, context.kinds)
    by_kind: dict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_kind[resource.kind].append(resource)
    for knot in _knots(context, by_kind):
        _plan_knot(context, knot, [resource for kind in knot for resource in by_kind.get(kind.name, ())])
    place = {resource.address: number for number, resource in enumerate(resources)}
    context.changes = dict(sorted(context.changes.items(), key=lambda item: place[item[0]]))
    removals(context)
    context.changes = with_effects(context)
    if context.inputs.only is None:
        context.problems += unused_blocks(
            context.inputs.desired, context.matched, context.inputs.state.resources, context.changes.values()
        )
    context.changes, lost = within_reach(context.changes, context.resolver.ids)
    context.warnings += [*lost, *near_twins(context), *_unsaid(context), *_untold(context)]
    if context.problems:
        raise PlanError(
            "the plan cannot be made:\n" + "\n".join(f"- {problem}" for problem in dict.fromkeys(context.problems))
        )
    changes = tuple(context.changes.values())
    reads = tuple(
        name
        for name in context.kinds
        if any(change.kind == name and change.action is not Action.FORGET for change in changes)
    )
    looked_up = {**context.resolver.gone, **context.resolver.looked_up}
    return Plan(
        changes=changes,
        steps=arrange_steps(changes, context.kinds),
        skipped=tuple(context.skipped.values()),
        warnings=tuple(context.warnings),
        kept=context.kept,
        reads=reads,
        ids=context.resolver.ids | {str(lookup): reference.id for lookup, reference in looked_up.items()},
    )


def _knots(context: PlanningContext, declared: Iterable[str]) -> Iterator[tuple[Kind, ...]]:
    """Yield the kinds of which something is declared, bound or seen, those together that may refer to each other."""
    seen = context.inputs.snapshot
    known = {*declared, *context.bound, *seen.lives, *seen.unknown}
    for knot in knots(context.kinds):
        if not known.isdisjoint(knot):
            yield tuple(context.kinds[name] for name in knot)


def _unsaid(context: PlanningContext) -> list[str]:
    """Name what managed objects hold beyond what files can say, where no change of it is refused with that reason."""
    if context.inputs.compares:
        return []
    lines = []
    for address, live in context.matched.items():
        resource, change = context.inputs.desired.resources.get(address), context.changes.get(address)
        if resource is not None and (lost := losses(context.kinds[resource.kind], live)):
            written = {item.name for item in change.attributes} if change is not None else set()
            names = sorted(resource.attrs.keys() - written - {*resource.lifecycle.ignore_changes})
            lines += unsaid(address, lost, names)
    return lines


def _untold(context: PlanningContext) -> list[str]:
    """Name the attributes that could not be read of what is planned."""
    if context.inputs.compares or not context.inputs.snapshot.unread:
        return []
    lives = {address: live for address, live in context.matched.items() if context.inputs.covers(address)}
    return untold(context.inputs, lives, lives.keys() - context.inputs.desired.resources.keys())


def _plan_knot(context: PlanningContext, knot: tuple[Kind, ...], resources: list[Resource]) -> None:
    """Plan a kind, or those together that may refer to each other: first who is who, then what is to be done."""
    indexes: dict[str, Index] = {}
    for kind in knot:
        mine = [resource for resource in resources if resource.kind == kind.name]
        lives = context.inputs.snapshot.lives.get(kind.name)
        unknown = context.inputs.snapshot.unknown.get(kind.name)
        if lives is None or unknown:
            _without_listing(context, mine, unknown, kind)
            continue
        indexes[kind.name] = Index(kind, lives)
        claim(context, kind, mine, lives, indexes[kind.name])
    context.let_go(knot)
    covered = [
        resource for resource in resources if resource.kind in indexes and context.inputs.covers(resource.address)
    ]
    _decide(context, covered if len(knot) == 1 else after_members(covered), indexes)
    if len(knot) > 1:
        hand_over(context)


def _without_listing(context: PlanningContext, resources: list[Resource], unknown: str | None, kind: Kind) -> None:
    """Nothing is created or deleted on missing evidence; ids of the state still serve as references."""
    for address, binding in context.bound[kind.name].items():
        context.resolver.ids[address] = binding.id
        if unknown and context.inputs.covers(address) and address not in context.inputs.desired.resources:
            context.skipped[address] = Skipped(address, unknown, forbidden=True)
    for resource in resources:
        if context.inputs.covers(resource.address):
            context.skipped[resource.address] = Skipped(
                resource.address, unknown or "its kind was not read", forbidden=bool(unknown)
            )


def _unmade(context: PlanningContext, kind: Kind, address: str) -> str:
    """Return why an object that the account does not show is not made, "" where it is."""
    if why := unread_variant(context.inputs, kind, address):
        return why
    if not kind.abilities.creatable or kind.given(context.inputs.desired.resources[address].attrs):
        return f"the account shows no such {kind.title.lower()}, and the API cannot create one"
    binding = context.bindings.get(address)
    lives = context.inputs.snapshot.lives.get(kind.name, ())
    if binding is not None and any(live.id == binding.id and live.builtin for live in lives):
        return "the account shows the object that it was as one of its own: nothing is made beside it"
    return unproven(context.inputs, kind, address, context.shown)


def _decide(context: PlanningContext, resources: list[Resource], indexes: Mapping[str, Index]) -> None:
    arranged = _arranged(context, resources)
    spares: dict[str, Iterator[int]] = defaultdict(itertools.count)
    there = (resource for resource in resources if resource.address in context.matched)
    names = TakenNames(context.kinds, there, context.inputs.snapshot.lives)
    for resource in resources:
        if resource.address in context.skipped or not context.possible(resource):
            continue
        kind, index = context.kinds[resource.kind], indexes[resource.kind]
        live = context.matched.get(resource.address)
        if live is None and (unmade := _unmade(context, kind, resource.address)):
            context.hide(resource.address, unmade)
            continue
        attrs, live = _completed(context, kind, resource, arranged.get(resource.address, {}), live)
        change = change_of(context, kind, resource, attrs, live)
        if change is None:
            context.kept += 1
            continue
        refused, doubts = _objections(context, kind, change, () if live is not None else names.taken(resource))
        if refused:
            _refuse(context, resource, refused, created=live is not None)
            continue
        names.held(resource)  # not before: what is refused takes no name from the others
        change = change._replace(findings=(*change.findings, *doubts))
        for value in change.desired.values():
            values.transform(value, context.strictly)  # what is written needs every secret, and nothing else does
        if change.action is Action.CREATE:
            change = _recognisable(context, kind, resource, change, index, spares)
        if change.action is Action.REPLACE:
            # What refers to it is sent the id of the object to come, which only the apply knows.
            context.resolver.ids.pop(resource.address, None)
        context.changes[resource.address] = change
    rank_moves(context, resources, arranged)
    for name in indexes:
        strike_spares(context, context.kinds[name])


def _refuse(context: PlanningContext, resource: Resource, refused: list[str], *, created: bool) -> None:
    why = f"the account would refuse it: {'; '.join(refused)}"
    context.skipped[resource.address] = Skipped(resource.address, why, refused=True)
    if not created:
        context.resolver.ids.pop(resource.address, None)  # of an object that is gone


def _objections(
    context: PlanningContext, kind: Kind, change: Change, taken: Iterable[str]
) -> tuple[list[str], Sequence[Finding]]:
    """Return why the account would refuse a change, as it said itself where it was asked and because of names that are
    `taken`, and what is doubted in a plan that may be applied.
    """
    findings = judged(kind, change)
    barred = context.inputs.barred.get(change.address)
    refused = [barred] if barred is not None and change.action in WRITES else []
    refused += [*(finding.message for finding in findings if finding.severity == "error"), *taken]
    return refused, () if context.inputs.compares else findings


def _recognisable(
    context: PlanningContext,
    kind: Kind,
    resource: Resource,
    change: Change,
    index: Index,
    spares: Mapping[str, Iterator[int]],
) -> Change:
    """Return a create with the key under which it is found again, the ids that have its keys already, and which of its
    parent's server-made objects it takes over.
    """
    resolved = context.resolved(resource)
    keys = kind.natural_keys(resolved)
    key_values = (*keys, *kind.settling_keys(resolved))
    return change._replace(
        known=tuple(sorted({live.id for key in key_values for live in index.get(key, ())})),
        natural_key=tuple(stored_key(keys[0])) if keys else (),
        spare=next(spares[resource.parent]) if resource.parent is not None else None,
    )


def _completed(
    context: PlanningContext, kind: Kind, resource: Resource, arranged: Mapping[str, Value], live: Live | None
) -> tuple[dict[str, Value], Live | None]:
    """Return the attributes to write, and the object as the write finds it: rosters of this plan may let go of it."""
    left = live
    if live is not None and (groups := context.freed.get((kind.name, live.id))):
        left = kind.without(live, groups)
        live = live._replace(row=left.row)
    return completed(kind, {**arranged, **resource.attrs}, left, context.will_be_deleted, resource.elsewhere), live


def _arranged(context: PlanningContext, resources: list[Resource]) -> dict[str, dict[str, Value]]:
    """Return what follows from the order of siblings, unless a saved plan says it already."""
    groups: dict[tuple[str, str | None], list[Resource]] = defaultdict(list)
    names = {kind: arranged_names(context.kinds[kind]) for kind in {resource.kind for resource in resources}}
    for resource in context.inputs.desired.resources.values() if any(names.values()) else ():
        if names.get(resource.kind):
            groups[resource.kind, resource.parent].append(resource)
    wanted = {resource.address for resource in resources}
    by_address: dict[str, dict[str, Value]] = {}
    for (name, _), siblings in groups.items():
        siblings.sort(key=lambda resource: resource.rank)
        found_there = ((sibling.address, sibling.attrs, context.matched.get(sibling.address)) for sibling in siblings)
        # Where one of them stands may be in no known form: it stays there.
        settled = [place for place in found_there if place[2] is None or not names[name] & {*place[2].odd.values()}]
        arranged = context.kinds[name].arrange(settled)
        by_address |= {address: attrs for address, attrs in arranged.items() if address in wanted}
    return by_address

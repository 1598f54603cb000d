"""Where things stand among their siblings, as people count it: on the board before a plan, and after it. Pure.

What the account keeps is a number with gaps and ties (section 8.1); a place is which one it is of those that stand in
the same thing, counted from 1, whether they are managed or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reconciler.model.desired import Resource
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import Change
from reconciler.model.values import RemoteId, Value
from reconciler.planning.context import PlanningContext

Ranks = Mapping[str, tuple[int, int]]
"""By address: the place before, and the place after."""
Ordered = Mapping[str, tuple[Value, str]]
"""By what stands there: its number and its id, "" for what is new."""


def arranged_names(kind: Kind) -> frozenset[str]:
    """Return the attributes of a kind that follow from where a resource stands among its siblings in the file."""
    return frozenset(name for attrs in kind.arrange([("", {}, None)]).values() for name in attrs)


def ranked(change: Change, kind: Kind, places: Ranks) -> Change:
    """Return a change with the places of what moves among its siblings."""
    if change.address not in places:
        return change
    names = arranged_names(kind)
    items = tuple(
        item._replace(places=places[change.address]) if item.name in names else item for item in change.attributes
    )
    return change._replace(attributes=items)


def rank_moves(
    context: PlanningContext, resources: Iterable[Resource], arranged: Mapping[str, Mapping[str, Value]]
) -> None:
    """Give the places to the planned changes of what moves: it exists, and stays in what it stands in."""
    groups: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in resources:
        if resource.parent is not None and resource.address in arranged:
            groups[resource.kind, resource.parent].append(resource)
    moving = {
        group: siblings for group, siblings in groups.items() if any(_moves(context, sibling) for sibling in siblings)
    }
    boards = {name: _boards(context, context.kinds[name]) for name, _ in moving}
    for (name, parent), siblings in moving.items():
        board = boards[name].get(context.resolver.ids.get(parent, ""), [])
        places = _on_board(context, context.kinds[name], board, siblings, arranged)
        for sibling in siblings:
            if _moves(context, sibling):
                context.changes[sibling.address] = ranked(context.changes[sibling.address], context.kinds[name], places)


def _moves(context: PlanningContext, resource: Resource) -> bool:
    change = context.changes.get(resource.address)
    names = arranged_names(context.kinds[resource.kind]) if change is not None and change.live is not None else ()
    return change is not None and any(item.name in names for item in change.attributes)


def _boards(context: PlanningContext, kind: Kind) -> Mapping[str, list[Live]]:
    """Return what stands in each object, by the object's id."""
    nesting = context.kinds[kind.nested].nesting(kind.name)
    boards: dict[str, list[Live]] = defaultdict(list)
    for live in context.inputs.snapshot.lives.get(kind.name, ()):
        owner = live.attrs.get(nesting.parent) if nesting is not None else None
        if isinstance(owner, RemoteId):
            boards[owner.id].append(live)
    return boards


def _on_board(
    context: PlanningContext,
    kind: Kind,
    board: Sequence[Live],
    siblings: Sequence[Resource],
    arranged: Mapping[str, Mapping[str, Value]],
) -> Ranks:
    (name,) = arranged_names(kind)
    before = {live.id: (live.attrs.get(name), live.id) for live in board}
    after = {
        key: position
        for key, position in before.items()
        if not context.will_be_deleted(RemoteId(kind.name, position[1]))
    }
    known = {
        sibling.address: context.matched[sibling.address].id
        for sibling in siblings
        if sibling.address in context.matched
    }
    after |= {
        known.get(sibling.address, sibling.address): (
            arranged[sibling.address].get(name),
            known.get(sibling.address, ""),
        )
        for sibling in siblings
    }
    first, then = ranks(before), ranks(after)
    return {address: (first[key], then[key]) for address, key in known.items() if key in first}


def ranks(ordered: Ordered) -> dict[str, int]:
    """Return the place of each, counted from 1: by number, ties by id, what is new behind those."""

    def place(key: str) -> tuple[int, bool, int, str]:
        number, identity = ordered[key]
        return (number if isinstance(number, int) else 0), not identity, len(identity), identity

    return {key: rank for rank, key in enumerate(sorted(ordered, key=place), 1)}

"""In which order things are planned and done: a graph of steps, sorted so that equal inputs give equal plans."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Change, Op, Step
from reconciler.model.values import Ref, RemoteId, Value
from reconciler.planning.rosters import members_of, roster_of

StepNode = tuple[str, Op]


def sort_resources(resources: Mapping[str, Resource], kinds: Kinds) -> list[Resource]:
    """Return resources such that each comes after those it refers to; otherwise by kind, rank of the file and
    address.
    """
    rank = {name: place for place, name in enumerate(kinds)}
    chosen = sorted(
        resources.values(),
        key=lambda resource: (
            rank.get(resource.kind, len(rank)),
            resource.parent or "",
            resource.rank if resource.parent else 0,
            resource.address,
        ),
    )
    placed: dict[str, Resource] = {}
    visiting: set[str] = set()

    def place(resource: Resource) -> None:
        if resource.address in placed or resource.address in visiting:
            return
        visiting.add(resource.address)
        for reference in values.references(resource.attrs):
            if isinstance(reference, Ref) and reference.address in resources and reference.kind == resource.kind:
                place(resources[reference.address])
        placed[resource.address] = resource

    for resource in chosen:
        place(resource)
    return list(placed.values())


def after_members(resources: Sequence[Resource]) -> list[Resource]:
    """Return the resources of kinds that may refer to each other such that each comes after those that it refers to."""
    mine = {resource.address: resource for resource in resources}
    placed: dict[str, Resource] = {}

    def place(resource: Resource, above: frozenset[str]) -> None:
        for reference in values.references(resource.attrs):
            other = mine.get(reference.address) if isinstance(reference, Ref) else None
            if other is not None and other.address not in above and other.address not in placed:
                place(other, above | {other.address})
        placed[resource.address] = resource

    for resource in resources:
        if resource.address not in placed:
            place(resource, frozenset({resource.address}))
    return list(placed.values())


def arrange_steps(changes: Iterable[Change], kinds: Kinds) -> tuple[Step, ...]:
    """Return the steps of all changes in a valid order. Creates follow what they refer to, deletes precede what
    they refer to.
    """
    by_address = {change.address: change for change in changes}
    nodes = {address: _operations(change) for address, change in by_address.items()}
    waits: dict[StepNode, set[StepNode]] = defaultdict(set)
    for address, change in by_address.items():
        _follow_references(address, change, nodes, waits)
        _free_what_is_held(address, change, by_address, nodes, waits)
        parent = change.resource.parent if change.resource is not None else None
        if parent is not None and "finish" in nodes.get(parent, ()):
            waits[parent, "finish"].update(_first(address, nodes, "create", "update", "bind"))
        for taker in change.follows:
            waits[address, "update"].update(_first(taker, nodes, "update"))
    _release_before_delete(by_address, nodes, waits, kinds)
    _free_names_first(by_address, nodes, waits, kinds)
    ranks = {address: change.resource.rank for address, change in by_address.items() if change.resource is not None}
    places = {address: place for place, address in enumerate(by_address)}
    every = [(address, op) for address in nodes for op in nodes[address]]
    return _numbered(_sorted(every, waits, kinds, places, ranks), waits)


def _numbered(order: Sequence[StepNode], waits: Mapping[StepNode, set[StepNode]]) -> tuple[Step, ...]:
    """Return the steps of an order, each with the numbers of those that it waits for."""
    number = {node: index for index, node in enumerate(order, 1)}
    return tuple(
        Step(
            number[node],
            node[0],
            node[1],
            tuple(sorted(number[other] for other in waits.get(node, ()) if other in number)),
        )
        for node in order
    )


def _operations(change: Change) -> tuple[Op, ...]:
    """Return the operations of one change, in their order."""
    operations: dict[Action, tuple[Op, ...]] = {
        Action.CREATE: ("create",),
        Action.UPDATE: ("update",),
        Action.REPLACE: ("delete", "create"),
        Action.DELETE: ("delete",),
        Action.ADOPT: ("bind",),
        Action.REFRESH: ("bind",),
        Action.MOVE: (),
        Action.FORGET: ("forget",),
        Action.MANUAL: (),
        Action.NONE: (),
    }
    ops = operations[change.action]
    if change.moved_from is not None:
        ops = ("move", *ops)
    comes_with_spares = (
        change.action in (Action.CREATE, Action.REPLACE) and change.resource is not None and change.resource.nested
    )
    if change.spares or comes_with_spares:
        ops = (*ops, "finish")
    return ops


def _first(address: str, nodes: Mapping[str, tuple[Op, ...]], *wanted: Op) -> list[StepNode]:
    return [(address, op) for op in nodes.get(address, ()) if op in wanted]


def _follow_references(
    address: str, change: Change, nodes: Mapping[str, tuple[Op, ...]], waits: dict[StepNode, set[StepNode]]
) -> None:
    """Writes wait for what they refer to; within one address, each operation waits for the one before it."""
    ops = nodes[address]
    for before, after in itertools.pairwise(ops):
        waits[address, after].add((address, before))
    for target in change.depends_on if change.action is not Action.DELETE else ():
        for op in ops:
            if op in ("create", "update"):
                waits[address, op].update(_first(target, nodes, "create"))


def _free_what_is_held(
    address: str,
    change: Change,
    changes: Mapping[str, Change],
    nodes: Mapping[str, tuple[Op, ...]],
    waits: dict[StepNode, set[StepNode]],
) -> None:
    """A delete that first moves something away waits for the place to move it to."""
    if change.binding is None or "delete" not in nodes[address]:
        return
    for target in change.binding.on_destroy.values():
        if target in changes and target != address:
            waits[address, "delete"].update(_first(target, nodes, "create", "bind"))


def _owners(changes: Iterable[Change]) -> dict[tuple[str, str], str]:
    """Return the address of each live object among the changes, by kind and id."""
    return {(change.kind, change.live.id): change.address for change in changes if change.live is not None}


def _named_of(owners: Mapping[tuple[str, str], str], attrs: Mapping[str, Value]) -> set[str]:
    """Return the addresses of the objects that live attributes name."""
    named = ((leaf.kind, leaf.id) for leaf in values.references(attrs) if isinstance(leaf, RemoteId))
    return {owners[pair] for pair in named if pair in owners}


def _release_before_delete(
    changes: Mapping[str, Change],
    nodes: Mapping[str, tuple[Op, ...]],
    waits: dict[StepNode, set[StepNode]],
    kinds: Kinds,
) -> None:
    """An object goes only after everything that refers to it has gone or has been pointed elsewhere. A roster keeps
    neither side: its entries go with either.
    """
    concerned = {change.kind: kinds[change.kind] for change in changes.values()}
    rosters = {name: ((roster_of(kind) or ("", ""))[0], members_of(kind)) for name, kind in concerned.items()}
    to_delete = {address: change for address, change in changes.items() if "delete" in nodes[address]}
    owners = _owners(to_delete.values())
    for address, change in changes.items():
        roster, members = rosters[change.kind]
        attrs = dict(change.live.attrs) if change.live is not None else {}
        attrs.pop(roster, None)
        bound = change.binding.depends_on if change.binding is not None else ()
        targets = {target for target in bound if target in to_delete and to_delete[target].kind not in members}
        deletes, updates = _first(address, nodes, "delete"), _first(address, nodes, "update")
        for target in (targets | _named_of(owners, attrs)) - {address}:
            again = to_delete[target].action is Action.REPLACE
            waits[target, "delete"].update(deletes or ([] if again else updates))


def _free_names_first(
    changes: Mapping[str, Change], nodes: dict[str, tuple[Op, ...]], waits: dict[StepNode, set[StepNode]], kinds: Kinds
) -> None:
    """What takes a name waits until its holder has let go, unless they wait for each other (see `_park`)."""
    holders: dict[tuple[str, object], str] = {}
    for address, change in changes.items():
        if change.live is not None and set(nodes[address]) & {"delete", "update"}:
            for key in kinds[change.kind].natural_keys(change.live.attrs):
                holders[change.kind, key] = address
    for address, change in changes.items():
        takes = _first(address, nodes, "create", "update")
        for key in kinds[change.kind].natural_keys(change.desired) if takes else ():
            holder = holders.get((change.kind, key))
            if holder is None or holder == address:
                continue
            frees = _first(holder, nodes, "delete") or _first(holder, nodes, "update")
            if not _reaches(frees, takes[0], waits):
                waits[takes[0]].update(frees)
            elif frees == [(holder, "update")] and not kinds[change.kind].identity.names_repeat:
                _park(holder, takes[0], nodes, waits)


def _park(holder: str, taker: StepNode, nodes: dict[str, tuple[Op, ...]], waits: dict[StepNode, set[StepNode]]) -> None:
    """Objects that swap their names wait for each other: one lets go of its own first, for a name in between."""
    if "park" not in nodes[holder]:
        nodes[holder] = ("park", *nodes[holder])
        waits[holder, "park"].update(_first(holder, nodes, "move"))
        waits[holder, "update"].add((holder, "park"))
    waits[taker].add((holder, "park"))


def _reaches(start: Iterable[StepNode], goal: StepNode, waits: Mapping[StepNode, set[StepNode]]) -> bool:
    """Return whether following waits from `start` arrives at `goal`."""
    seen: set[StepNode] = set()
    stack = list(start)
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            stack += waits.get(node, ())
    return False


def _sorted(
    nodes: list[StepNode],
    waits: Mapping[StepNode, set[StepNode]],
    kinds: Kinds,
    shown: Mapping[str, int],
    ranks: Mapping[str, int],
) -> list[StepNode]:
    """Sort topologically; among what is ready: moves, then writes in the order of kinds, deletes in the reverse,
    then as shown, but creates as they stand in the files.
    """
    rank = {name: place for place, name in enumerate(kinds)}
    phase = {"move": 0, "bind": 1, "forget": 1, "delete": 3, "finish": 4}
    present = set(nodes)
    missing = {node: len(waits.get(node, set()) & present) for node in nodes}
    dependants: dict[StepNode, list[StepNode]] = defaultdict(list)
    for node in nodes:
        for other in waits.get(node, ()):
            if other in present:
                dependants[other].append(node)

    def weight(node: StepNode) -> tuple[int, int, int, int, str]:
        kind = node[0].partition(".")[0]
        place = rank.get(kind, 0)
        in_file = ranks.get(node[0], 0) if node[1] == "create" and not kinds[kind].nested else 0
        return phase.get(node[1], 2), -place if node[1] == "delete" else place, in_file, shown[node[0]], node[1]

    ready = [(*weight(node), node) for node in nodes if not missing[node]]
    heapq.heapify(ready)
    order: list[StepNode] = []
    while ready:
        node = heapq.heappop(ready)[-1]
        order.append(node)
        for other in dependants[node]:
            missing[other] -= 1
            if not missing[other]:
                heapq.heappush(ready, (*weight(other), other))
    if len(order) < len(nodes):
        raise RuntimeError(f"steps wait for each other in a circle: {sorted(set(nodes) - set(order))}")
    return order

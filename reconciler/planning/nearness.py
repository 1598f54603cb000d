"""A word about whatever a plan makes beside a near twin: an object that people would take for the same one. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Live
from reconciler.model.nearness import apart, near_keys
from reconciler.model.plan import Action, Change
from reconciler.model.values import Value
from reconciler.planning.context import PlanningContext


def near_twins(context: PlanningContext) -> list[str]:
    """Return one line for each create, and each rename, whose name nearly is that of an object that stays."""
    lines: list[str] = []
    by_kind: dict[str, list[Change]] = defaultdict(list)
    for change in context.changes.values():
        if change.resource is not None:
            by_kind[change.kind].append(change)
    for kind in (context.kinds[name] for name in context.kinds if name in by_kind):
        changes = by_kind[kind.name]
        named = [change for change in changes if _names(kind, change)]
        if named:
            lines += _of_kind(context, kind, named)
    return lines


def _names(kind: Kind, change: Change) -> bool:
    """Return whether the change gives an object a name that it did not have."""
    if change.action in (Action.CREATE, Action.REPLACE):
        return True
    if change.action is not Action.UPDATE or change.live is None:
        return False
    before = {name: change.live.attrs.get(name) for name in change.desired}
    after = {name: value for name, value in _afterwards(change, change.live).items() if name in before}
    return bool(set(kind.known_as(after)) - set(kind.known_as(before)))


def _afterwards(change: Change, live: Live) -> dict[str, Value]:
    """Return the attributes that an object has once it is changed."""
    changed = {item.name for item in change.attributes}
    return {**live.attrs, **{name: value for name, value in change.desired.items() if name in changed}}


def _of_kind(context: PlanningContext, kind: Kind, changes: Iterable[Change]) -> list[str]:
    index = _near_index(context, kind)
    lines = []
    for change in changes:
        assert change.resource is not None
        attrs = context.resolved(change.resource)
        own = change.live.id if change.live is not None else ""
        for near, key in near_keys(kind, attrs).items():
            twin = next(((live, other) for live, other in index.get(near, ()) if live.id != own), None)
            if twin is not None:
                lines.append(_told(kind, change, key, *twin, derived=key not in kind.known_as(attrs)))
                break
    return lines


def _near_index(context: PlanningContext, kind: Kind) -> dict[NaturalKey, list[tuple[Live, NaturalKey]]]:
    """Return the objects that stay, by their near keys as they are after the plan."""
    touched = {
        change.live.id: change
        for change in context.changes.values()
        if change.kind == kind.name and change.live is not None
    }
    going = {identity for identity, change in touched.items() if change.action in (Action.DELETE, Action.REPLACE)}
    updates = {identity: change for identity, change in touched.items() if change.action is Action.UPDATE}
    index: dict[NaturalKey, list[tuple[Live, NaturalKey]]] = defaultdict(list)
    for live in context.inputs.snapshot.lives.get(kind.name, ()):
        attrs = _afterwards(updates[live.id], live) if live.id in updates else live.attrs
        for near, key in near_keys(kind, attrs).items() if live.id not in going else ():
            index[near].append((live, key))
    return index


def _told(kind: Kind, change: Change, key: NaturalKey, live: Live, other: NaturalKey, *, derived: bool) -> str:
    what = kind.title.lower() or kind.name
    name = live.attrs.get(kind.identity.name_attribute)
    shown = f"{what} {live.id}" + (f" (`{name}`)" if name and not kind.reading.mostly_unmanaged else "")
    word = str(key[0]).rstrip("~")
    if derived:
        why = f"the server would derive the {word} `{key[1]}`, which that one has"
    else:
        differs = apart(key, other)
        why = f"differs in {differs} only" if differs else f"has the same {word}"
    verb = "is created" if change.action is Action.CREATE else "gets its name"
    return (
        f"{change.address} {verb} beside {shown}: {why}; if it is meant, use its spelling or "
        f"`reconciler import {change.address} {live.id}`"
    )

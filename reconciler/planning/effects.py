"""What a change does beyond the object that it names, as far as the listings show it: what goes along with an object
that is destroyed, what becomes invisible, and what still points to it. Pure. What only a question to the account can
tell is measured by `Kind.impact`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set

from reconciler.model import values
from reconciler.model.address import Address, abridged, kind_of
from reconciler.model.called import called
from reconciler.model.grammar import a
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import DESTROYS, Action, Change, Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import RefTo, Roster
from reconciler.model.values import RemoteId, Value, decode, is_empty, items_of
from reconciler.model.write import Impact
from reconciler.planning.context import PlanningContext
from reconciler.planning.rosters import roster_of

STAYS = (Action.CREATE, Action.ADOPT, Action.UPDATE, Action.REPLACE)


def with_effects(context: PlanningContext) -> dict[str, Change]:
    """Return the changes with what goes along with each, and with what each hides."""
    to_destroy = {
        (change.kind, change.live.id)
        for change in context.changes.values()
        if change.live is not None and change.action in DESTROYS
    }
    return {address: _with_effects(context, change, to_destroy) for address, change in context.changes.items()}


def _with_effects(context: PlanningContext, change: Change, to_destroy: set[tuple[str, str]]) -> Change:
    kind, impacts = context.kinds[change.kind], []
    if change.action in DESTROYS and change.live is not None and not kind.texts.removal_effect:
        impacts += [
            *_children(context, kind, change.live, to_destroy, change.address),
            *_parts(context, kind, change, change.live),
        ]
    if change.action in STAYS:
        impacts += [*_hidden(kind, change), *_left_alone(context, kind, change, to_destroy)]
    inside = _inside(context, kind, change.live) if change.action in DESTROYS and change.live is not None else ()
    return change._replace(impacts=(*change.impacts, *impacts), children=inside) if impacts or inside else change


def _inside(context: PlanningContext, kind: Kind, parent: Live) -> tuple[str, ...]:
    """Return the ids of everything that is nested in an object."""
    return tuple(live.id for inside in context.nested(kind).values() for live in inside.get(parent.id, ()))


def _children(
    context: PlanningContext, kind: Kind, parent: Live, to_destroy: set[tuple[str, str]], address: str
) -> Iterable[Impact]:
    """Children cannot exist without their parent: name those that this plan does not destroy on its own."""
    for name, inside in context.nested(kind).items():
        child = context.kinds[name]
        noun = f"{child.title.lower()}s of it go along"
        why = context.inputs.snapshot.unknown.get(child.name)
        if why or child.name not in context.inputs.snapshot.lives:
            yield Impact(None, noun, detail=why or "they were not read", effect="unmanaged")
            continue
        mine = inside.get(parent.id, ())
        ours = set(context.spares.get(address, ()))
        for effect, lives in (
            ("along", [live for live in mine if live.id in ours]),
            ("unmanaged", [live for live in mine if live.id not in ours]),
        ):
            names = tuple(_name(context, child, live) for live in lives if (child.name, live.id) not in to_destroy)
            if names:
                yield Impact(len(names), noun, effect="along" if effect == "along" else "unmanaged", objects=names)


def _name(context: PlanningContext, kind: Kind, live: Live) -> str:
    """Return the address of a managed object, otherwise its name."""
    address = context.owners.get((kind.name, live.id))
    return address or called(live.attrs) or f"id {live.id}"


def _parts(context: PlanningContext, kind: Kind, change: Change, live: Live) -> Iterable[Impact]:
    """Parts of the object go with it. Those that are not declared are not ours; what only links the object to
    another goes with either of the two, and is not lost.
    """
    for name, part in kind.abilities.parts.items():
        applied = decode(change.binding.applied.get(name)) if change.binding is not None else None
        known = {key for key, _ in _entries(context, kind, name, applied)}
        mine: list[str] = []
        others: list[str] = []
        for identity, text in _entries(context, kind, name, live.attrs.get(name)):
            (others if part.own and identity not in known else mine).append(text)
        if mine:
            yield Impact(len(mine), part.noun, effect="along", objects=tuple(mine))
        if others:
            yield Impact(len(others), f"{part.noun} that are not declared", effect="unmanaged", objects=tuple(others))


def _entries(context: PlanningContext, kind: Kind, name: str, value: Value) -> list[tuple[str, str]]:
    """Return (identity, name) of each entry of an attribute that lists or maps parts."""
    attribute = kind.attributes.get(name)
    if attribute is None or is_empty(value):
        return []
    normal = attribute.normal(value)
    if isinstance(normal, Mapping):
        return [(key.replace("_", "-"), _text(context, part) or str(key)) for key, part in normal.items()]
    if not isinstance(normal, list | tuple):
        return [(str(normal), _text(context, normal))]
    return [(_identity(context, item), _text(context, item)) for item in normal]


def _identity(context: PlanningContext, value: Value) -> str:
    return str(value.get("value", "")) if isinstance(value, Mapping) else _text(context, value)


def _text(context: PlanningContext, value: Value) -> str:
    """Return what people call an entry."""
    if isinstance(value, Mapping):
        return called(value) or str(value.get("value", ""))
    if isinstance(value, RemoteId):
        return context.owners.get((value.kind, value.id)) or str(value)
    return str(value)


def _hidden(kind: Kind, change: Change) -> Iterable[Impact]:
    """Say what will be visible to no user any more."""
    before = change.live.attrs if change.live is not None else {}
    why = kind.hidden({**before, **change.desired})
    if why and (change.live is None or change.action is Action.REPLACE or not kind.hidden(before)):
        yield Impact(
            1, f"{kind.title.lower()} is invisible", detail=f"({why})", effect="hidden", objects=(change.address,)
        )


def _left_alone(
    context: PlanningContext, kind: Kind, change: Change, to_destroy: set[tuple[str, str]]
) -> Iterable[Impact]:
    """Say who leaves a roster and is in none of its kind then, unless the member says by itself what becomes of it."""
    name, short = roster_of(kind) or ("", "")
    item = next((attribute for attribute in change.attributes if attribute.name == name), None)
    alone: dict[str, list[str]] = defaultdict(list)
    before, after = (item.before, item.after) if item is not None and change.live is not None else (None, None)
    for leaf in items_of(before):
        if not isinstance(leaf, RemoteId) or leaf in items_of(after):
            continue
        own = context.changes.get(context.owners.get((leaf.kind, leaf.id), ""))
        stays = (leaf.kind, leaf.id) not in to_destroy and (own is None or short not in own.desired)
        if stays and not _holders(context, kind, leaf, short, to_destroy):
            alone[leaf.kind].append(_called(context, leaf))
    for member, names in alone.items():
        title, one_only = context.kinds[member].title.lower(), len(names) == 1
        noun = f"{title} is invisible" if one_only else f"{title}s are invisible"
        detail = f"(no `{short}`): {abridged(names)}"
        yield Impact(len(names), noun, detail=detail, effect="hidden", objects=tuple(names))


def _holders(
    context: PlanningContext, kind: Kind, member: RemoteId, short: str, to_destroy: set[tuple[str, str]]
) -> bool:
    """Return whether any object has a member in its roster after this plan, as far as rosters or members were read."""
    name = (roster_of(kind) or ("", ""))[0]
    freed = context.freed.get((member.kind, member.id), set())
    if _names_one(context, member, short, freed | {RemoteId(*key) for key in to_destroy}):
        return True
    stays = (
        member in items_of(live.attrs.get(name)) and RemoteId(kind.name, live.id) not in freed
        for live in context.inputs.snapshot.lives.get(kind.name, ())
        if (kind.name, live.id) not in to_destroy
    )
    joins = (
        member in items_of(item.after)
        for change in context.changes.values()
        for item in change.attributes
        if change.kind == kind.name and item.name == name
    )
    return any(stays) or any(joins)


def _names_one(context: PlanningContext, member: RemoteId, short: str, going: Set[Value]) -> bool:
    """Return whether a member names an object itself, beside those that let go of it."""
    lives = context.inputs.snapshot.lives.get(member.kind, ())
    own = next((live for live in lives if live.id == member.id), None)
    if own is None or own.attrs.get(short) is None:
        return False
    return context.kinds[member.kind].without(own, going).attrs[short] is not None


def _called(context: PlanningContext, member: RemoteId) -> str:
    address = context.owners.get((member.kind, member.id))
    lives = context.inputs.snapshot.lives.get(member.kind, ())
    live = next((live for live in lives if live.id == member.id), None)
    return address or (_name(context, context.kinds[member.kind], live) if live is not None else str(member))


def hand_over(context: PlanningContext) -> None:
    """Let a member that one roster lets go of and another place takes be one row that moves.

    Deleted here and made there it would be two writes, and where a member can be in one object only, the delete would
    hit what has moved already.

    The changes that take a member move its row, and those that let go of it follow them. Of two objects with
    rosters the one with the lower address takes, so that none waits for the other.
    """
    for (kind, identity), groups in context.freed.items():
        member = RemoteId(kind, identity)
        givers = [change for change in context.changes.values() if _updates(change) and _is(change) in groups]
        taker = _taker(context, member, givers[0]) if len(givers) == 1 else None
        if taker is None or taker.live is None or givers[0].live is None:
            continue
        live, part = context.kinds[givers[0].kind].give(givers[0].live, member)
        if part is not None:
            context.changes[givers[0].address] = givers[0]._replace(
                live=live, follows=(*givers[0].follows, taker.address)
            )
            context.changes[taker.address] = taker._replace(live=context.kinds[taker.kind].take(taker.live, part))


def _updates(change: Change) -> bool:
    return change.action is Action.UPDATE and change.live is not None


def _is(change: Change) -> RemoteId:
    return RemoteId(change.kind, change.live.id if change.live is not None else "")


def _taker(context: PlanningContext, member: RemoteId, giver: Change) -> Change | None:
    """Return the change by which a member says another object itself, or the roster that it joins."""
    name, short = roster_of(context.kinds[giver.kind]) or ("", "")
    own = context.changes.get(context.owners.get((member.kind, member.id), ""))
    if own is not None and _updates(own) and _says(own, short):
        return own
    rosters = (
        change for change in context.changes.values() if change.kind == giver.kind and change.address < giver.address
    )
    return next((change for change in rosters if _updates(change) and _joins(change, name, member)), None)


def _says(change: Change, short: str) -> bool:
    """Return whether the change of a member names another object by the short form."""
    if change.resource is None or short in change.resource.elsewhere:
        return False
    return any(item.name == short and item.after is not None for item in change.attributes)


def _joins(change: Change, name: str, member: RemoteId) -> bool:
    """Return whether a member is new in the roster of an object that exists."""
    after = any(item.name == name and member in items_of(item.after) for item in change.attributes)
    return after and change.live is not None and member not in items_of(change.live.attrs.get(name))


def within_reach(changes: Mapping[str, Change], ids: Mapping[str, str]) -> tuple[dict[str, Change], list[str]]:
    """Return the changes without evacuations to what goes itself or is not there, and a warning for each: its records
    count as lost.
    """
    to_destroy = {address for address, change in changes.items() if change.action in DESTROYS}
    coming = {address for address, change in changes.items() if change.action is Action.CREATE}
    reachable, warnings = dict(changes), []
    for address in sorted(to_destroy):
        binding = changes[address].binding
        if binding is None or not binding.on_destroy:
            continue
        kept = {
            what: to for what, to in binding.on_destroy.items() if to not in to_destroy and (to in ids or to in coming)
        }
        for what, to in binding.on_destroy.items():
            if what not in kept:
                target = what.removeprefix("move_").removesuffix("_to")
                why = "is deleted too" if to in to_destroy else "is not there"
                warnings.append(
                    f"{address}: its {target} cannot be moved to {to}, which {why}: they are lost (`{what}`)"
                )
        reachable[address] = changes[address]._replace(binding=binding.model_copy(update={"on_destroy": kept}))
    return reachable, warnings


# --- what still points to it ------------------------------------------------------------------------------------------


def pointing(plan: Plan, seen: Snapshot, kinds: Kinds) -> dict[Address, list[str]]:
    """Return, for what is deleted or replaced, what points to it and is not written, in words: an object and its
    attribute, or the kinds that may and were not read.
    """
    to_destroy: dict[Value, Address] = {
        RemoteId(change.kind, change.live.id): change.address
        for change in plan.changes
        if change.action in DESTROYS and change.live is not None
    }
    if not to_destroy:
        return {}
    written = _all_written(plan)
    names = {RemoteId(kind_of(address), identity): address for address, identity in plan.ids.items()} | to_destroy
    pointers = {address: _unread(kind_of(address), seen, kinds.values()) for address in to_destroy.values()}
    for live in (live for name in kinds for live in seen.lives.get(name, ())):
        for name, target in _targets(live, to_destroy):
            if (live.kind, live.id, name) not in written:
                called = names.get(RemoteId(live.kind, live.id)) or _described(kinds[live.kind], live)
                pointers[target].append(f"{called} by its `{name}`")
    return {address: sorted(texts) for address, texts in pointers.items() if texts}


def _targets(live: Live, to_destroy: Mapping[Value, Address]) -> Iterator[tuple[str, Address]]:
    """Yield the attributes of an object that stays which name something that goes, each with the address of that."""
    for name, value in live.attrs.items() if RemoteId(live.kind, live.id) not in to_destroy else ():
        for target in {to_destroy[leaf] for leaf in values.walk(value) if leaf in to_destroy}:
            yield name, target


def _all_written(plan: Plan) -> set[tuple[str, str, str]]:
    """Return the attributes of live objects that are written: kind, id and name."""
    changes = [(change, change.live) for change in plan.changes if change.live is not None]
    return {(change.kind, live.id, name) for change, live in changes for name in change.changed}


def _unread(target: str, seen: Snapshot, kinds: Iterable[Kind]) -> list[str]:
    """Say which kinds may point to an object of this kind, and were not read, or not in full."""
    unread = []
    for kind in kinds:
        for name, attribute in kind.attributes.items():
            mark = attribute.mark(RefTo)
            if mark is None or mark.kind != target or kind.nested == target or attribute.has(Roster):
                continue
            lives = seen.lives.get(kind.name)
            if lives is None or (lives and not any(name in live.attrs for live in lives)):
                unread.append(f"any {kind.name} by its `{name}` (not read)")
    return unread


def _described(kind: Kind, live: Live) -> str:
    name = "" if kind.reading.mostly_unmanaged else called(live.attrs)
    return f"{kind.title.lower()} `{name}` (id {live.id})" if name else f"{a(kind.title.lower())} (id {live.id})"

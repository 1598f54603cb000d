"""What is to be done for one resource, found or not found, and for what is no longer declared."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model import values
from reconciler.model.address import key_of, kind_of
from reconciler.model.codecs import brief
from reconciler.model.demands import demands, parts_of
from reconciler.model.desired import Resource
from reconciler.model.grammar import a
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Change, Skipped, write_of
from reconciler.model.spec import CreateOnly, Immutable, Keyed, Once
from reconciler.model.state import Binding
from reconciler.model.values import Ref, Value, map_of
from reconciler.model.write import Finding
from reconciler.planning.context import PlanningContext
from reconciler.planning.declarable import refusals
from reconciler.planning.diff import Subject, completed, differences, same
from reconciler.planning.identity import stored_key
from reconciler.planning.reads import unproven


def change_of(
    context: PlanningContext, kind: Kind, resource: Resource, attrs: dict[str, Value], live: Live | None
) -> Change | None:
    """Return what is to be done for a resource and the object that it is, None for nothing."""
    binding = context.bindings.get(resource.address)
    declared = attrs
    attrs = _given(declared) if live is None else _without_once(kind, declared)
    inputs = context.inputs
    subject = Subject(kind, resource, attrs, binding, live, context.known, inputs.state.salt, inputs.whole)
    changed = differences(subject)
    again = live is not None and inputs.replaced.get(resource.address) == live.id
    if live is not None and not changed and not again and _settled(context, resource, binding, live):
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
        moved_from=context.moved.get(resource.address),
        reason=another_end(binding, resource),
    )
    if live is None:
        return _create(kind, base)
    change = _again(kind, base, live) if again else _existing(context, kind, base)
    if change is None or change.action is not Action.REPLACE:
        return change
    # The object that comes after it has none of what its predecessor had: it is made as a new one.
    return change._replace(desired=completed(kind, _given(declared), None, context.will_be_deleted, resource.elsewhere))


def _given(attrs: Mapping[str, Value]) -> dict[str, Value]:
    """Return the attributes that say something of a new object."""
    return {name: value for name, value in attrs.items() if value is not None}


def _without_once(kind: Kind, attrs: dict[str, Value]) -> dict[str, Value]:
    """Return the attributes but those that are written on a create only."""
    once = kind.marked(Once)
    return {name: value for name, value in attrs.items() if name not in once} if once else attrs


def _settled(context: PlanningContext, resource: Resource, binding: Binding | None, live: Live) -> bool:
    """Return whether there is nothing to do for an object whose attributes all hold, nor for what is known of it."""
    return (
        binding is not None
        and binding.id == live.id
        and not binding.incomplete
        and resource.address not in context.moved
        and resource.address not in context.inputs.intents
        and resource.address not in context.inputs.in_flight
        and not binding.spares
        and not context.spares.get(resource.address)
        and not another_end(binding, resource)
    )


def _create(kind: Kind, base: Change) -> Change:
    reason = "no longer in the account" if base.binding is not None else ""
    return base._replace(action=Action.CREATE, reason=reason, binding=None)


def judged(kind: Kind, change: Change) -> list[Finding]:
    """Return why the account would refuse what a change writes, and what of it can hardly be meant (warnings); nothing
    for what it leaves as it is.
    """
    names = {name for item in change.attributes for name in (item.name, *_parts(kind, item))}
    if change.action in (Action.CREATE, Action.REPLACE):
        kept = change.live.attrs if change.live is not None else {}
        return list(demands(kind, {**kept, **change.desired}, None, key_of(change.address)))
    if change.action is Action.UPDATE:
        return list(demands(kind, change.desired, names, key_of(change.address)))
    return []


def _parts(kind: Kind, item: AttributeChange) -> set[str]:
    """Return the paths of what changes inside a keyed map."""
    attribute = kind.attributes[item.name]
    if not attribute.has(Keyed) or not isinstance(item.after, Mapping):
        return set()
    before = map_of(attribute.normal(item.before))
    differing = {}
    for key, entry in item.after.items():
        ((place, now),) = map_of(attribute.normal({key: entry})).items()
        old = map_of(before.get(place))
        if isinstance(now, Mapping) and (changed := {name for name in now if not same(now[name], old.get(name))}):
            differing[key] = {name: part for name, part in map_of(entry).items() if name in changed}
    return parts_of(item.name, differing)


def _existing(context: PlanningContext, kind: Kind, base: Change) -> Change | None:
    live, binding = base.live, base.binding
    if live is None:
        raise AssertionError("an existing change has a live object")
    settled = base.address in context.inputs.intents and binding is None
    adopts = binding is None or binding.id != live.id
    spares = _open_spares(context, base.address)
    manual = {} if context.inputs.compares else _manual_steps(kind, live, base)
    todo = tuple(item for item in base.attributes if item.name not in _stuck(manual))
    base = base._replace(
        attributes=tuple(
            attribute._replace(forces_replacement=False) if attribute.name in manual else attribute
            for attribute in base.attributes
        ),
        adopts=adopts and not settled,
        settled=settled,
        manual=manual,
        page=kind.texts.page if manual else "",
        spares=tuple(spares),
        natural_key=_first_key(kind, live),
        findings=_refusals(kind, base, live, todo) if todo and not context.inputs.compares else (),
    )
    return _written(base, todo) if todo else _without_a_write(context, base, adopts=adopts)


def _again(kind: Kind, base: Change, live: Live) -> Change:
    """Return the change that makes an object again because a user asked for it."""
    return base._replace(
        action=Action.REPLACE, natural_key=_first_key(kind, live), reason=_also("asked for with --replace", base)
    )


def _stuck(manual: Mapping[str, str]) -> set[str]:
    """Return the names of the attributes of which something has to be done manually."""
    return {name.partition(".")[0] for name in manual}


def _written(base: Change, todo: tuple[AttributeChange, ...]) -> Change:
    """Return the change that writes these attributes: in place, or by making the object again."""
    forced = [item.name for item in todo if item.forces_replacement]
    if forced:
        why = f"{', '.join(forced)} cannot be changed in place"
        return base._replace(action=Action.REPLACE, reason=_also(why, base))
    desired = {name: value for name, value in base.desired.items() if name not in _stuck(base.manual)}
    return base._replace(action=Action.UPDATE, attributes=todo, desired=desired)


def _without_a_write(context: PlanningContext, base: Change, *, adopts: bool) -> Change | None:
    """Return what is to be recorded, or done manually, of an object whose attributes hold; None for nothing."""
    binding = base.binding
    if adopts:
        why = "finishes an interrupted create" if base.settled else "exists already"
        return base._replace(action=Action.ADOPT, reason=_also(why, base))
    if base.manual:
        return base._replace(action=Action.MANUAL)
    if base.moved_from is not None:
        return base._replace(action=Action.MOVE)
    if binding is None:
        return None
    if binding.incomplete or binding.spares or base.address in context.inputs.in_flight or base.reason:
        made = "remove what the server made on its own" if base.spares else ""
        return base._replace(
            action=Action.REFRESH, reason=made or base.reason or "already as declared: noted in the state only"
        )
    return None


def _refusals(kind: Kind, base: Change, live: Live, todo: tuple[AttributeChange, ...]) -> tuple[Finding, ...]:
    """Return why this must not be written: the kind's reasons, and what no declaration says of what is there."""
    return (*kind.refusals(write_of(base, "update", str)), *refusals(kind, live, [item.name for item in todo]))


def _open_spares(context: PlanningContext, address: str) -> list[str]:
    """Return the ids that the server made below this object, still live, and that no declared child holds."""
    spares = context.spares.get(address)
    if not spares:
        return []
    children = {child.name for child in context.kinds.values() if child.nested == kind_of(address)}
    parents = {live.id for live in context.matched.values() if live.kind in children}
    parents |= {binding.id for binding in context.bindings.values() if binding.kind in children}
    alive = {live.id for name in children for live in context.inputs.snapshot.lives.get(name, ())}
    return [spare for spare in spares if spare in alive and spare not in parents]


def strike_spares(context: PlanningContext, kind: Kind) -> None:
    """Strike from the parents' spares what a child of this kind was recognised in by its natural key."""
    changes = [change for change in context.changes.values() if change.spares and change.kind == kind.nested]
    if not changes:
        return
    matched_ids = {live.id for address, live in context.matched.items() if kind_of(address) == kind.name}
    for change in changes:
        left = tuple(spare for spare in change.spares if spare not in matched_ids)
        context.changes[change.address] = change._replace(spares=left)


def removals(context: PlanningContext) -> None:
    """Add what becomes of everything that is bound and no longer declared."""
    for address, binding in context.bindings.items():
        if (
            address in context.inputs.desired.resources
            or address in context.skipped
            or not context.inputs.covers(address)
        ):
            continue
        kind = context.kinds.get(binding.kind)
        live = context.matched.get(address)
        if kind is None or binding.kind not in context.inputs.snapshot.lives:
            context.skipped[address] = Skipped(
                address, context.inputs.snapshot.unknown.get(binding.kind, "its kind was not read"), forbidden=True
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
        if address in context.released:
            context.changes[address] = base._replace(reason="removed block with destroy: false")
        elif live is None and (why := unproven(context.inputs, kind, address, context.matched.__contains__)):
            context.hide(address, why)
        elif live is None:
            context.changes[address] = base._replace(reason="no longer in the account")
        else:
            context.changes[address] = _removal(kind, base, live)


def _manual_steps(kind: Kind, live: Live, base: Change) -> dict[str, str]:
    """Return what the API offers no endpoint for: attribute, or part of one, -> what a person has to do."""
    manual = kind.blocked(live, {item.name: (item.before, item.after) for item in base.attributes})
    marks = {item.name: kind.attributes[item.name].mark(CreateOnly) for item in base.attributes}
    steps = {name: mark.how for name, mark in marks.items() if mark is not None}
    return manual | steps | _unsayable(kind, live, base)


def _unsayable(kind: Kind, live: Live, base: Change) -> dict[str, str]:
    """Return what is fixed for good and is nothing that a declaration can say: it is unknown what making the object
    again would lose.
    """
    reasons = {}
    for name in (item.name for item in base.attributes if kind.attributes[item.name].has(Immutable)):
        choices, value = kind.attributes[name].choices, live.attrs.get(name)
        if name in live.odd.values() or (choices and name in live.attrs and str(value) not in choices):
            what = "holds another form" if name in live.odd.values() else f"says {brief(value)}"
            reasons[name] = (
                f"the account {what}, which no declaration can say: it is left alone; declare another object beside "
                f"it, or say `lifecycle: {{ignore_changes: [{name}]}}`"
            )
    return reasons


def _removal(kind: Kind, base: Change, live: Live) -> Change:
    """Return what becomes of a live object that is no longer declared, as far as the API offers it."""
    name = kind.title.lower()
    if kind.texts.removal_effect and kind.retired(live):
        return base._replace(reason=f"the API cannot delete {a(name)}; {kind.texts.removal_effect} already")
    if kind.given(live.attrs):
        return base._replace(reason=f"the {name} came with the account, and stays as it is")
    if not kind.abilities.deletable and not kind.texts.removal_effect:
        return base._replace(reason=f"the API cannot delete {a(name)}; it stays as it is")
    reason = (
        f"the API cannot delete {a(name)}: {kind.texts.removal_effect}, not deleted"
        if kind.texts.removal_effect
        else "no longer declared"
    )
    refused = kind.refusals(write_of(base, "delete", str))
    return base._replace(action=Action.DELETE, reason=reason, findings=tuple(refused))


def another_end(binding: Binding | None, resource: Resource | None) -> str:
    """Return how the protection or evacuation that the state holds differs from what is declared, "" where it does not:
    both outlive their block.
    """
    if binding is None or resource is None:
        return ""
    now, end = resource.lifecycle, []
    if not (binding.on_destroy or now.on_destroy) and binding.prevent_destroy == now.prevent_destroy:
        return ""
    if binding.prevent_destroy != now.prevent_destroy:
        end.append("protected from now on" if now.prevent_destroy else "no longer protected (prevent_destroy)")
    for what in sorted({*binding.on_destroy, *now.on_destroy}):
        before, after = binding.on_destroy.get(what), now.on_destroy.get(what)
        words = what.replace("_", " ").removesuffix(" to")
        if after is None:
            end.append(f"does not {words} to {before} any more before it goes (on_destroy)")
        elif before != after:
            end.append(
                f"will {words} to {after}{f' instead of {before}' if before else ''} before it goes (on_destroy)"
            )
    return ", ".join(end)


def _also(reason: str, base: Change) -> str:
    return f"{reason}; {base.reason}" if base.reason else reason


def _first_key(kind: Kind, live: Live) -> tuple[Value, ...]:
    keys = kind.natural_keys(live.attrs)
    return tuple(stored_key(keys[0])) if keys else ()

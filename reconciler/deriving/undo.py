"""The inverse of a run: what to ask for so that the account is again as its record says it was. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from reconciler.model import values
from reconciler.model.address import abridged, split
from reconciler.model.conforming import MASKED
from reconciler.model.desired import Desired, Import, Moved, Removed, Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.records import mutable, record
from reconciler.model.run import RunRecord, RunStep
from reconciler.model.spec import Attribute, Expected, Keyed, Lifecycle, Nested, Roster, WriteOnly, attributes
from reconciler.model.state import Binding, State
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.rosters import spoken

REMADE = ("delete", "replace")
POINTING = 10
"""How many objects that pointed to another one are told one by one."""


@record
class Inverse:
    """What an undo asks for: a configuration of the addresses concerned, and what cannot come back, in words."""

    run: str
    desired: Desired
    addresses: frozenset[str]
    lost: tuple[str, ...] = ()
    resumed: bool = False
    """An undo of this run was begun, and did not come to its end."""
    by: str = ""
    """The undo that undid this run already; there is nothing to do."""


@mutable
class _Undoing:
    state: State
    kinds: Kinds
    resources: dict[str, Resource] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    customers: str = "does not come back"
    """What becomes of the records that went with an object."""
    before: dict[tuple[str, str], Ref] = field(default_factory=dict)
    """What the ids were called that objects had before the run: replaced ones have others now."""

    def value(self, encoded: Any) -> Value:
        """Return a value of the record, with references to what it is about by name."""
        return values.transform(
            values.decode(encoded),
            lambda leaf: self.before.get((leaf.kind, leaf.id), leaf) if isinstance(leaf, RemoteId) else leaf,
        )

    def lose(self, step: RunStep, text: str) -> None:
        """Say what of a step cannot come back."""
        self.lost.append(f"if the account took it: {text}" if step.unknown else text)


def inverse(run: RunRecord, state: State, kinds: Kinds) -> Inverse:
    """Return the inverse of what a run did. Steps that failed or were skipped before they made anything have none. Of
    what was sent without an answer everything before is asked for: nothing changes where the account did not take it.
    """
    work = _Undoing(state, kinds)
    if run.archive:
        work.customers = "is archived: --restore puts back what the API can"
    for step in run.steps:
        if step.binding is not None:
            work.before[step.kind, step.binding.id] = Ref(*split(step.moved_from or step.address))
    for step in run.steps:
        if step.begun and step.kind in kinds:
            _INVERSES.get(step.action, _nothing)(step, kinds[step.kind], work)
    resources = _listed_once(work.resources, kinds, created={s.address for s in run.steps if s.action in REMADE})
    desired = Desired(resources, tuple(work.moved), tuple(work.removed), tuple(work.imports))
    return Inverse(run.name, desired, frozenset(work.addresses), tuple(work.lost))


def _listed_once(resources: dict[str, Resource], kinds: Kinds, created: set[str]) -> dict[str, Resource]:
    """Return the resources without the short form of what a roster among them lists, where the member is created again:
    it joins by the roster, at its place.
    """
    known = spoken(Desired(resources), kinds).resources
    return {
        address: resource._replace(
            attrs={n: value for n, value in resource.attrs.items() if n not in resource.elsewhere}
        )
        if address in created
        else resource
        for address, resource in known.items()
    }


def _nothing(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """Leave it: nothing was changed."""


def _created(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was created goes; what may have been, if the account has it under the name that was sent."""
    if step.address not in work.state.resources and not step.unknown:
        return
    if not kind.abilities.deletable:
        work.lose(step, f"{step.address} was created; the API cannot delete it, so it stays")
        return
    work.addresses.add(step.address)


def _updated(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was changed gets the values before; everything else is left alone."""
    before = step.before or {}
    target = step.moved_from or step.address
    if step.moved_from:
        work.moved.append(Moved(step.address, step.moved_from))
    binding = work.state.resources.get(step.address)
    attrs: dict[str, Value] = {}
    for name in step.changed:
        attribute = kind.attributes.get(name.partition(".")[0])
        if attribute is None:
            continue
        value = work.value(before.get(name))
        if attribute.has(WriteOnly) or _masked(value):
            work.lose(step, f"{target}: the value that `{name}` had is not kept, because it is sensitive")
        elif not kind.holds(name, before.get(name)):
            had = "had no value" if before.get(name) is None else "had a value of another form"
            work.lose(step, f"{target}: `{name}` {had}, which no declaration can say, so it stays as it is now")
        else:
            attrs[name] = (
                _emptied(value, binding, name) if attribute.has(Keyed) else _ours(value, attribute, step, binding)
            )
    others = _applied(binding, kind, attrs)
    work.resources[target] = _resource(target, step, kind, {**others, **attrs}, binding, tuple(others))
    work.addresses.add(target)
    if step.binding is None and step.action != "replace":
        if binding is None and step.unknown:
            work.imports.append(Import(target, step.id))
        work.lost.append(f"{target} was taken over by that run and stays managed; `state rm {target}` forgets it")


def _ours(value: Value, attribute: Attribute, step: RunStep, binding: Binding | None) -> Value:
    """Return a value; of a roster only the entries that a run of ours ever said: the others are not ours."""
    if not attribute.has(Roster) or not isinstance(value, list):
        return value
    sides = [binding.applied.get(attribute.name) for binding in (step.binding, binding) if binding is not None]
    references = set(values.references([values.decode(side) for side in sides]))
    looked_up = any(isinstance(reference, Lookup) for reference in references)
    return [item for item in value if item in references or (looked_up and isinstance(item, RemoteId))]


def _emptied(value: Value, binding: Binding | None, name: str) -> Value:
    """Return the entries that were there before, with `null` for what the run said of them and was not there: left out,
    it would stay.
    """
    applied = values.decode(binding.applied.get(name)) if binding is not None else None
    if not isinstance(value, dict) or not isinstance(applied, dict):
        return value
    return {
        key: {**dict.fromkeys(applied[key], None), **entry}
        if isinstance(entry, dict) and isinstance(applied.get(key), dict)
        else entry
        for key, entry in value.items()
    }


def _replaced(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """A replaced object is replaced again, with all that the one before had; what customers had in it is gone."""
    _updated(step, kind, work)
    target = step.moved_from or step.address
    again = work.resources[target]
    work.resources[target] = again._replace(attrs={**again.attrs, **_shown(_before(step, work), kind)})
    work.lose(step, f"{step.address} was replaced; what customers had in the object before {work.customers}")
    _unpointed(step, work)


def _deleted(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was deleted is created again, as far as the API could show it."""
    again = work.state.resources.get(step.address)
    if again is not None and not (step.unknown or again.incomplete or again.spares):
        return
    if kind.texts.removal_effect:
        _updated(step.model_copy(update={"changed": sorted(step.before or {})}), kind, work)
        return
    if not kind.abilities.creatable:
        work.lose(step, f"{step.address} was deleted, and the API cannot create it")
        return
    _created_again(step, kind, work)


def _created_again(step: RunStep, kind: Kind, work: _Undoing) -> None:
    live = _before(step, work)
    spec = attributes(kind.spec)
    declared = _shown(live, kind)
    hidden = sorted(name for name, value in live.items() if name in spec and _masked(value))
    needed = [name for name in hidden if spec[name].required or spec[name].has(Expected)]
    if needed:
        names = ", ".join(f"`{name}`" for name in needed)
        text = f"{step.address} was deleted, and cannot be made without its {names}, which is sensitive and not kept"
        work.lose(step, text)
        return
    declared |= _place(live, kind, work)
    work.resources[step.address] = _resource(step.address, step, kind, declared, step.binding, ())
    work.addresses.add(step.address)
    names = "" if not hidden else f" ({', '.join(hidden)} has to be set manually)"
    text = f"{step.address} is created again under another id{names}; what customers had in it {work.customers}"
    work.lose(step, text)
    _unpointed(step, work)


def _place(live: Mapping[str, Value], kind: Kind, work: _Undoing) -> dict[str, Value]:
    """Return in what a nested object stood, and where. Siblings that the run left alone are not asked for: the place
    among them is a number, not a rank.
    """
    nesting = work.kinds[kind.nested].nesting(kind.name) if kind.nested else None
    if nesting is None or nesting.parent not in live:
        return {}
    return {name: live[name] for name in (nesting.parent, "order") if name in live and name in kind.attributes}


def _unpointed(step: RunStep, work: _Undoing) -> None:
    """Say what pointed to an object that went, and does not point to the new one."""
    if step.pointing:
        listed = abridged(step.pointing, POINTING)
        work.lose(step, f"what pointed to {step.address} has to be pointed to it again manually: {listed}")


def _before(step: RunStep, work: _Undoing) -> dict[str, Value]:
    """Return what the object before had, as far as the record tells."""
    return {name: work.value(value) for name, value in (step.before or {}).items()}


def _shown(live: Mapping[str, Value], kind: Kind) -> dict[str, Value]:
    """Return what an export would declare of an object."""
    spec = attributes(kind.spec)
    return {name: value for name, value in kind.declare(live).items() if name in spec and not _masked(value)}


def _adopted(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was taken over is forgotten, and stays alive."""
    if step.address in work.state.resources and step.binding is None:
        work.removed.append(Removed(step.address, destroy=False))
        work.addresses.add(step.address)


def _forgotten(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was forgotten is managed again, if it lives."""
    if step.binding is None or step.before is None or step.address in work.state.resources:
        return
    attrs = _applied(step.binding, kind, {})
    work.resources[step.address] = _resource(step.address, step, kind, attrs, step.binding, tuple(attrs))
    work.imports.append(Import(step.address, step.binding.id))
    work.addresses.add(step.address)


def _moved(step: RunStep, kind: Kind, work: _Undoing) -> None:
    """What was renamed in the state gets its old address."""
    if step.moved_from:
        _updated(step, kind, work)


_INVERSES = {
    "create": _created,
    "update": _updated,
    "replace": _replaced,
    "delete": _deleted,
    "adopt": _adopted,
    "forget": _forgotten,
    "move": _moved,
}


def _applied(binding: Binding | None, kind: Kind, changed: Mapping[str, Value]) -> dict[str, Value]:
    """Return what was last applied beside the changed attributes: kept in the state, never written by the undo."""
    if binding is None:
        return {}
    applied = {name: values.decode(value) for name, value in binding.applied.items()}
    return {
        name: value
        for name, value in applied.items()
        if name in kind.attributes and name not in changed and not _masked(value)
    }


def _resource(
    address: str,
    step: RunStep,
    kind: Kind,
    attrs: Mapping[str, Value],
    binding: Binding | None,
    untouched: tuple[str, ...],
) -> Resource:
    _, key = split(address)
    lifecycle = Lifecycle(
        ignore_changes=list(untouched),
        prevent_destroy=bool(binding and binding.prevent_destroy),
        on_destroy=dict(binding.on_destroy) if binding else {},
    )
    parent = f"{kind.nested}.{key.rpartition('.')[0]}" if kind.nested else None
    order = (step.before or {}).get("order")
    nested = tuple(name for name, attribute in attributes(kind.spec).items() if attribute.has(Nested))
    return Resource(
        address,
        kind.name,
        key,
        attrs,
        lifecycle,
        parent=parent,
        rank=order if isinstance(order, int) else step.rank,
        nested=nested if step.action == "delete" else (),
    )


def _masked(value: Any) -> bool:
    return any(isinstance(leaf, str) and MASKED in leaf for leaf in values.walk(value))

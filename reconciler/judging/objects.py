"""Objects as rules see them: one form, whether files declare them, an account holds them or a plan leaves them. Pure.

A rule has the same verdict for the same object because all three are brought into this form first: values are normal,
what is missing is empty in the way of its type, a reference is the address of what is declared, and what is sensitive
is masked as in plan documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from reconciler.model import values
from reconciler.model.address import key_of
from reconciler.model.desired import Desired, Resource
from reconciler.model.diagnostics import Position
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import STRANGE, Live
from reconciler.model.records import record
from reconciler.model.spec import KEY, Attribute, Default, Ensure, Immutable, OnAtFirst, Roster, Unordered, WriteOnly
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.document import mask
from reconciler.planning.rosters import roster_of

STAYS = ("create", "adopt", "update", "replace")
"""Actions after which the object is as declared: attributes are judged only there."""


class _Unknown:
    """What stands for an unknown value: the account fills it, or does not show it."""


UNKNOWN = _Unknown()


@record
class Judged:
    """One object in the form in which rules see it; values are brought into it when they are asked for. Without
    `complete`, what `attrs` lacks is as a create leaves it; with it, what the account does not show is unknown.

    `names` are the addresses of managed objects by kind and id, `hidden` attributes that were sent with a secret in
    them, `unsaid` those that another resource says. `used` is None where it is not known whether anything refers to it.
    """

    address: str
    kind: Kind
    attrs: Mapping[str, Value]
    complete: bool
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    unsaid: frozenset[str] = frozenset()
    at: Position | None = None
    places: Mapping[str, Position] = field(default_factory=dict)
    used: bool | None = None
    known: dict[str, Any] = field(default_factory=dict)
    """Values that were asked for already: several rules look at one."""

    def value(self, name: str) -> Any:
        """Return the value of an attribute, or UNKNOWN; that is one that the kind does not have, too."""
        known = self.known
        if name not in known:
            known[name] = self._value(name) if name in self.kind.attributes else UNKNOWN
        return known[name]

    def _value(self, name: str) -> Any:
        attribute, given = self.kind.attributes[name], self.attrs.get(name)
        if name in self.unsaid:
            return UNKNOWN
        if given is None and (self.complete or _filled(self.kind, attribute)):
            return _empty(attribute) if self.complete and name in self.attrs else UNKNOWN
        if given is None:
            given = _left_out(attribute, self.address)
        try:
            return _form(attribute, given, self.names, name in self.hidden)
        except STRANGE:  # an account may hold what was never seen there
            return UNKNOWN

    def shown(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the object as expressions see it, with these of its attributes that are known."""
        known = {name: value for name in names if (value := self.value(name)) is not UNKNOWN}
        return {"address": self.address, "kind": self.kind.name, "key": key_of(self.address), "attributes": known}


def declared_objects(desired: Desired, kinds: Kinds) -> list[Judged]:
    """Return what the files declare. What they leave out is what a create would leave: empty, off, or unknown."""
    groups = _listed(desired, kinds)
    return [
        Judged(
            resource.address,
            kinds[resource.kind],
            {**resource.attrs, **groups[resource.address]} if resource.address in groups else resource.attrs,
            complete=False,
            at=resource.at,
            places=resource.places,
        )
        for resource in desired.resources.values()
    ]


def _listed(desired: Desired, kinds: Kinds) -> dict[str, dict[str, Value]]:
    """Return the memberships that rosters say, as the short form of each member."""
    listed: dict[str, dict[str, Value]] = {}
    for resource in desired.resources.values():
        listing, short = roster_of(kinds[resource.kind]) or ("", "")
        for leaf in values.references(resource.attrs.get(listing)) if listing else ():
            if isinstance(leaf, Ref):
                listed.setdefault(leaf.address, {})[short] = Ref(resource.kind, resource.key)
    return listed


def live_objects(
    lives: Iterable[tuple[str, Live]],
    kinds: Kinds,
    managed: Mapping[str, tuple[str, str]],
    secret: Mapping[str, frozenset[str]],
    declared: Mapping[str, Resource],
    *,
    whole: bool,
) -> list[Judged]:
    """Return what an account holds, each object with its address. `managed` says kind and id by address, `secret` the
    attributes that were sent with a secret in them, by address; `declared` the places. Only where these objects are
    the `whole` account, nothing refers to what none of them refers to.
    """
    entries = list(lives)
    names = {binding: address for address, binding in managed.items()}
    used = {
        (leaf.kind, leaf.id)
        for _, live in entries
        for value in live.attrs.values()
        for leaf in values.references(value)
        if isinstance(leaf, RemoteId)
    }
    known = {name: kinds[name] for name in {live.kind for _, live in entries}}
    return [
        Judged(
            address,
            known[live.kind],
            live.attrs,
            complete=True,
            names=names,
            hidden=secret.get(address, frozenset()),
            at=declared[address].at if address in declared else None,
            places=declared[address].places if address in declared else {},
            used=(live.kind, live.id) in used or (known[live.kind].holds_records(live) if whole else None),
        )
        for address, live in entries
    ]


def changed_objects(document: PlanDocument, kinds: Kinds) -> dict[str, Judged]:
    """Return what a plan leaves behind of every object that it makes or changes, by address."""
    names = {(address.partition(".")[0], identity): address for address, identity in document.ids.items()}
    desired = {change.address: change for change in document.changes if change.action in STAYS}
    groups: dict[str, dict[str, Value]] = {}
    for change in desired.values():
        listing, short = roster_of(kinds[change.kind]) or ("", "") if change.kind in kinds else ("", "")
        members = _decoded({listing: change.desired.get(listing)}) if listing else {}
        for leaf in values.references(members.get(listing)):
            if isinstance(leaf, Ref):
                groups.setdefault(leaf.address, {})[short] = Ref(change.kind, key_of(change.address))
    objects = {}
    for change in desired.values():
        kind = kinds.get(change.kind)
        if kind is None:
            continue
        attrs = _decoded({name: value_after(change, name) for name in (*change.found, *change.desired)})
        attrs |= _decoded({attribute.name: attribute.after for attribute in change.attributes})
        attrs |= groups.get(change.address, {})
        creates = change.action in ("create", "replace")
        unsaid = frozenset(change.elsewhere) - attrs.keys()
        at = _position(change.place)
        objects[change.address] = Judged(change.address, kind, attrs, not creates, names, unsaid=unsaid, at=at)
    return objects


def _decoded(attrs: Mapping[str, Any]) -> dict[str, Value]:
    """Return values of a document; what it says in no form that is written is left out."""
    decoded = {}
    for name, value in attrs.items():
        with suppress(ValueError):
            decoded[name] = values.decode(value)
    return decoded


def value_after(change: ChangeView, name: str) -> Any:
    """Return the value that an attribute will have, masked as in the document; None where it is not known."""
    changed = next((item for item in change.attributes if item.name == name), None)
    if changed is not None:
        return changed.after
    value = change.desired.get(name)
    hashed = isinstance(value, dict) and "$sensitive" in value
    return change.found.get(name) if value is None or hashed else value


def _position(place: str | None) -> Position | None:
    file, _, rest = (place or "").partition(":")
    line, _, column = rest.partition(":")
    return Position(file, int(line), int(column or 1)) if line.isdigit() else None


def _filled(kind: Kind, attribute: Attribute) -> bool:
    """Return whether the account may fill in what a create leaves out. Numbers are places and sizes, and never empty; a
    choice among words is made by the account; what cannot be changed, and what maps and rosters hold, is its own, too.
    """
    if attribute.name in kind.reading.filled or attribute.has(WriteOnly, Immutable, Roster):
        return True
    chosen = bool(attribute.choices) and not attribute.has(Default)
    return chosen or attribute.shape in ("number", "map")


def _left_out(attribute: Attribute, address: str) -> Value:
    """Return what an attribute is that a create leaves out."""
    default, ensured = attribute.mark(Default), attribute.mark(Ensure)
    if default is not None:
        return key_of(address) if default.value == KEY else default.value
    if ensured is not None:
        return ensured.value
    return attribute.has(OnAtFirst) if attribute.shape == "flag" else None


def _form(attribute: Attribute, value: Value, names: Mapping[tuple[str, str], str], hidden: bool) -> Any:
    """Return a value as rules see it: JSON, with references as addresses and sensitive texts masked."""
    if isinstance(value, str) and (hidden or attribute.hides(value) or values.has_secret(value)):
        return mask(values.show_secrets(value)) if value else ""
    if value.__class__ in values.SCALARS and attribute.shape != "text":
        return _empty(attribute) if value is None else value
    linked = attribute.normal(values.transform(value, lambda leaf: _link(leaf, names, hidden)))
    if isinstance(linked, list) and (attribute.has(Unordered) or attribute.shape in ("refs", "commas")):
        linked = linked if attribute.has(Roster) else sorted(linked, key=str)
    return _empty(attribute) if values.is_empty(linked) else _said(linked)


def _said(value: Any) -> Any:
    """Return a value without the members of maps that say nothing: an account spells out what a file leaves out."""
    if isinstance(value, dict):
        return {name: _said(item) for name, item in value.items() if not values.is_empty_or_off(item)}
    return [_said(item) for item in value] if isinstance(value, list) else value


def _link(leaf: Value, names: Mapping[tuple[str, str], str], hidden: bool) -> Value:
    if isinstance(leaf, Ref):
        return leaf.address
    if isinstance(leaf, Lookup):
        return f"{leaf.kind}.?"
    if isinstance(leaf, RemoteId):
        return names.get((leaf.kind, leaf.id), f"{leaf.kind}.?")
    return (
        mask(values.show_secrets(leaf))
        if isinstance(leaf, str) and leaf and (hidden or values.has_secret(leaf))
        else leaf
    )


def _empty(attribute: Attribute) -> Any:
    """Return what stands for nothing: of the type of the attribute, so that expressions need not ask first."""
    if attribute.shape in ("text", "ref"):
        return ""
    if attribute.shape == "map":
        return {}
    if attribute.shape in ("list", "refs", "commas") or isinstance(attribute.normal(None), list):
        return []
    return None

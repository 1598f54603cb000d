"""Three sides of a promotion: what the source holds, what the target holds, and what both held at the last one. Pure.

The record of a promotion keeps salted hashes only: it lies in the project, and values may be secret or personal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.deriving.exported import Exported
from reconciler.model import values
from reconciler.model.address import by_identity
from reconciler.model.empty import no_items, no_members
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kind, Kinds
from reconciler.model.records import record
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Attribute, Keyed, Nested, Once, Roster, WriteOnly
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.planning.diff import beside, joined, same, within

Status = Literal["same", "here", "there", "colliding", "kept", "waiting"]
WHOLE = ""
"""In place of an attribute's name: the whole object."""


class PromotedValue(BaseModel):
    """One attribute at a promotion: hashes of what the source held, and of what the target held or was to."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    here: str
    there: list[str] = Field(default_factory=no_items)
    apart: bool = Field(False, description="The target was meant to hold another value.")


class Base(PromotedValue):
    """One attribute at the last promotion. Until the target holds what that wrote, it may be withdrawn."""

    before: dict[str, PromotedValue | None] = Field(
        default_factory=no_members,
        description="What was known before, null for nothing, by the hash of what the target's files said of it then.",
    )

    def while_said(self, says: str) -> PromotedValue | None:
        """Return what is known as long as the target's files say this (a hash; empty for nothing): with the files, a
        promotion is taken back, wherever its record lies.
        """
        return self.before.get(says, self)

    def followed_by(self, base: PromotedValue, says: str, then: str) -> Base:
        """Return what a promotion knows that turns what the files say into something else, and keep this for as long
        as it may be taken back.
        """
        return _pending(
            base, {says: PromotedValue(here=self.here, there=self.there, apart=self.apart), **self.before}, then
        )


def begun(base: PromotedValue, says: str, then: str) -> Base:
    """Return what the first promotion of an attribute knows, as `Base.followed_by`."""
    return _pending(base, {says: None}, then)


def _pending(base: PromotedValue, before: Mapping[str, PromotedValue | None], then: str) -> Base:
    kept = {says: known for says, known in before.items() if says != then}
    return Base(here=base.here, there=base.there, apart=base.apart, before=kept)


class Promotion(BaseModel):
    """What is remembered of the promotions from one environment to another: by address and attribute."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    format_version: int = 1
    salt: str
    resources: dict[str, dict[str, Base]] = Field(default_factory=no_members)


@record
class Side:
    """One attribute on both sides, as hashes; `differs` tells whether they mean different things."""

    here: str
    there: str
    differs: bool


def status(side: Side, base: Base | None, *, apart: bool, says: str, promised: str) -> Status:
    """Return whose change a difference is. `apart`: the target's files set this value apart from the others (overlay,
    variable); `says`: what they say of it, as a hash, empty for nothing; `promised`: what they are to say.
    """
    if not side.differs:
        return "same"
    known, written, settled = (base.while_said(says) if base else None), says == promised, says == side.there
    return _standing(side, known, apart=apart, written=written, settled=settled)


def _standing(side: Side, base: PromotedValue | None, *, apart: bool, written: bool, settled: bool) -> Status:
    touched = base is not None and side.there not in base.there
    if written:
        return "there" if touched else "waiting"
    if base is None:
        return "kept" if apart else "here"
    if side.here != base.here:
        return "colliding" if touched or base.apart else "here"
    return "there" if touched and not settled else "kept"


def names_of(seen: Snapshot, kinds: Kinds, addresses: Mapping[tuple[str, str], str]) -> Callable[[Value], Value]:
    """Return what turns references into texts that mean the same in every account: addresses, or names."""
    labels = {
        (kind, live.id): str(live.attrs.get(kinds[kind].identity.name_attribute))
        for kind, lives in seen.lives.items()
        for live in lives
    }

    def text(leaf: Value) -> Value:
        if isinstance(leaf, RemoteId):
            key = (leaf.kind, leaf.id)
            return addresses.get(key) or f"{leaf.kind}[{labels.get(key, leaf.id)}]"
        if isinstance(leaf, Ref):
            return leaf.address
        return f"{leaf.kind}[{leaf.value}]" if isinstance(leaf, Lookup) else leaf

    return text


def hashed(value: Value, attribute: Attribute, names: Callable[[Value], Value], salt: str) -> str:
    """Return the hash of a value in normal form."""
    normal = attribute.normal(values.transform(value, names))
    plain = json.dumps(_plain(normal), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(f"{salt}:{plain}".encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return a value such that null, "", false and empty are the same, as everywhere in comparisons."""
    if isinstance(value, Mapping):
        return {str(key): plain for key, item in value.items() if (plain := _plain(item)) is not None} or None
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value] or None
    return None if values.is_empty_or_off(value) else value


@record
class PromotionRow:
    """One attribute (or, with an empty name, one object) on both sides; sensitive values are hidden."""

    address: str
    name: str
    status: Status
    here: Value = None
    there: Value = None
    note: str = ""


@record
class PromotionChoice:
    """What to promote and how: these kinds; `overrule` takes the source's side of what collides; `prune` takes out
    declarations of what the source no longer holds; `dry` writes nothing.
    """

    kinds: frozenset[str] | None = None
    overrule: bool = False
    prune: bool = False
    dry: bool = False


def only_lacks(attribute: Attribute, mine: Value, theirs: Value) -> bool:
    """Return whether two maps differ only by what the source does not have."""
    return attribute.has(Keyed) and isinstance(mine, dict) and same(attribute.normal(mine), attribute.normal(theirs))


def asked_of(attribute: Attribute, declared: Value, mine: Value, theirs: Value, *, prune: bool) -> Value:
    """Return what the target's files are to say. Of a map that they declare: what stands there as the source has
    it, and what differs beside; entries that only they have stay unless pruned.
    """
    if not isinstance(declared, dict) or not isinstance(mine, dict):
        return mine
    kept = {} if prune else beside(attribute, mine, declared)
    fresh = {
        path: value
        for path, value in beside(attribute, declared, mine).items()
        if not same(value, at_path(attribute, theirs, path))
    }
    return joined(attribute, joined(attribute, within(attribute, declared, mine), kept), fresh)


def at_path(attribute: Attribute, value: Value, path: Sequence[str]) -> Value:
    """Return what stands at a path of a map, None for nothing."""
    first, *rest = path
    value = {attribute.entry(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}
    for step in (attribute.entry(first), *rest):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def addresses_of(ids: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return the addresses by kind and id."""
    return by_identity({address: identity for address, identity in ids.items() if "[" not in address})


def opened(value: Value, reveal: Callable[[Value], Value]) -> Value:
    """Return a declared value with its secrets, as far as they are known (`reveal`, see `revealer`)."""

    def leaf(item: Value) -> Value:
        try:
            return reveal(item)
        except ConfigError:
            return item

    return values.transform(value, leaf)


def with_empty(entry: Exported, kind: Kind, known: Collection[str]) -> Exported:
    """Return what an account holds of an object, with those of these attributes that it shows empty."""
    empty = {
        name: kind.attributes[name].cleared(entry.live.attrs[name])
        for name in kind.attributes
        if name in known
        and name in entry.live.attrs
        and name not in entry.resource.attrs
        and name not in entry.dropped
        and values.is_empty_or_off(entry.live.attrs[name])
        and not kind.attributes[name].has(Nested, Once, Roster, WriteOnly)
    }
    resource = entry.resource._replace(attrs={**entry.resource.attrs, **empty})
    return replace(entry, resource=resource) if empty else entry

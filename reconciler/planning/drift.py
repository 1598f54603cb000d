"""Drift alone: what the account holds against what this tool last applied, whatever the files say now. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from reconciler.model.catalog import outlines
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Change, Plan, Skipped
from reconciler.model.records import mutable
from reconciler.model.spec import Attribute, Default, Ensure, Nested, OnAtFirst, Once, RefTo, Roster, WriteOnly
from reconciler.model.state import Binding
from reconciler.model.values import (
    Value,
    carries_secret,
    decode,
    is_empty_or_off,
    map_of,
    transform,
)
from reconciler.planning.bindings import recall, revealer
from reconciler.planning.context import Inputs
from reconciler.planning.declarable import declarable, losses, unsaid
from reconciler.planning.diff import MISSING, Sides, beside, rewritten, same, visible
from reconciler.planning.identity import Index, Resolver, bound, comparable
from reconciler.planning.ranks import Ranks, arranged_names, ranked, ranks
from reconciler.planning.reads import unproven
from reconciler.planning.unread import untold


def drift(inputs: Inputs) -> Plan:
    """Return a plan without steps: `update` for what changed (before: as applied, after: as it is now), `delete` for
    what is gone. The configuration only says which drift is ignored and where an attribute is declared.
    """
    labels = {name: outline.label for name, outline in outlines(inputs.kinds).items()}
    ids = {address: binding.id for address, binding in inputs.state.resources.items()}
    resolver = Resolver(dict(ids), inputs.snapshot.lives, labels)
    reveal = revealer(inputs.secret, inputs.state.resources, inputs.snapshot, inputs.state.salt)

    def as_applied(stored: Value) -> Value:
        """Return an applied value with ids for references and secrets revealed, to be compared and never shown."""
        return transform(comparable(decode(stored), resolver), reveal)

    looked = _Looked(inputs, as_applied)
    for name, kind in inputs.kinds.items():
        mine = {
            a: binding
            for a, binding in sorted(inputs.state.resources.items())
            if binding.kind == name and inputs.covers(a)
        }
        looked.at(kind, mine)
    return Plan(tuple(looked.changes), (), tuple(looked.skipped), tuple(looked.notes), looked.kept, (), ids)


@mutable
class _Looked:
    """What was found of the kinds that were looked at: in the order of the kinds, for a kind looks for what stands in
    those before it (`shown`: what the account has).
    """

    inputs: Inputs
    as_applied: Callable[[Value], Value]
    changes: list[Change] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    kept: int = 0

    def at(self, kind: Kind, mine: Mapping[str, Binding]) -> None:
        """Take in the objects of a kind."""
        lives = self.inputs.snapshot.lives.get(kind.name)
        if lives is None:
            unknown = self.inputs.snapshot.unknown
            why = unknown.get(kind.name, "its kind was not read")
            self.skipped += [Skipped(address, why, forbidden=kind.name in unknown) for address in mine]
            return
        lives_by_address = _bound(kind, mine, lives)
        self.notes += untold(self.inputs, lives_by_address)
        placed = _placed(kind, mine, lives_by_address)
        ranking = _ranks(kind, mine, lives_by_address)
        for address, binding in mine.items():
            live = lives_by_address.get(address)
            if live is not None:
                self.shown.add(address)
                self.notes += self._notes(kind, address, binding, live)
            elif why := unproven(self.inputs, kind, address, self.shown.__contains__):
                self.skipped.append(Skipped(address, why, forbidden=True))
                continue
            change = _change(self.inputs, self.as_applied, address, binding, live, placed.get(address, {}))
            self.changes += [ranked(change, kind, ranking)] if change is not None else []
            self.kept += change is None

    def _notes(self, kind: Kind, address: str, binding: Binding, live: Live) -> list[str]:
        """Return what is beside an object's declaration, and what of it was not understood."""
        resource = self.inputs.desired.resources.get(address)
        ignored = resource.lifecycle.ignore_changes if resource is not None else ()
        return [
            *_beside(self.inputs, kind, address, live),
            *unsaid(address, losses(kind, live), sorted(binding.applied.keys() - {*ignored})),
            *_unsayable(self.inputs, kind, address, live),
        ]


def unmanaged(inputs: Inputs, kind: Kind, address: str, live: Live) -> dict[str, Value]:
    """Return what the account holds of a managed object beyond what was applied and what the files say: what an export
    would write. It does not count as drift, and no apply keeps it.
    """
    binding, resource = inputs.state.resources[address], inputs.desired.resources.get(address)
    known = set(binding.applied) | set(binding.digests)
    if resource is not None:
        known |= {*resource.attrs, *resource.lifecycle.ignore_changes, *resource.elsewhere}
    placed = {name for placed in kind.arrange([(address, {}, live)]).values() for name in placed}
    quiet = known | placed | kind.reading.filled
    return {
        name: value
        for name, value in _own(kind, live).items()
        if name not in quiet and not needs_no_word(kind, kind.attributes[name], value)
    }


def _own(kind: Kind, live: Live) -> dict[str, Value]:
    """Return what an export would write, without entries of maps that the account gave the object by itself."""
    given = kind.inherited(live)
    return {
        name: {key: entry for key, entry in map_of(value).items() if key not in given[name]}
        if name in given and value
        else value
        for name, value in kind.declare(live.attrs).items()
    }


def unmanaged_parts(inputs: Inputs, kind: Kind, address: str, live: Live) -> dict[str, dict[tuple[str, ...], Value]]:
    """Return, by attribute, what the account holds inside of declared maps beyond what was applied and what the files
    say: path -> value.
    """
    resource, applied = inputs.desired.resources.get(address), inputs.state.resources[address].applied
    if resource is None:
        return {}
    own, quiet = _own(kind, live), kind.reading.filled
    extra = {}
    for name, declared in resource.attrs.items():
        attribute = kind.attributes.get(name)
        if attribute is None or not isinstance(declared, Mapping) or name in resource.lifecycle.ignore_changes:
            continue
        if name in quiet:
            continue
        known = beside(attribute, declared, decode(applied.get(name)))
        parts = {path: part for path, part in beside(attribute, declared, own.get(name)).items() if path not in known}
        if parts:
            extra[name] = parts
    return extra


def needs_no_word(kind: Kind, attribute: Attribute, value: Value) -> bool:
    """Return whether a value needs no word: it is empty, it is what leaving out gives, it names the parent, or what it
    lists says it itself.
    """
    return (
        is_empty_or_off(value)
        or attribute.has(Default, Nested, Roster, WriteOnly, Once, Ensure, OnAtFirst)
        or (bool(kind.nested) and (link := attribute.mark(RefTo)) is not None and link.kind == kind.nested)
    )


def _beside(inputs: Inputs, kind: Kind, address: str, live: Live) -> list[str]:
    names = sorted(unmanaged(inputs, kind, address, live))
    parts = unmanaged_parts(inputs, kind, address, live)
    names += sorted(".".join((name, *path)) for name, paths in parts.items() for path in paths)
    unsayable = declarable(kind, live).dropped if names else {}
    mute = [name for name in names if {name, ".".join(name.split(".")[:2])} & unsayable.keys()]
    reported = [name for name in names if name not in mute]
    them = "them" if len(reported) > 1 else "it"
    lines = [f"{address}: {_set(reported)}; `drift --absorb --unmanaged` declares {them}"] if reported else []
    return [*lines, f"{address}: {_set(mute)}, and no declaration says it"] if mute else lines


def _unsayable(inputs: Inputs, kind: Kind, address: str, live: Live) -> list[str]:
    """Return lines for what is not declared and no declaration can say, where what was understood of it is nothing."""
    binding, resource = inputs.state.resources[address], inputs.desired.resources.get(address)
    known = {*binding.applied, *binding.digests, *unmanaged(inputs, kind, address, live)}
    known |= {*resource.attrs, *resource.lifecycle.ignore_changes} if resource is not None else set()
    return [
        f"{address}: `{name}` is {loss.what} in the account, which is not managed, and no declaration says it"
        for name, loss in sorted(losses(kind, live).items())
        if name and name not in known and not loss.kept
    ]


def _set(names: Sequence[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"{listed} {'are' if len(names) > 1 else 'is'} set in the account and not managed"


def _bound(kind: Kind, mine: Mapping[str, Binding], lives: Sequence[Live]) -> dict[str, Live]:
    by_id, index = {live.id: live for live in lives}, Index(kind, lives)
    lives_by_address = {}
    for address, binding in mine.items():
        others = lambda key, own=binding.id: any(live.id != own for live in index.get(key, ()))  # noqa: E731
        live = bound(kind, None, binding, by_id, others)
        if live is not None:
            lives_by_address[address] = live
    return lives_by_address


def _placed(kind: Kind, mine: Mapping[str, Binding], lives: Mapping[str, Live]) -> dict[str, dict[str, Value]]:
    """Return, for what is arranged among siblings, the value at which each would still be in the order as applied: only
    the relative order counts.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for address in mine:
        groups[address.rpartition(".")[0]].append(address)
    placed: dict[str, dict[str, Value]] = {}
    for addresses in groups.values() if kind.nested else ():
        names = {name for placed in kind.arrange([(a, {}, None) for a in addresses]).values() for name in placed}
        # Equal orders are shown by id.
        addresses.sort(
            key=lambda address: (
                [mine[address].applied.get(name) or 0 for name in sorted(names)],
                len(mine[address].id),
                mine[address].id,
            )
        )
        placed |= kind.arrange([(address, {}, lives.get(address)) for address in addresses if address in lives])
    return placed


def _ranks(kind: Kind, mine: Mapping[str, Binding], lives: Mapping[str, Live]) -> Ranks:
    """Return the places among what is managed and alive: as applied, and now."""
    groups: dict[str, list[str]] = defaultdict(list)
    for address in lives if kind.nested else ():
        groups[address.rpartition(".")[0]].append(address)
    places: dict[str, tuple[int, int]] = {}
    for name in arranged_names(kind):
        for addresses in groups.values():
            applied = ranks({address: (mine[address].applied.get(name), mine[address].id) for address in addresses})
            now = ranks({address: (lives[address].attrs.get(name), mine[address].id) for address in addresses})
            places |= {address: (applied[address], now[address]) for address in addresses}
    return places


def _change(
    inputs: Inputs,
    as_applied: Callable[[Value], Value],
    address: str,
    binding: Binding,
    live: Live | None,
    placed: Mapping[str, Value],
) -> Change | None:
    resource = inputs.desired.resources.get(address)
    base = Change(address, binding.kind, Action.DELETE, "no longer in the account", binding=binding, resource=resource)
    if live is None:
        return base
    kind = inputs.kinds[binding.kind]
    items = tuple(
        item
        for name, attribute in kind.attributes.items()
        if placed.get(name, MISSING) != live.attrs.get(name)
        and (item := _attribute(inputs, as_applied, kind, attribute, binding, live, resource)) is not None
    )
    if not items:
        return None
    return Change(
        address,
        binding.kind,
        Action.UPDATE,
        "changed in the account since it was last applied",
        attributes=items,
        live=live,
        binding=binding,
        resource=resource,
        depends_on=tuple(binding.depends_on),
    )


def _attribute(
    inputs: Inputs,
    as_applied: Callable[[Value], Value],
    kind: Kind,
    attribute: Attribute,
    binding: Binding,
    live: Live,
    resource: Resource | None,
) -> AttributeChange | None:
    """Return how one attribute drifted; None where it did not, or where that is unknown."""
    name = attribute.name
    if name not in binding.applied or name not in live.attrs:
        return None
    if resource is not None and name in resource.lifecycle.ignore_changes:
        return None
    applied = as_applied(binding.applied[name])
    now = kind.seen(name, applied, live, applied)
    if name in binding.digests and recall(binding, name, (now,), inputs.state.salt) is not None:
        return None
    sides = Sides(applied, applied, now)
    if same(attribute.normal(applied), attribute.normal(now)) or rewritten(
        attribute, name, sides, binding, inputs.state.salt
    ):
        return None
    return AttributeChange(
        name,
        applied,
        visible(attribute, sides),
        "drift",
        resource.places.get(name) if resource else None,
        sensitive=attribute.hides(applied, now) or carries_secret(decode(binding.applied[name])),
        applied=applied,
        run=binding.run,
    )

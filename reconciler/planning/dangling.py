"""What a plan leaves behind: objects that point to one that goes, and that the plan does not bring in order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model import values
from reconciler.model.address import Address, kind_of
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.plan import DESTROYS, Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import RefTo, Roster
from reconciler.model.values import RemoteId, Value


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
    written = _written(plan)
    names = {RemoteId(kind_of(address), identity): address for address, identity in plan.ids.items()} | to_destroy
    pointers = {address: _unread(kind_of(address), seen, kinds.values()) for address in to_destroy.values()}
    for live in (live for name in kinds for live in seen.lives.get(name, ())):
        for name, target in _targets(live, to_destroy):
            if (live.kind, live.id, name) not in written:
                called = names.get(RemoteId(live.kind, live.id)) or _called(kinds[live.kind], live)
                pointers[target].append(f"{called} by its `{name}`")
    return {address: sorted(texts) for address, texts in pointers.items() if texts}


def _targets(live: Live, to_destroy: Mapping[Value, Address]) -> Iterator[tuple[str, Address]]:
    """Yield the attributes of an object that stays which name something that goes, each with the address of that."""
    for name, value in live.attrs.items() if RemoteId(live.kind, live.id) not in to_destroy else ():
        for target in {to_destroy[leaf] for leaf in values.walk(value) if leaf in to_destroy}:
            yield name, target


def _written(plan: Plan) -> set[tuple[str, str, str]]:
    """Return the attributes of live objects that are written: kind, id and name."""
    changes = [(change, change.live) for change in plan.changes if change.live is not None]
    return {(change.kind, live.id, name) for change, live in changes for name in change.changed}


def _unread(target: str, seen: Snapshot, kinds: Iterable[Kind]) -> list[str]:
    """Say which kinds may point to an object of this kind, and were not read, or not in full."""
    found = []
    for kind in kinds:
        for name, attribute in kind.attributes.items():
            mark = attribute.mark(RefTo)
            if mark is None or mark.kind != target or kind.nested == target or attribute.has(Roster):
                continue
            lives = seen.lives.get(kind.name)
            if lives is None or (lives and not any(name in live.attrs for live in lives)):
                found.append(f"any {kind.name} by its `{name}` (not read)")
    return found


def _called(kind: Kind, live: Live) -> str:
    return f"{kind.name} {live.id} `{live.attrs.get(kind.identity.name_attribute) or ''}`"

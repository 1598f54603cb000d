"""The verb `state doctor`: is everything that the state says still so? Reads only, and says what to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.errors import UnknownKind
from reconciler.model.kind import Kinds, NaturalKey
from reconciler.model.live import Live
from reconciler.model.records import record
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding
from reconciler.planning.identity import same_birth, stored_key
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.session import Session

StateFinding = dict[str, Any]

LOOK = "give the key's user that permission, or look at what answers there"


async def examine(session: Session) -> list[StateFinding]:
    """Return one row for each problem: address, id, problem, advice."""
    async with connected(session) as account:
        book, bindings = account.book, account.book.state().resources
        kinds = frozenset(binding.kind for binding in bindings.values()) & set(session.kinds)
        seen = (await account.observe_all(kinds)).snapshot
        doubted = any(session.kinds[binding.kind].reading.filtered for binding in _absent(session, bindings, seen))
        why = (await account.eyes()).why if doubted else ""
    rows = [*_open(book), *_twins(session, bindings, seen)]
    shared = Counter((binding.kind, binding.id) for binding in bindings.values())
    for address, binding in sorted(bindings.items()):
        problem = _problem(session, address, seen, _Known(bindings, shared, why))
        if problem is not None:
            rows.append({"address": address, "id": binding.id, "problem": problem[0], "advice": problem[1]})
    return rows


def _open(book: StateTransaction) -> Iterator[StateFinding]:
    """What an interrupted run left."""
    count = len(book.records)
    if count:
        yield {
            "address": "",
            "id": "",
            "problem": f"an interrupted run left {count} record{'s' if count != 1 else ''} in its journal",
            "advice": "run `reconciler apply` or `reconciler runs resume`: both take them over first",
        }
    for address in sorted(book.intents()):
        yield {
            "address": address,
            "id": "",
            "problem": "its create may have been executed; the answer never came",
            "advice": "run `reconciler apply`: it looks the object up by name",
        }


def _twins(session: Session, bindings: Mapping[str, Binding], seen: Snapshot) -> Iterator[StateFinding]:
    """Objects with the natural key of one that the state knows, and that no address has: a create that was sent twice
    leaves them, by a run that lost its lock or manually, and no plan speaks of them.
    """
    owners = {(binding.kind, binding.id): address for address, binding in bindings.items()}
    for (name, key), lives in _carriers(session.kinds, owners, seen).items():
        known = [owners[name, live.id] for live in lives if (name, live.id) in owners]
        others = [live.id for live in lives if (name, live.id) not in owners and not live.builtin]
        if known and others:
            plural = "objects have" if len(others) > 1 else "object has"
            word = key[0] if key in session.kinds[name].settling_keys(lives[0].attrs) else "name"
            yield {
                "address": known[0],
                "id": bindings[known[0]].id,
                "problem": f"{len(others)} other {plural} the same {word}: id {', '.join(others)}",
                "advice": "see in the product which one is in use and delete the others there; to keep another one, "
                "`reconciler state rm` the address, then `reconciler import` that id",
            }


@record
class _Known:
    """What the state knows, how many addresses each object has, and why what is not shown may exist ("": it cannot)."""

    bindings: Mapping[str, Binding]
    shared: Mapping[tuple[str, str], int]
    why: str


def _absent(session: Session, bindings: Mapping[str, Binding], seen: Snapshot) -> list[Binding]:
    """Return what the state knows of and the account does not show."""
    shown = {(kind, live.id) for kind, lives in seen.lives.items() for live in lives}
    return [
        binding
        for binding in bindings.values()
        if binding.kind in session.kinds
        and binding.kind not in seen.unknown
        and (binding.kind, binding.id) not in shown
    ]


def _doubted(session: Session, address: str, seen: Snapshot, known: _Known) -> bool:
    """Return whether an object that is not shown may be there anyway: parts of what is shown are shown with it."""
    kind = session.kinds[known.bindings[address].kind]
    parent = known.bindings.get(kind.parent_of(address))
    shown = parent is not None and any(live.id == parent.id for live in seen.lives.get(parent.kind, ()))
    return bool(known.why) and kind.reading.filtered and not shown


def _problem(session: Session, address: str, seen: Snapshot, known: _Known) -> tuple[str, str] | None:
    binding = known.bindings[address]
    if binding.kind not in session.kinds:
        unknown = UnknownKind(binding.kind)
        return unknown.message, unknown.hint
    if binding.kind in seen.unknown:
        why = f"its kind cannot be read: {seen.unknown[binding.kind]}"
        return why, LOOK
    if unread := seen.unread.get(binding.kind, {}).get(binding.id if session.kinds[binding.kind].variants else ""):
        return f"it cannot be read: {unread.reason}", LOOK
    if known.shared[binding.kind, binding.id] > 1:
        return "another address has the same object", "`reconciler state rm` the wrong one"
    live = next((live for live in seen.lives.get(binding.kind, ()) if live.id == binding.id), None)
    if live is None and _doubted(session, address, seen, known):
        return f"the account does not show it, which proves nothing: {known.why}", "look with the key of an Admin user"
    if live is None:
        return (
            "the account has it no more",
            "`reconciler plan` creates it again if it is declared; `state rm` forgets it",
        )
    if same_birth(binding.created, live.created) is False:
        return (
            "the id belongs to another object now, created at another time",
            "`reconciler state rm` it, then `reconciler import` the right one",
        )
    return _unfinished(session, binding, live)


def _unfinished(session: Session, binding: Binding, live: Live) -> tuple[str, str] | None:
    if binding.incomplete:
        return "its create did not finish", "`reconciler apply` finishes it"
    keys = [stored_key(key) for key in session.kinds[binding.kind].natural_keys(live.attrs)]
    plain = all(isinstance(part, str) for part in binding.natural_key)  # references are spelled in several ways
    if binding.natural_key and plain and keys and not binding.created and binding.natural_key not in keys:
        return "it has another name than when it was last seen", "`reconciler plan` shows whether it is the same object"
    return None


def _carriers(
    kinds: Kinds, owners: Mapping[tuple[str, str], str], seen: Snapshot
) -> dict[tuple[str, NaturalKey], list[Live]]:
    """Return the objects of each managed kind by natural key."""
    carriers: dict[tuple[str, NaturalKey], list[Live]] = defaultdict(list)
    for name in sorted({kind for kind, _ in owners} & kinds.keys()):
        kind = kinds[name]
        for live in seen.lives.get(name, ()):
            # What a create left that was never finished has no name yet, only what it was created with.
            settling = (name, live.id) in owners or not live.attrs.get(kind.identity.name_attribute)
            for key in (*kind.natural_keys(live.attrs)[:1], *(kind.settling_keys(live.attrs) if settling else ())):
                carriers[name, key].append(live)
    return carriers

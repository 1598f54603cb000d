"""The verbs of `state`: looking at what is managed, and editing it without touching the account."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.model.address import KEY_PATTERN, join, key_of, kind_of, split
from reconciler.model.errors import PlanError
from reconciler.model.state import Binding
from reconciler.workflow.locking import lock_info
from reconciler.workflow.session import Session, open_book


def rows(session: Session, patterns: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return address, kind and id of everything managed."""
    patterns = tuple(patterns)
    return [
        {"address": address, "kind": binding.kind, "id": binding.id}
        for address, binding in sorted(open_book(session).state().resources.items())
        if not patterns or any(fnmatch.fnmatch(address, pattern) for pattern in patterns)
    ]


def show(session: Session, address: str) -> Binding:
    """Return the binding of an address. Raises PlanError."""
    return _existing(open_book(session).state().resources, address)


def move(session: Session, source: str, target: str) -> None:
    """Give a binding another address; the nested ones move along. Raises PlanError."""
    try:
        kind, key = split(target)
    except ValueError as error:
        raise PlanError(str(error)) from None
    if not all(map(KEY_PATTERN.match, key.split("."))):
        raise PlanError(f"`{key}` cannot be a key", hint="letters, digits, `_` and `-`")
    if kind_of(source) != kind:
        raise PlanError(f"{source} and {target} are of different kinds", hint="an object cannot change its kind")

    def change(resources: dict[str, Binding]) -> dict[str, Binding]:
        _existing(resources, source)
        moves = {source: target, **_nested(session, resources, source, target)}
        for taken in sorted(set(moves.values()) & set(resources)):
            raise PlanError(f"{taken} is in the state already", hint=f"`reconciler state rm {taken}` forgets it")
        return {moves.get(address, address): binding for address, binding in resources.items()}

    edit(session, "state mv", change)


def _nested(session: Session, resources: Iterable[str], source: str, target: str) -> dict[str, str]:
    """Return the new addresses of what is nested in the moved object."""
    found = {}
    for child in (kind.name for kind in session.kinds.values() if kind.nested == kind_of(source)):
        prefix = join(child, f"{key_of(source)}.")
        for address in resources:
            if address.startswith(prefix):
                found[address] = join(child, f"{key_of(target)}.{address.removeprefix(prefix)}")
    return found


def remove(session: Session, addresses: Iterable[str]) -> list[str]:
    """Forget bindings; the objects stay alive. Returns what was forgotten. Raises PlanError."""
    gone: list[str] = []

    def change(resources: dict[str, Binding]) -> dict[str, Binding]:
        for pattern in addresses:
            hits = fnmatch.filter(sorted(resources), pattern)
            if not hits:
                _existing(resources, pattern)
            gone.extend(hits)
        return {address: binding for address, binding in resources.items() if address not in gone}

    edit(session, "state rm", change)
    return gone


def _existing(resources: dict[str, Binding], address: str) -> Binding:
    if address not in resources:
        raise PlanError(f"{address} is not in the state", hint="`reconciler state list` shows what is")
    return resources[address]


def edit(session: Session, operation: str, change: Callable[[dict[str, Binding]], dict[str, Binding]]) -> None:
    """Change the bindings of the state under its lock. Raises LockHeld, StateError."""
    with session.store.lock(lock_info(session, operation), timeout=10.0):
        book = open_book(session)
        state = book.state()
        book.base = state.model_copy(update={"resources": change(dict(state.resources))})
        book.records = []
        book.close()

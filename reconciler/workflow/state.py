"""The verbs of `state`: looking at what is managed, and editing it without touching the account."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.model.address import KEY_PATTERN, kind_of, split
from reconciler.model.errors import PlanError
from reconciler.model.recorded import Recorded
from reconciler.model.renaming import with_nested
from reconciler.model.state import Binding, Renaming, State
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.opening.session import Session
from reconciler.workflow.state_versions import record


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
    """Give a binding another address everywhere it stands; the nested ones move along. Raises PlanError."""
    try:
        kind, key = split(target)
    except ValueError as error:
        raise PlanError(str(error)) from None
    if not all(map(KEY_PATTERN.match, key.split("."))):
        raise PlanError(f"`{key}` cannot be a key", hint="letters, digits, `_` and `-`")
    if kind_of(source) != kind:
        raise PlanError(f"{source} and {target} are of different kinds", hint="an object cannot change its kind")

    moves: dict[str, str] = {}

    def change(state: State) -> State:
        _existing(state.resources, source)
        moves.update(with_nested({source: target}, state.resources, session.kinds))
        for taken in sorted(set(moves.values()) & set(state.resources)):
            hint = f"`reconciler state rm {taken}` forgets it; two keys are swapped by `moved` blocks in the files"
            raise PlanError(f"{taken} is in the state already", hint=hint)
        renaming = Renaming(moves)
        news = {
            "resources": renaming.bindings(state.resources, marked=False),
            "intents": renaming.intents(state.intents),
        }
        return state.model_copy(update=news)

    edit_state(session, "state mv", change)
    record(session, "state mv", f"{source} is {target} now", moves)


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
    edit_state(session, operation, lambda state: state.model_copy(update={"resources": change(dict(state.resources))}))


def edit_state(session: Session, operation: str, change: Callable[[State], State]) -> None:
    """Change the state under its lock. Raises LockHeld, StateError."""
    with locked(session, operation, timeout=10.0):
        book = open_book(session)
        book.base = change(book.state().model_copy(update={"intents": book.intents()}))
        book.records = Recorded()
        book.close()

"""Several processes at once on every backend, as seeded schedules of steps: applies that race, pause past their lease,
die holding the lock, and readers that plan meanwhile. No update is ever lost.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from reconciler.model.errors import LockHeld, StateError
from reconciler.model.state import Binding, Record
from reconciler.store.documents import DocumentStore
from tests.store.conftest import Place, info
from tests.store.test_conformance import state

SAMPLE, WHOLE = 3, 200


@dataclass
class History:
    """What happened: keys whose writes were confirmed, and what readers saw."""

    confirmed: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)


def apply(place: Place, name: str, chance: random.Random, history: History) -> Iterator[None]:
    """One apply as steps: take the lock, read, journal, maybe sleep past the lease or die, write, let go."""
    store = place.open()
    for _ in range(30):
        holding = store.lock(info(name))
        try:
            holding.__enter__()
        except LockHeld:
            place.watch.advance(5.0)
            yield
            continue
        break
    else:
        return
    yield
    fate = chance.choice(["lives", "lives", "sleeps", "dies"])
    try:
        yield from held(place, store, name, fate, history)
    except StateError:
        fate = "refused"
    if fate == "dies":
        if not place.leases:
            place.open().break_lock(f"id-{name}")
        return
    try:
        holding.__exit__(None, None, None)
    except StateError:
        return


def held(place: Place, store: DocumentStore, name: str, fate: str, history: History) -> Iterator[None]:
    """What an apply does while it thinks that it holds the lock."""
    now = store.read()
    assert now is not None
    yield
    store.append([Record(op="bind", run=name, address=f"tag.{name}", binding=Binding(id="1", kind="tag"))])
    yield
    if fate == "dies":
        return
    if fate == "sleeps":
        place.watch.advance(70.0)
        if not place.leases:
            place.open().break_lock(f"id-{name}")
        yield
    resources = {**now.resources, f"tag.{name}": Binding(id="1", kind="tag")}
    after = now.model_copy(update={"serial": now.serial + 1, "resources": resources})
    store.write(after, expected_serial=now.serial, folds=True)
    history.confirmed.append(f"tag.{name}")
    yield
    store.clear_journal()


def plan(place: Place, chance: random.Random, history: History) -> Iterator[None]:
    """One plan: reads state and journal, without a lock."""
    store = place.open()
    for _ in range(chance.randint(1, 4)):
        found = store.read()
        list(store.journal())
        assert found is not None
        history.seen.append(found.serial)
        yield


def check_schedule(place: Place, seed: int) -> None:
    """Interleave two or three applies and five plans by chance; every confirmed write is in the state at the end."""
    chance = random.Random(seed)
    place.open().write(state(1), expected_serial=None)
    history = History()
    actors = [apply(place, f"a{number}", chance, history) for number in range(chance.randint(2, 3))]
    actors += [plan(place, chance, history) for _ in range(5)]
    while actors:
        actor = chance.choice(actors)
        if next(actor, StopIteration) is StopIteration:
            actors.remove(actor)
    found = place.open().read()
    assert found is not None
    lost = set(history.confirmed) - set(found.resources)
    assert lost == set(), f"seed {seed}: {lost} were confirmed and are gone"
    assert found.serial == 1 + len(history.confirmed), f"seed {seed}"
    assert set(history.seen) <= set(range(1, found.serial + 1)), f"seed {seed}"
    place.watch.advance(100.0)
    with place.open().lock(info("last")):
        pass


@pytest.mark.parametrize("seed", range(SAMPLE))
def test_no_update_is_lost(place: Place, seed: int) -> None:
    """A few schedules of each backend."""
    check_schedule(place, seed)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(WHOLE))
def test_no_update_is_lost_in_many_schedules(place: Place, seed: int) -> None:
    """Two hundred schedules of each backend."""
    check_schedule(place, seed)

"""What every backend promises, tested on every backend."""

from __future__ import annotations

import contextlib

import pytest

from reconciler.model.errors import LockHeld, StateError
from reconciler.model.run import RunRecord
from reconciler.model.state import Binding, Intent, Record, State
from tests.store.conftest import Place, info

LINEAGE = "4f1d2c"


def state(serial: int, *keys: str) -> State:
    """A state with some tags in it."""
    resources = {f"tag.{key}": Binding(id=str(number), kind="tag") for number, key in enumerate(keys, 1)}
    return State(lineage=LINEAGE, serial=serial, account="acme.example", resources=resources, salt="salt")


def bind(key: str, identity: str = "1") -> Record:
    """A result."""
    return Record(op="bind", run="r1", address=f"tag.{key}", binding=Binding(id=identity, kind="tag"))


def intent(key: str) -> Record:
    """An announced create."""
    one = Intent(address=f"tag.{key}", kind="tag", natural_key=["name", key])
    return Record(op="intent", run="r1", address=f"tag.{key}", intent=one)


def test_a_new_place_is_empty(place: Place) -> None:
    """Reading what was never written says so, and makes nothing."""
    store = place.open()
    assert store.read() is None
    assert list(store.journal()) == []
    assert store.holder() is None
    assert list(store.history()) == []
    assert list(store.run_names()) == []


def test_what_is_written_is_read(place: Place) -> None:
    """Another process reads what was written, serial by serial, and the last version wins."""
    store = place.open()
    store.write(state(1, "vip"), expected_serial=None)
    store.write(state(2, "vip", "größe"), expected_serial=1)
    found = place.open().read()
    assert found is not None
    assert (found.serial, sorted(found.resources)) == (2, ["tag.größe", "tag.vip"])


@pytest.mark.parametrize("expected", [None, 0, 2])
def test_a_write_against_another_serial_is_refused(place: Place, expected: int | None) -> None:
    """Whoever did not see the last version overwrites nothing."""
    store = place.open()
    store.write(state(1, "vip"), expected_serial=None)
    with pytest.raises(StateError, match="changed by another process"):
        place.open().write(state(9), expected_serial=expected)
    found = store.read()
    assert found is not None
    assert found.serial == 1


def test_a_state_that_should_be_there_and_is_not_is_not_made(place: Place) -> None:
    """A write that expects a version finds none and is refused."""
    with pytest.raises(StateError, match="changed by another process"):
        place.open().write(state(3), expected_serial=2)
    assert place.open().read() is None


def test_records_are_read_in_order_by_another_process(place: Place) -> None:
    """The journal keeps the order of a run; an urgent record is there at once, with those that waited before it."""
    store = place.open()
    store.append([intent("a")])
    store.append([bind("a")], urgent=False)
    store.append([intent("b"), bind("b")])
    ops = [(record.op, record.address) for record in place.open().journal()]
    assert ops == [("intent", "tag.a"), ("bind", "tag.a"), ("intent", "tag.b"), ("bind", "tag.b")]


def test_results_that_wait_are_written_when_the_lock_is_released(place: Place) -> None:
    """Where results are written together, the last ones are written before the lock is free."""
    store = place.open()
    with store.lock(info()):
        store.append([intent("a")])
        store.append([bind("a")], urgent=False)
    assert [record.op for record in place.open().journal()] == ["intent", "bind"]


def test_a_cleared_journal_is_empty_and_can_be_used_again(place: Place) -> None:
    """After a clean end nothing is open; the next run begins anew."""
    store = place.open()
    store.append([bind("a")])
    store.clear_journal()
    assert list(place.open().journal()) == []
    store.append([bind("b")])
    assert [record.address for record in place.open().journal()] == ["tag.b"]


def test_records_that_are_folded_in_count_no_more(place: Place) -> None:
    """A crash between writing the state and dropping the journal replays nothing."""
    store = place.open()
    store.write(state(1), expected_serial=None)
    with store.lock(info()):
        store.append([bind("a")])
        store.write(state(2, "a"), expected_serial=1, folds=True)
    assert list(place.open().journal()) == []


def test_a_lock_keeps_others_out_and_names_its_holder(place: Place) -> None:
    """The second one is told who holds it, for what, and how to break it; when it is free, it may."""
    first, second = place.open(), place.open()
    with first.lock(info("jane")):
        holder = second.holder()
        assert holder is not None
        assert (holder.id, holder.owner, holder.operation) == ("id-jane", "jane", "apply")
        with pytest.raises(LockHeld, match=r"jane on host.*for apply") as refused, second.lock(info("joe")):
            pass
        assert "lock break id-jane" in refused.value.hint
    with second.lock(info("joe")):
        pass
    assert first.holder() is None


def test_waiting_for_a_lock_ends_when_it_is_free(place: Place) -> None:
    """--lock-timeout waits, and goes on as soon as the holder is done."""
    first, second = place.open(), place.open()
    holding = first.lock(info("jane"))
    holding.__enter__()

    def free() -> None:
        if first.holder() is not None:
            holding.__exit__(None, None, None)

    place.watch.on_sleep = free
    with second.lock(info("joe"), timeout=30.0) as hold:
        assert hold.fence >= 1
    assert place.watch.steady < 1_002.0


def test_generations_rise(place: Place) -> None:
    """Every holder has a higher generation than the one before, once there is a state."""
    store = place.open()
    store.write(state(1), expected_serial=None)
    fences = []
    for _ in range(3):
        with place.open().lock(info()) as hold:
            fences.append(hold.fence)
    assert fences == sorted(set(fences))


@pytest.mark.parametrize("jump", [3_600.0, -3_600.0])
def test_a_wall_clock_that_jumps_loses_no_update(place: Place, jump: float) -> None:
    """Its holder goes on, for a lease rests on what cannot jump. Whoever takes it over, because the clock says that it
    ended, ends it for good.
    """
    holder, other = place.open(), place.open()
    holder.write(state(1, "a"), expected_serial=None)
    with contextlib.suppress(StateError), holder.lock(info("holder")) as hold:
        place.watch.now += jump
        hold.check()
        holder.write(state(2, "a", "b"), expected_serial=1)
        try:
            with other.lock(info("other")):
                other.write(state(3, "a", "b", "c"), expected_serial=2)
        except LockHeld:
            assert not place.leases or jump < 0
            holder.write(state(3, "a", "b", "d"), expected_serial=2)
        else:
            assert place.leases
            assert jump > 0
            with pytest.raises(StateError):
                holder.write(state(3, "a", "b", "d"), expected_serial=2)
            place.watch.steady += 4.0
            with pytest.raises(StateError, match=r"lock .* was lost"):
                hold.check()
    found = place.open().read()
    assert found is not None
    assert found.serial == 3


def test_a_holder_who_slept_through_its_lease_writes_nothing(place: Place) -> None:
    """After its lease another one took over: state, journal and run records refuse the sleeper."""
    sleeper, other = place.open(), place.open()
    sleeper.write(state(1, "a"), expected_serial=None)
    with sleeper.lock(info("sleeper")) as hold:
        place.watch.advance(61.0)
        if not place.leases:  # the protocol has none: the lock stays, and somebody has to break it
            with pytest.raises(LockHeld), other.lock(info("other")):
                pass
            assert other.break_lock("id-sleeper")
        with other.lock(info("other")):
            other.write(state(2, "a", "b"), expected_serial=1)
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check()
        with pytest.raises(StateError, match=r"lock .* was lost|lock is not ours"):
            sleeper.append([bind("z")])
        with pytest.raises(StateError, match=r"lock .* was lost|lock is not ours"):
            sleeper.save_run(RunRecord(name="r1", operation="apply"))
        with pytest.raises(StateError, match=r"lock .* was lost"):
            sleeper.write(state(2), expected_serial=1)
    found = other.read()
    assert found is not None
    assert (found.serial, len(found.resources)) == (2, 2)


def test_a_broken_lock_is_lost(place: Place) -> None:
    """`lock break` takes the lock away: its holder's next write is refused, before and after others wrote."""
    holder, other = place.open(), place.open()
    holder.write(state(1, "a"), expected_serial=None)
    with holder.lock(info("jane")):
        assert not other.break_lock("id-joe")
        assert other.break_lock("id-jane")
        with other.lock(info("joe")), pytest.raises(StateError):
            holder.write(state(2), expected_serial=1)
        with pytest.raises(StateError):
            holder.write(state(2), expected_serial=1)
    found = other.read()
    assert found is not None
    assert (found.serial, len(found.resources)) == (1, 1)
    assert other.holder() is None


def test_a_holder_finds_out_within_seconds_that_its_lock_was_broken(place: Place) -> None:
    """Before each write to the account it looks at the lock, when it has not for some seconds."""
    holder, other = place.open(), place.open()
    holder.write(state(1), expected_serial=None)
    with contextlib.ExitStack() as stack:
        hold = stack.enter_context(holder.lock(info("jane")))
        place.watch.advance(3.0)
        hold.check()
        assert other.break_lock("id-jane")
        place.watch.advance(3.0)
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check()


BOUND = 40.0
"""Seconds that a write may be under way, as the client says to the fence."""


@pytest.mark.parametrize("moved", [0.0, 120.0, -120.0])
def test_who_renews_its_lock_keeps_it_whatever_the_clock_of_another_says(place: Place, moved: float) -> None:
    """A lock that seems to have ended is watched, also where nobody asked to wait; it changes, so it is held."""
    holder, other = place.open(), place.open()
    with holder.lock(info("holder")) as hold:
        place.watch.now += moved
        place.watch.on_sleep = getattr(hold, "renew", lambda: None)
        with pytest.raises(LockHeld), other.lock(info("other")):
            pass
        hold.check(BOUND)


@pytest.mark.parametrize("seen", [0.0, 2.9, 10.0])
def test_whoever_takes_a_broken_lock_waits_until_its_holder_writes_no_more(place: Place, seen: float) -> None:
    """`lock break` and an apply at once: when it begins, the last write of the holder, which sees its lock every few
    seconds, is over for as long as a write may take.
    """
    holder, other = place.open(), place.open()
    holder.write(state(1), expected_serial=None)
    sent = [place.watch.steady]
    with holder.lock(info("holder")) as hold:
        hold.check(BOUND)
        place.watch.advance(seen)

        def write() -> None:
            with contextlib.suppress(StateError):
                hold.check(BOUND)
                sent.append(place.watch.steady)

        assert other.break_lock("id-holder")
        place.watch.on_sleep = write
        with other.lock(info("other")):
            assert place.watch.steady >= sent[-1] + BOUND
            place.watch.on_sleep = lambda: None
            with pytest.raises(StateError, match=r"lock .* was lost"):
                hold.check(BOUND)


@pytest.mark.parametrize("ended", ["broken", "silent"])
def test_whoever_takes_a_lock_over_waits_a_lease_of_its_own_clock(place: Place, ended: str) -> None:
    """Also where the wall clock says that it ended long ago; the wait is told."""
    if ended == "silent" and not place.leases:
        return  # a lock over http does not end
    told: list[tuple[str, float]] = []
    holding = place.open().lock(info("holder"))
    holding.__enter__()
    began = place.watch.steady
    other = place.open(tell=lambda reason, seconds: told.append((reason, seconds)))
    if ended == "broken":
        other.break_lock("id-holder")
    place.watch.now += 3_600.0
    with other.lock(info("other")):
        assert place.watch.steady - began == pytest.approx(60.0)
    assert [seconds for _, seconds in told] == [pytest.approx(60.0)]
    assert "has surely stopped" in told[0][0]


@pytest.mark.parametrize("ended", ["broken", "silent"])
def test_nobody_waits_for_a_dead_process_of_this_machine(place: Place, ended: str) -> None:
    """It cannot write any more, so its lock is taken at once, broken or not."""
    holding = place.open().lock(info("holder"))
    holding.__enter__()
    began = place.watch.steady
    if ended == "broken":
        assert place.open().break_lock("id-holder")
    place.watch.dead = bool
    with place.open().lock(info("other")):
        assert place.watch.steady == began


def test_a_holder_that_stops_says_so_to_whoever_broke_its_lock(place: Place) -> None:
    """Its last write is over then: nobody has to wait any longer. Over http it cannot say so."""
    holder, other = place.open(), place.open()
    holding = holder.lock(info("holder"))
    holding.__enter__()
    began = place.watch.steady
    assert other.break_lock("id-holder")
    holding.__exit__(None, None, None)
    with other.lock(info("other")):
        assert place.watch.steady - began == pytest.approx(0.0 if place.leases else 60.0)


def test_a_lock_that_lasts_too_short_for_a_write_is_renewed_or_lost(place: Place) -> None:
    """A write that may take longer than the lease is not sent; where the lease can be renewed, it is."""
    with place.open().lock(info("holder")) as hold:
        place.watch.advance(30.0)
        hold.check(BOUND)
        with pytest.raises(StateError, match=r"lock .* was lost"):
            hold.check(61.0)
        hold.check(BOUND)


def test_a_lock_that_was_cut_off_is_watched_too(place: Place) -> None:
    """A document that says nothing may be a living holder's."""
    if place.name != "file":
        return
    place.open().write(state(1), expected_serial=None)
    (place.folder / f"{place.url.removeprefix('file:')}.lock").write_text('{"id": "id-jane", "fen', "utf-8")
    began = place.watch.steady
    with place.open().lock(info("other")):
        assert place.watch.steady - began == pytest.approx(60.0)


def test_earlier_versions_are_kept_as_many_as_asked(place: Place) -> None:
    """Each write keeps the version before; the oldest go."""
    store = place.open(history=3)
    for serial in range(1, 7):
        store.write(state(serial, *"abcdef"[:serial]), expected_serial=serial - 1 if serial > 1 else None)
    kept = place.open().history()
    assert [(one.serial, one.resources) for one in kept] == [(3, 3), (4, 4), (5, 5)]
    found = store.version(4)
    assert found is not None
    assert len(found.resources) == 4
    assert store.version(1) is None


def test_run_records_are_kept_by_name(place: Place) -> None:
    """A run is written at its begin and again at its end; names come in the order of time."""
    store = place.open()
    store.save_run(RunRecord(name="2026-11-25-b", operation="apply"))
    store.save_run(RunRecord(name="2026-11-24-a", operation="apply"))
    store.save_run(RunRecord(name="2026-11-25-b", operation="apply", result="complete"))
    assert list(place.open().run_names()) == ["2026-11-24-a", "2026-11-25-b"]
    found = place.open().run("2026-11-25-b")
    assert found is not None
    assert found.result == "complete"
    assert store.run("nothing") is None


def test_a_state_of_a_newer_format_is_refused(place: Place) -> None:
    """Nothing is read into or written over what a newer version left."""
    store = place.open()
    store.write(state(1).model_copy(update={"format_version": 99}), expected_serial=None)
    with pytest.raises(StateError, match="format 99") as refused:
        place.open().read()
    assert "install" in refused.value.hint
    with pytest.raises(StateError, match="format 99"):
        store.write(state(2), expected_serial=1)

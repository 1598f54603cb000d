"""Whatever became of the record of an interrupted probe: nothing that was there is touched, nothing of it is forgotten,
and what it still tells is removed.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import AccountSettings
from reconciler.model.errors import StateError
from reconciler.probe.record import recorded
from reconciler.store.probefile import ProbeJournal
from tests.probe.probes import clean, dump, left_over, probe, probed_world
from tests.world import Killed, World

WEIRD: tuple[Any, ...] = (
    None, "", "x", "zz-probe-", "zz-probe-0", -1, 0, 1.5, True, [], {}, "1", 10**30, "../lists", "tag", "list",
    "relation", {"tag": "VIP"}, {"title": "Sales", "tag": "zz-probe-00000001 x"}, {"relid": "0", "field": "1"},
)  # fmt: skip
"""Values that a member of a record may have got."""
FEW, MANY = 4, 600
SEED = 4_000


def _damaged(lines: list[bytes], dice: random.Random) -> bytes:
    """Return a journal of which something became, in one to three ways."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(lines)) if lines else 0
        way = dice.choice(("dropped", "twice", "swapped", "member", "gone", "byte", "garbage", "first", "cut"))
        if not lines:
            break
        if way == "dropped":
            lines.pop(at)
        elif way == "first":
            lines.pop(0)
        elif way == "twice":
            lines.insert(dice.randrange(len(lines)), lines[at])
        elif way == "swapped":
            dice.shuffle(lines)
        elif way == "garbage":
            lines.insert(
                at, dice.choice((b"\xff\xfe", b"{", b"[]", b"null", b'{"op":[]}', b'{"op":"boom"}', b"[" * 9000))
            )
        elif way == "byte":
            place = dice.randrange(len(lines[at])) if lines[at] else 0
            lines[at] = lines[at][:place] + bytes([dice.randrange(256)]) + lines[at][place + 1 :]
        elif way == "cut":
            lines[at:] = [lines[at][: dice.randrange(len(lines[at]) or 1)]]
        else:
            lines[at] = _edited(lines[at], dice, drop=way == "gone")
    return b"\n".join(lines) + (b"\n" if dice.random() < 0.8 else b"")


def _edited(line: bytes, dice: random.Random, *, drop: bool) -> bytes:
    try:
        record = json.loads(line)
        name = dice.choice(sorted(record))
    except (ValueError, IndexError, TypeError, RecursionError):
        return line
    if drop:
        record.pop(name)
    else:
        record[name] = dice.choice(WEIRD)
    return json.dumps(record).encode()


def _killed(world: World, nth: int) -> ProbeJournal:
    world.kill(nth, after=True)
    with pytest.raises(Killed):
        probe(world, contacts=True)
    world.revive()
    return ProbeJournal(world.folder, world.session().identity)


def _cleaned(folder: Path, seed: int) -> str:
    """Damage the record of a killed probe and clean; return what came of it."""
    dice = random.Random(seed)
    settings = AccountSettings(tasktype_delete=dice.choice(("refused", "deleted")), id_reuse=dice.random() < 0.3)
    with probed_world(folder, settings) as world:
        before = dump(world)
        journal = _killed(world, dice.randint(60, 380))
        kept = dump(world)
        if not journal.path.exists():
            return "nothing was on record"
        lines = [line for line in journal.path.read_bytes().split(b"\n") if line]
        journal.path.write_bytes(_damaged(lines, dice))
        untouched, said = journal.path.read_bytes(), list[str]()
        refusal = _refusal(world, said.append)
        if refusal:
            assert all(one in refusal for one in (str(journal.path), "nothing was removed")), (seed, refusal)
            assert (journal.path.read_bytes(), dump(world)) == (untouched, kept), seed
            return "said, and nothing was removed"
        left = left_over(before, dump(world))
        if not recorded(enumerate(map(_json, untouched.split(b"\n")))).mark:
            assert left == left_over(before, kept), seed
            return "empty"
        assert left == {}, (seed, left)
        assert not journal.path.exists(), seed
        return "said, and cleaned" if said else "cleaned"


def _refusal(world: World, say: Callable[[str], None]) -> str:
    """Clean, and return the error that it ends with; "" for none."""
    try:
        clean(world, say)
    except StateError as error:
        return error.message
    return ""


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def test_a_damaged_record_is_cleaned_or_said(tmp_path: Path) -> None:
    """Some damages."""
    counts = Counter(_cleaned(tmp_path / str(seed), seed) for seed in range(FEW))
    assert counts["said, and cleaned"] > 0, counts


@pytest.mark.prove
def test_many_damaged_records(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Hundreds of damages: lines lost, doubled, out of order, cut off, of wrong types, of other objects."""
    counts = Counter(_cleaned(tmp_path / str(seed), seed) for seed in range(SEED, SEED + MANY))
    record_property(f"damaged records of probes (seed={SEED})", dict(counts))
    assert counts["said, and cleaned"] > MANY / 2


def test_a_record_that_names_nothing_is_kept(tmp_path: Path) -> None:
    """By the command line: without any name in it, it is an error, with file, line and what to do."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        journal = _killed(world, 95)
        journal.path.write_bytes(b'{"op": "begin", "mark": ""}\n{"op": "made", "n": "x", "id": "7"}\n')
        before, untouched = dump(world), journal.path.read_bytes()
        ran = world.cli("probe", "--clean")
        flat = " ".join(ran.err.split())
        assert (ran.code, "line 1: `mark`" in flat, "and 1 more" in flat) == (1, True, True), ran.text
        assert "remove what is called `zz-probe-...`" in flat
        assert (dump(world), journal.path.read_bytes()) == (before, untouched)
        assert world.cli("probe", "--yes-this-is-a-sandbox").code == 7
        assert "`reconciler probe --clean`" in world.cli("doctor").out


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0].replace(b"zz-probe-", b""), *lines[1:]],
        lambda lines: lines[::-1],
        lambda lines: [*lines[:3], b'{"op": "making", "n": "x"}', *lines[3:]],
        lambda lines: [*lines, lines[-1][:9]],
    ],
    ids=["no begin", "empty mark", "backwards", "wrong type", "cut off"],
)
def test_what_a_damaged_record_still_tells_is_removed(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    """By the command line: said where it matters, and the account is as it was."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before, journal = dump(world), _killed(world, 210)
        lines = [line for line in journal.path.read_bytes().split(b"\n") if line]
        journal.path.write_bytes(b"\n".join(damage(lines)))
        assert left_over(before, dump(world))
        ran = world.cli("probe", "--clean")
        assert ran.code == 0, ran.text
        assert left_over(before, dump(world)) == {}
        assert not journal.path.exists()


def test_what_cannot_be_listed_is_named(tmp_path: Path) -> None:
    """With a damaged record, a listing that is refused may hide something: it is said, and the record is kept."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before, journal = dump(world), _killed(world, 210)
        journal.path.write_bytes(journal.path.read_bytes() + b"{}\n")
        world.fault("fail_before", "^GET /savedResponses", times=99, status=403)
        ran = world.cli("probe", "--clean")
        assert (ran.code, "Left: saved_response id ?: " in ran.err) == (1, True), ran.text
        assert left_over(before, dump(world)) == {}
        assert journal.path.exists()
        world.account.faults = []
        assert world.cli("probe", "--clean").code == 0
        assert not journal.path.exists()

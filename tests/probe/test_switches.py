"""On the emulator, with its switches turned: a probe reports those that are turned, and no other; the account is as it
was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings
from reconciler.probe import load_experiments, takes, vocabulary
from tests.probe.probes import dump, found, left_over, parts, probe, probed_world
from tests.probe.switches import NOT_TOLD, TURNED, expected, mixture, name_of, turned
from tests.world import World

EACH = [turned(switch, value) for switch, values in TURNED.items() for value in values]
FEW, MANY = 4, 300


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is found on an account with no switch turned."""
    with probed_world(tmp_path_factory.mktemp("usual"), AccountSettings()) as world:
        return found(probe(world, contacts=True))


def _compared(folder: Path, usual: dict[str, str], accounts: Iterable[AccountSettings]) -> Counter[str]:
    """Probe accounts and return the confusion matrix: how many facts are otherwise than usual (turned) or not, and how
    they were told. Fails where anything was found that is not so, or an account is not as it was.
    """
    matrix: Counter[str] = Counter()
    for number, settings in enumerate(accounts):
        with probed_world(folder / str(number), settings) as world:
            before = dump(world)
            report = probe(world, contacts=True)
            assert left_over(before, dump(world)) == {}, name_of(settings)
            assert report.complete
        got, wanted, told = found(report), expected(settings, usual), parts(report)
        assert [(name, one) for name, one in got.items() if not takes(name, one)] == []
        for name, part in told.items():
            truth = "turned" if wanted.get(name, usual.get(name)) != usual.get(name) else "usual"
            matrix[f"{truth}, told {part.verdict}"] += 1
            matrix["wrong"] += got.get(name) != wanted.get(name)
        assert [name for name, part in told.items() if "its experiment" in part.why] == []
        assert got == wanted, f"{name_of(settings)}: {sorted(got.items() ^ wanted.items())}"
        matrix["accounts"] += 1
    return matrix


def _exact(matrix: Counter[str]) -> bool:
    assert matrix["turned, told assumed"] == matrix["turned, told unknown"] == matrix["usual, told differs"] == 0
    assert matrix["turned, told differs"] >= matrix["accounts"] > 0
    return matrix["wrong"] == 0


def test_every_switch_is_told_or_said_why_not() -> None:
    """No switch of the emulator is forgotten."""
    assert {one.name for one in fields(AccountSettings)} == TURNED.keys() | NOT_TOLD.keys()
    assert not TURNED.keys() & NOT_TOLD.keys()


def test_what_is_assumed_may_be_found() -> None:
    """The words that facts files are held against know every assumption, and no word of no fact."""
    facts = [fact for one in load_experiments() for fact in one.facts]
    assert [fact.name for fact in facts if fact.assumed and not takes(fact.name, fact.assumed)] == []
    assert [fact.says for fact in facts if re.search(r"\ba [aeio]", fact.says)] == []
    assert {name for name in vocabulary._WORDS if name not in {fact.name for fact in facts}} == set()


def test_an_account_as_assumed_differs_in_nothing(tmp_path: Path, usual: dict[str, str]) -> None:
    """With no switch turned, no point differs; all that were found are as assumed, and each unknown one says why."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        report = probe(world)
    assert [point.row for point in report.points] == list(range(1, 60))
    assert {point.verdict for point in report.points} == {"assumed", "unknown"}
    assert all(point.found and point.affects for point in report.points if point.verdict == "assumed")
    assert all(point.why for point in report.points if point.verdict == "unknown")
    assert all(part.why for part in parts(report).values() if part.verdict == "unknown")
    unknown = [point.row for point in report.points if point.verdict == "unknown"]
    assert unknown == [7, 27, 30, 37, 40, 42, 50, 54, 59]
    assert len(usual) > 100


def test_what_an_empty_account_cannot_tell_says_why(world: World) -> None:
    """Without a deal, no filter of deals is told from one that is ignored."""
    told = parts(probe(world, rows=frozenset((38,))))
    assert [told[name].why.partition(":")[0] for name in ("deal_filters", "deal_filters_d")] == [
        "the account has no deals"
    ] * 2
    assert [name for name, part in told.items() if "its experiment" in part.why] == []


def test_switches_by_chance(
    tmp_path: Path, usual: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    """Some switches turned together: found are exactly these, and the account is as before."""
    counts = _compared(tmp_path, usual, map(mixture, range(FEW)))
    record_property("probe, switches by chance", dict(counts))
    assert _exact(counts)


@pytest.mark.prove
def test_each_switch(tmp_path: Path, usual: dict[str, str], record_property: Callable[[str, object], None]) -> None:
    """Each switch turned by itself."""
    counts = _compared(tmp_path, usual, EACH)
    record_property("probe, each switch", dict(counts))
    assert _exact(counts)


@pytest.mark.prove
def test_many_switches_by_chance(
    tmp_path: Path, usual: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    """Hundreds of mixtures."""
    counts = _compared(tmp_path, usual, map(mixture, range(1000, 1000 + MANY)))
    record_property("probe, many switches by chance", dict(counts))
    assert _exact(counts)

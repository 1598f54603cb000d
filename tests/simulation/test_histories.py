"""Thousands of histories, drawn from seeds, hold the program's promises (README.md in this folder)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from reconciler.resources import load_kinds
from tests.simulation import alone, every, together
from tests.simulation.alone import Verdict
from tests.simulation.declaring import SECTIONS
from tests.world.commands import leaves

SORTS: dict[str, Callable[[int], Verdict]] = {
    "alone": alone.history,
    "together": together.history,
    "every": every.history,
    "crowd": together.crowd,
}
"""One process at a time, two and three at once, every command over two accounts, or several of them at once."""
SAMPLES, IN_SAMPLE = 4, {"alone": 12, "together": 18, "every": 10, "crowd": 5}
HUNDREDS = {"alone": 30, "together": 100, "every": 20, "crowd": 20}
ALL = (
    "expected exit code",
    "no record lost without a yes",
    "no record moved without a yes",
    "a yes is a yes to a number",
    "nothing goes that is not named",
    "what is added meanwhile stays",
    "no twins",
    "settles",
    "the plan after an apply is empty",
)
HOLDING = {
    "alone": ALL,
    "every": (*ALL, "a look changes nothing", "only some commands write to an account"),
    "together": (*ALL, "no lost update", "no write after a lost lease", "one writer at a time"),
}
HOLDING["crowd"] = HOLDING["together"]
"""The rules that histories are held to."""
Tell = Callable[[str, object], None]


def check_histories(sort: str, seeds: Iterable[int], told: Tell) -> None:
    """Run the histories of these seeds, print how many there were, and fail with the story of the first that breaks a
    rule.
    """
    if one := os.environ.get("SIMULATION_SEED"):
        seeds = [int(one)]
    count: Counter[str] = Counter()
    for seed in seeds:
        verdict = SORTS[sort](seed)
        count += Counter(
            histories=1,
            commands=verdict.runs,
            killed=verdict.killed,
            frozen=verdict.frozen,
            requests=verdict.requests,
            records=verdict.arrivals,
        )
        if problems := verdict.of(*HOLDING[sort]):
            pytest.fail(f"{_advice(sort, verdict)}\n" + "\n".join(problems), pytrace=False)
    told(f"simulated {sort}", ", ".join(f"{number} {what}" for what, number in count.items()))


def _advice(sort: str, verdict: Verdict) -> str:
    again = f"SIMULATION_SEED={verdict.seed} .venv/bin/python -m pytest -n 0 tests/simulation -k 'sample0 and {sort}'"
    return "\n".join([f"Seed {verdict.seed} breaks a rule. Replay it with: {again}", "", *verdict.story, ""])


@pytest.mark.parametrize("sample", range(SAMPLES), ids=lambda number: f"sample{number}")
@pytest.mark.parametrize("sort", SORTS)
def test_what_happens_in_any_order_keeps_the_promises(sort: str, sample: int, record_property: Tell) -> None:
    """Some histories of each sort: plans, edits, applies, undos, kills, freezes, lost answers and arriving records
    follow each other as a seed says.
    """
    size = IN_SAMPLE[sort]
    check_histories(sort, range(sample * size, (sample + 1) * size), record_property)


def test_every_command_and_every_kind_takes_its_turn() -> None:
    """A new command is told here whether it writes, looks, or has nothing to do with a project; whether it changes
    anything is then seen by running it. A new kind is declared in histories, or this fails.
    """
    own = {words.partition(" --")[0] for words in (*every.WRITES, *every.OWN)}
    assert own | set(every.LOOKS) | every.ELSEWHERE == set(leaves())
    assert not every.WRITES.keys() & every.LOOKS.keys()
    assert not (own | set(every.LOOKS)) & every.ELSEWHERE
    managed = {kind.section for kind in load_kinds().values() if kind.abilities.managed and not kind.nested}
    assert managed == {*SECTIONS, "settings"}
    assert len({*every.WRITES, *every.LOOKS}) < SAMPLES * IN_SAMPLE["every"] > len(SECTIONS)


@pytest.mark.parametrize("sort", SORTS)
def test_a_seed_is_one_history(sort: str) -> None:
    """The same seed gives the same requests at the same moments, and another seed gives others."""
    first, again, other = SORTS[sort](7), SORTS[sort](7), SORTS[sort](8)
    assert first.story == again.story != other.story


@pytest.mark.prove
@pytest.mark.parametrize(
    ("sort", "hundred"), [(sort, number) for sort, many in HUNDREDS.items() for number in range(many)]
)
def test_thousands_of_histories_keep_the_promises(sort: str, hundred: int, record_property: Tell) -> None:
    """Three thousand of one process at a time, ten thousand of several at once, two thousand of each of the rest."""
    check_histories(sort, range(10_000 + hundred * 100, 10_000 + (hundred + 1) * 100), record_property)

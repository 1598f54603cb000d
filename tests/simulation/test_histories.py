"""Thousands of histories of one account, drawn from seeds, hold the program's promises (README.md in this folder)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from tests.simulation.alone import Verdict, history

IN_TEST, IN_PROOF = 25, 100
"""Histories of one test of each kind."""
HOLDING = (
    "expected exit code",
    "no record moved without a yes",
    "no twins",
    "settles",
    "the plan after an apply is empty",
)
"""The rules that histories are held to."""


def check_histories(seeds: Iterable[int], told: Callable[[str, object], None]) -> None:
    """Run the histories of these seeds, print how many there were, and fail with the story of the first that breaks a
    rule.
    """
    if one := os.environ.get("SIMULATION_SEED"):
        seeds = [int(one)]
    count: Counter[str] = Counter()
    for seed in seeds:
        verdict = history(seed)
        count += Counter(
            histories=1,
            commands=verdict.runs,
            killed=verdict.killed,
            requests=verdict.requests,
            records=verdict.arrivals,
        )
        if problems := verdict.of(*HOLDING):
            pytest.fail(f"{_advice(verdict)}\n" + "\n".join(problems), pytrace=False)
    told("simulated", ", ".join(f"{number} {what}" for what, number in count.items()))


def _advice(verdict: Verdict) -> str:
    again = (
        f"SIMULATION_SEED={verdict.seed} .venv/bin/python -m pytest -n 0 tests/simulation/test_histories.py -k sample-0"
    )
    return "\n".join([f"Seed {verdict.seed} breaks a rule. Replay it with: {again}", "", *verdict.story, ""])


@pytest.mark.parametrize("sample", range(4), ids=lambda number: f"sample-{number}")
def test_what_happens_in_any_order_keeps_the_promises(
    sample: int, record_property: Callable[[str, object], None]
) -> None:
    """A hundred histories in which plans, edits, applies, undos, kills, lost answers and arriving records follow each
    other as a seed says.
    """
    check_histories(range(sample * IN_TEST, (sample + 1) * IN_TEST), record_property)


def test_a_seed_is_one_history() -> None:
    """The same seed gives the same requests at the same moments, and another seed gives others."""
    first, again, other = history(7), history(7), history(8)
    assert first.story == again.story != other.story


@pytest.mark.prove
@pytest.mark.parametrize("hundred", range(50))
def test_thousands_of_histories_keep_the_promises(hundred: int, record_property: Callable[[str, object], None]) -> None:
    """Five thousand more of them."""
    check_histories(range(10_000 + hundred * IN_PROOF, 10_000 + (hundred + 1) * IN_PROOF), record_property)

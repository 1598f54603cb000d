"""The tests of the examples pass, and catch whatever is changed in the examples' configuration."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from reconciler.workflow.scenarios.testing import scenarios_of, verdict_of
from tests.scenarios.mutants import EXAMPLES, TESTED, Mutant, copied, declared, mutants

FEW = 4
"""Mutants of each project in `make test`; `make prove` tries them all."""
SMALL = ("saas", "sandbox-to-prod", "agency-baseline/clients/zoo")


def caught(mutant: Mutant, project: str, folder: Path) -> str:
    """Return how a mutant ends: `caught`, `survived`, or `same` where it declares the same in every environment."""
    place = copied(project, folder)
    before = declared(place)
    mutant.write(folder)
    after = declared(place)
    try:
        if after == before and not mutant.ruling:
            return "same"
        return "survived" if all(verdict_of(place, one).passed for one in scenarios_of(place, ())) else "caught"
    finally:
        shutil.rmtree(folder)


def test_every_example_that_has_tests_is_tried() -> None:
    """The table is complete."""
    held = {str(file.parent.parent.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("tests/*.yaml")}
    assert held == set(TESTED)


@pytest.mark.parametrize("project", SMALL)
def test_the_tests_of_an_example_pass(project: str, tmp_path: Path) -> None:
    """On a copy, without an account, an environment variable or a state; and they leave nothing behind."""
    place = copied(project, tmp_path / "copy")
    before = sorted(tmp_path.rglob("*"))
    for one in scenarios_of(place, ()):
        verdict = verdict_of(place, one)
        assert verdict.passed, (verdict.error, verdict.lines)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("project", SMALL)
def test_some_mutants_of_an_example_are_caught(project: str, tmp_path: Path) -> None:
    """A few of those that `make prove` tries, drawn with a seed; each drops a key or changes a value."""
    chosen = random.Random(f"mutants of {project}").sample(mutants(project), FEW)
    ends = {str(mutant): caught(mutant, project, tmp_path / "copy") for mutant in chosen}
    assert "survived" not in ends.values(), ends
    assert "caught" in ends.values(), ends


@pytest.mark.parametrize("name", ["converted.lifecycle", "lost.lifecycle", "lost.lifecycle.on_destroy.move_deals_to"])
def test_a_protection_that_is_dropped_is_caught(name: str, tmp_path: Path) -> None:
    """No plan of an empty account shows it: only a test that takes the stage away does."""
    [mutant] = [
        one
        for one in mutants("saas")
        if ".".join(map(str, one.path)).endswith(f"stages.{name}") and one.what == "deleted"
    ]
    assert caught(mutant, "saas", tmp_path / "copy") == "caught"


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("project", TESTED)
def test_mutants_of_an_example_are_caught(project: str, tmp_path: Path) -> None:
    """Every key that is deleted and every value that is changed makes a test fail, unless it declares the same."""
    every = mutants(project)
    if project == "agency":  # 181 resources of the same few shapes: each sort of mutant in each file
        every = random.Random("agency").sample(every, 200)
    ends = {str(mutant): caught(mutant, project, tmp_path / "copy") for mutant in every}
    assert [name for name, end in ends.items() if end == "survived"] == []
    assert sum(end == "caught" for end in ends.values()) > len(every) * 0.6

"""Copies of an account behave as its facts say, and what is between two accounts goes by the facts of each."""

from __future__ import annotations

import pytest

from reconciler.emulator import AccountSettings
from reconciler.emulator.settings import OWN
from tests.probe.probes import found, probe, probed_world
from tests.probe.switches import TURNED, expected, name_of, turned
from tests.probe.test_facts import write_facts
from tests.world import World
from tests.world.accounts import hold
from tests.world.project import ACCOUNT

HERE = {"hidden_pipelines", "forbidden", "missing"}
"""Switches that name objects and kinds of the account itself: its copy holds what its key was shown."""


@pytest.fixture(scope="module", name="usual")
def _usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    with probed_world(tmp_path_factory.mktemp("usual"), AccountSettings()) as world:
        return found(probe(world, contacts=True))


def test_a_copy_is_turned_as_the_account_is(usual: dict[str, str]) -> None:
    """For each switch that a probe tells, and each of its values: what was found turns the same switch of the copy."""
    wrong = []
    for switch, values in TURNED.items():
        for value in values:
            settings = turned(switch, value)
            copy = AccountSettings().informed(expected(settings, usual))
            wanted = AccountSettings() if switch in HERE | OWN else settings
            if switch in (
                "mixed_types",
                "field_page",
                "cap_limit",
            ):  # a seed; and pages, of which a probe sees two sizes
                continue
            if copy != wanted:
                wrong.append(f"{name_of(settings)}: the copy has {name_of(copy)}")
    assert wrong == []


def test_a_clone_goes_by_the_facts_of_either_account(world: World) -> None:
    """Source and target answer at opposite paths, and each is known: no request goes to a path that is not there."""
    target = AccountSettings(option_bulk="plural", outcome_path="taskOutccomes", field_groups="members")
    with hold(world.folder / "b.db", target) as other:
        world.behave(option_bulk="singular", outcome_path="taskOutcomes", field_groups="definitions")
        world.write(
            f"version: 1\nenvironments: {{a: {{url: 'emulator:{ACCOUNT}'}}, b: {{url: 'emulator:b.db'}}}}\n"
            "default_environment: a\n",
            "reconciler.yaml",
        )
        source = {"option_bulk": "singular", "outcome_path": "taskOutcomes", "field_groups": "definitions"}
        write_facts(world, source, world.session(environment="a").identity, "a")
        known = {"option_bulk": "plural", "outcome_path": "taskOutccomes", "field_groups": "members"}
        write_facts(world, known, world.session(environment="b").identity, "b")
        world.write(
            {
                "fields": {"plan": {"title": "Plan", "type": "dropdown", "options": ["Free", "Pro"]}},
                "field_groups": {"more": {"label": "More", "object": "contact"}},
                "task_outcomes": {"won": {"title": "Won", "sentiment": "Positive"}},
            }
        )
        assert world.cli("-e", "a", "apply", "--auto-approve").code == 0
        world.forget()
        ran = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
        assert ran.code == 0, ran.text
        sent = {f"{one['method']} {one['path']}" for one in other.log}
        assert "contradicts" not in ran.text
        assert "POST /fieldOptions/bulk" in sent
        assert not sent & {"POST /fieldOption/bulk", "GET /groupDefinitions"}
        assert [row["title"] for row in other.rows.all("taskOutcomes")] == ["Won"]


@pytest.mark.parametrize("path", ["taskOutcomes", "taskOutccomes"])
def test_a_rehearsal_is_sent_to_the_path_that_was_found(world: World, path: str) -> None:
    """The copy answers where the account does; that it is assumed is not said."""
    world.behave(outcome_path=path)
    write_facts(world, {"outcome_path": path})
    world.write({"task_outcomes": {"won": {"title": "Won", "sentiment": "Positive"}}})
    world.apply()
    world.write({"task_outcomes": {"won": {"title": "Won it", "sentiment": "Positive"}}})
    ran = world.cli("rehearse")
    assert (ran.code, "row 13" in ran.text) == (0, False), ran.text

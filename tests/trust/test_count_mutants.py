"""Weakening the count by one, or leaving a part of it or of what a plan promised out, makes a test fail."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine import recount
from reconciler.workflow.apply import applying
from reconciler.workflow.plans import promises, saved
from tests.trust import test_counts, test_number_of_a_plan, test_options, test_promises, test_repairs
from tests.trust.losing import BOTH, CASES
from tests.world import World

TAG = next(case for case in CASES if case.name == "tag")


def family(world: World, test: Callable[[World], None]) -> None:
    """Run a test of a family on its world."""
    world.write(BOTH + test_promises.EXTRA)
    world.apply()
    test_promises.deals(world, "Lead", 2)
    test_promises.deals(world, "Won", 2)
    world.write(test_promises.EXTRA)
    world.forget()
    test(world)


MORE = "impact.count > allowed"
MUTANTS: list[tuple[str, str, str, Callable[[World], None]]] = [
    ("refuses the same number", MORE, "impact.count >= allowed",
     lambda world: test_counts.test_exactly_what_the_saved_plan_says_goes(world, TAG, 1)),
    ("allows one more", MORE, "impact.count > allowed + 1",
     lambda world: test_counts.test_more_than_the_saved_plan_says_is_refused(world, TAG, 1)),
    ("compares nothing", "if not self.known or waived(planned):", "if True:",
     lambda world: test_counts.test_more_than_the_saved_plan_says_is_refused(world, TAG, 30)),
    ("counts though nobody asked", "if not self.known or waived(planned):", "if waived(planned):",
     lambda world: test_promises.test_a_yes_to_the_unknown_needs_no_count(world, "--no-impact")),
    ("counts the unknown", "if not self.known or waived(planned):", "if not self.known:",
     lambda world: test_promises.test_a_yes_to_the_unknown_needs_no_count(world, "--allow=max_records_lost=unknown")),
    ("takes a failed count for none",
     "planned = _told(numbers(self.planned.get(change.address, ())).values())", "return {}",
     lambda world: test_counts.test_a_count_that_cannot_be_had_refuses(world, TAG, {"status": 403})),
    ("lets strict find nothing", "if problems:", "if False:",
     lambda world: test_counts.test_strict_counts_everything_before_the_first_write(world, TAG)),
    ("forgets the parent", "self._compare(planned, await self._left(holder, whole, but=change.address))", "pass",
     lambda world: family(world, lambda one: test_promises.test_nothing_of_a_family_goes_where_its_number_is_exceeded(
         one, "Won"))),
    ("forgets what went before", "whole = _each(int.__add__, whole, self.gone[name][1])", "pass",
     lambda world: family(world, test_promises.test_what_arrives_between_two_stages_is_added_to_what_went)),
    ("counts a family side by side", "return self.turns.get(parent.address, nullcontext())", "return nullcontext()",
     lambda world: family(world, test_promises.test_a_family_goes_as_planned)),
    ("forgets what a move without an answer moved", "if not unsent:", "if False:",
     lambda world: test_number_of_a_plan.test_a_move_without_an_answer_is_bounded(world, "drop_after", 2, 3, 100)),
    ("forgets what a dead run moved", "self.away.get(change.address) or (self._moved_earlier(change, impacts), {})",
     "self.away.get(change.address) or ({}, {})",
     lambda world: test_number_of_a_plan.test_killed_runs_of_a_plan_move_no_more_than_it_shows(
         world.folder / "dead", 100, True, 4)),
    ("forgets what the request before took", "write.on_destroy or (impact.ids and not impact.of)", "write.on_destroy",
     lambda world: test_options.test_values_that_arrive_between_two_options_stay()),
    ("takes what is there twice for more", "complete = len(before.ids) == before.count and len(now.ids) == now.count",
     "complete = False",
     lambda world: test_number_of_a_plan.test_a_move_without_an_answer_is_bounded(world, "drop_before", 0, 3, 100)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "test"), MUTANTS, ids=[one[0] for one in MUTANTS])
def test_a_weaker_count_is_found(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    old: str,
    new: str,
    test: Callable[[World], None],
) -> None:
    """The test that is named for it passes as the code stands, and fails with the mutant."""
    monkeypatch.setattr(applying, "Recount", mutant(monkeypatch, recount, name, old, new).Recount)
    with pytest.raises(AssertionError):
        test(world)


def mutant(monkeypatch: pytest.MonkeyPatch, original: types.ModuleType, name: str, old: str, new: str) -> Any:
    """Return a module with one place of its text changed."""
    source = inspect.getsource(original)
    assert source.count(old) == 1, f"{name}: the text to change is not there once"
    module = types.ModuleType(original.__name__)
    monkeypatch.setitem(sys.modules, original.__name__, module)
    exec(compile(source.replace(old, new), name, "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("nth", [0, test_promises.WAITS - 1])
def test_a_forgotten_order_is_found(world: World, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """Without the comparison, a plan is applied in another order than it shows."""
    old, new = "late = _out_of_order(document, plan)", "late: dict[str, str] = {}"
    monkeypatch.setattr(saved, "broken", mutant(monkeypatch, promises, "forgets the order", old, new).broken)
    world.write(test_promises.ORDERED)
    world.apply()
    world.write(test_promises.AFTER)
    with pytest.raises(AssertionError):
        test_promises.test_a_plan_is_not_applied_in_another_order(world, monkeypatch, nth)


def test_a_repair_without_a_count_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent once more is counted once more."""
    old = "replace(self._ports(), emit=self._repaired)"
    free = "replace(self._ports(), emit=self._repaired, recount=replace(self.recount, known=False))"
    run = mutant(monkeypatch, applying, "repairs uncounted", old, free)._Run
    monkeypatch.setattr(applying, "_Run", run)
    with pytest.raises(AssertionError):
        test_repairs.test_a_repair_that_costs_more_is_refused(world, test_repairs.UPDATES[0], "saved")

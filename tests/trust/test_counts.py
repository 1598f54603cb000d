"""A yes is a yes to exactly this count: whatever arrives between plan and delete is not lost."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.kind import Kind
from reconciler.resources import load_kinds
from tests.trust.losing import CASES, WITHOUT_RECORDS, Losing, at
from tests.world import Ran, World

every_loss = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_kind_with_an_impact_is_in_the_table() -> None:
    """A new kind that counts what it loses has to be tried here too."""
    counting = {name for name, kind in load_kinds().items() if type(kind).impact is not Kind.impact}
    assert counting == {case.kind for case in CASES} | WITHOUT_RECORDS.keys()


def prepared(world: World, case: Losing, count: int) -> None:
    """An object with so many records that is no longer declared; a tag `extra` is new beside it."""
    world.begin_with(_prepared, case, count)


def _prepared(world: World, case: Losing, count: int) -> None:
    world.behave(option_bulk="both")  # the other reading costs a request more than forecast
    world.write(case.config(case.before))
    world.apply()
    case.arrive(world, count)
    world.write(case.config(case.after, more="extra: {name: Extra}"))
    world.forget()


def yes(world: World) -> tuple[str, ...]:
    """Everything that the plan as it stands wants a yes to."""
    tripped = world.plan().document.tripped
    assert all(guard.override.startswith("--allow ") for guard in tripped), tripped
    said = [guard.override.removeprefix("--allow ") for guard in tripped]
    return tuple(part for one in said for part in ("--allow", one))


def saved(world: World) -> Path:
    """The plan in a file, with a yes to all that it shows."""
    path = world.folder / "p.json"
    ran = world.cli("plan", "--out", str(path), *yes(world))
    assert ran.code == 0, ran.text
    world.forget()
    return path


def saved_after(world: World, case: Losing, count: int) -> Path:
    """The plan of a world that was prepared so."""
    world.begin_with(_saved, case, count)
    return world.folder / "p.json"


def _saved(world: World, case: Losing, count: int) -> None:
    _prepared(world, case, count)
    saved(world)


def counts(case: Losing) -> Callable[[str, str], bool]:
    """Tell the requests that count what a change loses."""
    return lambda method, path: method == "GET" and path.startswith(case.asks)


def refused(ran: Ran, planned: int, found: int) -> None:
    """The command refused a part for its number, and said both numbers."""
    assert ran.code == 7, ran.text
    told = " ".join(ran.text.split())
    assert re.search(rf"planned against {planned}, found (at most )?{found}\b", told), ran.text


def extra(world: World) -> bool:
    """Whether the rest of the plan was done."""
    return bool(world.rows("tags", tag="Extra"))


# --- saved plans -----------------------------------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("more", [1, 30])
def test_more_than_the_saved_plan_says_is_refused(world: World, case: Losing, more: int) -> None:
    """One record was said yes to; with one more, or thirty, the change is refused and the rest goes on."""
    path = saved_after(world, case, 1)
    case.arrive(world, more)
    ran = world.cli("apply", str(path))
    refused(ran, 1, 1 + more)
    assert case.left(world) == 1 + more
    assert case.address in world.state().resources
    assert extra(world)


@every_loss
@pytest.mark.parametrize("count", [0, 1, 3])
def test_exactly_what_the_saved_plan_says_goes(world: World, case: Losing, count: int) -> None:
    """The same number is no reason to refuse; the forecast holds to the request."""
    path = saved_after(world, case, count)
    cost = json.loads(path.read_text())["forecast"]
    ran = world.cli("apply", str(path))
    assert ran.code == 0, ran.text
    promised = cost["check_requests"] + cost["apply_reads"] + cost["apply_writes"]
    assert len(world.requests()) == promised, (promised, world.requests())
    assert any(line.startswith(f"GET {case.asks}") for line in world.requests())


@every_loss
def test_every_delete_comes_right_after_its_count(world: World, case: Losing) -> None:
    """Between a count and the request that takes something away there is no other request; the forecast knows both."""
    path = saved_after(world, case, 2)
    steps, changes = (json.loads(path.read_text())[name] for name in ("steps", "changes"))
    counting = {tuple(change["counting"]) for change in changes if change["counting"]}
    assert world.cli("apply", str(path)).code == 0
    sent = world.requests()
    takes = [n for n, line in enumerate(sent) if not line.startswith(("GET ", "POST "))]
    assert takes
    for n in takes:
        assert any(tuple(sent[n - len(one) : n]) == one for one in counting), (sent, counting)
        assert sent[n] in {line for step in steps for line in step["requests"]}


@every_loss
@pytest.mark.parametrize("fault", ["rate_limited", "fail_before", "drop_before"])
def test_a_request_that_is_repeated_is_counted_for_again(world: World, case: Losing, fault: str) -> None:
    """The account turns the request away, records arrive while the program waits, and nothing is sent again."""
    path = saved_after(world, case, 1)
    world.fault(fault, "(DELETE|PUT) .*")
    at(world, lambda method, path: method in ("DELETE", "PUT"), lambda: case.arrive(world, 2), after=True)
    ran = world.cli("apply", str(path))
    refused(ran, 1, 3)
    assert case.left(world) == 3
    assert case.address in world.state().resources


@every_loss
@pytest.mark.parametrize("known", [True, False], ids=["", "uncounted"])
def test_what_was_done_without_an_answer_is_not_refused(world: World, case: Losing, known: bool) -> None:
    """The account carries out a write and its answer is lost; of what is gone it may say nothing any more."""
    path = saved_after(world, case, 2)
    world.fault("drop_after", "(DELETE|PUT) .*")
    if not known:
        forget = partial(world.fault, "fail_before", f"GET {case.asks}.*", status=404)
        at(world, lambda method, path: method in ("DELETE", "PUT"), forget, after=True)
    ran = world.cli("apply", str(path))
    assert ran.code == 0, ran.text
    assert world.cli("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("case", [one for one in CASES if not one.after.strip()], ids=lambda case: case.name)
def test_what_somebody_deletes_meanwhile_is_not_refused(world: World, case: Losing) -> None:
    """Nothing goes with an object that is not there, whatever a count of it says."""
    path = saved_after(world, case, 2)
    (step,) = (one for one in json.loads(path.read_text())["steps"] if one["address"] == case.address)
    table, identity = step["requests"][-1].split("/")[-2:]

    def deleted() -> None:
        world.account.rows.remove(table, identity)
        world.fault("fail_before", f"GET {case.asks}.*", status=404, times=9)

    at(world, counts(case), deleted)
    ran = world.cli("apply", str(path))
    assert ran.code == 0, ran.text
    assert not any(row["id"] == identity for row in world.rows(table))
    assert case.address not in world.state().resources


@every_loss
def test_fewer_than_the_saved_plan_says_is_fine(world: World, case: Losing) -> None:
    """Records that went by themselves are no reason to ask again."""
    path = saved_after(world, case, 3)
    for row in world.rows(case.records)[:2]:
        world.account.rows.remove(case.records, row["id"])
    assert world.cli("apply", str(path)).code == 0


@every_loss
def test_strict_counts_everything_before_the_first_write(world: World, case: Losing) -> None:
    """One record too many refuses the whole plan; the same number costs one more count, as forecast."""
    path = saved_after(world, case, 1)
    case.arrive(world, 1)
    ran = world.cli("apply", "--strict", str(path))
    refused(ran, 1, 2)
    assert case.address in ran.text
    assert world.writes() == []
    world.account.rows.remove(case.records, world.rows(case.records)[0]["id"])
    world.forget()
    ran = world.cli("apply", "--strict", str(path))
    assert ran.code == 0, ran.text
    assert f"(forecast: {len(world.requests())})" in ran.out


@every_loss
def test_strict_counts_again_before_the_delete(world: World, case: Losing) -> None:
    """What arrives after everything was counted is found when its turn comes."""
    path = saved_after(world, case, 1)
    changes = json.loads(path.read_text())["changes"]
    (counting,) = (change["counting"] for change in changes if change["address"] == case.address)
    counted = sum(line.startswith(f"GET {case.asks}") for line in counting)
    at(world, counts(case), lambda: case.arrive(world, 4), nth=counted + 1)
    ran = world.cli("apply", "--strict", str(path))
    refused(ran, 1, 5)
    assert case.left(world) == 5


@every_loss
@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 500}], ids=["forbidden", "broken"])
def test_a_count_that_cannot_be_had_refuses(world: World, case: Losing, fault: dict[str, int]) -> None:
    """A plan that knew the number is not carried out without it."""
    path = saved_after(world, case, 1)
    world.fault("fail_before", f"GET {case.asks}.*", times=1000, **fault)
    ran = world.cli("apply", str(path))
    assert ran.code == 7, ran.text
    assert "cannot be counted now" in " ".join(ran.text.split())
    assert case.left(world) == 1
    assert case.address in world.state().resources


# --- plans that are applied at once ----------------------------------------------------------------------------------


@every_loss
def test_records_that_arrive_while_an_apply_runs_are_kept(world: World, case: Losing) -> None:
    """--auto-approve says yes to what is shown: what arrives after that, while it runs, is refused."""
    prepared(world, case, 1)
    said = yes(world)
    planned = sum(line.startswith(f"GET {case.asks}") for line in world.requests())
    at(world, counts(case), lambda: case.arrive(world, 30), nth=planned + 1)
    ran = world.cli("apply", "--auto-approve", *said)
    refused(ran, 1, 31)
    assert case.left(world) == 31
    assert extra(world)


@every_loss
def test_records_that_arrive_while_somebody_reads_are_kept(
    world: World, case: Losing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed yes is to the numbers on the screen."""
    prepared(world, case, 1)
    said = yes(world)

    class Slow(StringIO):
        def readline(self, *args: Any) -> Any:
            case.arrive(world, 30)
            return "yes\n"

    monkeypatch.setenv("RECONCILER_PROMPT", "1")
    monkeypatch.setattr(sys, "stdin", Slow())
    ran = world.cli("apply", *said)
    refused(ran, 1, 31)
    assert case.left(world) == 31
    assert extra(world)


@every_loss
def test_destroy_keeps_what_arrives(world: World, case: Losing) -> None:
    """The end of everything is the end of exactly what was shown."""
    prepared(world, case, 1)
    world.write(case.config(case.before))
    tripped = world.plan(destroy=True).document.tripped
    planned = sum(line.startswith(f"GET {case.asks}") for line in world.requests())
    at(world, counts(case), lambda: case.arrive(world, 2), nth=planned + 1)
    ran = world.cli("destroy", "--auto-approve", *(part for one in tripped for part in one.override.split()))
    refused(ran, 1, 3)
    assert case.left(world) == 3
    assert case.address in world.state().resources


@every_loss
def test_undo_keeps_what_arrives(world: World, case: Losing) -> None:
    """Undoing what made an object takes no more records than the undo showed."""
    world.write(case.config(case.after))
    world.apply()
    world.write(case.config(case.before))
    world.apply(yes=True)
    case.arrive(world, 1)
    world.forget()
    ran = world.cli("undo", "--auto-approve")
    assert (ran.code, world.writes()) == (7, [])
    said = re.findall(r"--allow \S+", ran.out)
    planned = sum(line.startswith(f"GET {case.asks}") for line in world.requests())
    at(world, counts(case), lambda: case.arrive(world, 2), nth=planned + 1)
    ran = world.cli("undo", "--auto-approve", *(part for one in said for part in one.split()))
    refused(ran, 1, 3)
    assert case.left(world) == 3


@pytest.mark.parametrize("nth", range(1, 7))
def test_what_any_count_of_a_family_sees_is_kept(world: World, nth: int) -> None:
    """A pipeline goes with its stages, which are counted with it: a deal that only one of these counts sees stays."""
    case = next(one for one in CASES if one.name == "pipeline")
    prepared(world, case, 0)
    world.forget()
    world.plan()
    planned = sum(line.startswith(f"GET {case.asks}") for line in world.requests())
    arrived = []

    def arrive() -> None:
        if world.rows("dealStages", title="Lead"):
            case.arrive(world, 1)
            arrived.append(1)

    at(world, counts(case), arrive, nth=planned + nth)
    ran = world.cli("apply", "--auto-approve")
    assert case.left(world) == len(arrived), ran.text
    assert ran.code == (7 if arrived else 0), ran.text

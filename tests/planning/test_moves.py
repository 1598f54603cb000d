"""Renames of addresses: everywhere at once, in any chain or circle, and once only."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from reconciler.model import values
from reconciler.model.desired import Desired, Moved, Resource
from reconciler.model.renaming import with_nested
from reconciler.model.run import RunRecord, RunStep, renamed_run
from reconciler.model.state import Binding, Intent, Record, Renaming, State, fold, in_flight, open_intents
from reconciler.model.values import Ref
from reconciler.planning.bindings import after_moves
from reconciler.resources import load_kinds
from tests.world import World

KINDS = load_kinds()
CASES = 500


def bindings(dice: random.Random) -> dict[str, Binding]:
    """Lists, and pipelines with stages, that refer to each other in every way in which a binding can."""
    pipelines = [f"p{n}" for n in range(dice.randint(1, 4))]
    stages = [f"stage.{one}.s{n}" for one in pipelines for n in range(dice.randint(0, 3))]
    known = [f"list.l{n}" for n in range(3)] + [f"pipeline.{one}" for one in pipelines] + stages
    found = {}
    for number, address in enumerate(known):
        kind, _, key = address.partition(".")
        refs = dice.sample(known, dice.randint(0, 3))
        needs = sorted({*refs, *([f"pipeline.{key.partition('.')[0]}"] if kind == "stage" else [])})
        applied = {"some": values.encode({"deep": [Ref(*one.split(".", 1)) for one in refs], "text": address})}
        ends = {"move_deals_to": dice.choice(stages)} if kind == "stage" and dice.random() < 0.5 else {}
        found[address] = Binding(id=str(number), kind=kind, applied=applied, depends_on=needs, on_destroy=ends)
    return found


def moves_of(dice: random.Random, known: Mapping[str, Binding]) -> dict[str, str]:
    """Give some lists and pipelines each other's keys or new ones: chains, circles and plain renames."""
    found: dict[str, str] = {}
    for kind in ("list", "pipeline"):
        mine = [address for address in known if address.startswith(f"{kind}.")]
        chosen = dice.sample(mine, dice.randint(0, len(mine)))
        free = [f"{kind}.new{n}" for n in range(2)]
        targets = dice.sample([*chosen, *free], len(chosen))
        found |= {source: target for source, target in zip(chosen, targets, strict=True) if source != target}
    return found


def pointed(resources: Mapping[str, Binding]) -> dict[str, tuple[set[str], set[str], dict[str, str]]]:
    """By id: the ids that each binding refers to, in its values, its dependencies and its evacuations."""
    ids = {address: one.id for address, one in resources.items()}
    return {
        one.id: (
            {ids[ref.address] for ref in values.references(values.decode(one.applied["some"])) if isinstance(ref, Ref)},
            {ids[address] for address in one.depends_on},
            {what: ids[address] for what, address in one.on_destroy.items()},
        )
        for one in resources.values()
    }


def test_a_rename_changes_names_and_nothing_else() -> None:
    """Whoever referred to an object refers to it still, by its new address; stages stay with their pipeline."""
    shared = 0
    for seed in range(CASES):
        dice = random.Random(seed)
        before = bindings(dice)
        moves = moves_of(dice, before)
        whole = with_nested(moves, before, KINDS)
        after = Renaming(whole).bindings(before)
        assert pointed(after) == pointed(before), seed
        for address, one in after.items():
            if one.kind == "stage":
                parent = f"pipeline.{address.split('.')[1]}"
                assert parent in one.depends_on, (seed, address)
        shared += bool(set(moves) & set(moves.values()))
    assert shared > CASES // 10


def test_blocks_are_done_once() -> None:
    """Planned, recorded and planned again with the same blocks: nothing moves any more, and nothing is wrong."""
    moved = 0
    for seed in range(CASES):
        dice = random.Random(seed)
        before = bindings(dice)
        moves = moves_of(dice, before)
        whole = with_nested(moves, before, KINDS)
        names = [whole.get(address, address) for address in before]
        resources = {one: Resource(one, one.split(".")[0], one.partition(".")[2], {}) for one in names}
        blocks = tuple(Moved(source, target) for source, target in moves.items())
        wanted = Desired(resources, moved=blocks)
        planned, said, problems = after_moves(before, wanted, KINDS)
        assert not problems, (seed, problems)
        assert {old: new for new, old in said.items()} == whole, seed
        journal = [Record(op="move", address=next(iter(whole)), target="", moves=whole)] if whole else []
        stored = fold(State(lineage="x", resources=before), journal).resources
        assert dict(sorted(stored.items())) == planned, seed
        again, more, problems = after_moves(stored, wanted, KINDS)
        assert (more, problems, again) == ({}, [], planned), seed
        moved += bool(whole)
    assert moved > CASES // 2


def test_history_and_journal_follow() -> None:
    """Records of runs, open creates and announced updates are known by their new addresses."""
    renaming = Renaming({"list.a": "list.b", "list.b": "list.a"})
    step = RunStep(
        address="list.a", kind="list", action="update", before={"x": {"$ref": "list.b"}}, pointing=["list.b"],
        binding=Binding(id="1", kind="list", depends_on=["list.a"]),
    )  # fmt: skip
    other = renamed_run(RunRecord(name="r", operation="apply", steps=[step]), renaming).steps[0]
    assert (other.address, other.before, other.pointing) == ("list.b", {"x": {"$ref": "list.a"}}, ["list.a"])
    assert other.binding is not None
    assert other.binding.depends_on == ["list.b"]
    intent = Intent(address="list.a", kind="list", natural_key=[])
    records = [
        Record(op="intent", address="list.a", intent=intent),
        Record(op="intent", address="list.b"),
        Record(op="move", address="list.a", target="list.b", moves=dict(renaming.moves)),
    ]
    assert list(open_intents(records)) == ["list.b"]
    assert in_flight(records) == {"list.a"}


SALES = """
pipelines:
  {key}:
    title: Sales
    currency: usd
    stages:
      lead: {{title: Lead}}
      lost: {{title: Lost, lifecycle: {{on_destroy: {{move_deals_to: stage.{key}.lead}}}}}}
"""


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_renamed_pipeline_keeps_its_evacuations(world: World, by_hand: bool) -> None:
    """After `moved`, and after `state mv`, there is nothing to change, and the next delete moves its deals away."""
    world.write(SALES.format(key="sales"))
    world.apply()
    block = "" if by_hand else "moved: [{from: pipeline.sales, to: pipeline.deals}]\n"
    world.write(SALES.format(key="deals") + block)
    if by_hand:
        assert world.cli("state", "mv", "pipeline.sales", "pipeline.deals").code == 0
    else:
        assert world.cli("apply", "--auto-approve").code == 0
    assert world.state().resources["stage.deals.lost"].on_destroy == {"move_deals_to": "stage.deals.lead"}
    assert world.state().resources["stage.deals.lost"].depends_on == ["pipeline.deals"]
    assert world.cli("plan", "--detailed-exitcode").code == 0
    world.write(SALES.format(key="deals").partition("      lost")[0] + block)
    plan = world.cli("plan")
    assert "move deals to stage.deals.lead" in plan.out, plan.text
    assert "cannot be moved" not in plan.text


def test_two_keys_are_swapped(world: World) -> None:
    """Nothing is written to the account, also not by a second plan with the same blocks, and it can be undone."""
    world.write("tags: {a: {name: One}, b: {name: Two}}")
    world.apply()
    world.forget()
    ids = {address: one.id for address, one in world.state().resources.items()}
    swapped = "tags: {a: {name: Two}, b: {name: One}}\nmoved: [{from: tag.a, to: tag.b}, {from: tag.b, to: tag.a}]"
    world.write(swapped)
    assert world.cli("apply", "--auto-approve").code == 0
    assert {address: one.id for address, one in world.state().resources.items()} == {
        "tag.a": ids["tag.b"],
        "tag.b": ids["tag.a"],
    }
    assert world.cli("plan", "--detailed-exitcode").code == 0
    world.write(swapped.replace("Two", "Second"))
    assert world.plan().lines == ["update tag.a (name)"]
    assert not world.writes()
    world.write(swapped)
    assert world.cli("undo", "--auto-approve").code == 0
    assert {address: one.id for address, one in world.state().resources.items()} == ids


def test_a_saved_plan_swaps_too(world: World, tmp_path: object) -> None:
    """What was planned is what is recorded."""
    world.write("tags: {a: {name: One}, b: {name: Two}}")
    world.apply()
    ids = {address: one.id for address, one in world.state().resources.items()}
    world.write(
        "tags: {a: {name: Two, description: d}, b: {name: One}}\n"
        "moved: [{from: tag.a, to: tag.b}, {from: tag.b, to: tag.a}]"
    )
    assert world.cli("plan", "--out", "p.json").code == 0
    assert world.cli("apply", "p.json").code == 0
    assert world.state().resources["tag.a"].id == ids["tag.b"]
    assert world.cli("plan", "--detailed-exitcode").code == 0


def test_an_undo_knows_what_was_renamed_since(world: World) -> None:
    """A run that made what has another address today is undone under that address."""
    world.write("tags: {keep: {name: Keep}}")
    world.cli("apply", "--auto-approve")
    world.write("tags: {keep: {name: Keep}, a: {name: A}}")
    world.cli("apply", "--auto-approve")
    run = world.session().store.run_names()[-1]
    assert world.cli("state", "mv", "tag.a", "tag.b").code == 0
    world.write("tags: {keep: {name: Keep}, c: {name: A}}\nmoved: [{from: tag.b, to: tag.c}]")
    assert world.cli("apply", "--auto-approve").code == 0
    ran = world.cli("undo", run, "--auto-approve")
    assert ran.code == 0, ran.text
    assert not world.rows("tags", tag="A")
    assert sorted(world.state().resources) == ["tag.keep"]

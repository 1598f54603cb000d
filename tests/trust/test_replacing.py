"""`--replace`: one object is deleted and made again though nothing asks for it, with the count of what that costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.model.address import kind_of
from reconciler.model.errors import PlanError
from reconciler.resources import load_kinds
from tests.world import World

EVERYTHING = Path(__file__).resolve().parents[2] / "examples" / "everything" / "config"


def everything(world: World) -> list[str]:
    """Apply the example of all kinds, and return its addresses."""
    for path in EVERYTHING.glob("*.yaml"):
        text = path.read_text("utf-8").replace("host: {description", "host: {default: acme.example, description")
        world.write(text, f"config/{path.name}")
        world.set_secrets(f"config/{path.name}")
    world.apply(yes=True)
    return list(world.session().load().desired.resources)


def id_of(world: World, address: str) -> str:
    """Return the id that the state has for an address."""
    state = world.session().store.read()
    assert state is not None
    return state.resources[address].id


def again(world: World, addresses: list[str]) -> set[str]:
    """Replace each object by itself; returns the kinds of which the API lets none be made again."""
    cannot = set()
    for address in addresses:
        before = id_of(world, address)
        try:
            applied = world.apply(yes=True, replace=(address,))
        except PlanError as error:
            cannot |= (
                {kind_of(address)} if "cannot delete" in error.message or "would go with" in error.message else set()
            )
            continue
        actions = {change.address: change.action for change in applied.planned.document.changes}
        assert actions[address] == "replace", (address, actions)
        assert id_of(world, address) != before or kind_of(address) == "tracked_event"
        left = {change.action for change in world.plan().document.changes}
        assert left <= {"manual"}, f"after {address} all is as declared but for what only a person can change: {left}"
    return cannot


def test_objects_are_made_again(world: World) -> None:
    """What refers to it is brought along, and the plan after it is empty; kinds that the API cannot delete, and objects
    with others in them, are refused with the reason.
    """
    firsts = {kind_of(address): address for address in everything(world)}
    chosen = ("tag", "list", "field", "task_type", "pipeline")
    assert again(world, [firsts[name] for name in chosen]) == {"task_type", "pipeline"}


@pytest.mark.prove
def test_every_object_is_made_again(world: World) -> None:
    """The same of every object of the example."""
    cannot = again(world, everything(world))
    kinds = load_kinds()
    assert {name for name in cannot if kinds[name].abilities.deletable} <= {"pipeline", "custom_object", "user_group"}


def test_what_it_costs_is_counted_and_refused(world: World) -> None:
    """A tag that contacts carry is not replaced without a yes to their number; a saved plan says the same, and is
    applied once.
    """
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    world.account.rows.put("contacts", "1", {"id": "1", "email": "a@acme.example"})
    world.account.rows.put("contactTags", "1", {"id": "1", "contact": "1", "tag": "1"})
    ran = world.cli("plan", "--replace", "tag.vip", "--format", "json")
    document = json.loads(ran.out)
    assert ran.code == 7
    assert document["summary"]["records_at_risk"] == 1
    [yes] = [guard["override"].split() for guard in document["guards"] if guard["verdict"] == "tripped"]
    assert world.cli("plan", "--replace", "tag.vip", *yes, "--out", "plan.json").code == 0
    ran = world.cli("apply", "plan.json")
    assert (ran.code, world.rows("tags")[0]["id"]) == (0, "2"), ran.text
    assert world.cli("plan", "--detailed-exitcode").code == 0
    assert world.cli("apply", "plan.json").code == 6


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--replace", "tag.vop"], 3, "did you mean tag.vip?"),
        (["--replace", "tag.new"], 3, "not managed yet"),
        (["--replace", "pipeline.sales"], 3, "stage.sales.lead would go with pipeline.sales"),
        (["--replace", "tag.vip", "--kinds", "list"], 3, "tag.vip is not part of what is planned"),
        (["--replace", "tag.vip", "--exclude", "tag.vip"], 3, "tag.vip is not part of what is planned"),
        (["--replace", "tag.vip", "--no-delete"], 1, "leaves either out"),
        (["--replace", "tag.vip", "--only-adopt"], 1, "leaves either out"),
    ],
)
def test_what_cannot_be_made_again_is_told(world: World, words: list[str], code: int, why: str) -> None:
    """Unknown and unmanaged addresses, objects with others in them, and options that leave out half of it."""
    world.write("tags: {vip: {name: VIP}}\npipelines: {sales: {title: Sales, currency: usd, stages: {lead: {}}}}")
    world.apply()
    world.write("tags: {new: {}}", "config/new.yaml")
    ran = world.cli("plan", *words)
    assert (ran.code, why in " ".join(ran.err.split())) == (code, True), ran.text

"""What is fixed for good and says nothing that a declaration can say is no reason to make the object again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.plan import Action
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Immutable
from reconciler.model.state import Binding, State
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.resources import load_kinds
from tests.kinds.samples import value_of
from tests.planning.world import desired
from tests.world import World, new_world

KINDS = load_kinds()
FIXED = [
    (kind.name, name)
    for kind in KINDS.values()
    for name, one in kind.attributes.items()
    if one.choices and one.has(Immutable) and kind.abilities.creatable
]


@pytest.mark.parametrize(("kind", "name"), FIXED)
@pytest.mark.parametrize("held", ["hologram", None, "a map"])
def test_an_unknown_type_is_left_alone(kind: str, name: str, held: str | None) -> None:
    """With a word, and nothing is deleted for it."""
    sample = {one: value_of(KINDS[kind], item) for one, item in KINDS[kind].attributes.items() if item.required}
    sample[name] = value_of(KINDS[kind], KINDS[kind].attributes[name])
    attrs: dict[str, Any] = {**sample, name: held}
    odd = {}
    if held == "a map":
        del attrs[name]
        odd = {"raw": name}
    live = Live(kind, "8", attrs, row={"raw": {"a": "b"}}, odd=odd)
    made = plan(
        Inputs(
            desired=desired(Resource(f"{kind}.mine", kind, "mine", sample)),
            state=State(lineage="x", resources={f"{kind}.mine": Binding(id="8", kind=kind)}),
            snapshot=Snapshot({**{one: [] for one in KINDS}, kind: [live]}),
            kinds=KINDS,
        )
    )
    (change,) = [one for one in made.changes if one.address == f"{kind}.mine"]
    assert change.action is Action.MANUAL, change
    assert "no declaration can say" in change.manual[name]
    assert made.steps == ()


def test_some_kinds_have_a_type_that_is_fixed() -> None:
    """The test above tries them."""
    assert {"field", "deal_field", "account_field"} <= {kind for kind, _ in FIXED}


@pytest.fixture(name="spoiled")
def fields_of_an_unknown_type(tmp_path: Path) -> Any:
    """Managed fields whose type and flag somebody made what no declaration says."""
    with new_world(tmp_path) as world:
        world.write("fields: {plan: {title: Plan, type: text}}\ndeal_fields: {size: {label: Size, type: text}}\n")
        world.apply()
        for table, odd in (
            ("fields", {"type": "hologram", "isrequired": "2"}),
            ("dealCustomFieldMeta", {"fieldType": "hologram", "isRequired": "2"}),
        ):
            row = world.account.rows.all(table)[-1]
            world.account.rows.put(table, row["id"], {**row, **odd})
        yield world


@pytest.mark.off_contract
def test_fields_of_an_unknown_type_stay(spoiled: World) -> None:
    """Plan and apply name them, and drift names the flag that nobody declared and no declaration says."""
    before = spoiled.dump()
    for command in (["plan"], ["apply", "--auto-approve"]):
        ran = spoiled.cli(*command)
        assert ran.code == 0, ran.text
        assert ran.text.count("`hologram`, which no declaration can say") == 2, ran.text
        assert "replace" not in ran.text
    assert spoiled.dump() == before
    told = " ".join(spoiled.cli("drift").text.split())
    assert "field.plan: `required` is `2` in the account, which is not managed" in told
    assert "deal_field.size: `required` is `2` in the account, which is not managed" in told

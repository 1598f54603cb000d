"""Every kind against an account whose answers come in other forms: nothing is left to do, nor after an export."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.classic import REFERENCES
from tests.quirks.retold import Retell, retold, rows, total, values
from tests.world import World

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "everything"
PLACES = frozenset("order orderid ordernum dorder displayOrder type_id scale".split())


def _decimal(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal() and str(int(value)) == value


def _a_flag(name: str, value: Any) -> bool:
    """Tell whether 0 and 1 mean no and yes here, and no id or place."""
    told = value in ("0", "1") or (type(value) is int and value in (0, 1))
    return told and not (name in REFERENCES or name in PLACES or name == "id" or name.lower().endswith("id"))


FORMS: dict[str, Retell] = {
    "numbers for texts, ids too": values(lambda name, value: int(value) if _decimal(value) else value),
    "texts for numbers and flags": values(
        lambda name, value: str(int(value)) if isinstance(value, bool | int) else value
    ),
    "true and false": values(lambda name, value: str(value) == "1" if _a_flag(name, value) else value),
    "null for empty": values(lambda name, value: None if value == "" else value),
    "empty for null": values(lambda name, value: "" if value is None else value),
    "empty left out": rows(lambda row: {name: value for name, value in row.items() if value not in (None, "")}),
    "unknown keys": rows(lambda row: {**row, "brandNew": {"a": [1]}, "score": 7, "created_by": "1", "mdate": None}),
    "links as an array": rows(lambda row: {**row, "links": []} if isinstance(row.get("links"), dict) else row),
    "another order of keys": rows(lambda row: dict(sorted(row.items(), reverse=True))),
    "total as a number": total(int),
    "total as a text": total(str),
    "no total": total(lambda announced: None),
}


def everything(world: World) -> None:
    """Declare at least one object of each kind."""
    for file in EXAMPLE.rglob("*.yaml"):
        target = world.folder / file.relative_to(EXAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.name != "reconciler.yaml":
            shutil.copy(file, target)
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(
        project.replace("default_environment", "    variables: {host: shop.example}\ndefault_environment"),
        "reconciler.yaml",
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_an_answer_makes_no_difference(world: World, form: str) -> None:
    """Types, absent and empty values, unknown keys and totals as section 1.4 reports them, reads and echoes alike."""
    everything(world)
    with retold(world, answered=FORMS[form]):
        world.apply()
        assert world.plan().empty
        assert world.export(world.folder / "copy").unknown == {}
        assert world.plan(world.folder / "copy").empty

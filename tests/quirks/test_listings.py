"""Every kind against an account whose answers come in other forms: nothing is left to do, nor after an export."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.classic import REFERENCES
from reconciler.engine.refresh import read_listing
from reconciler.model.errors import Unexpected
from reconciler.model.http import Response
from reconciler.model.live import Unknown
from reconciler.model.write import Write
from reconciler.resources import load_kinds
from tests.quirks.retold import Retell, retold, rows, total, values
from tests.quirks.strange import Strange
from tests.world import World

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "everything"
PLACES = frozenset("order orderid ordernum dorder displayOrder type_id scale".split())


def _decimal(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal() and str(int(value)) == value


def _a_flag(name: str, value: Any) -> bool:
    """Return whether 0 and 1 mean no and yes here, and no id, place or value that a condition compares with."""
    told = value in ("0", "1") or (type(value) is int and value in (0, 1))
    return told and not (
        name in REFERENCES or name in PLACES or name in ("id", "value") or name.lower().endswith(("id", "ids"))
    )


def _numbered(body: Any) -> Any:
    """Return a body whose lists are maps of numbers, as PHP writes those with gaps."""
    if isinstance(body, dict):
        return {name: _numbered(part) for name, part in body.items()}
    if isinstance(body, list) and body:
        return {str(place * 2): _numbered(part) for place, part in enumerate(body)}
    return body


FORMS: dict[str, Retell] = {
    "maps of numbers for lists": _numbered,
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


def _strange(key: str, row: Any) -> Retell:
    """Put something that is no object in place of the first row of one array, and leave out how many there are."""

    def retell(body: Any) -> Any:
        part = body.get(key) if isinstance(body, dict) else None
        found = list(part.values()) if isinstance(part, dict) else part
        if not isinstance(found, list) or not found:
            return body
        return {**{name: one for name, one in body.items() if name != "meta"}, key: [row, *found[1:]]}

    return retell


@pytest.mark.parametrize("row", [None, "7", ["7"]], ids=["null", "a text", "a list"])
def test_a_row_that_is_no_object_does_not_add_up(world: World, row: Any) -> None:
    """Nothing of the kind is created again or removed: what stands there cannot be told, and the exit code says so."""
    everything(world)
    world.apply()
    bound = {one.kind for one in world.state().resources.values()}
    for name, kind in load_kinds().items():
        if name not in bound or kind.variants:
            continue
        with retold(world, answered=_strange(kind.reading.collections[0].key, row)):
            plan = world.plan()
            assert not [line for line in plan.lines if line.split()[1].split(".")[0] == name], name
            assert {one.address.split(".")[0] for one in plan.document.skipped} >= {name}
            assert all(one.forbidden for one in plan.document.skipped), name
    with retold(world, answered=_strange("tags", row)):
        assert world.cli("plan").code == 4


@pytest.mark.parametrize("most", [1, 5, 8])
def test_a_listing_without_end_is_left_at_its_bound(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """New rows on every page, and a total that is never reached: so many pages are asked for, twice, and no more."""
    monkeypatch.setattr("reconciler.engine.refresh.MOST_PAGES", most)

    def page(query: Mapping[str, str]) -> Any:
        offset = int(query.get("offset", 0))
        rows = [{"id": str(offset + n + 1), "tag": f"t{offset + n}", "tagType": "contact"} for n in range(20)]
        return {"tags": rows, "meta": {"total": "1000000000"}}

    account = Strange({"/tags": page})
    found = asyncio.run(read_listing(account, load_kinds()["tag"].reading.collections[0]))
    assert isinstance(found, Unknown)
    assert f"announced 1000000000 objects and sent {20 * (most + 1)}" in found.reason
    assert account.requests <= 2 * (most + 1)


WRONG_TOTALS = [
    True,
    False,
    -1,
    "-1",
    1.0,
    "1.0",
    "1e2",
    "x",
    " 1",
    "\u0661",
    [],
    ["1"],
    {},
    {"a": 1},
    10**30,
    "9" * 30,
]


@pytest.mark.parametrize("wrong", WRONG_TOTALS, ids=ascii)
def test_a_total_that_is_none_makes_the_kind_unknown(wrong: Any) -> None:
    """A number and its digits are documented (section 1.4), and that there may be none; nothing else is a total."""
    for meta, name in (({"total": wrong}, "a number or its digits as `meta.total`"), (wrong, "an object `meta`")):
        if meta in ([], {}, {"a": 1}):
            continue  # the empty map of PHP, and maps without a total
        account = Strange({"/tags": {"tags": [{"id": "1", "tag": "t", "tagType": "contact"}], "meta": meta}})
        found = asyncio.run(read_listing(account, load_kinds()["tag"].reading.collections[0]))
        assert isinstance(found, Unknown)
        assert found.reason.startswith(f"GET /tags answered otherwise than expected: expected {name}, got ")


@pytest.mark.parametrize("wrong", WRONG_TOTALS, ids=ascii)
def test_nothing_is_deleted_by_a_total_that_is_none(wrong: Any) -> None:
    """Deals of a stage that came with a pipeline: `false` is not zero, and no request follows."""
    write = Write("pipeline.sales", {}, frozenset(), None, lambda reference: "1")
    flow = load_kinds()["pipeline"].finish(write, ["7"])
    assert str(next(flow)) == "GET /deals"
    with pytest.raises(Unexpected):
        flow.send(Response(200, {"meta": {"total": wrong}}))

"""Work does not grow faster than what it is done to."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import reconciler
from reconciler.config.reading.loading import load_texts
from reconciler.model.kind import fits
from reconciler.remote.answers import parse
from reconciler.resources import load_kinds
from reconciler.store.formats import dump_state, parse_state
from tests.planning.world import account, bound, planned, state
from tests.world import new_world

SOURCES = sorted(Path(reconciler.__file__).parent.rglob("*.py"))
EXAMPLES = "wrong = {a: b for a, b in pairs if a in first - second}\nright = [a for a in both if a in a | {1}]\n"
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def names_in(node: ast.AST) -> set[str]:
    """Return the variables of an expression."""
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def made_again(source: str) -> Iterator[int]:
    """Yield the lines where a condition makes the same set for each item: for 30,000 objects one of them took 27 s."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, COMPREHENSIONS):
            continue
        bound = {name for part in node.generators for name in names_in(part.target)}
        conditions = [test for part in node.generators for condition in part.ifs for test in ast.walk(condition)]
        for test in conditions:
            within = test.comparators[-1] if isinstance(test, ast.Compare) else None
            looks = isinstance(test, ast.Compare) and isinstance(test.ops[-1], ast.In | ast.NotIn)
            if looks and isinstance(within, ast.BinOp) and not bound & names_in(within):
                yield within.lineno


def test_no_set_is_made_again_for_each_item() -> None:
    """A condition of a comprehension looks into sets that were made before it."""
    assert list(made_again(EXAMPLES)) == [1]
    wrong = {path.as_posix(): lines for path in SOURCES if (lines := list(made_again(path.read_text("utf-8"))))}
    assert len(SOURCES) > 400
    assert wrong == {}


def called(run: Callable[[], object]) -> int:
    """Return how many functions are called: unlike time, it is the same on each machine."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls


def many_tags(count: int, prefix: str = "t", description: str = "Number") -> dict[str, Any]:
    """Return a configuration of tags."""
    return {"tags": {f"{prefix}{n}": {"name": f"Tag {n}", "description": f"{description} {n}"} for n in range(count)}}


def one_group(count: int) -> dict[str, Any]:
    """Return a configuration of fields that stand in one group."""
    fields = {f"f{n}": {"title": f"Field {n}", "type": "text", "lists": "all"} for n in range(count)}
    return {"fields": fields, "field_groups": {"all": {"label": "All", "object": "contact", "fields": [*fields]}}}


def pipelines(count: int) -> dict[str, Any]:
    """Return a configuration of pipelines and stages, so many together."""
    stages: dict[str, Any] = {"lead": {}, "won": {}}
    return {"pipelines": {f"p{n}": {"title": f"P {n}", "currency": "usd", "stages": stages} for n in range(count // 3)}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (many_tags, partial(many_tags, description="No")),
        (many_tags, partial(many_tags, prefix="u")),
        (one_group, one_group),
        (pipelines, lambda count: {}),
    ],
    ids=["all are changed", "all have other keys", "one group of fields", "all are deleted, with what is in them"],
)
def test_a_plan_of_more_calls_as_much_more(
    before: Callable[[int], dict[str, Any]], after: Callable[[int], dict[str, Any]], tmp_path: Path
) -> None:
    """What compares each change with all changes, or each item with all items, took minutes for ten thousand: of twice
    as many objects, each one costs as much as before.
    """
    counts = []
    for count in (5, 75, 150, 300):  # what is imported, and worked out once, is so with the first
        with new_world(tmp_path / str(count)) as world:
            world.write(before(count))
            world.apply()
            world.write(after(count))
            counts.append(called(partial(world.plan, impact=False)))  # records are counted up to a budget
    _, few, more, many = counts
    assert many - more < 2.1 * (more - few), counts


MOST_CALLS = 380
"""Calls for each unchanged tag, of which there were 620 once."""


def unchanged(size: int) -> Callable[[], object]:
    """Return what plans so many tags that are as declared, from the texts of everything on."""
    names = {number: f"Tag {number}" for number in range(size)}
    lines = (f"  tag-{number}:\n    name: {name}\n    description: '{number}'\n" for number, name in names.items())
    rows = [
        {"id": str(number + 1), "tag": name, "tagType": "contact", "description": str(number), "links": {}}
        for number, name in names.items()
    ]
    key = {number: ["name", name, "contact"] for number, name in names.items()}
    applied = {n: {"name": name, "description": str(n), "type": "contact"} for n, name in names.items()}
    bindings = {f"tag__tag-{n}": bound("tag", str(n + 1), natural_key=key[n], applied=applied[n]) for n in names}
    kinds, texts = load_kinds(), {"all.yaml": "tags:\n" + "".join(lines)}
    known, content = dump_state(state(**bindings)), json.dumps({"tags": rows}).encode()

    def work() -> None:
        desired = load_texts(texts, None, kinds, {}).desired
        answer = parse(200, content, "application/json")
        assert isinstance(answer, dict)
        made = planned(desired, account(tags=answer["tags"]), parse_state(known, "here", fits=fits(kinds)))
        assert (made.changes, made.kept) == ((), size), "nothing differs"

    return work


def test_an_object_without_changes_takes_few_calls() -> None:
    """What is the same for all objects of a kind is not asked for each, and nothing is looked for that cannot be there:
    time depends on the machine, and the number of calls does not.
    """
    unchanged(2)()  # what is computed once
    few, more = called(unchanged(100)), called(unchanged(300))
    assert (more - few) / 200 <= MOST_CALLS, "a function is called for each object, or more often than before"

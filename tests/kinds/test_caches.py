"""Whatever is remembered for a whole process: it has a bound, and is what it would be if it were worked out again."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.model.characters import compiled
from reconciler.model.spec import attributes
from reconciler.resources import load_kinds
from reconciler.workflow.reference import SCHEMAS

ROOT = Path(reconciler.__file__).parent
SPECS = [spec for kind in load_kinds().values() for spec in (kind.variants.values() or (kind.spec,))]
Cases = Callable[[], Iterable[tuple[Any, ...]]]
DOMAINS: dict[str, tuple[str, Cases]] = {
    "model.characters.compiled": ("the patterns of this program", lambda: [("a.c",), (r"[\d]+",)]),
    "model.patterns._compiled": ("256 patterns of a project", lambda: [("a.c",), ("^x+$",)]),
    "model.spec.attributes": ("the specs of kinds", lambda: [(spec,) for spec in SPECS]),
    "config.reading.resources._alone": (
        "attributes of specs", lambda: [(spec, name) for spec in SPECS[:3] for name in attributes(spec)]
    ),
    "config.reading.resources._shape": ("the specs of kinds", lambda: [(spec,) for spec in SPECS]),
    "judging.expressions._asked": ("256 expressions", lambda: [("change.kind == 'tag'",), ("size(changes) > 3",)]),
    "remote.client._url": (
        "512 listings", lambda: [("http://a.example/api/3/tags", query) for query in ((), (("search", "a b&c=d"),))]
    ),
    "remote.network._trusting": ("4 ways to trust", lambda: [(None, None, None, ())]),
    "model.spelling._patterns": ("4 bases", lambda: [(2,), (16,)]),
    "render.pages.asset": ("files of the package", lambda: [("report.css",), ("handbook.css",)]),
    "store.atomic._unfinished": ("64 folders", lambda: [(ROOT, 0.0), (ROOT / "no_such_folder", 0.0)]),
    "workflow.reference.schema_text": ("documents with a schema", lambda: [(name,) for name in SCHEMAS]),
}  # fmt: skip
"""Caches of functions with arguments: what bounds the arguments, and arguments to try."""
REMEMBERED = {
    "model.documents._GIVEN": "one for all",
    "model.redaction._now": "the commands that run",
    "workflow.rules.evaluating._EVALUATING": "one process",
    "fleet.engine._WORKER": "one worker",
    "fleet.engine._REGISTERED": "the workflows",
}
"""Empty containers of modules: what bounds what is put into them."""


def modules(holding: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the package, or those that hold a word, by its name in it."""
    for path in sorted(ROOT.rglob("*.py")):
        if holding in (text := path.read_text("utf-8")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(text)


def cached() -> dict[str, bool]:
    """Return the functions of modules that remember their results, and whether they have arguments."""
    return {
        f"{name}.{node.name}": bool(ast.unparse(node.args))
        for name, tree in modules("cache")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(re.match(r"(functools\.)?(lru_)?cache\b", ast.unparse(one)) for one in node.decorator_list)
    }


def function(name: str) -> Any:
    """Return a function by its name in the package."""
    module, _, own = name.rpartition(".")
    return getattr(importlib.import_module(f"reconciler.{module}".removesuffix(".__init__")), own)


def same(one: Any, other: Any) -> bool:
    """Whether two results are equal, where they have no equality by what they are made of."""
    if one == other:
        return True
    if isinstance(one, dict):
        return list(one) == list(other)
    return type(one) is type(other) and "__eq__" not in vars(type(one))


CACHED = cached()


def test_every_cache_has_a_bound() -> None:
    """A function that remembers by its arguments is in the table above, with what bounds them; so is whatever a module
    holds that grows.
    """
    assert {name for name, arguments in CACHED.items() if arguments} == DOMAINS.keys()
    growing = {
        f"{name}.{target}"
        for name, tree in modules()
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        and ast.unparse(node.value) in ("{}", "[]", "set()", "dict()", "list()")
        for target in [ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])]
    }  # fmt: skip
    assert growing == REMEMBERED.keys()


@pytest.mark.parametrize("name", [name for name, arguments in CACHED.items() if not arguments])
def test_what_is_worked_out_once_is_what_it_would_be_again(name: str) -> None:
    """Without arguments there is one result, and it follows from the code."""
    remembered = function(name)
    assert same(remembered(), remembered.__wrapped__())
    assert remembered() is remembered()


@pytest.mark.parametrize("name", DOMAINS)
def test_what_is_remembered_of_arguments_is_what_it_would_be_again(name: str) -> None:
    """For every argument there is, or for some of them."""
    remembered = function(name)
    _, cases = DOMAINS[name]
    for case in cases():
        assert same(remembered(*case), remembered.__wrapped__(*case)), case


def test_a_kind_that_was_made_anew_has_attributes_of_its_own() -> None:
    """What is remembered of a spec goes by the spec itself, not by its name."""
    spec = load_kinds()["tag"].spec
    again = type(spec.__name__, (spec,), {"__module__": spec.__module__, "__annotations__": {"more": str}, "more": ""})
    assert "more" in attributes(again)
    assert "more" not in attributes(spec)


def test_patterns_are_for_all_of_unicode() -> None:
    """The pattern that is remembered is the one that was asked for."""
    assert compiled("a.c").fullmatch("a\nc")
    assert isinstance(compiled, functools._lru_cache_wrapper)

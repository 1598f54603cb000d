"""Every guard at its limit and one beyond it, and a check of these checks: whatever weakens a guard by one is seen."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import ChangeView, FindingView, Forecast, ImpactView, PlanDocument, RenameView
from reconciler.model.project import Guards
from reconciler.planning import guards


def _doomed(count: int = 1, kind: str = "tag", **more: Any) -> list[ChangeView]:
    return [ChangeView(address=f"{kind}.t{number}", kind=kind, action="delete", **more) for number in range(count)]


def _touching(count: int | None, effect: str = "lost", action: str = "delete", **more: Any) -> list[ChangeView]:
    impact = ImpactView(count=count, noun="records", effect=effect, objects=more.pop("objects", []))
    return [ChangeView(address="tag.vip", kind="tag", action=action, impacts=[impact], **more)]


def _document(changes: list[ChangeView], declared: int = 1, **more: Any) -> PlanDocument:
    return PlanDocument(changes=changes, declared=declared, **more)


@dataclass(frozen=True)
class Edge:
    """A plan, limits, what is managed, and what guards say: names, with a mark where they do not stop the plan; where
    given, the override and the addresses of the first one.
    """

    name: str
    document: PlanDocument
    says: tuple[str, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)
    managed: dict[str, int] = field(default_factory=dict)
    override: str | None = None
    addresses: list[str] | None = None


def _numbers() -> Iterator[Edge]:
    yield Edge("nothing happens", _document([]))
    yield Edge("as many deletes as may be", _document(_doomed(3)), (), {"max_deletes": 3})
    yield Edge("one delete more", _document(_doomed(4)), ("max_deletes",), {"max_deletes": 3})
    yield Edge("as many as may be otherwise", _document(_doomed(50)))
    yield Edge("one more than may be otherwise", _document(_doomed(51)), ("max_deletes",))
    yield Edge("no limit", _document(_doomed(400)), (), {"max_deletes": None})
    replaced = [ChangeView(address="tag.x", kind="tag", action="replace")]
    yield Edge("a replace destroys too", _document(replaced), ("max_deletes",), {"max_deletes": 0})
    end: dict[str, Any] = {"options": {"destroy": True}}
    yield Edge("the end of everything was asked for", _document(_doomed(60), **end))
    yield Edge("the project limits that too", _document(_doomed(4), **end), ("max_deletes",), {"max_deletes": 3})
    for percent, count, whole, says in (
        (30, 3, 10, ()), (30, 4, 10, ("max_delete_percent",)), (30, 9, 9, ()), (100, 10, 10, ()),
    ):  # fmt: skip
        limits, managed = {"max_delete_percent": percent}, {"tag": whole}
        yield Edge(f"{count} of {whole} at {percent} %", _document(_doomed(count)), says, limits, managed)
    yield Edge("a share of everything", _document(_doomed(10), **end), (), {}, {"tag": 10})
    mixed, share = [*_doomed(4), *_doomed(1, "list")], ("max_delete_percent",)
    only = [f"tag.t{number}" for number in range(4)]
    yield Edge("only the kind concerned", _document(mixed), share, {}, {"tag": 10, "list": 10}, addresses=only)
    yield Edge("each kind by itself", _document([*_doomed(3), *_doomed(3, "list")]), (), {}, {"tag": 10, "list": 10})
    for effect, name in (("lost", "max_records_lost"), ("moved", "records_moved"), ("unmanaged", "unmanaged_lost")):
        for limit in (0, 5):
            yield Edge(f"as many {effect} as {limit}", _document(_touching(limit, effect)), (), {name: limit})
            yield Edge(
                f"more {effect} than {limit}",
                _document(_touching(limit + 1, effect)),
                (name,),
                {name: limit},
                {},
                f"--allow {name}={limit + 1}",
            )
        yield Edge(f"{effect} is not counted", _document(_touching(None, effect)), (name,), {name: 1000})
        yes: dict[str, Any] = {"options": {"allow": [f"{name}=1"]}}
        yield Edge(f"a yes to one {effect}", _document(_touching(1, effect), **yes), (f"({name})",))
        yield Edge(f"a yes to fewer {effect}", _document(_touching(2, effect), **yes), (name,))
        yield Edge(f"a yes to more {effect}", _document(_touching(1, effect)), (name,), {"allow": [f"{name}=2"]})
        yield Edge(
            f"a yes of the project to {effect}",
            _document(_touching(1, effect)),
            (f"({name})",),
            {"allow": [f"{name}=1"]},
        )
        yield Edge(f"{effect} at the end of everything", _document(_touching(1, effect), **end), (name,))


def _others() -> Iterator[Edge]:
    end: dict[str, Any] = {"options": {"destroy": True}}
    two = [*_touching(3), ChangeView(**{**_touching(3)[0].model_dump(), "address": "tag.other"})]
    yield Edge("losses add up", _document(two), ("max_records_lost",), {"max_records_lost": 5})
    refuge: dict[str, Any] = {"on_destroy": {"move_deals_to": "stage.a.b"}}
    yield Edge("moved to where the files say", _document(_touching(3, "moved", **refuge)))
    yield Edge("lost in spite of that", _document(_touching(3, "lost", **refuge)), ("max_records_lost",))
    yield Edge("an update moves", _document(_touching(3, "moved", "update", **refuge)), ("records_moved",))
    yield Edge("it becomes invisible", _document(_touching(1, "hidden", "update", objects=["tag.vip"])), ("(hidden)",))
    yield Edge("something else is invisible", _document(_touching(1, "hidden", "update", objects=["tag.other"])))
    yield Edge("parts go along", _document(_touching(3, "along")))
    yield Edge("protected", _document(_doomed(prevent_destroy=True)), ("prevent_destroy",))
    kept = [ChangeView(address="tag.x", kind="tag", action="update", prevent_destroy=True)]
    yield Edge("protected and kept", _document(kept))
    yield Edge("protected at the end", _document(_doomed(prevent_destroy=True), **end), ("prevent_destroy",))
    listed = _doomed(kind="list", guarded=True)
    yield Edge("a list", _document(listed), ("list_deletes",))
    yield Edge("lists may go", _document(listed), (), {"allow_list_deletes": True})
    yield Edge("a list with everything", _document(listed, **end))
    for option in ("target", "exclude", "kinds"):
        part: dict[str, Any] = {"options": {"destroy": True, option: ["x"]}}
        yield Edge(f"a list with a part ({option})", _document(listed, **part), ("list_deletes",))
    yield Edge("nothing is declared", _document(_doomed(), 0), ("empty_configuration",))
    yield Edge("nothing is declared, nothing goes", _document([], 0))
    yield Edge("nothing is declared at the end", _document(_doomed(), 0, **end))
    for option in ("target", "undo"):
        yield Edge(f"nothing is declared and {option}", _document(_doomed(), 0, options={option: ["x"]}))
    renamed: dict[str, Any] = {"renames": [RenameView(source="tag.t0", target="tag.new", likeness=0.9)]}
    yield Edge("a rename", _document(_doomed(), **renamed), ("suspected_rename",))
    yield Edge("a rename at the end", _document(_doomed(), **{**renamed, **end}))
    for severity, says in (("error", ("account_check",)), ("warning", ())):
        finding = [FindingView(message="no", severity=severity)]
        change = ChangeView(address="tag.x", kind="tag", action="update", findings=finding)
        yield Edge(f"the account has an {severity}", _document([change]), says)
        yield Edge(f"a yes to no {severity}", _document([change], options={"allow": [""]}), says)
    cost: dict[str, Any] = {"forecast": Forecast(plan_requests=3, apply_reads=1, apply_writes=1)}
    yield Edge("as many requests as may be", _document([], **cost), (), {"max_requests": 5})
    yield Edge("one request more", _document([], **cost), ("max_requests",), {"max_requests": 4})
    asked: dict[str, Any] = {**cost, "options": {"max_requests": 5}}
    yield Edge("the command line says more", _document([], **asked), (), {"max_requests": 4})
    blind: dict[str, Any] = {"options": {"impact": False}}
    yield Edge("nobody counted", _document(_doomed(), **blind), ("(max_records_lost)",), override="--no-impact")
    yield Edge("nobody counted, nothing goes", _document(kept, **blind))
    unknown = [ChangeView(address="tag.x", kind="tag", action="update", uncounted=True)]
    yield Edge("nobody counted an update", _document(unknown, **blind), ("(max_records_lost)",))
    yield Edge("drift alone", _document(_doomed(90), 0, options={"refresh_only": True}))


EDGES = [*_numbers(), *_others()]
BEYOND: tuple[tuple[str, list[ChangeView], list[ChangeView], int], ...] = (
    ("as was shown", _touching(3), _touching(3), 0),
    ("less than was shown", _touching(2), _touching(3), 0),
    ("one more than was shown", _touching(4), _touching(3), 1),
    ("one more moved", _touching(4, "moved"), _touching(3, "moved"), 1),
    ("one more unmanaged", _touching(4, "unmanaged"), _touching(3, "unmanaged"), 1),
    ("no number any more", _touching(None), _touching(3), 1),
    ("no number before", _touching(3), _touching(None), 0),
    ("destroyed, and nobody was shown", _doomed(), [], 1),
    ("destroyed, and an update was shown", _doomed(), [ChangeView(address="tag.t0", kind="tag", action="update")], 1),
    ("made anew, and its delete was shown", [ChangeView(address="tag.t0", kind="tag", action="replace")], _doomed(), 0),
    ("records that nobody was shown", _touching(1, action="update"), [], 1),
)
"""What a plan says now, what was shown, and how much of it is beyond that."""


def _said(judge: Callable[..., Any], edge: Edge) -> tuple[str, ...]:
    views = judge(edge.document, Guards(**edge.limits), edge.managed)
    if edge.override not in (None, *[view.override for view in views[:1]]):
        return ("another override",)
    if edge.addresses not in (None, *[view.addresses for view in views[:1]]):
        return ("other addresses",)
    return tuple(view.name if view.verdict == "tripped" else f"({view.name})" for view in views)


@pytest.mark.parametrize("edge", EDGES, ids=[edge.name for edge in EDGES])
def test_a_guard_at_its_limit_and_beyond(edge: Edge) -> None:
    """At the limit a plan passes, and one more stops it; a yes is a yes to exactly what it names."""
    assert _said(guards.judge, edge) == edge.says


@pytest.mark.parametrize(("now", "shown", "count"), [one[1:] for one in BEYOND], ids=[one[0] for one in BEYOND])
def test_a_plan_is_held_to_what_was_shown(now: list[ChangeView], shown: list[ChangeView], count: int) -> None:
    """Nothing goes beyond the numbers that somebody said yes to."""
    assert len(guards.beyond(_document(now), _document(shown))) == count


# --- weakening them ------------------------------------------------------------------------------------------------

TEXTS = ("idle", "_known", "_named")
"""Functions that only word what guards say."""
RELAXED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Eq: ast.NotEq,
}  # fmt: skip
SAME = ("count or 0 -> count", "impact.count or 0 -> impact.count")
"""What changes no verdict: numbers that are not known were looked for before."""


def _mutants(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Yield (what is weakened, the module): comparisons moved or turned, `not` and `and` lost, guards left out."""
    places = [
        (path, node)
        for top, statement in enumerate(tree.body)
        if not (isinstance(statement, ast.FunctionDef) and statement.name in TEXTS)
        for path, node in _walk(statement, (("body", top),))
    ]
    for path, node in places:
        for what, changed in _weaker(node):
            copy = deepcopy(tree)
            _put(copy, path, changed)
            yield f"line {getattr(node, 'lineno', 0)}: {what}", ast.fix_missing_locations(copy)


Path_ = tuple[tuple[str, int | None], ...]


def _walk(node: ast.AST, path: Path_) -> Iterator[tuple[Path_, ast.AST]]:
    yield path, node
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield from _walk(value, (*path, (name, None)))
        elif isinstance(value, list):
            for number, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield from _walk(one, (*path, (name, number)))


def _put(tree: ast.AST, path: Path_, new: ast.AST) -> None:
    node: Any = tree
    for name, number in path[:-1]:
        node = getattr(node, name) if number is None else getattr(node, name)[number]
    name, number = path[-1]
    if number is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[number] = new


def _weaker(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    said = ast.unparse(node) if isinstance(node, ast.expr) else ""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (RELAXED, TURNED):
            if type(node.ops[0]) in table:
                made: ast.expr = ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)
                yield f"{said} -> {ast.unparse(made)}", made
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{said} -> {ast.unparse(node.operand)}", node.operand
    elif isinstance(node, ast.BoolOp):
        for number in range(len(node.values)):
            rest = [one for place, one in enumerate(node.values) if place != number]
            made = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield f"{said} -> {ast.unparse(made)}", made
    elif isinstance(node, ast.Tuple) and len(node.elts) > 5:
        for number, one in enumerate(node.elts):
            yield (
                f"without {ast.unparse(one)[:60]}",
                ast.Tuple([*node.elts[:number], *node.elts[number + 1 :]], node.ctx),
            )
    elif isinstance(node, ast.Call):
        for number, word in enumerate(node.keywords):
            if word.arg in ("teardown", "warns", "option"):
                words = [*node.keywords[:number], *node.keywords[number + 1 :]]
                yield f"without {word.arg} of {said[:40]}", ast.Call(node.func, node.args, words)


def _survives(tree: ast.Module) -> bool:
    """Tell whether a weakened module passes every edge."""
    module = types.ModuleType(guards.__name__)
    try:
        exec(compile(tree, guards.__file__, "exec"), module.__dict__)
        return all(_said(module.judge, edge) == edge.says for edge in EDGES) and all(
            len(module.beyond(_document(now), _document(shown))) == count for _, now, shown, count in BEYOND
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def test_weakening_any_guard_is_seen(record_property: Callable[[str, object], None]) -> None:
    """Each comparison moved by one or turned, each condition lost, each guard left out: some edge above shows it."""
    mutants = list(_mutants(ast.parse(Path(guards.__file__).read_text("utf-8"))))
    unseen = [what for what, tree in mutants if _survives(tree) and what.partition(": ")[2] not in SAME]
    record_property("mutants of the guards", f"{len(mutants)}, {len(unseen)} unseen")
    assert len(mutants) > 50
    assert not unseen, "\n".join(unseen)

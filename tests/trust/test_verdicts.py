"""The table of guards at its borders: a limit that is just met, one that is exceeded by one, and the yes to exactly
that. Whoever weakens a guard by one, or counts one thing less, fails here: that is tried on the table itself.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.document import (
    ChangeView,
    FindingView,
    Forecast,
    ImpactView,
    PlanDocument,
    RenameView,
)
from reconciler.model.project import Guards
from reconciler.planning import guards

Id = tuple[str, str]


@dataclass(frozen=True)
class Given:
    """What is judged."""

    changes: list[ChangeView] = field(default_factory=list)
    limits: Guards = field(default_factory=Guards)
    managed: dict[str, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def document(self, **options: Any) -> PlanDocument:
        """As a plan."""
        more = {"declared": 1, **self.more}
        return PlanDocument(changes=self.changes, options={"impact": True, **self.options, **options}, **more)


@dataclass(frozen=True)
class Border:
    """What a guard is just quiet about, what it just minds, and the yes that it takes."""

    quiet: Given
    loud: Given
    yes: str = ""


def gone(count: int, kind: str = "tag", **more: Any) -> list[ChangeView]:
    """Deletes, and a replace among them."""
    actions = ["replace", *["delete"] * (count - 1)]
    return [ChangeView(address=f"{kind}.t{n}", kind=kind, action=actions[n], **more) for n in range(count)]


def touching(effect: str, count: int | None, action: str = "update", **more: Any) -> list[ChangeView]:
    """Two changes, one with two impacts, which together touch so many."""
    parts = [[ImpactView(count=1, noun="x", effect=effect)] * 2, [ImpactView(count=0, noun="x", effect=effect)]]
    rest = None if count is None else count - 2
    parts[1] = [ImpactView(count=rest, noun="x", effect=effect, objects=["tag.b1"])]
    return [
        ChangeView(address=f"tag.b{n}", kind="tag", action=action, impacts=mine, **more) for n, mine in enumerate(parts)
    ]


def counts(effect: str, name: str) -> list[Border]:
    """A number of records or objects against its limit."""
    limits = Guards.model_validate({name: 5})
    return [
        Border(Given(touching(effect, 5), limits), Given(touching(effect, 6), limits), f"{name}=6"),
        Border(Given([], Guards()), Given(touching(effect, 3)[:1], Guards()), f"{name}=2"),
    ]


def one(**more: Any) -> Given:
    """One change that is deleted."""
    return Given(gone(2, **more)[1:])


CHECK = FindingView(message="no")
EVACUATED: dict[str, Any] = {"action": "delete", "on_destroy": {"move_deals_to": "stage.p.a"}}
BORDERS: dict[Id, list[Border]] = {
    ("prevent_destroy", "objects that are protected"): [
        Border(one(), one(prevent_destroy=True), "prevent_destroy=tag.t1"),
        Border(
            Given([ChangeView(address="tag.a", kind="tag", action="update", prevent_destroy=True)]),
            Given(gone(1, prevent_destroy=True)),
            "prevent_destroy=tag.t0",
        ),
    ],
    ("max_deletes", "how many objects"): [
        Border(Given(gone(3), Guards(max_deletes=3)), Given(gone(4), Guards(max_deletes=3)), "max_deletes=4"),
        Border(Given(gone(50)), Given(gone(51)), "max_deletes=51"),
        Border(Given(gone(60), Guards(max_deletes=None)), Given(gone(1), Guards(max_deletes=0)), "max_deletes=1"),
        Border(
            Given(gone(51), options={"destroy": True}),
            Given(gone(51), Guards(max_deletes=50), options={"destroy": True}),
            "max_deletes=51",
        ),
    ],
    ("max_records_lost", "how many customer records"): counts("lost", "max_records_lost"),
    ("max_records_lost", "losses that the account"): [
        Border(Given(touching("lost", 9)), Given(touching("lost", None)), "max_records_lost=unknown")
    ],
    ("records_moved", "how many customer records"): [
        *counts("moved", "records_moved"),
        Border(Given(touching("moved", 9, **EVACUATED)), Given(touching("moved", 9, "delete")), "records_moved=9"),
        Border(
            Given(touching("moved", 9, **EVACUATED)),
            Given(touching("moved", 9, on_destroy=EVACUATED["on_destroy"])),
            "records_moved=9",
        ),
    ],
    ("records_moved", "moves of records"): [
        Border(Given(touching("moved", 9)), Given(touching("moved", None)), "records_moved=unknown")
    ],
    ("unmanaged_lost", "how many objects"): counts("unmanaged", "unmanaged_lost"),
    ("unmanaged_lost", "objects that go along"): [
        Border(Given(touching("unmanaged", 9)), Given(touching("unmanaged", None)), "unmanaged_lost=unknown")
    ],
    ("hidden", "objects that nobody"): [Border(Given(touching("along", 9)), Given(touching("hidden", 9)))],
    ("account_check", "what the account"): [
        Border(
            one(findings=[CHECK.model_copy(update={"severity": "warning"})]),
            one(findings=[CHECK]),
        )
    ],
    ("max_requests", "how many requests"): [
        Border(
            Given(limits=Guards(max_requests=6), more={"forecast": Forecast(plan_requests=3, apply_reads=3)}),
            Given(limits=Guards(max_requests=5), more={"forecast": Forecast(plan_requests=3, apply_writes=3)}),
            "max_requests=6",
        ),
        Border(
            Given(
                limits=Guards(max_requests=1), options={"max_requests": 4}, more={"forecast": Forecast(plan_requests=4)}
            ),
            Given(options={"max_requests": 3}, more={"forecast": Forecast(plan_requests=4)}),
            "max_requests=4",
        ),
        Border(
            Given(more={"forecast": Forecast(plan_requests=4)}),
            Given(limits=Guards(max_requests=3), more={"forecast": Forecast(plan_requests=4)}),
            "max_requests=4",
        ),
    ],
    ("max_delete_percent", "which share"): [
        Border(Given(gone(3), managed={"tag": 10}), Given(gone(4), managed={"tag": 10}), "max_delete_percent=tag:4"),
        Border(Given(gone(9), managed={"tag": 9}), Given(gone(9), managed={"tag": 10}), "max_delete_percent=tag:9"),
        Border(Given(gone(6), managed={"tag": 20}), Given(gone(6), managed={"tag": 19}), "max_delete_percent=tag:6"),
        Border(
            Given(gone(4), managed={"list": 10}),
            Given(gone(1), Guards(max_delete_percent=0), {"tag": 500}),
            "max_delete_percent=tag:1",
        ),
    ],
    ("list_deletes", "lists"): [
        Border(one(), one(guarded=True), "list_deletes=tag.t1"),
        Border(
            Given(gone(1, guarded=True), Guards(allow_list_deletes=True)),
            Given(gone(1, guarded=True)),
            "list_deletes=tag.t0",
        ),
        *(
            Border(
                Given(gone(1, guarded=True), options={"destroy": True}),
                Given(gone(1, guarded=True), options={"destroy": True, part: ["tag.t0"]}),
                "list_deletes=tag.t0",
            )
            for part in ("target", "exclude", "kinds")
        ),
    ],
    ("empty_configuration", "a configuration"): [
        Border(one(), Given(gone(1), more={"declared": 0}), "empty_configuration"),
        Border(
            Given(gone(1), more={"declared": 0}, options={"target": ["tag.t0"]}),
            Given(gone(1), more={"declared": 0}, options={"exclude": ["tag.z"]}),
            "empty_configuration",
        ),
        Border(
            Given(gone(1), more={"declared": 0}, options={"undo": "r"}),
            Given(gone(2), more={"declared": 0}),
            "empty_configuration",
        ),
        Border(Given(more={"declared": 0}), Given(gone(1), more={"declared": 0}), "empty_configuration"),
    ],
    ("suspected_rename", "a delete and a create"): [
        Border(
            one(),
            Given(gone(1), more={"renames": [RenameView(source="tag.t0", target="tag.n", likeness=0.9)]}),
            "suspected_rename=tag.t0:tag.n",
        )
    ],
    ("max_records_lost", "losses that nobody"): [
        Border(one(), Given(gone(1), options={"impact": False})),
        Border(
            Given([ChangeView(address="tag.a", kind="tag", action="update")], options={"impact": False}),
            Given(
                [ChangeView(address="tag.a", kind="tag", action="update", uncounted=True)], options={"impact": False}
            ),
        ),
        Border(Given(options={"impact": False}), Given(gone(2), options={"impact": False})),
    ],
}


def _borders(guard: Any) -> list[Border]:
    return next(
        (mine for (name, text), mine in BORDERS.items() if name == guard.name and guard.judges.startswith(text)), []
    )


def failures(module: Any) -> Iterator[str]:
    """Say where a table of guards does not hold its borders."""
    whole = module.TABLE
    for guard in whole:
        module.TABLE = (guard,)
        try:
            for border in _borders(guard):
                yield from _wrong(module, guard, border)
        finally:
            module.TABLE = whole


OWN_WAY = ("max_deletes", "list_deletes")
"""What these say at the end of everything depends on more, and has borders of its own."""


def _judged(module: Any, given: Given, *allow: str, standing: str = "", **options: Any) -> list[Any]:
    limits = given.limits.model_copy(update={"allow": [standing]}) if standing else given.limits
    found: list[Any] = module.judge(given.document(allow=list(allow), **options), limits, given.managed)
    return found


def _wrong(module: Any, guard: Any, border: Border) -> Iterator[str]:
    name = f"{guard.name} ({guard.judges})"
    if _judged(module, border.quiet):
        yield f"{name} minds what is within the limit"
    stops = "warned" if guard.warns else "overridden" if guard.option else "tripped"
    found = _judged(module, border.loud)
    if [(view.name, view.verdict) for view in found] != [(guard.name, stops)]:
        yield f"{name} lets pass what is beyond the limit"
        return
    if border.loud.changes and not found[0].addresses:
        yield f"{name} does not say what it minds"
    if found[0].override != (f"--allow {border.yes}" if border.yes else guard.option):
        yield f"{name} asks for {found[0].override}"
    if any(view.verdict == "overridden" for view in _judged(module, border.loud, *_others(border.yes))) != bool(
        guard.option
    ):
        yield f"{name} takes a yes to something else"
    if border.yes:
        said = [(view.verdict, view.by) for view in _judged(module, border.loud, border.yes)]
        stands = [(view.verdict, view.by) for view in _judged(module, border.loud, standing=border.yes)]
        if said != [("overridden", "command line")] or stands != [("overridden", "project file")]:
            yield f"{name} does not take its yes"
    if bool(_judged(module, border.loud, destroy=True)) != guard.teardown and guard.name not in OWN_WAY:
        yield f"{name} does not know the end of everything"
    if _judged(module, border.loud, refresh_only=True):
        yield f"{name} minds drift"


def _others(yes: str) -> list[str]:
    """Yeses to nearly this: one less, one more, everything."""
    name, _, number = yes.rpartition("=")
    head, _, last = number.rpartition(":")
    near = []
    if last.isdigit():
        near = [f"{name}={head}{':' if head else ''}{int(last) + step}" for step in (-1, 1)]
    return [*near, name, f"{name}=*", "*", "all", f"{yes}x"]


def test_every_guard_has_its_borders() -> None:
    """A new guard without a case here fails, and so does a case without a guard."""
    missing = [f"{guard.name}: {guard.judges}" for guard in guards.TABLE if not _borders(guard)]
    assert not missing
    assert len(BORDERS) == len(guards.TABLE)


def test_guards_hold_at_their_borders() -> None:
    """Just met: quiet; one more: refused, with the yes to exactly that number and to no other."""
    assert list(failures(guards)) == []


def test_every_part_of_the_table_speaks_for_itself() -> None:
    """Two guards of one name do not answer for each other: a yes to a number is none to what is not known."""
    changes = [*touching("lost", 6), ChangeView(address="tag.c", kind="tag", action="update",
               impacts=[ImpactView(count=None, noun="x")])]  # fmt: skip
    found = guards.judge(Given(changes).document(allow=["max_records_lost=6"]), Guards(), {})
    assert [(view.override, view.verdict) for view in found] == [
        ("--allow max_records_lost=6", "overridden"),
        ("--allow max_records_lost=unknown", "tripped"),
    ]


# --- mutations -------------------------------------------------------------------------------------------------------

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ASIDE = {"beyond", "total", "idle", "_known", "_named", "_once"}
"""Functions of the module that pass no judgement, or only name what was found."""


class Mutation(ast.NodeTransformer):
    """Weaken one place of the module, the `which`-th; `done` says where that was."""

    def __init__(self, which: int) -> None:
        self.left, self.done = which, ""

    def _hit(self, node: ast.AST, what: str) -> bool:
        self.left -= 1
        if self.left == -1:
            self.done = f"line {getattr(node, 'lineno', 0)}: {what}"
        return self.left == -1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Leave aside what judges nothing."""
        return node if node.name in ASIDE else self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`>` for `>=` and so on."""
        self.generic_visit(node)
        swap = SWAPS.get(type(node.ops[0]))
        if swap is not None and self._hit(node, f"{type(node.ops[0]).__name__} to {swap.__name__}"):
            node.ops[0] = swap()  # type: ignore[call-overload]
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """`and` for `or`."""
        self.generic_visit(node)
        if self._hit(node, "and/or"):
            node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """Without `not`."""
        self.generic_visit(node)
        return node.operand if isinstance(node.op, ast.Not) and self._hit(node, "no not") else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A count dropped: the largest in place of the sum."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "sum" and self._hit(node, "sum to max"):
            return ast.Call(ast.Name("max", ast.Load()), node.args, [ast.keyword("default", ast.Constant(0))])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A count dropped: one of two that are added."""
        self.generic_visit(node)
        return node.left if isinstance(node.op, ast.Add) and self._hit(node, "one count less") else node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        """A kind of change dropped."""
        self.generic_visit(node)
        texts = all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in node.elts)
        if texts and len(node.elts) > 1 and self._hit(node, "one less"):
            node.elts = node.elts[:-1]
        return node


def _mutants() -> Iterator[tuple[str, Any]]:
    source = Path(guards.__file__).read_text("utf-8")
    for which in range(10_000):
        mutation = Mutation(which)
        tree = ast.fix_missing_locations(mutation.visit(ast.parse(source)))
        if not mutation.done:
            return
        module: Any = types.ModuleType("weakened")
        module.__dict__["__name__"] = guards.__name__
        exec(compile(tree, "weakened", "exec"), module.__dict__)
        yield mutation.done, module


def test_a_weakened_guard_is_noticed(record_property: Callable[[str, object], None]) -> None:
    """Every comparison turned or widened by one, every sum without a summand: some border does not hold any more."""
    survived, tried = [], 0
    for what, module in _mutants():
        tried += 1
        try:
            noticed = bool(next(failures(module), ""))
        except (TypeError, ValueError, KeyError, AttributeError):
            noticed = True
        if not noticed:
            survived.append(what)
    record_property("weakened guards tried", tried)
    assert tried > 25
    assert not survived


@pytest.mark.parametrize(("now", "then", "more"), [(5, 5, 0), (6, 5, 1), (0, 0, 0), (1, 0, 1)])
def test_a_yes_covers_what_was_shown_and_no_more(now: int, then: int, more: int) -> None:
    """A plan that is made again may take away what the first one showed, not one record more."""
    for effect in ("lost", "moved", "unmanaged"):
        promised = Given(touching(effect, then + 2)).document()
        again = Given(touching(effect, now + 2)).document()
        assert len(guards.beyond(again, promised)) == more
    assert guards.beyond(Given(gone(2)).document(), Given(gone(2)).document()) == []
    assert len(guards.beyond(Given(gone(2)).document(), Given(gone(1)).document())) == 1

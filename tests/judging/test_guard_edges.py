"""Every guard at its limit and one beyond it, the yes to exactly that, and a check of these checks: whatever weakens a
guard by one, drops a count, or leaves a part of the table out is seen by a case of the one table below.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from reconciler.judging import guards, looks
from reconciler.model.document import (
    ChangeView,
    FindingView,
    Forecast,
    ImpactView,
    PlanDocument,
    RenameView,
    SettingsView,
    StepView,
)
from reconciler.model.project import Guards

Id = tuple[str, str]
"""A guard of the table: its name, and how what it judges begins."""


def _doomed(count: int = 1, kind: str = "tag", **more: Any) -> list[ChangeView]:
    return [ChangeView(address=f"{kind}.t{number}", kind=kind, action="delete", **more) for number in range(count)]


def _touching(count: int | None, effect: Any = "lost", action: str = "delete", **more: Any) -> list[ChangeView]:
    impact = ImpactView(count=count, noun="records", effect=effect, objects=more.pop("objects", []))
    return [ChangeView(**{"address": "tag.vip", "kind": "tag", "action": action, "impacts": [impact], **more})]


def _document(changes: list[ChangeView], declared: int = 1, **more: Any) -> PlanDocument:
    return PlanDocument(changes=changes, declared=declared, **more)


@dataclass(frozen=True)
class Edge:
    """A plan, limits, what is managed, and what guards say: names, with a mark where they do not stop the plan; where
    given, the override and the addresses of the first one, and who said yes to it. Where `guard` is given, that one
    alone is asked, and has to name what it minds.
    """

    name: str
    document: PlanDocument
    says: tuple[str, ...] = ()
    limits: dict[str, Any] = field(default_factory=dict)
    managed: dict[str, int] = field(default_factory=dict)
    override: str | None = None
    addresses: list[str] | None = None
    by: str | None = None
    guard: Id | None = None

    @cached_property
    def guards(self) -> Guards:
        """The limits, as a project sets them."""
        return Guards(**self.limits)


@dataclass(frozen=True)
class Given:
    """What is judged."""

    changes: list[ChangeView] = field(default_factory=list)
    limits: Guards = field(default_factory=Guards)
    managed: dict[str, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def edge(self, name: str, guard: Id, says: tuple[str, ...], *, standing: str = "", **more: Any) -> Edge:
        """As a case for one guard; `allow` and other options of the command line may be added."""
        told = {one: more.pop(one) for one in ("override", "by") if one in more}
        document = _document(self.changes, **{"options": {"impact": True, **self.options, **more}, **self.more})
        limits = self.limits.model_dump(exclude_unset=True) | ({"allow": [standing]} if standing else {})
        return Edge(name, document, says, limits, self.managed, guard=guard, **told)


@dataclass(frozen=True)
class Border:
    """What a guard is just quiet about, what it just minds, and the yes that it takes."""

    quiet: Given
    loud: Given
    yes: str = ""


def gone(count: int, kind: str = "tag", **more: Any) -> list[ChangeView]:
    """Deletes, and a replace among them."""
    actions: list[Any] = ["replace", *["delete"] * (count - 1)]
    return [ChangeView(address=f"{kind}.t{n}", kind=kind, action=actions[n], **more) for n in range(count)]


def touching(effect: Any, count: int | None, action: Any = "update", **more: Any) -> list[ChangeView]:
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
SETTINGS: dict[str, Any] = {"settings": SettingsView(source="main", changed=["environments.prod.url"], mark="0a1b2c3d")}
STEPS: dict[str, Any] = {"steps": [StepView(number=1, address="tag.a", op="finish")]}
BORDERS: dict[Id, list[Border]] = {
    ("environment_changed", "changes of the project file in one"): [
        Border(Given(more=STEPS), Given(more={**SETTINGS, **STEPS}), "environment_changed=0a1b2c3d")
    ],
    ("environment_changed", "changes of the project file in a plan"): [Border(Given(), Given(more=SETTINGS))],
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
    ("unmanaged_lost", "how many unmanaged"): counts("unmanaged", "unmanaged_lost"),
    ("unmanaged_lost", "objects that go along"): [
        Border(Given(touching("unmanaged", 9)), Given(touching("unmanaged", None)), "unmanaged_lost=unknown")
    ],
    ("hidden", "objects that no user"): [Border(Given(touching("along", 9)), Given(touching("hidden", 9)))],
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
    ("max_records_lost", "losses that were not"): [
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
    parts = [*touching("lost", 6), ChangeView(address="tag.c", kind="tag", action="update",
             impacts=[ImpactView(count=None, noun="x")])]  # fmt: skip
    counted: dict[str, Any] = {"options": {"allow": ["max_records_lost=6"]}}
    both = ("(max_records_lost)", "max_records_lost")
    yield Edge("a yes to a number is none to what is not known", _document(parts, **counted), both)
    yield Edge("drift alone", _document(_doomed(90), 0, options={"refresh_only": True}))


OWN_WAY = ("max_deletes", "list_deletes")
"""What these say at the end of everything depends on more, and has cases of its own."""


def _is(guard: Any, named: Id) -> bool:
    return bool(guard.name == named[0] and guard.judges.startswith(named[1]))


def _settings() -> Iterator[Edge]:
    """The project file is changed in the same request."""
    held = ("environment_changed",)
    update = [ChangeView(address="tag.x", kind="tag", action="update")]
    yield Edge("the project file and an update", _document(update, **SETTINGS), held)
    yield Edge("the project file and both", _document(update, **SETTINGS, **STEPS), held)
    yield Edge("the project file and a step", _document([], **SETTINGS, **STEPS), held)
    yield Edge("the project file alone", _document([], **SETTINGS), ("(environment_changed)",))


def _alone() -> Iterator[Edge]:
    """Every border of every guard as cases for that guard alone."""
    for named, borders in BORDERS.items():
        guard = next(guard for guard in guards.GUARDS if _is(guard, named))
        loud = (f"({guard.name})",) if guard.warns or guard.option else (guard.name,)
        for number, border in enumerate(borders):
            name, beyond = f"{guard.name}, {guard.judges}, {number}", border.loud
            ask = f"--allow {border.yes}" if border.yes else guard.option
            yield border.quiet.edge(f"{name}: just within", named, ())
            yield beyond.edge(f"{name}: just beyond", named, loud, override=ask)
            yield beyond.edge(f"{name}: a yes to something else", named, loud, allow=_near(border.yes))
            if border.yes:
                yes = (f"({guard.name})",)
                yield beyond.edge(f"{name}: its yes", named, yes, allow=[border.yes], by="command line")
                yield beyond.edge(f"{name}: its standing yes", named, yes, standing=border.yes, by="project file")
            if guard.name not in OWN_WAY:
                end = loud if guard.teardown else ()
                yield beyond.edge(f"{name}: the end of everything", named, end, destroy=True)
            yield beyond.edge(f"{name}: drift alone", named, (), refresh_only=True)


def _near(yes: str) -> list[str]:
    """Yeses to nearly this: one less, one more, everything."""
    name, _, number = yes.rpartition("=")
    head, _, last = number.rpartition(":")
    near = []
    if last.isdigit():
        near = [f"{name}={head}{':' if head else ''}{int(last) + step}" for step in (-1, 1)]
    return [*near, name, f"{name}=*", "*", "all", f"{yes}x"]


def test_every_guard_has_its_borders() -> None:
    """A new guard without a case here fails, and so does a case without a guard."""
    named = [[guard.judges for guard in guards.GUARDS if _is(guard, one)] for one in BORDERS]
    assert [len(one) for one in named] == [1] * len(guards.GUARDS)


EDGES = [*_numbers(), *_others(), *_settings(), *_alone()]
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
    ("two counts of one change add up", touching("lost", 5)[:1], _touching(1, action="update", address="tag.b0"), 1),
    ("a replace and a delete again", gone(2), gone(2), 0),
    ("a delete more", gone(2), gone(1), 1),
    *(
        (f"{now} {effect}, {then} were shown", touching(effect, now + 2), touching(effect, then + 2), more)
        for effect in ("lost", "moved", "unmanaged")
        for now, then, more in ((5, 5, 0), (6, 5, 1), (0, 0, 0), (1, 0, 1))
    ),
)
"""What a plan says now, what was shown, and how much of it is beyond that."""


def _said(module: Any, edge: Edge) -> tuple[str, ...]:
    table = module.GUARDS
    if edge.guard is not None:
        module.GUARDS = tuple(guard for guard in table if _is(guard, edge.guard))
    try:
        views = module.judge(edge.document, edge.guards, edge.managed)
    finally:
        module.GUARDS = table
    if edge.override not in (None, *[view.override for view in views[:1]]):
        return ("another override",)
    if edge.addresses not in (None, *[view.addresses for view in views[:1]]):
        return ("other addresses",)
    if edge.by not in (None, *[view.by for view in views[:1]]):
        return ("somebody else's yes",)
    if edge.guard is not None and edge.document.changes and not all(view.addresses for view in views):
        return ("no addresses",)
    return tuple(view.name if view.verdict == "tripped" else f"({view.name})" for view in views)


def test_a_guard_at_its_limit_and_beyond(record_property: Callable[[str, object], None]) -> None:
    """At the limit a plan passes, and one more stops it; a yes is a yes to exactly what it names."""
    wrong = [f"{edge.name}: {said} for {edge.says}" for edge in EDGES if (said := _said(guards, edge)) != edge.says]
    record_property("cases of the guards", len(EDGES) + len(BEYOND))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("now", "shown", "count"), [one[1:] for one in BEYOND], ids=[one[0] for one in BEYOND])
def test_a_plan_is_held_to_what_was_shown(now: list[ChangeView], shown: list[ChangeView], count: int) -> None:
    """Nothing goes beyond the numbers that somebody said yes to."""
    assert len(guards.beyond(_document(now), _document(shown))) == count


# --- weakening them ------------------------------------------------------------------------------------------------

TEXTS = ("idle", "_known", "_named", "_counted")
"""Functions that only word what guards say."""
RELAXED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
SAME = ("count or 0 -> count", "impact.count or 0 -> impact.count")
"""What changes no verdict: numbers that are not known were looked for before."""


def _mutants(tree: ast.Module) -> Iterator[str]:
    """Weaken one place of the module after the other, and say which; each is put back afterwards."""
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in TEXTS:
            continue
        for home, name, number, node in [*_places(statement)]:
            for what, changed in [*_weaker(node)]:
                _put(home, name, number, ast.fix_missing_locations(ast.copy_location(changed, node)))
                yield f"line {getattr(node, 'lineno', 0)}: {what}"
                _put(home, name, number, node)


def _places(home: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield every node below one, with where it stands."""
    for name, value in ast.iter_fields(home):
        for number, one in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(one, ast.AST):
                yield home, name, number, one
                yield from _places(one)


def _put(home: ast.AST, name: str, number: int | None, node: ast.AST) -> None:
    if number is None:
        setattr(home, name, node)
    else:
        getattr(home, name)[number] = node


def _weaker(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield what can stand there instead: a comparison moved by one or turned, a condition or a summand less."""
    for made in _instead(node):
        said = ast.unparse(node)
        yield (
            (f"{said} -> {ast.unparse(made)}" if len(said) < 100 else f"{said[:60]}... -> {ast.unparse(made)[:60]}"),
            made,
        )


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (RELAXED, TURNED):
            if type(node.ops[0]) in table:
                yield ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for number in range(len(node.values)):
            rest = [one for place, one in enumerate(node.values) if place != number]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield node.left
        yield node.right
    elif isinstance(node, ast.Tuple):
        yield from _fewer(node)
    elif isinstance(node, ast.Call):
        yield from _simpler(node)


def _simpler(node: ast.Call) -> Iterator[ast.AST]:
    """Yield an entry of the table without a property, and the largest in place of a sum."""
    for number, word in enumerate(node.keywords):
        if word.arg in ("teardown", "warns", "option"):
            yield ast.Call(node.func, node.args, [*node.keywords[:number], *node.keywords[number + 1 :]])
    if isinstance(node.func, ast.Name) and node.func.id == "sum":
        yield ast.Call(ast.Name("max", ast.Load()), node.args, [ast.keyword("default", ast.Constant(0))])


def _fewer(node: ast.Tuple) -> Iterator[ast.AST]:
    """Yield the table without each guard, and lists of names without each name."""
    texts = all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in node.elts)
    if len(node.elts) > 5 or (texts and len(node.elts) > 1):
        for number in range(len(node.elts)):
            yield ast.Tuple([*node.elts[:number], *node.elts[number + 1 :]], node.ctx)


Check = Callable[[Any], bool]


def _speaks(edge: Edge) -> Check:
    return lambda module: _said(module, edge) == edge.says


def _holds(now: PlanDocument, shown: PlanDocument, count: int) -> Check:
    return lambda module: len(module.beyond(now, shown)) == count


def _tells(off: int, deleted: int, told: str) -> Check:
    """What is only switched off counts, and is not called deleted."""
    mine = [
        ChangeView(address=f"task_type.t{n}", kind="task_type", action="delete", switches_off=True) for n in range(off)
    ]
    document = _document([*mine, *_doomed(deleted)] if deleted else mine)

    def check(module: Any) -> bool:
        views = module.judge(document, Guards(max_deletes=0), {})
        return [view.message for view in views if view.name == "max_deletes"] == [f"{told}; the limit is 0"]

    return check


CHECKS: list[Check] = [
    _tells(0, 1, "1 object is deleted"),
    _tells(2, 0, "2 objects are switched off"),
    _tells(2, 2, "4 objects are deleted or switched off"),
    *map(_speaks, EDGES),
    *(_holds(_document(now), _document(shown), count) for _, now, shown, count in BEYOND),
]


def _survives(tree: ast.Module, checks: list[Check]) -> bool:
    """Return whether a weakened module passes every case; what found one stands in front, for it may find the next."""
    module = types.ModuleType(guards.__name__)
    try:
        exec(compile(tree, guards.__file__, "exec"), module.__dict__)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    for place, check in enumerate(checks):
        try:
            passed = check(module)
        except (AttributeError, KeyError, TypeError, ValueError):
            passed = False
        if not passed:
            checks.insert(0, checks.pop(place))
            return False
    return True


class _AsOne(ast.NodeTransformer):
    """Makes names of the module of looks names of the module that it stands in."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        inside = isinstance(node.value, ast.Name) and node.value.id == "looks"
        return ast.copy_location(ast.Name(node.attr, node.ctx), node) if inside else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module in ("__future__", "reconciler.judging", looks.__name__) else node


def _as_one() -> ast.Module:
    """Return the table of guards and what they look at as one module."""
    files = [ast.parse(Path(module.__file__ or "").read_text("utf-8")) for module in (looks, guards)]
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    body = [future, *(node for file in files for node in _AsOne().visit(file).body)]
    return ast.fix_missing_locations(ast.Module(body, []))


def test_weakening_any_guard_is_seen(record_property: Callable[[str, object], None]) -> None:
    """Each comparison moved by one or turned, each condition, summand and guard left out: some case above shows it."""
    tree, checks = _as_one(), list(CHECKS)
    assert all(check(guards) for check in checks)
    mutants = [(what, _survives(tree, checks)) for what in _mutants(tree)]
    unseen = [what for what, survives in mutants if survives and what.partition(": ")[2] not in SAME]
    record_property("mutants of the guards", f"{len(mutants)}, {len(unseen)} unseen")
    assert len(mutants) > 100
    assert not unseen, "\n".join(unseen)


@pytest.mark.parametrize("bounds", [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("effect", ["lost", "moved", "unmanaged"])
def test_a_guard_that_counts_says_whether_it_is_a_bound(effect: Any, bounds: tuple[bool, bool]) -> None:
    """One count of several that is a bound makes the sum one, as in the verdict of the plan."""
    impacts = [ImpactView(count=3, noun="records", effect=effect, at_most=bound) for bound in bounds]
    change = ChangeView(address="tag.vip", kind="tag", action="delete", impacts=impacts)
    said = [view.message for view in guards.judge(_document([change]), Guards(), {})]
    messages = [message for message in said if "limit is 0" in message]
    assert [message.startswith("up to 6 ") for message in messages] == [any(bounds)]
    assert all("6 " in message for message in messages)

"""Selected plans over random graphs of all references that kinds know: closed in the right direction, for creates,
updates, replacements and deletes mixed.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.model import values
from reconciler.model.desired import Desired, Resource
from reconciler.model.errors import Refused
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import DESTROYS, WRITES, Action, Plan
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Expected, Immutable, Lifecycle, RefTo
from reconciler.model.state import Binding, State
from reconciler.model.values import Ref, RemoteId
from reconciler.planning.context import Inputs
from reconciler.planning.planner import plan
from reconciler.planning.select import Selected, Selection, check_selection, narrowed, select
from reconciler.resources import load_kinds
from tests.kinds.samples import value_of

KINDS = load_kinds()
SMALL, LONG = 400, 20_000


def _edges() -> dict[str, list[tuple[str, str]]]:
    """Every reference that a kind can hold: attribute and kind that it names; from the registry."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind in KINDS.values():
        marks = [(name, attribute.mark(RefTo)) for name, attribute in kind.attributes.items()]
        found[kind.name] = [(name, mark.kind) for name, mark in marks if mark is not None and mark.kind in KINDS]
    return found


EDGES = _edges()
TAKING = [
    name
    for name, kind in KINDS.items()
    if kind.abilities.managed and kind.abilities.creatable and kind.abilities.deletable and not kind.variants
]
IMMUTABLE = {
    name: next((one for one, attribute in KINDS[name].attributes.items() if attribute.has(Immutable) and one not in
                {edge for edge, _ in EDGES[name]}), "")
    for name in TAKING
}  # fmt: skip


@dataclass
class Case:
    """A random project: what is declared, what is managed and what the account holds."""

    seed: int
    desired: dict[str, Resource] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    lives: dict[str, list[Live]] = field(default_factory=lambda: {name: [] for name in KINDS})

    def inputs(self, only: frozenset[str] | None) -> Inputs:
        """What a plan of it is made from."""
        state = State(lineage="test", resources=self.bindings)
        return Inputs(
            desired=Desired(self.desired), state=state, snapshot=Snapshot(lives=self.lives), kinds=KINDS, only=only
        )


def refers(attrs: Mapping[str, Any]) -> set[str]:
    """The addresses that attributes name."""
    return {one.address for one in values.references(dict(attrs)) if isinstance(one, Ref)}


def draw(seed: int) -> Case:
    """Make a project of up to 14 objects; each is new, kept, changed, made anew, or no longer declared."""
    dice = random.Random(seed)
    case, ids = Case(seed), {}
    chosen = sorted(dice.choices(TAKING, k=dice.randint(2, 14)), key=list(KINDS).index)
    fates: dict[str, str] = {}
    for number, name in enumerate(chosen):
        kind, parent = KINDS[name], ""
        if kind.nested:
            parents = [address for address in fates if address.startswith(f"{kind.nested}.")]
            if not parents:
                continue
            parent = dice.choice(parents)
        key = f"{parent.partition('.')[2]}.k{number}" if parent else f"k{number}"
        address = f"{name}.{key}"
        fate = dice.choice(["new", "kept", "changed", "anew", "gone", "gone"])
        if parent and fates[parent] in ("new", "gone"):
            fate = fates[parent]
        fates[address] = fate
        now, before = _attributes(dice, kind, address, parent, fates)
        if fate != "gone":
            case.desired[address] = Resource(
                address, name, key, now, _lifecycle(dice, name, parent, fates), parent=parent or None, rank=number
            )
        if fate != "new":
            ids[address] = str(100 + number)
            held = {attr: _as_held(value, ids) for attr, value in before.items()}
            if fate == "anew" and IMMUTABLE[name]:
                held[IMMUTABLE[name]] = _fixed(kind)[-1]
            case.lives[name].append(Live(name, ids[address], held))
            applied = {attr: values.encode(value) for attr, value in before.items()}
            end = _lifecycle(dice, name, parent, fates).on_destroy
            needs = sorted(refers(before))
            case.bindings[address] = Binding(
                id=ids[address], kind=name, applied=applied, depends_on=needs, on_destroy=end
            )
    return case


def _fixed(kind: Kind) -> Sequence[str]:
    """Return values of the attribute for which an object is made again, the first and the last of which differ."""
    return kind.attributes[IMMUTABLE[kind.name]].choices or ("one", "another")


def _lifecycle(dice: random.Random, name: str, parent: str, fates: Mapping[str, str]) -> Lifecycle:
    siblings = [one for one in fates if name == "stage" and one.startswith("stage.") and fates[one] != "gone"]
    if siblings and dice.random() < 0.3:
        return Lifecycle(on_destroy={"move_deals_to": dice.choice(siblings)})
    return Lifecycle()


def _attributes(
    dice: random.Random, kind: Kind, address: str, parent: str, fates: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is declared now and what was before: references of now name what stays, those of before anything."""
    now: dict[str, Any] = {kind.identity.name_attribute: address}
    before: dict[str, Any] = {
        kind.identity.name_attribute: address if fates[address] != "changed" else f"{address} before"
    }
    if IMMUTABLE[kind.name]:
        now[IMMUTABLE[kind.name]] = before[IMMUTABLE[kind.name]] = _fixed(kind)[0]
    for name, target in EDGES[kind.name]:
        if parent and target == kind.nested:
            now[name] = before[name] = Ref(*parent.split(".", 1))
            continue
        there = [one for one in fates if one != address and one.split(".")[0] == target]
        staying = [one for one in there if fates[one] != "gone"]
        stood = [one for one in there if fates[one] != "new"]
        if staying and dice.random() < 0.7:
            now[name] = Ref(*dice.choice(staying).split(".", 1))
        if stood and dice.random() < 0.7:
            same = now.get(name)
            keep = isinstance(same, Ref) and same.address in stood and dice.random() < 0.6
            before[name] = same if keep else Ref(*dice.choice(stood).split(".", 1))
    many = {name for name, _ in EDGES[kind.name] if kind.attributes[name].shape in ("refs", "commas")}
    for attrs in (now, before):
        attrs |= {name: [attrs[name]] for name in many if name in attrs}
    asked = {name: value_of(kind, one) for name, one in kind.attributes.items() if one.has(Expected)}
    return {**asked, **now}, {**asked, **before}


def _as_held(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_as_held(one, ids) for one in value]
    return RemoteId(value.kind, ids[value.address]) if isinstance(value, Ref) else value


def wish(case: Case) -> Selection:
    """Choose some addresses, kinds, exclusions and options."""
    dice = random.Random(-case.seed - 1)
    known = sorted({*case.desired, *case.bindings})
    some = tuple(dice.sample(known, min(len(known), dice.randint(1, 3))))
    way = dice.choice(["target", "target", "exclude", "both", "kinds", "no_delete", "destroy"])
    if way == "destroy":
        case.desired = {}
        some = tuple(one for one in some if one in case.bindings) or tuple(case.bindings)[:1]
        return Selection(target=some) if some else Selection(no_delete=True)
    return {
        "target": Selection(target=some),
        "exclude": Selection(exclude=some),
        "both": Selection(target=some, exclude=(dice.choice(known),)),
        "kinds": Selection(kinds=frozenset({some[0].split(".")[0]})),
        "no_delete": Selection(target=some if dice.random() < 0.5 else (), no_delete=True),
    }[way]


def after(case: Case, made: Plan, covered: frozenset[str] | None) -> tuple[set[str], dict[str, set[str]]]:
    """Carry a plan out on the graph: what is there, and what each managed object points to. What is planned and not
    declared any more of an object is its own affair: the plan of everything leaves it as it is too.
    """
    pointing = {address: set(binding.depends_on) for address, binding in case.bindings.items()}
    for address in case.bindings:
        if address in case.desired and (covered is None or address in covered):
            pointing[address] = refers(case.desired[address].attrs)
    alive = set(case.bindings)
    for change in made.changes:
        if change.action in DESTROYS:
            alive.discard(change.address)
            pointing.pop(change.address, None)
        if change.action in WRITES or change.action is Action.ADOPT:
            pointing[change.address] = refers(change.desired)
    fresh = {change.address for change in made.changes if change.action in (Action.CREATE, Action.REPLACE)}
    return alive | fresh, pointing


def problems(case: Case, selection: Selection, made: Plan, covered: frozenset[str] | None) -> list[str]:
    """Return what is wrong with a selected plan, told from the graph alone."""
    alive, pointing = after(case, made, covered)
    found = []
    told = {change.address for change in made.changes if change.action is Action.MANUAL}  # what only a person can do
    written = told | {change.address for change in made.changes if change.action in WRITES}
    remade = {change.address for change in made.changes if change.action is Action.REPLACE}
    going = set(case.bindings) - set(case.desired)
    for address, targets in pointing.items():
        found += [f"{address} points to {target}, which is not there" for target in targets - alive]
        if address not in written:
            found += [f"{address} points to what {target} was before" for target in targets & remade]
    for change in made.changes:
        stem = change.address.rpartition(".")[0].replace("stage.", "pipeline.", 1)
        named = change.address in selection.target if selection.target else True
        named = named and (selection.kinds is None or change.kind in selection.kinds)
        asked = stem in selection.target or (selection.kinds is not None and stem.split(".")[0] in selection.kinds)
        if change.action in DESTROYS and not named and not (asked and stem in going):
            found.append(f"{change.address} is destroyed and was not named")
        if change.action in DESTROYS and change.address in selection.exclude:
            found.append(f"{change.address} is destroyed and was excluded")
        if change.action in DESTROYS and selection.no_delete:
            found.append(f"{change.address} is destroyed with --no-delete")
    for change in made.changes:
        if change.action is Action.DELETE:
            children = [one for one in case.bindings if one.startswith(f"stage.{change.address.partition('.')[2]}.")]
            if change.kind == "pipeline" and set(children) & alive:
                found.append(f"{change.address} goes, and {children} are said to stay")
    return found


IN_THE_WAY = 940
"""A seed whose selection excludes what it would have to name."""


def run(seeds: range) -> Counter[str]:
    """Plan every case; return how many were planned and refused."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        case = draw(seed)
        if not (case.desired or case.bindings):
            continue  # only parts of what was not drawn
        selection = wish(case)
        state = State(lineage="test", resources=case.bindings)
        selected = select(Desired(case.desired), state, KINDS, selection)
        made, inputs, selected = _made(case, selected, selection)
        tally.update(change.action.value for change in made.changes)
        wrong = problems(case, selection, made, selected.addresses)
        refusal = _refusal(made, inputs, selected, selection)
        tally["planned" if refusal is None else "refused"] += 1
        if refusal is None and wrong:
            pytest.fail(f"seed {seed}, {selection}: {wrong}")
        if refusal is not None and not wrong:
            pytest.fail(f"seed {seed}, {selection}: refused for nothing: {refusal}")
        if refusal is not None and not _helps(case, selection, refusal):
            pytest.fail(f"seed {seed}, {selection}: refused again with what the hint says: {refusal.hint}")
    return tally


def _refusal(made: Plan, inputs: Inputs, selected: Selected, selection: Selection) -> Refused | None:
    try:
        check_selection(made, inputs, selected, selection)
    except Refused as refusal:
        return refusal
    return None


def _helps(case: Case, selection: Selection, refusal: Refused) -> bool:
    """Return whether the selection that the hint asks for is planned."""
    asked, _, against = refusal.hint.partition(", without ")
    words, gone = asked.split(), against.split()[1::2]
    wider = selection._replace(exclude=tuple(one for one in selection.exclude if one not in gone))
    if words[:2] == ["add", "--target"]:
        wider = wider._replace(target=(*wider.target, *words[2::2]))
    elif words[:2] == ["add", "--kinds"]:
        wider = wider._replace(kinds=frozenset(words[2].split(",")))
    else:
        more = re.findall(r"--exclude (\S+?)[ )]", asked)
        wider = wider._replace(exclude=(*wider.exclude, *more))
        if not more:
            return False
    state = State(lineage="test", resources=case.bindings)
    selected = select(Desired(case.desired), state, KINDS, wider)
    return _refusal(*_made(case, selected, wider), wider) is None


def _made(case: Case, selected: Selected, selection: Selection) -> tuple[Plan, Inputs, Selected]:
    inputs = case.inputs(selected.addresses)
    return narrowed(plan(inputs), inputs, selected, selection)


def test_selected_plans_are_closed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that is managed points to an object that is not there, and nothing goes that was not named."""
    tally = run(range(SMALL))
    with capsys.disabled():
        sys.stdout.write(f"\nselections: {SMALL} cases, {dict(sorted(tally.items()))}\n")
    assert tally["refused"] > SMALL // 50
    assert min(tally[action] for action in ("create", "update", "replace", "delete")) > 0


def test_the_hint_names_the_exclusion_that_is_in_the_way() -> None:
    """A case in which what has to come is excluded: following the hint to the letter is enough."""
    assert run(range(IN_THE_WAY, IN_THE_WAY + 1))["refused"] == 1


@pytest.mark.prove
def test_selected_plans_are_closed_over_many_graphs() -> None:
    """The same over thousands."""
    assert run(range(SMALL, LONG))["planned"] > LONG // 2

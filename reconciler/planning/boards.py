"""The account's screens as they are and as they will be: the board of each pipeline, and the fields of each group, of
which a plan changes something. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.model import document as doc
from reconciler.model.called import called
from reconciler.model.live import Live
from reconciler.model.plan import DESTROYS, Action, Change, Plan
from reconciler.model.values import Ref, RemoteId, Value

IN: Mapping[str, tuple[str, str]] = {
    "stage": ("pipeline", "pipeline"),
    "field": ("group", "field_group"),
    "deal_field": ("group", "field_group"),
    "account_field": ("group", "field_group"),
}
"""What stands on a screen: by which attribute it names what it is in, and of which kind that is."""
MOST_CARDS = 200
"""Boards with more cards are left out: they fit no screen."""
MOST_BOARDS = 40


def boards(
    plan: Plan, lives: Mapping[str, Sequence[Live]], show: Callable[[str], str], deals: Mapping[str, int] | None = None
) -> list[doc.BoardView]:
    """Return the screens of which a plan changes something, by the kind of their cards and their title. `show` takes
    credentials out of titles; `deals` are those of stages, by id, as far as they were counted.
    """
    changes = [change for change in plan.changes if change.kind in IN]
    views = [board for kind in IN for board in _boards(kind, plan, changes, lives, show)]
    shown = [view for view in views if max(len(view.before), len(view.after)) <= MOST_CARDS][:MOST_BOARDS]
    return [_with_deals(view, deals or {}, _emptied(plan)) for view in shown]


def _emptied(plan: Plan) -> dict[str, str]:
    """Return where the deals of a stage that goes are moved to before, by the keys of both."""
    targets = {
        change.live.id: change.binding.on_destroy.get("move_deals_to", "")
        for change in plan.changes
        if change.live is not None and change.binding is not None and _goes(change)
    }
    return {stage: plan.ids.get(target, target) for stage, target in targets.items() if target}


def _goes(change: Change) -> bool:
    return change.kind == "stage" and change.action in DESTROYS


def _with_deals(board: doc.BoardView, deals: Mapping[str, int], moved: Mapping[str, str]) -> doc.BoardView:
    """Return the board of a pipeline with the deals in each stage: now, and after those of stages that go are moved."""
    if board.kind != "stage":
        return board
    before = {card.key: deals.get(card.key) for card in board.before}
    after = {card.key: before.get(card.key, 0) for card in board.after}
    for source, target in moved.items():
        here, there = before.get(source, 0), after.get(target)
        if target in after:
            after[target] = None if here is None or there is None else there + here
    return board.model_copy(
        update={
            "before": [card.model_copy(update={"deals": before[card.key]}) for card in board.before],
            "after": [card.model_copy(update={"deals": after[card.key]}) for card in board.after],
        }
    )


def pipelines(plan: Plan, lives: Mapping[str, Sequence[Live]]) -> dict[str, list[str]]:
    """Return the pipelines in the account whose boards a plan changes, with the ids of their stages."""
    stages: dict[str, list[str]] = defaultdict(list)
    for live in lives.get("stage", ()):
        stages[_where(live.attrs.get("pipeline"), plan.ids)].append(live.id)
    touched = _renamed("pipeline", plan)
    for change in plan.changes:
        if change.kind == "stage" and change.action in _VISIBLE:
            sides = (change.live.attrs if change.live is not None else {}, change.desired)
            touched |= {_where(side.get("pipeline"), plan.ids) for side in sides}
    ids = sorted(touched & stages.keys())[:MOST_BOARDS]
    return {pipeline: stages[pipeline] for pipeline in ids if len(stages[pipeline]) <= MOST_CARDS}


def _boards(
    kind: str, plan: Plan, changes: Sequence[Change], lives: Mapping[str, Sequence[Live]], show: Callable[[str], str]
) -> Iterator[doc.BoardView]:
    outer = IN[kind][1]
    titles, later = _titles(outer, plan, lives, show)
    before: dict[str, list[tuple[float, doc.CardView]]] = defaultdict(list)
    after: dict[str, list[tuple[float, doc.CardView]]] = defaultdict(list)
    touched: set[str] = set()
    for key, live, change in _objects(kind, changes, lives):
        now = _afterwards(live, change)
        was, to = (_where(attrs.get(IN[kind][0]), plan.ids) for attrs in (live.attrs if live else {}, now))
        if live is not None:
            before[was].append(_card(key, live.attrs, change, show))
        if now:
            after[to].append(_card(key, now, change, show))
        if change is not None and change.action in _VISIBLE:
            touched |= {was, to}
    touched |= _renamed(outer, plan) & before.keys() & after.keys()
    for place in sorted(touched - {""}, key=lambda name: (titles.get(name, name), name)):
        sides = (sorted(side[place], key=lambda pair: pair[0]) for side in (before, after))
        old, new = ([card for _, card in side] for side in sides)
        title = titles.get(place, "")
        becomes = later.get(place, title)
        yield doc.BoardView(kind=kind, title=title, becomes=becomes if becomes != title else "", before=old, after=new)


def _objects(
    kind: str, changes: Sequence[Change], lives: Mapping[str, Sequence[Live]]
) -> Iterator[tuple[str, Live | None, Change | None]]:
    """Yield all that is there or will be: its key, what it is, what happens to it."""
    mine = [change for change in changes if change.kind == kind]
    by_id = {change.live.id: change for change in mine if change.live is not None}
    yield from ((live.id, live, by_id.get(live.id)) for live in lives.get(kind, ()))
    yield from (
        (change.address, None, change) for change in mine if change.live is None and change.action is Action.CREATE
    )


def _afterwards(live: Live | None, change: Change | None) -> Mapping[str, Value]:
    """Return what an object says once the plan is done; nothing of one that goes."""
    if change is not None and change.action is Action.DELETE:
        return {}
    return {**(live.attrs if live is not None else {}), **(change.desired if change is not None else {})}


_VISIBLE = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE})


def _where(value: Value, ids: Mapping[str, str]) -> str:
    """Return one key for what an object is in, whether it is there already (its id) or not (its address)."""
    if isinstance(value, RemoteId):
        return value.id
    return ids.get(value.address, value.address) if isinstance(value, Ref) else ""


def _renamed(outer: str, plan: Plan) -> set[str]:
    """Return the ids of pipelines or groups that are called otherwise afterwards: that changes their screens too."""
    return {
        change.live.id
        for change in plan.changes
        if change.kind == outer and change.action in _VISIBLE and change.live is not None
        if called(change.live.attrs) != called(_afterwards(change.live, change))
    }


def _titles(
    outer: str, plan: Plan, lives: Mapping[str, Sequence[Live]], show: Callable[[str], str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what pipelines or groups are called today (those that are new: afterwards), and afterwards."""
    today = {live.id: called(live.attrs) for live in lives.get(outer, ())}
    later: dict[str, str] = {}
    for change in plan.changes:
        if change.kind == outer and change.live is None:
            today[change.address] = called(change.desired)
        elif change.kind == outer and change.live is not None and change.action in (Action.UPDATE, Action.REPLACE):
            later[change.live.id] = called(_afterwards(change.live, change))
    return {key: show(title) for key, title in today.items()}, {key: show(title) for key, title in later.items()}


def _card(
    key: str, attrs: Mapping[str, Value], change: Change | None, show: Callable[[str], str]
) -> tuple[float, doc.CardView]:
    order = attrs.get("order")
    card = doc.CardView(
        key=key,
        title=show(called(attrs)),
        note=str(attrs.get("type") or "") if "type" in attrs else "",
        address=change.address if change is not None else "",
    )
    return (float(order) if isinstance(order, int | float) else float("inf"), card)

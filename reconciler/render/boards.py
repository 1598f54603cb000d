"""Screens before and after, as people know them: boards of pipelines with their stages, groups with their fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Literal

from reconciler.model.called import called
from reconciler.model.document import BoardView, CardView, PlanDocument
from reconciler.model.records import record
from reconciler.render.naming import humanised, pipeline_of, screen
from reconciler.render.outline import moved as told_as_moved
from reconciler.render.tree import entries
from reconciler.render.words import counted


@record
class BoardCard:
    """A stage or a field; `note` are its deals or its type, `verb` what happens to it."""

    title: str
    note: str
    state: Literal["", "new", "gone", "moved", "changed"] = ""
    verb: str = ""


@record
class Board:
    """One screen. `columns` where its cards stand side by side, as stages do; `empty` is what a side without cards
    says.
    """

    title: str
    columns: bool
    before: Sequence[BoardCard]
    after: Sequence[BoardCard]
    empty: str = ""


def boards(document: PlanDocument) -> list[Board]:
    """Return the screens of which a plan changes something."""
    verbs = {"update": "changes", "replace": "made again"}
    changed = {
        change.address: verbs[change.action]
        for change in document.changes
        if change.action in verbs
        and (not change.attributes or any(attribute.name != "order" for attribute in change.attributes))
    }
    reordered = {change.address for change in document.changes if any(map(told_as_moved, change.attributes))}
    absent = {change.address for change in document.changes if change.action in ("create", "delete")}
    return [_board(board, changed, reordered, absent) for board in document.boards]


def _moved(old: Sequence[str], new: Sequence[str], named: Set[str]) -> Set[str]:
    """Return the cards that moved: those of which the plan tells it, where the others stay in their order, so that a
    board says the same as the changes below it.
    """
    rest = [[key for key in side if key not in named] for side in (old, new)]
    stay = [[key for key in side if key in old and key in new] for side in rest]
    if named and stay[0] == stay[1]:
        return {key for key in named if key in old}
    return {str(entry.after) for entry in entries(old, new) if entry.moved}


def _board(view: BoardView, changed: Mapping[str, str], reordered: Set[str], absent: Set[str]) -> Board:
    stages = view.kind == "stage"
    old, new = ([card.key for card in side] for side in (view.before, view.after))
    moved = _moved(old, new, {card.key for card in view.after if card.address in reordered})
    titles = {card.key: card.title for card in view.before}
    before = [
        BoardCard(card.title, _note(card, stages), "" if card.key in new else "gone", "" if card.key in new else "goes")
        for card in view.before
    ]
    after = [
        _after(card, titles.get(card.key), _note(card, stages), card.key in moved, changed.get(card.address, ""))
        for card in view.after
    ]
    return Board(_title(view, stages), stages, before, after, _empty(view, absent) if stages else "no fields")


def _empty(view: BoardView, absent: Set[str]) -> str:
    """Return what the side of a board without stages says: a pipeline that is made or goes is not there."""
    pipelines = {pipeline_of(card.address) for card in (*view.before, *view.after) if card.address}
    return "not there" if pipelines & absent else "no stages"


def _title(view: BoardView, stages: bool) -> str:
    """Return what a screen shows: one board of stages, or fields of one sort in one group."""
    name = called({"title": view.title})
    becomes = f", afterwards {called({'title': view.becomes})}" if view.becomes else ""
    if stages:
        return f"Pipeline {name}{becomes}"
    fields = humanised(screen(view.kind).many)
    return f"{fields} in the group {name}{becomes}" if name else f"{fields} in no group"


def _after(card: CardView, was: str | None, note: str, moved: bool, changed: str) -> BoardCard:
    """Return a card as it will be: `was` is its title before, None where it is new."""
    if was is None:
        return BoardCard(card.title, note, "new", "new")
    notes = [*(["moved"] if moved else []), *([f"was {was}"] if was != card.title else [])]
    if notes:
        return BoardCard(card.title, note, "moved" if moved else "changed", ", ".join(notes))
    return BoardCard(card.title, note, "changed", changed) if changed else BoardCard(card.title, note, "", "")


def _note(card: CardView, stage: bool) -> str:
    if not stage:
        return card.note.replace("_", " ")
    if card.deals is None:
        return "deals not counted"
    return counted(card.deals, "deal") if card.deals else "no deals"

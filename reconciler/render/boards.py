"""Screens before and after, as people know them: boards of pipelines with their stages, groups with their fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from reconciler.model.document import BoardView, CardView, PlanDocument
from reconciler.render.naming import humanised, screen, sized
from reconciler.render.tree import entries


@dataclass(frozen=True, slots=True)
class Card:
    """A stage or a field; `note` are its deals or its type, `said` what happens to it."""

    title: str
    note: str
    state: Literal["", "new", "gone", "moved", "changed"] = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """One screen. `columns` where its cards stand side by side, as stages do."""

    title: str
    columns: bool
    before: Sequence[Card]
    after: Sequence[Card]


def boards(document: PlanDocument) -> list[Board]:
    """Return the screens of which a plan changes something."""
    return [_board(board) for board in document.boards]


def _board(view: BoardView) -> Board:
    stages = view.kind == "stage"
    old, new = ([card.key for card in side] for side in (view.before, view.after))
    moved = {entry.after for entry in entries(old, new) if entry.moved}
    titles = {card.key: card.title for card in view.before}
    before = [
        Card(card.title, _note(card, stages), "" if card.key in new else "gone", "" if card.key in new else "goes")
        for card in view.before
    ]
    after = []
    for card in view.after:
        was = titles.get(card.key)
        state: Literal["", "new", "moved", "changed"] = (
            "new" if was is None else "moved" if card.key in moved else "changed" if was != card.title else ""
        )
        note = {"new": "new", "moved": "moved", "changed": f"was {was}", "": ""}[state]
        after.append(Card(card.title, _note(card, stages), state, note))
    kind = screen({"stage": "pipeline"}.get(view.kind, "field_group")).one
    title = f"{kind} {view.title}" if view.title else "in no group"
    return Board(humanised(title), stages, before, after)


def _note(card: CardView, stage: bool) -> str:
    if not stage:
        return card.note.replace("_", " ")
    if card.deals is None:
        return "deals not counted"
    return sized(card.deals, "deal", "deals") if card.deals else "no deals"

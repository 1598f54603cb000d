"""Screens before and after: boards with their stages, groups with their fields."""

from __future__ import annotations

import json

from reconciler.model.document import BoardView, CardView, PlanDocument
from reconciler.render import html
from reconciler.render.boards import boards
from tests.world import World

BEFORE = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages: {lead: {title: Lead}, talk: {title: Talk}, won: {title: Won}}
field_groups: {crm: {label: CRM, object: contact}}
fields:
  tier: {title: Tier, type: text, group: crm}
"""
AFTER = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages: {talk: {title: Talks}, won: {title: Won}, lost: {title: Lost}}
field_groups: {crm: {label: CRM, object: contact}}
fields:
  tier: {title: Tier, type: text, group: crm}
  plan: {title: Plan, type: textarea, group: crm}
"""


def test_a_board_shows_what_goes_comes_and_moves(world: World) -> None:
    """Stages in the order of the board, those that the plan leaves alone too; fields in groups with their types."""
    world.write(BEFORE)
    assert world.cli("apply", "--auto-approve").code == 0
    world.write(AFTER)
    world.cli("plan", "--out", "plan.json")
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    found = {one.title: one for one in boards(document)}
    sales, group = found["Pipeline Sales"], found["Field group CRM"]
    assert [(one.title, one.state) for one in sales.before] == [("Lead", "gone"), ("Talk", ""), ("Won", "")]
    assert [(one.title, one.state) for one in sales.after] == [("Talks", "changed"), ("Won", ""), ("Lost", "new")]
    assert sales.before[0].note == "no deals"
    assert [(one.title, one.note, one.state) for one in group.after] == [
        ("Tier", "text", ""),
        ("Plan", "textarea", "new"),
    ]
    page = html.plan(document)
    assert page.index("How it will look") < page.index("Pipeline Sales") < page.index("What changes")


def test_a_stage_that_moves_is_marked() -> None:
    """The one that moved, not those that it passed."""
    cards = {name: CardView(key=name, title=name) for name in "abc"}
    view = BoardView(kind="stage", title="S", before=list(cards.values()), after=[cards["c"], cards["a"], cards["b"]])
    [board] = boards(PlanDocument(boards=[view]))
    assert [(one.title, one.said) for one in board.after] == [("c", "moved"), ("a", ""), ("b", "")]

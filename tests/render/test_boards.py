"""Screens before and after: boards with their stages, groups with their fields."""

from __future__ import annotations

import json
import re

import pytest

from reconciler.model.document import BoardView, CardView, ChangeView, PlanDocument
from reconciler.render import html, markdown, sentences
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
    sales, group = found["Pipeline Sales"], found["Contact fields in the group CRM"]
    assert [(one.title, one.state) for one in sales.before] == [("Lead", "gone"), ("Talk", ""), ("Won", "")]
    assert [(one.title, one.state) for one in sales.after] == [("Talks", "changed"), ("Won", ""), ("Lost", "new")]
    assert sales.before[0].note == "no deals"
    assert [(one.title, one.note, one.state) for one in group.after] == [
        ("Tier", "text", ""),
        ("Plan", "textarea", "new"),
    ]
    page, comment = html.plan(document), markdown.plan(document)
    assert comment.index("**Pipeline Sales**") < comment.index("1. Lead (no deals, **goes**)")
    assert "1. Talks (no deals, **was Talk**)" in comment
    assert "2. Plan (textarea, **new**)" in comment
    assert page.index("How it will look") < page.index("Pipeline Sales") < page.index("What changes")


def test_a_board_tells_that_its_pipeline_or_group_is_renamed(world: World) -> None:
    """Also where nothing on it changes, with the deals in each stage; one that only has another currency has none."""
    world.write(BEFORE)
    assert world.cli("apply", "--auto-approve").code == 0
    world.write(BEFORE.replace("currency: usd", "currency: eur"))
    world.cli("plan", "--out", "plan.json")
    assert boards(PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))) == []
    world.write(BEFORE.replace("title: Sales", "title: Deals").replace("label: CRM", "label: Customers"))
    world.cli("plan", "--out", "plan.json")
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    shown = {
        board.title: [[card.title for card in side] for side in (board.before, board.after)]
        for board in boards(document)
    }
    assert shown == {
        "Pipeline Sales, afterwards Deals": [["Lead", "Talk", "Won"]] * 2,
        "Contact fields in the group CRM, afterwards Customers": [["Tier"]] * 2,
    }
    assert {card.note for card in boards(document)[0].after} == {"no deals"}


def test_a_board_tells_what_is_made_again_from_what_changes() -> None:
    """The values of one are kept, those of the other are not."""
    cards = [CardView(key=key, title=key, note="text", address=f"deal_field.{key}") for key in ("a", "b")]
    changes = [
        ChangeView(address="deal_field.a", kind="deal_field", action="replace"),
        ChangeView(address="deal_field.b", kind="deal_field", action="update"),
    ]
    view = BoardView(kind="deal_field", title="Deals", before=cards, after=cards)
    (board,) = boards(PlanDocument(changes=changes, boards=[view]))
    assert [card.verb for card in board.after] == ["made again", "changes"]


def test_a_board_tells_all_that_becomes_of_a_stage(world: World) -> None:
    """That it moves and has another name, and that something else of it changes; and moves what the plan moves."""
    world.write(BEFORE)
    assert world.cli("apply", "--auto-approve").code == 0
    stages = "{won: {title: Won}, lead: {title: Leads}, talk: {title: Talk, color: '18D6F9'}}"
    world.write(BEFORE.replace("{lead: {title: Lead}, talk: {title: Talk}, won: {title: Won}}", stages))
    assert world.cli("plan", "--out", "plan.json").code == 0
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    (sales,) = [one for one in boards(document) if one.title == "Pipeline Sales"]
    shown = {one.title: one.note.partition(", ")[2] or one.state for one in sales.after}
    moved = {"Won", "Leads", "Talk"} & {title for title, note in shown.items() if "moved" in note}
    told = {one.address for one in document.changes if any(item.name == "order" for item in one.attributes)}
    assert moved
    assert len(moved) == len(told)
    assert "was Lead" in html.plan(document)
    assert sales.after[2].state in ("changed", "moved")


def test_an_option_with_another_label_stays_and_one_that_goes_is_told_by_its_label(world: World) -> None:
    """Among what is lost, also where nobody has chosen it."""
    field = "fields: {tier: {title: Tier, type: dropdown, options: [%s]}}"
    world.write(field % "{value: a, label: Free}, {value: b, label: Pro}")
    assert world.cli("apply", "--auto-approve").code == 0
    world.write(field % "{value: a, label: Free of charge}")
    world.cli("plan", "--out", "plan.json")
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    (change,) = document.changes
    assert sentences.removed(change) == {"options": ["Pro"]}
    comment = markdown.plan(document)
    assert comment.index("### What is lost") < comment.index("Pro")


EVACUATED = BEFORE.replace("{title: Lead}", "{title: Lead, lifecycle: {on_destroy: {move_deals_to: talk}}}")


@pytest.mark.parametrize(("talk", "asked"), [(2, 1), (120, 4)])
def test_a_board_counts_the_deals_of_all_its_stages(world: World, talk: int, asked: int) -> None:
    """Also of those that stay, and where deals are after they were moved; the requests are among those that the plan
    says it took. What is printed as text shows no board, and asks for none.
    """
    world.write(EVACUATED)
    assert world.cli("apply", "--auto-approve").code == 0
    rows = {row["title"]: row for row in world.rows("dealStages")}
    deals = [rows["Lead"]] * 3 + [rows["Talk"]] * talk
    world.account.seed({"deals": [{"title": "D", "stage": one["id"], "group": one["group"]} for one in deals]})
    world.write(BEFORE.replace("lead: {title: Lead}, ", ""))
    world.forget()
    world.cli("plan")
    plain = len(world.requests())
    world.forget()
    world.cli("plan", "--out", "plan.json")
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    assert (len(world.requests()) - plain, document.forecast.plan_requests) == (asked, plain + asked)
    [sales] = boards(document)
    assert [one.note for one in sales.before] == ["3 deals", f"{talk} deals", "no deals"]
    assert [one.note for one in sales.after] == [f"{talk + 3} deals", "no deals"]


@pytest.mark.parametrize("how", ["--no-impact", "hidden", "short"])
def test_what_was_not_counted_is_said(world: World, how: str) -> None:
    """Not asked for, not shown by the account (it tells no stages of deals that the user may not see), or fewer shown
    than there are: never "no deals".
    """
    world.write(BEFORE)
    assert world.cli("apply", "--auto-approve").code == 0
    world.write(BEFORE.replace("{title: Talk}", "{title: Talks}"))
    body = {"deals": [{"id": "1", "title": "D", "isDisabled": "1"}], "meta": {"total": 1 if how == "hidden" else 3}}
    if how != "--no-impact":
        world.fault("fail_before", "^GET /deals", status=200, body=body, times=9)
    world.cli("plan", "--out", "plan.json", *([how] if how.startswith("--") else []))
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    [sales] = boards(document)
    assert {one.note for one in (*sales.before, *sales.after)} == {"deals not counted"}


def test_a_stage_that_moves_is_marked() -> None:
    """The one that moved, not those that it passed."""
    cards = {name: CardView(key=name, title=name) for name in "abc"}
    view = BoardView(kind="stage", title="S", before=list(cards.values()), after=[cards["c"], cards["a"], cards["b"]])
    [board] = boards(PlanDocument(boards=[view]))
    assert [(one.title, one.verb) for one in board.after] == [("c", "moved"), ("a", ""), ("b", "")]


KEYS = """
pipelines:
  p1:
    title: מכירות
    currency: usd
    stages:
      s1: {title: Deals we won}
      s2: {title: ליד}
      s3: {title: Talk, lifecycle: {on_destroy: {move_deals_to: s1}}}
field_groups: {g1: {label: CRM, object: contact}, g2: {label: Shop, object: contact}}
fields:
  tier: {title: Tier, type: text, group: g1}
"""


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ([("      s3: {title: Talk, lifecycle: {on_destroy: {move_deals_to: s1}}}\n", "")],
         ["The stage Talk of מכירות is deleted.", "stage Deals we won of מכירות"]),
        ([("group: g1}", "group: g2}")], ["CRM", "Shop"]),
        ([("      s3:", "      s4: {title: Later}\n      s3:")], ["stage Later of מכירות"]),
    ],
)  # fmt: skip
def test_what_a_plan_leaves_alone_has_its_name(world: World, edit: list[tuple[str, str]], told: list[str]) -> None:
    """Pipelines, groups and stages that nothing happens to are called as on their boards, not by their keys."""
    world.write(KEYS)
    assert world.cli("apply", "--auto-approve").code == 0
    after = KEYS
    for old, new in edit:
        assert old in after
        after = after.replace(old, new)
    world.write(after)
    world.cli("plan", "--out", "plan.json")
    document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
    bare = re.sub("</?bdi>", "", html.plan(document))
    page = bare.split("What changes")[1]
    lost = bare.split("How it will look")[0]
    assert [one for one in told if one not in lost + page] == []
    shown = re.sub(r"<code.*?</code>|<dd>.*?</dd>|<svg id=\"graph\".*?</svg>", "", lost + page, flags=re.DOTALL)
    assert re.findall(r"\b[PpGgSs][1-4]\b", shown.partition("</style>")[2]) == []


GOES = """
pipelines: {}
field_groups: {crm: {label: CRM, object: contact}}
fields: {}
"""


def test_an_empty_side_says_whether_the_screen_is_there(world: World) -> None:
    """A pipeline that is deleted or new is not there; a group that only loses its fields has none."""
    world.write(GOES)
    shown = []
    for text in (BEFORE, GOES):
        world.write(text)
        world.cli("plan", "--out", "plan.json", "--allow", "max_deletes")
        document = PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))
        shown.append({board.title: ([len(board.before), len(board.after)], board.empty) for board in boards(document)})
        views = (html.plan(document), markdown.plan(document))
        assert [("not there" in view, "no fields" in view) for view in views] == [(True, True)] * 2
        assert world.cli("apply", "--auto-approve").code == 0
    group, pipeline = "Contact fields in the group CRM", "Pipeline Sales"
    assert shown == [
        {pipeline: ([0, 3], "not there"), group: ([0, 1], "no fields")},
        {pipeline: ([3, 0], "not there"), group: ([1, 0], "no fields")},
    ]
    card = CardView(key="1", title="Won", address="stage.sales.won")
    [kept] = boards(PlanDocument(boards=[BoardView(kind="stage", title="Sales", after=[card])]))
    assert kept.empty == "no stages"

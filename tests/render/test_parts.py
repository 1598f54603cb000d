"""What every view has to show: whoever approves sees one of them only."""

from __future__ import annotations

import html as escaping
import re
from collections.abc import Callable

import pytest

from reconciler.model.document import (
    ChangeView,
    Forecast,
    GuardView,
    ImpactView,
    PlanDocument,
    Summary,
    UseView,
)
from reconciler.render import html, markdown, text
from reconciler.render.graph import GraphItem, drawn
from tests.render import documents

STEP = "Open Settings at https://acme.activehosted.com/app/settings/users; the step is gone once it is done"


def _of(view: Callable[[PlanDocument], str], *, strip: bool = False) -> Callable[[PlanDocument], str]:
    """A view on one line without markup, so that the same words can be looked for in all of them."""

    def shown(document: PlanDocument) -> str:
        found = view(document)
        if strip:
            found = escaping.unescape(re.sub(r"<[^>]+>", " ", found.partition("<body>")[2].partition("<script>")[0]))
        return re.sub(r"\s+", " ", re.sub(r"[\\`*]|\u200b", "", found))

    return shown


VIEWS = {
    "text": _of(lambda document: text.plan(document, width=200)),
    "narrow": _of(lambda document: text.plan(document, width=60)),
    "markdown": _of(markdown.plan),
    "html": _of(html.plan, strip=True),
}


def parts() -> PlanDocument:
    """A plan with whatever a view could forget."""
    stage = ChangeView(
        address="stage.sales.won",
        kind="stage",
        action="update",
        parent="pipeline.sales",
        ignored=["width"],
        attributes=[
            documents.old("order", 5, 2, places=(3, 2)),
            documents.old("color", "red", "blue", origin="both", run="r-7"),
        ],
    )
    hook = ChangeView(
        address="webhook.crm",
        kind="webhook",
        action="update",
        attributes=[documents.old("url", "https://a.example/(sensitive)", "https://a.example/(sensitive)")],
    )
    lost = ChangeView(
        address="stage.sales.lost",
        kind="stage",
        action="delete",
        on_destroy={"move_deals_to": "stage.sales.won"},
        uses=[
            UseView(where="automation Win back", note="2 blocks"),
            UseView(where="messages", certainty="not inspected", note="the key may not read them"),
        ],
        impacts=[ImpactView(count=318, noun="deals", detail="worth USD 1,204.00", at_most=True)],
    )
    by_hand = ChangeView(address="user.jane", kind="user", action="manual", manual={"role": STEP})
    guards = [
        GuardView(
            name="suspected_rename",
            verdict="tripped",
            message="looks like a rename",
            addresses=["stage.sales.lost"],
            override="--allow suspected_rename=stage.sales.lost",
            remedy="moved: [{from: a, to: b}]",
        ),
        GuardView(
            name="max_deletes",
            verdict="overridden",
            addresses=[f"tag.t{number}" for number in range(45)],
            by="command line",
        ),
        GuardView(name="policy names", verdict="warned", message="Names begin with a part in brackets"),
        GuardView(name="policy no-friday", verdict="passed"),
    ]
    return documents.sealed(
        changes=[stage, hook, lost, by_hand],
        summary=Summary(change=2, destroy=1, manual=1, records_at_risk=318, at_most=True, unchanged=4),
        guards=guards,
        warnings=["the list is shorter than it was"],
        options={"target": ["stage.*"], "brought": ["pipeline.sales"], "dropped": ["webhook.old"]},
        forecast=Forecast(plan_requests=10, apply_reads=4, apply_writes=8, rate=5.0, seconds=2.4),
    )


@pytest.mark.parametrize(
    "words",
    [
        "environment prod|Plan for prod",
        "Plan: 0 to add, 2 to change, 1 to destroy, 1 manual step.",
        "Up to 318 customer records are affected.",
        "up to 318 deals are moved to stage.sales.won first (worth|Up to 318 deals are moved to the stage Won",
        "before that: move deals to stage.sales.won|318 deals are moved to the stage Won of Sales first",
        "used by automation Win back (2 blocks)|Used by automation Win back (2 blocks)",
        "not inspected: messages (the key may not read them)|Could not be looked into: messages (the key may not",
        "moved from place 3 to 2",
        "last applied null by r-7",
        "left as it is (ignore_changes): width|Left as it is (ignore_changes) width",
        "another value, not shown",
        "config/crm.yaml:41",
        "Settings at https://acme.activehosted.com/app/settings/users|Settings at <https://acme.activehosted.com/app",
        "Refused by 1 guard; nothing will be written.|It needs one approval.",
        "looks like a rename",
        "--allow suspected_rename=stage.sales.lost",
        "moved: [{from: a, to: b}]",
        "allowed on the command line",
        "tag.t29 and 15 more|tag T29 and 15 more|tag.t14 and 30 more",
        "Names begin with a part in brackets",
        "policy no-friday|No friday",
        "the list is shorter than it was",
        "Only a selection was planned (--target stage.).|Only a selection was planned (--target stage.*).",
        "Also planned, for the selection needs it: pipeline.sales.",
        "Left out too, for it depends on what was excluded: webhook.old.",
        "12 requests (4 to read, 8 to write), about 2.4 s at 5 requests/s",
        "d1" * 32,
    ],
)
@pytest.mark.parametrize("view", VIEWS)
def test_no_view_leaves_it_out(view: str, words: str) -> None:
    """Verdict, risk, provenance, moves, evacuation, manual steps, guards, policies, selection and cost, everywhere."""
    shown = VIEWS[view](parts())
    assert any(one in shown for one in words.split("|")), shown


def test_only_screens_of_accounts_are_links() -> None:
    """A manual step's link can be clicked; an address that anybody could have written into an account cannot."""
    evil = "look at https://evil.example/app and https://acme.activehosted.com.evil.example/app"
    document = parts()
    hostile = ChangeView(address="tag.x", kind="tag", action="manual", manual={"name": evil})
    page = html.plan(document.model_copy(update={"changes": [*document.changes, hostile]}))
    links = set(re.findall(r'<a href="(https?:[^"]*)"', page))
    assert "https://acme.activehosted.com/app/settings/users" in links
    assert not any("evil" in link for link in links)


def test_a_report_tells_what_goes_but_no_address_of_a_person() -> None:
    """The attributes of an object that is deleted are there as they are now; e-mail addresses are not."""
    gone = ChangeView(
        address="list.old",
        kind="list",
        action="delete",
        found={
            "name": "Old news",
            "user": "jane@canary.example",
            "notify": ["a%40canary.example"],
            "url": "",
            "x": None,
        },
    )
    page = html.plan(PlanDocument(changes=[gone]))
    assert "Old news" in page
    assert "canary" not in page
    assert page.count("(address)") == 2


def test_a_loss_of_nothing_is_not_marked_as_a_risk() -> None:
    """A delete that was counted and costs no record is neither red nor among `only what puts records at risk`."""
    gone = ChangeView(address="tag.a", kind="tag", action="delete", impacts=[ImpactView(count=0, noun="contacts")])
    page = html.plan(PlanDocument(changes=[gone]))
    assert "No customer data is lost." in page
    assert 'class="risk"' not in page
    assert 'class="item a-delete" ' in page


def test_a_line_does_not_seem_to_end_at_a_box_that_it_passes() -> None:
    """Where objects are drawn, all of a wave stand in one column; what has no line may stand in several."""
    items = [GraphItem(number, f"tag.t{number}", "", "", "other") for number in range(1, 31)]
    items += [GraphItem(number + 100, f"segment.s{number}", "", "", "other", [number]) for number in range(1, 16)]
    nodes = {node.number: node.x for node in drawn(items, apart=True).nodes}
    assert len({nodes[number] for number in range(1, 16)}) == 1
    assert len({nodes[number] for number in range(101, 116)}) == 1
    assert len({nodes[number] for number in range(16, 31)}) > 1
    assert len({node.x for node in drawn(items).nodes}) > 2

"""The report of a fleet as a page for people who read no YAML."""

from __future__ import annotations

import html as pages
import re
from typing import get_args

import pytest

from reconciler.fleet.job import line_of
from reconciler.model.document import ChangeView, GuardView, ImpactView, PlanDocument
from reconciler.model.fleet import AccountOutcome, Drifted, FleetReport, Group, JobResult, WaveReport
from reconciler.render import fleet, html, sentences
from reconciler.render.naming import Names
from reconciler.render.same_changes import of_notes, of_plan
from tests.render.test_sentences import JARGON

TAG = ChangeView(
    address="tag.vip", kind="tag", action="delete", found={"name": "Très VIP"},
    impacts=[ImpactView(count=4, noun="contacts carry the tag")],
)  # fmt: skip
NEW = ChangeView(address="list.news", kind="list", action="create", desired={"name": "News"})
PLAN = PlanDocument(changes=[NEW, TAG])


def report_of(mode: str, accounts: list[JobResult], **more: object) -> FleetReport:
    """Return the report of one wave with one group."""
    changes = [line_of(change) for change in PLAN.changes]
    group = Group(digest="g", accounts=[one.account for one in accounts], changes=changes)
    waves = [WaveReport(name="early", accounts=len(accounts), state="approval", digest="d1")]
    return FleetReport.model_validate(
        {"name": "r", "mode": mode, "accounts": accounts, "groups": [group], "waves": waves, **more}
    )


def read(report: FleetReport, **more: object) -> str:
    """Return what stands on the page, without what is folded away for engineers."""
    page = fleet.html(report, planned={"g": of_plan(PLAN)} if more.get("plan") else None)
    body = re.sub(r'(?s)<details class="engine"><summary.*?</details>|<pre>.*?</pre>', " ", page.partition("<body>")[2])
    return " ".join(pages.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_what_is_lost_comes_first_with_what_people_will_notice() -> None:
    """Before approvals, changes and accounts; by the names that a plan knows, else by what was noted."""
    accounts = [JobResult(account="acme", outcome="changes", add=1, destroy=1, records_at_risk=4)]
    told = read(report_of("plan", accounts), plan=True)
    order = ("All accounts together: 1 thing deleted and 1 thing new.", "4 customer records are affected.",
             "What is lost", "The tag Très VIP is deleted.", "4 contacts lose this tag.", "What it waits for",
             "What changes", "The list News is new.", "All accounts")  # fmt: skip
    places = [told.index(part) for part in order[:-1]]
    assert places == sorted(places)
    assert "The tag Vip is deleted." in read(report_of("plan", accounts))


@pytest.mark.parametrize("outcome", get_args(AccountOutcome))
@pytest.mark.parametrize("mode", ["plan", "apply", "drift"])
def test_a_page_has_no_words_of_ours_and_no_addresses(mode: str, outcome: AccountOutcome) -> None:
    """Whatever became of the accounts."""
    drift = [Drifted(by="object", name="tag.vip", accounts=1, drifted=1)] if mode == "drift" else []
    result = JobResult(account="acme", outcome=outcome, destroy=1, message="m")
    told = read(report_of(mode, [result], drift=drift))
    assert not JARGON.search(told)
    assert not re.search(r"\b(?:tag|list)\.\w+|\bcreate\b|\bdestroy\b", told)
    assert ("What is lost" in told) == (mode != "drift")


def test_every_action_is_told_with_and_without_a_plan() -> None:
    """Also of drift; what was noted in other words stays as it is."""
    for action in get_args(ChangeView.model_fields["action"].annotation):
        change = ChangeView(address="list.news", kind="list", action=action)
        for drift in (False, True):
            assert sentences.sentence(change, Names([change]), drift=drift).startswith("The list News ")
    told = of_notes(["delete tag.vip", "update list.news (name)", "and 3 more"])
    assert [said for said, _ in told.lost] == ["The tag Vip is deleted."]
    assert told.rest == ["The list News changes.", "and 3 more"]
    assert of_notes(["delete tag.vip"], drift=True).rest == ["The tag Vip is gone from the account."]


def test_what_a_guard_stopped_is_asked_and_did_not_go_wrong() -> None:
    """Apart from failures; what the page is about comes before the name of the rollout."""
    accounts = [
        JobResult(account="acme", outcome="refused", destroy=1, message="30 customer records are lost"),
        JobResult(account="bolt", outcome="failed", message="the key is wrong"),
    ]
    told = read(report_of("plan", accounts, state="done", begun="2026-11-29T10:14:33Z"))
    asked, _, wrong = told.partition("What has to be allowed")[2].partition("What went wrong")
    assert told.startswith("Plan for 2 accounts Rollout r, begun 29 November 2026, 10:14 UTC")
    assert "1 that need an approval, or break a rule, 1 failed" in told
    assert ("30 customer records" in asked, "the key is wrong" in asked) == (True, False)
    assert "the key is wrong" in wrong
    assert read(report_of("apply", accounts, state="stopped")).startswith("Rollout to 2 accounts: stopped by a gate")
    assert read(report_of("drift", accounts, state="done")).startswith("Drift of 2 accounts")


def test_a_card_of_an_account_of_a_fleet_names_the_line_of_its_file() -> None:
    """No command plans one account of a fleet alone; a rule has its owner there, too."""
    lost = GuardView(name="max_records_lost", verdict="tripped", addresses=["tag.vip"], override="--allow 'max lost=4'")
    rule = GuardView(name="policy names", verdict="tripped", message="Names begin with the team", addresses=["tag.vip"])
    document = PLAN.model_copy(update={"environment": "acme", "guards": [lost, lost, rule]})
    page = html.plan(document, fleet=True)
    assert "guards: {allow: [&#34;max lost=4&#34;]}" in page
    assert "reconciler --env" not in page
    assert ("reconciler --env" in html.plan(document), "guards: {allow" in html.plan(document)) == (True, False)

"""What a fleet says of customer data is what a plan says of it, bounds and unknown numbers included."""

from __future__ import annotations

import html as pages

import pytest

from reconciler.fleet.job import _told, group_of
from reconciler.fleet.rollout import gate
from reconciler.model.document import ChangeView, ImpactView, PlanDocument, Summary
from reconciler.model.fleet import FleetReport, Job, JobResult, Wave
from reconciler.render.fleet import VIEWS
from reconciler.render.sentences import affects
from tests.render.documents import sealed

RISKS = {
    "none": Summary(add=2),
    "deleted": Summary(destroy=1),
    "counted": Summary(destroy=1, records_at_risk=1200),
    "at most": Summary(destroy=1, records_at_risk=1200, at_most=True),
    "unknown": Summary(destroy=1, unmeasured=2),
    "both": Summary(destroy=1, records_at_risk=3, at_most=True, unmeasured=1),
    "switched off": Summary(switch_off=1),
    "moved": Summary(change=1, records_moved=7),
    "along": Summary(destroy=1, unmanaged=4),
}


def document_of(summary: Summary) -> PlanDocument:
    """Return a plan with these counts."""
    return sealed().model_copy(update={"summary": summary, "options": {}})


def result_of(name: str, summary: Summary) -> JobResult:
    """Return what is kept of the plan of an account."""
    return _told(Job(account=name, url="https://a.api-us1.com", baseline="crm"), "changes", document_of(summary))


@pytest.mark.parametrize("summary", RISKS.values(), ids=RISKS)
def test_a_fleet_says_what_the_plan_of_its_account_says(summary: Summary) -> None:
    """In every view; where nothing goes, nothing is said."""
    report = FleetReport(name="r", mode="apply", accounts=[result_of("acme", summary), result_of("beta", Summary())])
    said = " ".join(affects(document_of(summary)))
    silent = summary == RISKS["none"]
    for form in ("text", "markdown", "html"):
        assert (said in pages.unescape(VIEWS[form](report))) != silent, form
    looked = report.model_copy(update={"mode": "drift"})
    assert all(said not in VIEWS[form](looked) for form in ("text", "markdown", "html"))


def test_one_upper_bound_makes_the_sum_of_all_accounts_one() -> None:
    """And each account's own cell says whose it is."""
    exact, most = result_of("acme", RISKS["counted"]), result_of("beta", RISKS["both"])
    report = FleetReport(name="r", mode="plan", accounts=[exact, most])
    assert "Up to 1,203 customer records are affected. For one change what is lost cannot" in VIEWS["text"](report)
    cells = VIEWS["html"](report)
    assert ">1,200</td>" in cells
    assert ">up to 3 and unknown</td>" in cells
    wave = Wave(name="w", max_records_at_risk=10)
    assert gate(wave, [exact, most]) == "up to 1,203 customer records are at risk, at most 10 may be"
    assert gate(wave, [exact]) == "1,200 customer records are at risk, at most 10 may be"


def test_accounts_of_which_one_has_a_bound_only_are_two_groups() -> None:
    """They do not have the same plan."""
    exact, most = (
        ChangeView(
            address="tag.a",
            kind="tag",
            key="a",
            action="delete",
            impacts=[ImpactView(count=3, noun="x", at_most=bound)],
        )
        for bound in (False, True)
    )
    assert group_of([exact]) != group_of([most])

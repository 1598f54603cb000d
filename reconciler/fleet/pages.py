"""The HTML report of a fleet as a folder: one page of all, and the report of each account beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reconciler.model.document import PlanDocument
from reconciler.model.fleet import FleetReport
from reconciler.model.redaction import Shown, as_made
from reconciler.render import fleet, html
from reconciler.render.same_changes import SameChanges, of_plan
from reconciler.store.sites import INDEX, check_site, write_site

MARKERS = ("base-uri 'none'; form-action 'none'\">", 'base-uri &#39;none&#39;; form-action &#39;none&#39;">')
"""What only pages of this program hold, in their policy: that of all accounts, and reports of plans."""


def write_pages(report: FleetReport, plans: Mapping[str, Callable[[], PlanDocument]], folder: Path) -> int:
    """Write the pages, all at once, and return how many accounts have one of their own: those with a plan, which is
    read when its turn comes. Raises ReconcilerError for a folder with other files.
    """
    check_site(folder, *MARKERS)
    documents = {f"accounts/{account}.html": document for account, document in plans.items()}
    links = {account: f"accounts/{account}.html" for account in plans}

    def page(name: str) -> Shown:
        return as_made(
            fleet.html(report, links, _told(report, plans))
            if name == INDEX
            else html.plan(documents[name](), fleet=True)
        )

    return write_site(folder, [*documents, INDEX], page, *MARKERS) - 1


def _told(report: FleetReport, plans: Mapping[str, Callable[[], PlanDocument]]) -> dict[str, SameChanges]:
    """Return what is done in the accounts of each group, as the plan of the first one that has one tells it."""
    first = {group.digest: next((name for name in group.accounts if name in plans), "") for group in report.groups}
    return {digest: of_plan(plans[name](), drift=report.mode == "drift") for digest, name in first.items() if name}

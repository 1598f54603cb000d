"""The HTML report of a fleet as a folder: one page of all, and the report of each account beside it."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.document import PlanDocument
from reconciler.model.documents import read_document
from reconciler.model.fleet import FleetReport
from reconciler.model.redaction import Shown, as_made
from reconciler.render import fleet, html
from reconciler.store.sites import INDEX, check_site, write_site

MARKERS = ("base-uri 'none'; form-action 'none'\">", 'base-uri &#39;none&#39;; form-action &#39;none&#39;">')
"""What only pages of this program hold, in their policy: that of all accounts, and reports of plans."""


def write_pages(report: FleetReport, folder: Path) -> int:
    """Write the pages, all at once, and return how many accounts have one of their own: those with a plan. Raises
    ReconcilerError for a folder with other files.
    """
    check_site(folder, *MARKERS)
    documents = {f"accounts/{account.account}.html": account for account in report.accounts if account.document}
    links = {account.account: name for name, account in documents.items()}

    def page(name: str) -> Shown:
        if name == INDEX:
            return as_made(fleet.html(report, links))
        return as_made(html.plan(read_document(PlanDocument, documents[name].document)))

    return write_site(folder, [*documents, INDEX], page, *MARKERS) - 1

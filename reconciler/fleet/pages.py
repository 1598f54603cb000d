"""The HTML report of a fleet as a folder: one page of all, and the report of each account beside it."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.document import PlanDocument
from reconciler.model.documents import read_document
from reconciler.model.fleet import FleetReport
from reconciler.render import fleet, html
from reconciler.store.atomic import write_file

INDEX = "index.html"


def write_pages(report: FleetReport, folder: Path) -> int:
    """Write the pages, and return how many accounts have one of their own: those with a plan."""
    links: dict[str, str] = {}
    for account in report.accounts:
        if account.document:
            name = f"accounts/{account.account}.html"
            page = html.plan(read_document(PlanDocument, account.document))
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_file(folder / name, page.encode(), mode=0o600)
            links[account.account] = name
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / INDEX, fleet.html(report, links).encode(), mode=0o600)
    return len(links)

"""Archived customer records as text: what there is to put back, and what became of it. Counts only, no record."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.archive import ArchivedRecords, Returned
from reconciler.model.http import PAGE
from reconciler.render import words
from reconciler.render.layout import Paper
from reconciler.render.quoting import clean
from reconciler.render.text import finish


def archived(
    lots: Iterable[ArchivedRecords], *, width: int = 80, colour: bool = False, ascii_only: bool = False
) -> str:
    """Return what an archive holds, an object on each line, with what stops it or what it may set off."""
    paper = Paper(max(width, 40), colour)
    lines = paper.paragraph("Archived customer records:", tone="bold")
    rows = list(lots)
    for lot in rows:
        count = words.counted(len(lot.records), "record")
        lines += _lines(lot.address, f"{count} cannot be put back" if lot.why else count, "warning", lot.why, paper)
        if lot.warning and lot.records and not lot.why:
            lines += paper.paragraph(clean(lot.warning), first="      ", indent="      ", tone="warning")
    going = [len(lot.records) for lot in rows if not lot.why]
    most = words.counted(sum(going) + sum(1 + count // PAGE for count in going), "request")
    cost = paper.paragraph(f"Putting them back takes about {most}.") if sum(going) else []
    return finish([lines, cost], ascii_only=ascii_only)


def returned(records: Iterable[Returned], *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Return what became of archived records, an object on each line, and the sum."""
    paper = Paper(max(width, 40), colour)
    rows = list(records)
    lines = []
    for row in rows:
        counts = [(row.back, "put back"), (row.present, "there already"), (row.lost, "not put back")]
        summary = ", ".join(f"{words.number(count)} {word}" for count, word in counts if count) or "nothing to put back"
        lines += _lines(row.lot.address, summary, "error" if row.lost else "", row.why, paper)
    total = words.counted(sum(row.back for row in rows), "customer record")
    return finish([lines, paper.paragraph(f"Restore complete: {total} put back.", tone="good")], ascii_only=ascii_only)


def _lines(address: str, summary: str, tone: str, why: str, paper: Paper) -> list[str]:
    lines = paper.paragraph(clean(f"{address}: {summary}"), first="  ", indent="    ")
    return lines + (paper.paragraph(clean(why), first="      ", indent="      ", tone=tone) if why else [])

"""What a probe found: as text, markdown, and one HTML page that stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.model.findings import PointView, ProbePart, ProbeReport
from reconciler.render.layout import Paper
from reconciler.render.pages import filled
from reconciler.render.quoting import clean

if TYPE_CHECKING:
    pass

WORDS = {"differs": "differs", "assumed": "as assumed", "unknown": "unknown"}
TONES = {"differs": "warning", "assumed": "good", "unknown": "faint"}
ORDER = tuple(WORDS)


def text(report: ProbeReport, *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the report as text: what differs first, then what is as assumed, then what is unknown and why."""
    paper = Paper(max(width, 60), colour)
    lines = paper.paragraph(summary(report), tone="bold")
    for verdict in ORDER:
        rows = list(_told(report, verdict))
        if rows:
            lines += ["", *paper.paragraph(f"{WORDS[verdict].capitalize()} ({len(rows)}):", tone=TONES[verdict])]
            for number, assumption, detail in rows:
                lines += paper.noted(clean(assumption), clean(detail), first=f"  {number:>6}  ", indent=" " * 10)
    for title, entries in (("About the account", _about(report)), ("Left in the account", _left(report))):
        if entries:
            lines += ["", *paper.paragraph(f"{title}:", tone="bold")]
            lines += [line for entry in entries for line in paper.paragraph(clean(entry), first="  - ", indent="    ")]
    whole = "\n".join(lines) + "\n"
    return whole.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else whole


SIGNS = {"ok": ("ok", "good"), "warning": ("!", "warning"), "failed": ("FAILED", "error"), "skipped": ("-", "faint")}


def page(rows: Sequence[Mapping[str, str]], *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the lines of `doctor`: what was checked, how it is, and what to do about it."""
    paper = Paper(max(width, 60), colour)
    lines = []
    for row in rows:
        sign, tone = SIGNS[row["verdict"]]
        first = f"{paper.ink(tone, f'{sign:>6}')}  {row['check']:<14}"
        lines += paper.paragraph(clean(row["found"]), first=first, indent=" " * 22)
        if row["advice"] and row["verdict"] != "ok":
            lines += paper.paragraph(clean(row["advice"]), first=" " * 22, indent=" " * 22, tone="faint")
    whole = "\n".join(lines) + "\n"
    return whole.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else whole


WIDEST = 80


def grounds(
    rows: Sequence[Mapping[str, Any]], *, width: int = WIDEST, colour: bool = False, ascii_only: bool = False
) -> str:
    """Return facts with what is known of them, and from where; no line is wider than 80 columns."""
    paper = Paper(min(max(width, 40), WIDEST), colour)
    lines = []
    for row in rows:
        number = f" (row {row['row']})" if row["row"] else ""
        lines += paper.paragraph(f"{clean(row['says'])}{number}", first="", indent="  ", tone="bold")
        grounds_found = f"{clean(row['found'])}; " if row["found"] else ""
        lines += paper.paragraph(
            f"{clean(row['fact'])}: {grounds_found}{clean(row['from'])}", first="    ", indent="      "
        )
    whole = "\n".join(lines) + "\n" if lines else ""
    return whole.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else whole


def summary(report: ProbeReport) -> str:
    """Return the verdicts in one line."""
    counts = {verdict: sum(1 for _ in _told(report, verdict)) for verdict in ORDER}
    counted = ", ".join(f"{counts[verdict]} {WORDS[verdict]}" for verdict in ("assumed", "differs", "unknown"))
    kind = "reads only, " if report.read_only else ""
    end = "" if report.complete else "; the budget was used up before the end"
    return f"Probed {report.probed}: {counted} ({kind}{report.requests} requests, {report.seconds:g} s){end}."


def markdown(report: ProbeReport) -> str:
    """Return the report as markdown."""
    lines = [f"# What this account does\n\n{summary(report)} Version {report.version}.\n"]
    for verdict in ORDER:
        rows = list(_told(report, verdict))
        if rows:
            lines.append(f"## {WORDS[verdict].capitalize()}\n\n| row | assumption | found |\n| --- | --- | --- |")
            lines += [
                f"| {_cell(number)} | {_cell(assumption)} | {_cell(detail)} |" for number, assumption, detail in rows
            ]
            lines.append("")
    for title, entries in (("About the account", _about(report)), ("Left in the account", _left(report))):
        if entries:
            lines += [f"## {title}\n", *(f"- {_cell(entry)}" for entry in entries), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def html(report: ProbeReport) -> str:
    """Return the report as an HTML page without scripts, that loads nothing."""
    sections = [(WORDS[verdict], verdict, rows) for verdict in ORDER if (rows := list(_told(report, verdict)))]
    notes = [("About the account", _about(report)), ("Left in the account", _left(report))]
    shown = [note for note in notes if note[1]]
    return filled("findings.html", summary=summary(report), version=report.version, sections=sections, notes=shown)


def _told(report: ProbeReport, verdict: str) -> Iterator[tuple[str, str, str]]:
    """Yield number, assumption and what was found, of the points of this verdict; then what is beside the table."""
    for point in report.points:
        if point.verdict == verdict:
            yield f"row {point.row}", point.fact, _detail(point)
    for part in report.beside:
        if part.verdict == verdict:
            yield "-", part.fact, _of_part(part)


def _detail(point: PointView) -> str:
    if point.verdict == "unknown":
        return point.why
    if point.verdict == "assumed":
        return _short(point.parts)
    return "; ".join(_of_part(part) for part in point.parts if part.verdict == "differs")


def _short(parts: Sequence[ProbePart]) -> str:
    known = [part for part in parts if part.verdict != "unknown"]
    if len(known) == 1:
        return f"{known[0].name}: {known[0].found}"
    return f"{len(known)} of {len(parts)} looked at" if len(known) < len(parts) else f"all {len(parts)} looked at"


def _of_part(part: ProbePart) -> str:
    if part.verdict == "unknown":
        return part.why
    if part.verdict == "assumed":
        return f"{part.name}: {part.found}"
    changes = (
        f"; {', '.join(part.affects)}: {part.changes}" if part.changes else f"; concerns {', '.join(part.affects)}"
    )
    return f"{part.name} is {part.found}, not {part.assumed}{changes}"


def _about(report: ProbeReport) -> list[str]:
    plan = ", ".join(f"{name} {value}" for name, value in report.plan.items()) or "not told"
    rights, off = report.permissions, report.permissions.get("flags_off") or []
    lines = [f"plan: {plan}", f"key: Admin {rights.get('admin')}, user group {rights.get('user_group') or 'not told'}"]
    lines += [f"flags that are off: {', '.join(off)}"] if off else []
    refused = [f"{listing.path} ({listing.status})" for listing in report.listings if listing.status != 200]
    lines += [f"not readable: {', '.join(refused)}"] if refused else []
    pages = [
        f"{listing.path} {listing.default}, at most {listing.largest}"
        for listing in report.listings
        if listing.default is not None
    ]
    return [*lines, f"rows of a page: {'; '.join(pages)}"] if pages else lines


def _left(report: ProbeReport) -> list[str]:
    return [f"{left_over.form} id {left_over.id}: {left_over.what}" for left_over in report.left]


def _cell(value: str) -> str:
    shown = clean(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
    return " ".join(shown.split()) or " "

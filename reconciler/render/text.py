"""Plans, outcomes and problems as text in Terraform's words. Pure: width and colours are passed in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.render import words
from reconciler.render.excerpts import diagnostics
from reconciler.render.layout import INDENT, STEP, Paper
from reconciler.render.quoting import clean

if TYPE_CHECKING:
    from reconciler.model.summary import ApplySummary
    from reconciler.render.tree import Line

__all__ = ["RefusedChange", "applied", "change_lines", "diagnostics", "plan", "policies", "refused"]


class RefusedChange(Protocol):
    """A change of a saved plan that is not applied: why, and "planned against / found now" line by line."""

    @property
    def address(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def details(self) -> Sequence[str]: ...


LONG = 20
"""Changes from which a plan begins with what it destroys or puts at risk."""
_MARK_TONES = {"+": "add", "-": "destroy", "~": "change", ">": "move", "!": "manual", "#": "forget", " ": ""}


def plan(document: PlanDocument, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the plan as text that ends with a newline.

    `width` is in columns and at least 40. `ascii_only` escapes every other character, for terminals that lack them.
    """
    paper = Paper(max(width, 40), colour)
    if document.changes:
        from reconciler.render.naming import introduced

        document = introduced(document)
    changes: Sequence[ChangeView] = words.visible(document)
    notices: Sequence[tuple[str, int]] = ()
    blocks: list[list[str]] = [_heading(document, paper)]
    if changes:
        from reconciler.render.sentences import said_once

        notices, changes = said_once(changes)
        blocks += [_first(document, changes, paper), _legend(document, changes, paper)]
        blocks += [change_lines(change, paper) for change in changes]
    blocks += [
        _skipped(document, paper),
        [*_notes(_counted(notices), paper), *_warnings(document.warnings, paper)],
        _guards(document, paper),
        _closing(document, paper),
    ]
    return finish(blocks, ascii_only=ascii_only)


def applied(summary: ApplySummary, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the outcome of an apply as text: failures, what was skipped for them, the counts, the cost."""
    paper = Paper(max(width, 40), colour)
    failures = [line for address, message, hint in summary.failed for line in _failure(address, message, hint, paper)]
    if failures:
        failures.insert(0, paper.ink("error", f"Failed: {words.counted(len(summary.failed), 'change')}"))
    return finish(
        [_notes(summary.notes, paper), failures, _left_out(summary, paper), _outcome(summary, paper)],
        ascii_only=ascii_only,
    )


def refused(
    moved: Iterable[RefusedChange],
    *,
    strict: bool = False,
    width: int = 80,
    colour: bool = False,
    ascii_only: bool = False,
) -> str:
    """Return what of a saved plan is not applied, each with its small diff."""
    paper = Paper(max(width, 40), colour)
    rows = list(moved)
    head = f"Refused: {words.counted(len(rows), 'change')} of the saved plan; nothing of them is written."
    lines = paper.paragraph(head, tone="error")
    for row in rows:
        lines += paper.paragraph(
            clean(f"{row.address}: {row.why}"), first=f"  {paper.ink('error', 'x')} ", indent="    "
        )
        for detail in row.details:
            lines += paper.paragraph(clean(detail), first="      ", indent="        ")
    rest = "Nothing else is applied either (--strict)." if strict else "Everything else of the plan goes on."
    return finish([[*lines, *paper.paragraph(rest)]], ascii_only=ascii_only)


def policies(
    reports: Iterable[tuple[str, Iterable[GuardView]]],
    *,
    width: int = 80,
    colour: bool = False,
    ascii_only: bool = False,
) -> str:
    """Return what each plan file keeps and breaks."""
    from reconciler.render.cards import coded

    paper = Paper(max(width, 40), colour)
    signs = {"passed": ("good", "ok"), "warned": ("warning", "warning"), "tripped": ("error", "broken")}
    blocks = []
    for name, verdicts in reports:
        lines = paper.paragraph(clean(name), tone="bold")
        for verdict in verdicts:
            tone, word = signs.get(verdict.verdict, ("", verdict.verdict))
            message = f": {verdict.message}" if verdict.message else ""
            lines += _labelled(paper.ink(tone, word), word, clean(f"{coded(verdict)}{message}"), paper)
            if verdict.addresses:
                lines += paper.paragraph(clean(", ".join(verdict.addresses)), first="      ", indent="      ")
        blocks.append(lines)
    return finish(blocks, ascii_only=ascii_only)


def broken(guards: Iterable[GuardView], *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the rules that something breaks, and what is waived; empty for none."""
    paper = Paper(max(width, 40), colour)
    lines = [line for guard in guards for line in _guard(guard, paper)]
    return finish([lines], ascii_only=ascii_only) if lines else ""


def finish(blocks: Iterable[list[str]], *, ascii_only: bool) -> str:
    """Join blocks of lines with blank lines between them."""
    text = "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
    return text.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def _heading(document: PlanDocument, paper: Paper) -> list[str]:
    parts = [f"environment {document.environment}"] if document.environment else []
    if document.account:
        parts.append(f"account {document.account}")
    what = "Drift of" if document.options.get("refresh_only") else "Plan for"
    lines = paper.paragraph(clean(f"{what} {', '.join(parts)}"), tone="bold") if parts else []
    if document.eyes is not None:
        lines += paper.paragraph(clean(words.eyes(document.eyes)), tone="")
    for sentence in words.selection(document):
        lines += paper.paragraph(clean(sentence), tone="warning")
    return lines


def _first(document: PlanDocument, changes: Sequence[ChangeView], paper: Paper) -> list[str]:
    """Return, for a plan that is longer than a screen, what it destroys or puts at risk, a line each,
    what costs most first. It stands below in full, in its place.
    """
    if len(changes) < LONG:
        return []
    from reconciler.render.sentences import parts_lost, takes_away

    destructive = sorted(filter(takes_away, changes), key=words.lost, reverse=True)
    count = words.counted(len(changes), "change")
    if not destructive:
        known = document.options.get("impact") is not False
        rest = "or loses customer data." if known else "(customer data was not counted: --no-impact)."
        return paper.paragraph(f"{count}, none of which deletes anything {rest}")
    from reconciler.render.effects import at_risk

    lines = paper.paragraph(f"{count}, of which these delete something or lose customer data:", tone="bold")
    for change in destructive[: words.MOST_NAMED]:
        sign = words.sign(change)
        symbol = paper.ink(sign.tone, sign.symbol.rjust(3))
        parts = clean(parts_lost(change))
        what = "; ".join(filter(None, [f"loses {parts}" if parts else "", clean(at_risk(change))]))
        title = clean(change.address) + (f": {what}" if what else "")
        lines += paper.paragraph(title, first=f"{symbol} ", indent=" " * INDENT)
    if len(destructive) > words.MOST_NAMED:
        lines.append(f"    and {words.number(len(destructive) - words.MOST_NAMED)} more")
    return lines


def _legend(document: PlanDocument, changes: Sequence[ChangeView], paper: Paper) -> list[str]:
    present = {change.action for change in changes if not change.switches_off}
    drift = words.DRIFTED if document.options.get("refresh_only") else {}
    subject = "Drift is" if drift else "Actions are"
    lines = paper.paragraph(f"{subject} indicated with the following symbols:")
    for action, sign in words.SIGNS.items():
        if action in present:
            lines.append(f"{paper.ink(sign.tone, sign.symbol.rjust(3))} {drift.get(action, sign.meaning)}")
    if any(change.switches_off for change in changes):
        off = words.SWITCH_OFF
        lines.append(f"{paper.ink(off.tone, off.symbol.rjust(3))} {off.meaning}")
    return lines


def change_lines(change: ChangeView, paper: Paper) -> list[str]:
    """Return the lines of one change: its headline, then what changes."""
    from reconciler.render.outline import outline

    view = outline(change, width=paper.width)
    symbol = paper.ink(view.sign.tone, view.sign.symbol.rjust(3))
    lines = paper.noted(view.title, view.note, first=f"{symbol} ", indent=" " * INDENT, tone="bold")
    for line in view.lines:
        lines += _line(line, paper)
    return lines


def _line(line: Line, paper: Paper) -> list[str]:
    margin = " " * (INDENT + STEP * line.depth)
    tone = _MARK_TONES[line.mark]
    first = f"{margin}{paper.ink(tone, line.mark)} "
    return paper.noted(line.text, line.note, first=first, indent=f"{margin}  ")


def _skipped(document: PlanDocument, paper: Paper) -> list[str]:
    """What could not be planned, grouped by reason, in the order in which the reasons first occur."""
    if not document.skipped:
        return []
    reasons: dict[str, list[str]] = {}
    for entry in document.skipped:
        reasons.setdefault(entry.reason, []).append(entry.address)
    count = words.counted(len(document.skipped), "address", "addresses")
    unknown = any(entry.forbidden for entry in document.skipped)
    rest = "What the account holds there is unknown." if unknown else "Nothing is done about it."
    head = f"Not planned: {count}. {rest}"
    lines = paper.paragraph(head, tone="error")
    for reason, addresses in reasons.items():
        lines += paper.paragraph(clean(f"{reason}:"), first=f"  {paper.ink('error', '?')} ", indent="    ")
        lines += paper.paragraph(clean(", ".join(addresses)), first="      ", indent="      ")
    return lines


def _counted(notices: Iterable[tuple[str, int]]) -> Iterator[str]:
    return (f"{notice} ({words.counted(count, 'change')})" for notice, count in notices)


def _warnings(warnings: Iterable[str], paper: Paper) -> list[str]:
    label = paper.ink("warning", "Warning:")
    return [line for warning in warnings for line in _labelled(label, "Warning:", clean(warning), paper)]


def _labelled(inked: str, label: str, text: str, paper: Paper) -> Iterator[str]:
    """A paragraph that begins with a coloured word."""
    for index, line in enumerate(paper.paragraph(f"{label} {text}", indent="  ")):
        yield line.replace(label, inked, 1) if index == 0 else line


def _guards(document: PlanDocument, paper: Paper) -> list[str]:
    if not document.guards:
        return []
    lines: list[str] = []
    tripped = document.tripped
    if tripped:
        lines += paper.paragraph(words.stopped(document), tone="error")
    for guard in [*tripped, *(guard for guard in document.guards if guard.verdict in ("overridden", "warned"))]:
        lines += _guard(guard, paper)
    for label, names in words.kept(document.guards):
        heading = label.replace(words.FINE, "Kept")
        lines += paper.paragraph(clean(f"{heading}: {words.named(names)}"), first="  ", indent="    ", tone="faint")
    return lines


def _guard(guard: GuardView, paper: Paper) -> list[str]:
    from reconciler.render.cards import coded

    tone = "error" if guard.verdict == "tripped" else "warning"
    text = coded(guard, words.state(guard).lower()) + (f": {guard.message}" if guard.message else "")
    lines = paper.paragraph(clean(text), first=f"  {paper.ink(tone, '!')} ", indent="    ")
    if guard.addresses:
        lines += paper.paragraph(clean(words.named(guard.addresses)), first="      ", indent="      ", tone="faint")
    if guard.remedy and guard.verdict == "tripped":
        lines += paper.paragraph("if it is, write:", first="      ", indent="      ")
        lines.append(f"        {clean(guard.remedy)}")
    if guard.by:
        lines += paper.paragraph(words.approved(guard), first="      ", indent="      ", tone="faint")
    if guard.override and guard.verdict == "tripped":
        lines += paper.paragraph("to allow exactly this:", first="      ", indent="      ")
        # Not wrapped: it is there to be copied.
        lines.append(f"        {clean(guard.override)}")
    return lines


def _closing(document: PlanDocument, paper: Paper) -> list[str]:
    lines = paper.paragraph(
        words.verdict(document), tone="bold" if words.visible(document) or document.skipped else "good"
    )
    counts = document.summary
    if words.takes(counts) and not document.options.get("refresh_only"):
        from reconciler.render import sentences

        lines += paper.paragraph(" ".join(sentences.affects(document)), tone="error" if words.at_risk(counts) else "")
    if cost := words.forecast(document.forecast):
        lines += paper.paragraph(cost, tone="faint")
    if document.digest:
        lines.append(paper.ink("faint", f"Digest: {document.digest}"))
    return lines


def _notes(notes: Iterable[str], paper: Paper) -> list[str]:
    return [line for note in notes for line in _labelled(paper.ink("faint", "Note:"), "Note:", clean(note), paper)]


def _failure(address: str, message: str, hint: str, paper: Paper) -> list[str]:
    lines = paper.paragraph(clean(f"{address}: {message}"), first=f"  {paper.ink('error', 'x')} ", indent="    ")
    if hint:
        lines += paper.paragraph(clean(f"hint: {hint}"), first="      ", indent="      ")
    return lines


def _left_out(summary: ApplySummary, paper: Paper) -> list[str]:
    if not summary.skipped:
        return []
    cancelled = [address for address, cause in summary.skipped if cause == "cancelled"]
    lines = paper.paragraph(f"Not tried: {words.counted(len(summary.skipped), 'change')}", tone="warning")
    if cancelled:
        message = f"{words.counted(len(cancelled), 'change')}: the run was cancelled; run apply again to go on"
        lines += paper.paragraph(message, first="  - ", indent="    ")
    for address, cause in summary.skipped:
        if cause == "cancelled":
            continue
        lines += paper.paragraph(clean(f"{address}: {cause}"), first="  - ", indent="    ")
    return lines


def _outcome(summary: ApplySummary, paper: Paper) -> list[str]:
    """Terraform's closing line; `Apply complete!` is said only when it is true."""
    parts = [(summary.added, "added"), (summary.changed, "changed"), (summary.destroyed, "destroyed")]
    if summary.switched_off:
        parts.append((summary.switched_off, "switched off"))
    if summary.adopted:
        parts.append((summary.adopted, "adopted"))
    counts = ", ".join(f"{words.number(count)} {word}" for count, word in parts)
    head = "Apply complete!" if summary.complete else "Apply incomplete!"
    lines = paper.paragraph(f"{head} Resources: {counts}.", tone="good" if summary.complete else "error")
    cost = f"{words.counted(summary.requests, 'request')} in {words.duration(summary.seconds)}"
    if summary.forecast is not None:
        cost += f" (forecast: {words.number(summary.forecast)})"
    lines += paper.paragraph(f"{cost}.", tone="faint")
    if summary.archive:
        records = words.counted(summary.archived, "customer record")
        lines.append(clean(f"{records} archived in {summary.archive}"))  # a path that wraps cannot be used
    return lines

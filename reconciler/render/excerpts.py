"""Problems in files, each with its place, the source line and a caret under what is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reconciler.model.characters import BLANKS, JOINED, SHOWN, compiled
from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.render import words
from reconciler.render.layout import Paper, cells
from reconciler.render.quoting import clean

_NOT_SHOWN = rf"({JOINED})|[^{SHOWN}{BLANKS}]"
_BEFORE = 20
"""Columns of a long source line that are kept before the place that is meant."""


def diagnostics(problems: Sequence[Diagnostic], *, colour: bool = False, width: int = 80) -> str:
    """Return all problems in the given order, then their counts; empty when there are none."""
    if not problems:
        return ""
    paper = Paper(max(width, 40), colour)
    blocks = ["\n".join(_problem(problem, paper)) for problem in problems]
    counted = Counter(problem.severity for problem in problems)
    counts = [
        words.counted(counted[severity], severity) for severity in ("error", "warning", "note") if counted[severity]
    ]
    return "\n\n".join([*blocks, ", ".join(counts)]) + "\n"


def _problem(problem: Diagnostic, paper: Paper) -> list[str]:
    place = f"{problem.at}: " if problem.at else ""
    head = clean(f"{place}{problem.severity}: {problem.message} [{problem.code}]")
    first, *rest = paper.paragraph(head, indent="  ")
    lines = [first.replace(f"{problem.severity}:", paper.ink(problem.severity, f"{problem.severity}:"), 1), *rest]
    if problem.at is not None and problem.excerpt:
        lines += _excerpt(problem, problem.at, paper)
    if problem.hint:
        lines += paper.paragraph(clean(problem.hint), first=f"  {paper.ink('good', 'hint:')} ", indent="        ")
    return lines


def _excerpt(problem: Diagnostic, at: Position, paper: Paper) -> list[str]:
    """The source line with a caret; of a line that is too long, the part around the place."""
    number = str(at.line)
    gutter = " " * (len(number) + 2)
    room = paper.width - len(gutter) - 3
    source = _shown(problem.excerpt)
    start, length = max(at.column - 1 - problem.shift, 0), max(problem.length, 1)
    if cells(source) > room and start > _BEFORE:
        cut = start - _BEFORE
        source, start = "..." + source[cut:], start - cut + 3
    while cells(source) > room:
        source = source[: room - 3] + "..." if len(source) > room else source[:-4] + "..."
    offset = cells(source[:start])
    carets = "^" * max(1, min(cells(source[start : start + length]), room - offset))
    bar = paper.ink("faint", "|")
    pointer = paper.ink(problem.severity, carets)
    return [
        f"  {paper.ink('faint', number)} {bar} {source.rstrip()}",
        f"  {' ' * len(number)} {bar} {' ' * offset}{pointer}",
    ]


def _shown(source: str) -> str:
    """One character for one, so that columns still count: a blank for a tab, `?` for what cannot be shown."""
    return compiled(_NOT_SHOWN).sub(lambda match: match.group(1) or "?", source.replace("\t", " "))

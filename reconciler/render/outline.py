"""A change as a headline and lines: what every view that shows single changes has in common."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.document import AttributeView, ChangeView, UseView
from reconciler.model.records import record
from reconciler.render import words
from reconciler.render.effects import at_risk, side_effects
from reconciler.render.naming import joined
from reconciler.render.quoting import clean, literal
from reconciler.render.tree import MISSING, Line, compare, padding

_FRESH = frozenset({"create", "delete", "forget"})
ANOTHER = "another value, not shown"
"""Stands for a new value that would look like the old one, for both are masked."""


@record
class ChangeOutline:
    """One change: `title` is the address with what is at risk, `note` where it is asked for and why."""

    sign: words.Sign
    title: str
    note: str
    lines: Sequence[Line]


def outline(change: ChangeView, *, width: int = 80) -> ChangeOutline:
    """Return the outline of a visible change (`words.visible`). `width` decides what fits on one line."""
    risk = clean(at_risk(change))
    lines = [*_attributes(change, width), *remarks(change)]
    return ChangeOutline(
        words.sign(change), clean(change.address) + (f": {risk}" if risk else ""), _note(change), lines
    )


def remarks(change: ChangeView) -> list[Line]:
    """Return what there is to say beyond attributes: findings, manual steps, what is moved away before a delete."""
    return [
        *_findings(change),
        *_side_effects(change),
        *_uses(change),
        *_manual(change),
        *_on_destroy(change),
        *_ignored(change),
    ]


def _note(change: ChangeView) -> str:
    parts = [f"id {change.id}"] if change.id else []
    if change.place:
        parts.append(words.line_of(change.place))
    if change.adopts and change.action != "adopt":
        parts.append("adopts the existing object")
    if change.moved_from:
        parts.append(f"moved from {change.moved_from}")
    if change.reason:
        parts.append(change.reason)
    return "# " + clean(", ".join(parts)) if parts else ""


def _attributes(change: ChangeView, width: int) -> list[Line]:
    pad = padding(view.name for view in change.attributes)
    return [line for view in change.attributes for line in _attribute(change, view, width, pad)]


def _attribute(change: ChangeView, view: AttributeView, width: int, pad: int) -> list[Line]:
    note = _provenance(change, view)
    if view.sensitive or unseen(view):
        return [_masked(view, pad, note)]
    if place := moved(view):
        return [Line(">", 0, place, note)]
    before = MISSING if change.action == "create" else view.before
    after = MISSING if change.action in ("delete", "forget") else view.after
    first, *rest = compare(clean(view.name), before, after, width=width, pad=pad)
    return [Line(first.mark, first.depth, first.text, note), *rest]


def unseen(view: AttributeView) -> bool:
    """Return whether what changes cannot be shown: both sides look the same (a secret got another value)."""
    return view.before is not None and literal(view.before) == literal(view.after)


def moved(view: AttributeView) -> str:
    """Return a new place among siblings in words; empty for every other attribute.

    Places are counted from 1. Where only the number changes that the account keeps of it, nothing moved.
    """
    before, after = view.places or (0, 0)
    return f"moved from place {before} to {after}" if before != after else ""


def _masked(view: AttributeView, pad: int, note: str) -> Line:
    """A sensitive attribute: both sides are masks already, only their presence tells something."""
    before, after = (literal(value, sensitive=True) for value in (view.before, view.after))
    mark = "+" if view.before is None else "-" if view.after is None else "~"
    sides = after if view.before is None else f"{before} -> {ANOTHER if before == after else after}"
    return Line(mark, 0, f"{clean(view.name):<{pad}} = {sides}", note)


def _provenance(change: ChangeView, view: AttributeView) -> str:
    """Whose change it is and which line asks for it; what is created or destroyed whole says so in its headline."""
    parts = ["forces replacement"] if view.forces_replacement else []
    if change.action not in _FRESH and view.origin in ("config", "drift", "both"):
        parts.append(view.origin)
        if view.place:
            parts.append(words.line_of(view.place))
        if view.origin == "both":
            parts.append(words.last_applied(view))
    return "# " + clean(", ".join(parts)) if parts else ""


def _findings(change: ChangeView) -> list[Line]:
    lines: list[Line] = []
    for finding in change.findings:
        where = f"{finding.attribute}: " if finding.attribute else ""
        lines.append(Line("!", 0, clean(f"{finding.severity}: {where}{finding.message}")))
        if finding.hint:
            lines.append(Line(" ", 1, clean(f"hint: {finding.hint}")))
    return lines


def gathered(uses: Sequence[UseView]) -> list[UseView]:
    """Return uses with what could not be looked into for one and the same reason as one."""
    places: dict[str, list[str]] = {}
    for use in uses:
        if use.certainty == "not inspected":
            places.setdefault(use.note, []).append(use.where)
    unseen = [UseView(where=joined(some), certainty="not inspected", note=note) for note, some in places.items()]
    return [*(use for use in uses if use.certainty != "not inspected"), *unseen]


def _uses(change: ChangeView) -> list[Line]:
    """Who mentions the object; what could not be looked into is said, for it is no "no use"."""
    marks = {"used": ("!", "used by"), "maybe": ("!", "maybe used by"), "not inspected": (" ", "not inspected:")}
    lines = []
    for use in gathered(change.uses):
        mark, word = marks[use.certainty]
        lines.append(Line(mark, 0, clean(f"{word} {use.where}{f' ({use.note})' if use.note else ''}")))
    return lines


def _manual(change: ChangeView) -> list[Line]:
    return [Line("!", 0, clean(f"manually: {name}: {todo}")) for name, todo in change.manual.items()]


def _side_effects(change: ChangeView) -> list[Line]:
    """What goes along with the object as a part of it, and what becomes invisible."""
    return [Line(" ", 0, clean(text)) for text in side_effects(change)]


def _on_destroy(change: ChangeView) -> list[Line]:
    if change.action not in words.DESTRUCTIVE:
        return []
    return [Line(">", 0, clean(words.evacuation(what, where))) for what, where in change.on_destroy.items()]


def _ignored(change: ChangeView) -> list[Line]:
    """What `ignore_changes` leaves as it is; an object that is new or gone has nothing to leave."""
    if not change.ignored or change.action in _FRESH:
        return []
    return [Line(" ", 0, "", clean(f"# left as it is (ignore_changes): {', '.join(change.ignored)}"))]

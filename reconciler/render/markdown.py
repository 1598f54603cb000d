"""Plans as comments on pull requests: the verdict first, what destroys in the open, the rest folded, never too long.

Whatever comes from the account or the configuration stands in fences or is escaped: it can neither mention anybody nor
run a command of the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.render import mermaid, words
from reconciler.render.harmless import harmless
from reconciler.render.outline import outline
from reconciler.render.quoting import clean
from reconciler.render.tree import STEP, Line

GITHUB, GITLAB, BITBUCKET = 65_536, 1_000_000, 32_768
"""Characters that the hosts accept in a comment."""

LEAST = 4_000
"""Characters below which a plan cannot be told; smaller limits count as this."""

_WIDTH = 110
_RESERVE = 200
_MARKS = {"~": "!", ">": "!", " ": " ", "+": "+", "-": "-", "!": "!", "#": "#"}
_HEADS = {"+": "+", "-": "-", "-/+": "-", "#": "#", "=": "#"}
_GROUPS = (
    ("create", "to create", frozenset({"create"})),
    ("change", "to change", frozenset({"update", "adopt"})),
    ("other", "other", frozenset({"forget", "move", "manual", "refresh"})),
)


@dataclass(slots=True)
class _Page:
    """A text under way that knows how much still fits, and how many changes did not."""

    left: int
    parts: list[str] = field(default_factory=list)
    cut: int = 0

    def add(self, text: str) -> bool:
        """Add a whole part if it fits."""
        size = _size(text) + 2
        if not text or size > self.left:
            return False
        self.parts.append(text)
        self.left -= size
        return True


def plan(document: PlanDocument, *, limit: int = GITHUB, apply_command: str = "") -> str:
    """Return the plan as markdown of at most `limit` characters (counted as UTF-16 units) that ends with a newline.

    What does not fit is left out object by object, the folded ones first, and counted. `apply_command` is what applies
    exactly this plan.
    """
    changes = words.visible(document)
    closing = _closing(document, apply_command)
    page = _Page(max(limit, LEAST) - _size(closing) - _RESERVE)
    page.add(_opening(document))
    _listed(page, "### Guards", _guards(document))
    risky = [change for change in changes if words.destructive(change)]
    rest = [change for change in changes if not words.destructive(change)]
    _fenced(page, risky, "### Destructive changes\n\n{}", "destructive")
    _listed(page, "### Not planned", _skipped(document))
    _listed(page, "### By hand", list(_by_hand(changes)))
    _listed(page, "### Warnings", [_prose(warning) for warning in document.warnings])
    for _, meaning, actions in _GROUPS:
        group = [change for change in rest if change.action in actions]
        title = f"{words.number(len(group))} {meaning}"
        _fenced(page, group, f"<details><summary>{title}</summary>\n\n{{}}\n\n</details>", meaning)
    if not page.cut and (picture := mermaid.graph(changes)):
        page.add(f"<details><summary>Dependency graph</summary>\n\n```mermaid\n{picture}\n```\n\n</details>")
    if page.cut:
        missing = words.counted(page.cut, "change")
        page.parts.append(f"**{missing} not shown**: the host takes {words.number(limit)} characters at most.")
    return "\n\n".join([*page.parts, closing]) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _opening(document: PlanDocument) -> str:
    """The verdict, what is at risk, the cost."""
    where = [f"environment {_code(document.environment)}"] if document.environment else []
    if document.account:
        where.append(f"account {_code(document.account)}")
    lines = [f"## Plan{' for ' + ', '.join(where) if where else ''}", f"**{words.verdict(document)}**"]
    if document.tripped:
        lines.append(f"**{words.stopped(document)}**")
    if at_risk := words.risk(document):
        lines.append(f"**{at_risk}**")
    lines += [f"*{_prose(sentence)}*" for sentence in words.selection(document)]
    if cost := words.forecast(document.forecast):
        lines.append(cost)
    return "\n\n".join(lines)


def _guards(document: PlanDocument) -> list[str]:
    entries = [_guard(guard) for guard in document.guards if guard.verdict == "tripped"]
    entries += [_guard(guard) for guard in document.guards if guard.verdict in ("overridden", "warned")]
    if kept := words.kept(document.guards):
        entries.append(f"kept: {_named(kept)}")
    return entries


def _guard(guard: GuardView) -> str:
    text = f"**{_prose(guard.name)}** {guard.verdict}" + (f": {_prose(guard.message)}" if guard.message else "")
    if guard.addresses:
        text += f" ({_named(guard.addresses)})"
    if guard.override and guard.verdict == "tripped":
        text += f"  \n  To override exactly this: {_code(guard.override)}"
    if guard.remedy and guard.verdict == "tripped":
        text += f"  \n  If it is, write: {_code(guard.remedy)}"
    if guard.by:
        text += f"  \n  {words.said_yes(guard)}"
    return text


def _by_hand(changes: Sequence[ChangeView]) -> Iterable[str]:
    """What somebody has to do in the account's web interface; only links to that are links."""
    for change in changes:
        for name, todo in change.manual.items():
            before, link, after = words.linked(todo)
            text = _prose(before) + (f"<{link}>" if link else "") + _prose(after)
            yield f"{_code(change.address)} {_code(name)}: {text}"


def _skipped(document: PlanDocument) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for entry in document.skipped:
        reasons.setdefault(entry.reason, []).append(entry.address)
    return [f"{_prose(reason)}: {_named(addresses)}" for reason, addresses in reasons.items()]


def _listed(page: _Page, title: str, entries: Sequence[str]) -> None:
    """Add a heading and the first entries, in a third of what is left at most; nothing without entries."""
    room = page.left // 3
    lines: list[str] = []
    for entry in entries[: words.MOST_NAMED]:
        room -= _size(entry) + 3
        if room < 0:
            break
        lines.append(f"- {entry}")
    if len(entries) > len(lines):
        lines.append(f"- and {words.number(len(entries) - len(lines))} more")
    if lines:
        page.add("\n".join([title, "", *lines]))


def _named(addresses: Sequence[str]) -> str:
    more = len(addresses) - words.MOST_NAMED
    shown = ", ".join(_code(address) for address in addresses[: words.MOST_NAMED])
    return shown + (f" and {words.number(more)} more" if more > 0 else "")


def _fenced(page: _Page, changes: Sequence[ChangeView], frame: str, meaning: str) -> None:
    """Add as many changes as fit, from the first, in one fence; count the others."""
    if not changes:
        return
    blocks = ["\n".join(_diff(change)) for change in changes]
    fence = "`" * max(3, 1 + max((len(run) for block in blocks for run in re.findall("`+", block)), default=0))
    notice = f"({words.number(len(changes))} {meaning}, not all of them shown)"
    room = page.left - _size(frame) - 2 * len(fence) - len(notice) - 20
    shown: list[str] = []
    for block in blocks:
        room -= _size(block) + 1
        if room < 0:
            break
        shown.append(block)
    page.cut += len(blocks) - len(shown)
    if shown:
        rest = f"\n\n{notice}" if len(shown) < len(blocks) else ""
        page.add(frame.replace("{}", f"{fence}diff\n" + "\n".join(shown) + f"\n{fence}{rest}"))


def _diff(change: ChangeView) -> Iterable[str]:
    """A change in the form that `diff` highlighting colours: the mark stands in the first column."""
    view = outline(change, width=_WIDTH)
    symbol = view.sign.symbol
    mark = _HEADS.get(symbol, "!")
    head = view.title if symbol == mark else f"{symbol} {view.title}"
    yield f"{mark} {head}" + (f"  {view.note}" if view.note else "")
    for line in view.lines:
        yield _inner(line)


def _inner(line: Line) -> str:
    text = "  ".join(part for part in (line.text, line.note) if part)
    return f"{_MARKS[line.mark]} {' ' * (STEP * (line.depth + 1))}{text}"


def _closing(document: PlanDocument, apply_command: str) -> str:
    parts = [f"Digest {_code(document.digest)}"] if document.digest else []
    if apply_command and words.visible(document) and not document.tripped:
        parts.append(f"Apply exactly this plan with\n\n```sh\n{clean(apply_command)}\n```")
    return "\n\n".join(parts)


def _code(text: str) -> str:
    return harmless(text, "code")


def _prose(text: str) -> str:
    return harmless(text, "prose")

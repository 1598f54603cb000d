"""Plans as comments on pull requests: the verdict first, what destroys in the open, the rest folded, never too long.

Whatever comes from the account or the configuration stands in fences or is escaped: it can neither mention a user nor
run a command of the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from reconciler.model.called import KindWords
from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.records import mutable
from reconciler.render import cards, mermaid, sentences, words
from reconciler.render.boards import Board, BoardCard, boards
from reconciler.render.directions import isolated_lines
from reconciler.render.harmless import harmless
from reconciler.render.layout import STEP
from reconciler.render.naming import Names, introduced
from reconciler.render.outline import outline
from reconciler.render.quoting import clean
from reconciler.render.sides import called
from reconciler.render.terms import SCREENS
from reconciler.render.tree import Line

GITHUB, GITLAB, BITBUCKET = 65_536, 1_000_000, 32_768
"""Characters that the hosts accept in a comment."""

LEAST = 4_000
"""Characters below which a plan cannot be told; smaller limits count as this."""

_WIDTH = 110
_MOST_NAMED = 15
"""Objects that are named in one entry of a list; the others are counted."""
_ANOTHER = KindWords("other object", "other objects")
_RESERVE = 200
_MARKS = {"~": "!", ">": "!", " ": " ", "+": "+", "-": "-", "!": "!", "#": "#"}
_HEADS = {"+": "+", "-": "-", "-/+": "-", "#": "#", "=": "#"}


@mutable
class _Page:
    """A text under way that knows how much still fits, and how many changes did not."""

    left: int
    parts: list[str] = field(default_factory=list)
    cut: int = 0
    last: int = 0
    """Parts that stay the last ones: they had the room first, and are read behind what is added now."""

    def add(self, text: str) -> bool:
        """Add a whole part if it fits."""
        size = _size(text) + 2
        if not text or size > self.left:
            return False
        self.parts.insert(len(self.parts) - self.last, text)
        self.left -= size
        return True


def plan(document: PlanDocument, *, limit: int = GITHUB, apply_command: str = "") -> str:
    """Return the plan as markdown of at most `limit` characters (counted as UTF-16 units) that ends with a newline.

    What does not fit is left out object by object, the folded ones first, and counted. `apply_command` is what applies
    exactly this plan.
    """
    names, document = Names.of(document), introduced(document)
    notices, changes = sentences.said_once(words.visible(document))
    closing = _closing(document, apply_command)
    page = _Page(max(limit, LEAST) - _size(closing) - _RESERVE)
    page.add(_opening(document))
    drift = document.options.get("refresh_only")
    risky = [] if drift else [change for change in changes if sentences.takes_away(change)]
    lost = sentences.told_as_lost(risky)
    risk = words.at_risk(document.summary)
    rest = [change for change in changes if change not in risky]
    _listed(page, "### What is lost", [_loss(change, names, risk=risk) for change in sentences.worst_first(lost)])
    _listed(page, "### What was changed in the account", _drifted(document, changes, names))
    _listed(page, "### What has to be allowed", _guards(document, names))
    page.last = _fenced(page, risky, "### Destructive changes\n\n{}", "destructive")
    _listed(page, "### To do manually", list(_manual_steps(changes, names)))
    _listed(page, "### Not planned", _skipped(document, names))
    notes = [f"{_prose(notice)} ({words.counted(count, 'change')})" for notice, count in notices]
    _listed(page, "### Please note", [*notes, *(_said(warning, names) for warning in document.warnings)])
    page.last = 0
    for board in boards(document):
        page.add(_board(board))
    for title, group in _groups(rest):
        _fenced(page, group, f"<details><summary>{title}</summary>\n\n{{}}\n\n</details>", "")
    if not page.cut and (picture := mermaid.graph(changes)):
        page.add(f"<details><summary>Dependency graph</summary>\n\n```mermaid\n{picture}\n```\n\n</details>")
    if page.cut:
        missing = words.counted(page.cut, "change")
        page.parts.append(f"**{missing} not shown**: the host takes {words.number(limit)} characters at most.")
    return "\n\n".join([*page.parts, closing]) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _opening(document: PlanDocument) -> str:
    """What it is about, and the verdict."""
    where = [f"environment {_code(document.environment)}"] if document.environment else []
    if document.account:
        where.append(f"account {_code(document.account)}")
    what = "Drift" if document.options.get("refresh_only") else "Plan"
    lines = [f"## {what}{' for ' + ', '.join(where) if where else ''}"]
    lines.append(f"**{' '.join(_prose(line) for line in sentences.verdict(document))}**")
    lines += [f"*{_prose(sentence)}*" for sentence in words.selection(document)]
    if document.options.get("refresh_only"):
        return "\n\n".join([*lines, *([f"**{words.stopped(document)}**"] if document.tripped else [])])
    return "\n\n".join(lines)


def _loss(change: ChangeView, names: Names, *, risk: bool) -> str:
    effects = map(_prose, sentences.effects(change, names, reassuring=risk))
    return f"**{_prose(sentences.headline(change, names))}** {' '.join(effects)}".rstrip()


def _drifted(document: PlanDocument, changes: Sequence[ChangeView], names: Names) -> list[str]:
    """Return of drift what was done to each object, and nothing of a plan."""
    if not document.options.get("refresh_only"):
        return []
    return [_prose(sentences.sentence(change, names, drift=True)) for change in changes]


def _groups(changes: Sequence[ChangeView]) -> Iterable[tuple[str, list[ChangeView]]]:
    """What is left by kind, under the names that the screens have; what is created comes last."""
    order = {kind: place for place, kind in enumerate(SCREENS)}
    for new in (False, True):
        mine = [change for change in changes if (change.action == "create") == new]
        for kind in sorted({change.kind for change in mine}, key=lambda kind: order.get(kind, len(order))):
            group = [change for change in mine if change.kind == kind]
            yield f"{words.number(len(group))} {'new ' if new else ''}{_noun(kind, len(group))}", group


def _board(board: Board) -> str:
    """A screen before and after, as two lists in the order of the screen. Its name does not stand in the summary, which
    is HTML.
    """
    what = "a pipeline" if board.columns else "fields in a group"
    lines = [f"<details><summary>How it will look: {what}</summary>", "", f"**{_prose(board.title)}**"]
    for side, some in (("Before", board.before), ("After", board.after)):
        lines += ["", f"**{side}**" if some else f"**{side}**: {board.empty}", ""]
        lines += [f"{place}. {_card(card)}" for place, card in enumerate(some, 1)]
    return "\n".join([*lines, "", "</details>"])


def _card(card: BoardCard) -> str:
    notes = ", ".join(
        [*([_prose(card.note)] if card.note else []), *([f"**{_prose(card.verb)}**"] if card.verb else [])]
    )
    return f"{_prose(card.title)}{f' ({notes})' if notes else ''}"


def _noun(kind: str, count: int) -> str:
    """Return a kind for a summary, which is HTML: no word of a plan that is not ours stands there."""
    known = SCREENS.get(kind, _ANOTHER)
    return known.one if count == 1 else known.many


def _guards(document: PlanDocument, names: Names) -> list[str]:
    entries = [_guard(guard, document, names) for guard in document.guards if guard.verdict == "tripped"]
    entries += [
        _guard(guard, document, names) for guard in document.guards if guard.verdict in ("overridden", "warned")
    ]
    together = cards.all_commands(document)
    entries += [f"To allow all of it: {_code(together)}"] if together else []
    return entries + [f"{_lower(label)}: {', '.join(map(_prose, fine))}" for label, fine in cards.kept(document)]


def _guard(guard: GuardView, document: PlanDocument, names: Names) -> str:
    card = cards.card(guard, document, names)
    text = f"**{_prose(card.title)}** ({_code(guard.name)}, {_lower(card.state)})"
    text += f": {_prose(card.why)}" if card.why else ""
    if card.addresses:
        text += f" ({_about(card, names)})"
    if card.command:
        text += f"  \n  To allow exactly this: {_code(card.command)}"
    if card.instead:
        text += f"  \n  Or write into the files instead: {_code(card.instead)}"
    if card.who and not card.command:
        text += f"  \n  {'Who can allow it: ' if card.tripped else ''}{card.who}"
    return text


def _about(card: cards.Card, names: Names) -> str:
    """Return what a guard is about: a few things by name, of many the addresses, which stand among what changes."""
    if len(card.addresses) <= cards.FEW:
        return _named(card.addresses, names)
    more = len(card.addresses) - _MOST_NAMED
    shown = ", ".join(map(_code, card.addresses[:_MOST_NAMED]))
    return f"{len(card.addresses)} things: {shown}" + (f" and {words.number(more)} more" if more > 0 else "")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _manual_steps(changes: Sequence[ChangeView], names: Names) -> Iterable[str]:
    """What a user has to do in the account's web interface; only links to that are links."""
    for change in changes:
        for name, todo in change.manual.items():
            before, link, after = words.linked(todo)
            text = _said(before, names) + (f"<{link}>" if link else "") + _said(after, names)
            yield f"{_thing(change.address, names)}, {_prose(called(name))}: {text}"


def _skipped(document: PlanDocument, names: Names) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for entry in document.skipped:
        reasons.setdefault(entry.reason, []).append(entry.address)
    return [f"{_said(reason, names)}: {_named(addresses, names)}" for reason, addresses in reasons.items()]


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


def _thing(address: str, names: Names) -> str:
    """Return what people call an object, with its address for those who look into the files."""
    return f"{_prose(names.thing(address))} {_code(address)}"


def _named(addresses: Sequence[str], names: Names) -> str:
    more = len(addresses) - _MOST_NAMED
    shown = ", ".join(_thing(address, names) for address in addresses[:_MOST_NAMED])
    return shown + (f" and {words.number(more)} more" if more > 0 else "")


def _fenced(page: _Page, changes: Sequence[ChangeView], frame: str, meaning: str) -> bool:
    """Add as many changes as fit, from the first, in one fence; count the others. Return whether there is one."""
    if not changes:
        return False
    blocks = [isolated_lines("\n".join(_diff(change))) for change in changes]
    fence = "`" * max(3, 1 + max((len(run) for block in blocks for run in re.findall("`+", block)), default=0))
    notice = f"({f'{words.number(len(changes))} {meaning}'.strip()}, not all of them shown)"
    room = page.left - _size(frame) - 2 * len(fence) - len(notice) - 20
    shown: list[str] = []
    for block in blocks:
        room -= _size(block) + 1
        if room < 0:
            break
        shown.append(block)
    page.cut += len(blocks) - len(shown)
    if not shown:
        return False
    rest = f"\n\n{notice}" if len(shown) < len(blocks) else ""
    return page.add(frame.replace("{}", f"{fence}diff\n" + "\n".join(shown) + f"\n{fence}{rest}"))


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
    counts = [words.verdict(document)] if words.visible(document) and not document.options.get("refresh_only") else []
    counts += [cost] if (cost := words.forecast(document.forecast)) else []
    parts = [f"For engineers: {' '.join(counts)}"] if counts else []
    parts += [f"Digest {_code(document.digest)}"] if document.digest else []
    if apply_command and words.visible(document) and not document.tripped:
        parts.append(f"Apply exactly this plan with\n\n```sh\n{clean(apply_command)}\n```")
    return "\n\n".join(parts)


def _said(sentence: str, names: Names) -> str:
    """Return a sentence with what people call things, in quotes that mean the same everywhere."""
    return _prose(sentences.quoted_for_people(names.plainly(sentence)))


def _code(text: str) -> str:
    return harmless(text, "code")


def _prose(text: str) -> str:
    return harmless(text, "prose")

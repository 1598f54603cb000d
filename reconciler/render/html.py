"""Plans as one self-contained HTML page for the approver: no network, no inline handlers, readable without
JavaScript. First the verdict, then what is lost, what has to be allowed, what changes by kind, what is new; addresses,
ids and places in files are behind folds.

The page's content security policy names the hashes of its own style and script, so that nothing else can run even if
a value from the account were to break out of the text that it stands in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.records import record
from reconciler.render import cards, charts, sentences, words
from reconciler.render.boards import boards
from reconciler.render.graph import NODE_HEIGHT, NODE_WIDTH, picture
from reconciler.render.naming import Names, screen
from reconciler.render.outline import gathered
from reconciler.render.pages import asset, filled, policy
from reconciler.render.sides import SideRow, called, rows

GRAPH_OPEN = 150
"""Steps up to which the graph is unfolded from the start."""
MOST_LOST = 30
"""What is lost is told at the top for so many changes; the others are counted, and stand below."""

_FEW = 12


@record
class ChangeEntry:
    """One change of the list; `number` is its place, by which the graph finds it. `facts` are for engineers."""

    number: int
    address: str
    action: str
    tone: str
    done: str
    name: str
    summary: str
    consequences: Sequence[str]
    losses: Sequence[str]
    rows: Sequence[SideRow]
    both: bool
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    risky: bool
    drift: bool
    unfolded: bool


@record
class ChangeGroup:
    """The changes of one kind under the name that the screens have for it."""

    title: str
    entries: Sequence[ChangeEntry]


@record
class LostThing:
    """What a change takes away: what happens, and what people will notice."""

    number: int
    headline: str
    losses: Sequence[str]
    risky: bool


_ALWAYS: Mapping[str, Any] = {
    "few": cards.FEW,
    "moment": words.moment,
    "most": words.MOST_NAMED,
    "quoted": sentences.quoted_for_people,
    "linked": words.linked,
    "named": words.named,
    "node_width": NODE_WIDTH,
    "node_height": NODE_HEIGHT,
    "width": charts.WIDTH,
}
"""What the template takes that is the same for every plan."""


def plan(document: PlanDocument, *, fleet: bool = False) -> str:
    """Return the plan as an HTML page that ends with a newline; of an account of a `fleet`, what has to be allowed is
    allowed in the fleet's file.
    """
    changes = words.visible(document)
    names = Names.of(document)
    said_once = sentences.said_once(changes)
    drift = bool(document.options.get("refresh_only"))
    ordered = sentences.in_order(said_once.changes)
    few = len(changes) <= _FEW
    risk = words.at_risk(document.summary)
    entries = [
        _entry(number, change, names, few=few, drift=drift, risk=risk) for number, change in enumerate(ordered, 1)
    ]
    lost = [] if drift else _lost(ordered, names, risk=risk)
    return filled(
        "report.html",
        document=document,
        drift=drift,
        lost=lost[:MOST_LOST],
        more_lost=max(len(lost) - MOST_LOST, 0),
        cards=_asked(document, names, fleet=fleet),
        all_commands="" if fleet else cards.all_commands(document),
        kept=cards.kept(document),
        manual_steps=_manual_steps(changes, names),
        said_once=said_once.notices,
        boards=boards(document),
        groups=list(_groups(ordered, entries)),
        plainly=names.plainly,
        things=lambda addresses: words.named([names.thing(address) for address in addresses]),
        **_dressed(),
        **_told(document, drift=drift),
        **_listed(entries, drift=drift),
        **_drawn(document, changes),
        **_ALWAYS,
    )


def _dressed() -> dict[str, Any]:
    """Return what the page looks like, and what it may run."""
    from markupsafe import Markup

    style, script = asset("report.css"), asset("report.js")
    return {"style": Markup(style), "script": Markup(script), "policy": policy(style, script)}


def _told(document: PlanDocument, *, drift: bool) -> dict[str, Any]:
    """Return what is said of the whole plan; `figures` are Terraform's counts, as engineers say it."""
    return {
        "verdict": sentences.verdict(document),
        "figures": [words.verdict(document)],
        "selection": words.selection(document),
        "stopped": words.stopped(document) if drift else "",
        "forecast": words.forecast(document.forecast),
    }


def _listed(entries: Sequence[ChangeEntry], *, drift: bool) -> dict[str, Any]:
    """Return the changes, and what of them can be hidden."""
    return {
        "entries": entries,
        "filters": _filters(entries, drift=drift),
        "numbers": {entry.address: entry.number for entry in entries},
        "any_risky": any(entry.risky for entry in entries) and not drift,
        "any_drift": any(entry.drift for entry in entries) and not drift,
    }


def _asked(document: PlanDocument, names: Names, *, fleet: bool) -> list[cards.Card]:
    """Return the cards of guards, rules and policies that have something to say, those that stop the plan first."""
    asked = [cards.card(guard, document, names, fleet=fleet) for guard in document.guards]
    return sorted((card for card in asked if card.tripped or card.state != "Fine"), key=lambda card: not card.tripped)


def _drawn(document: PlanDocument, changes: Sequence[ChangeView]) -> dict[str, Any]:
    """Return what is drawn: what is lost, when what happens, and what waits for what."""
    drawing = picture(document.steps)
    return {
        "blast": charts.blast(changes),
        "timeline": charts.timeline(document),
        "picture": drawing if drawing.nodes else None,
        "steps": words.counted(len(document.steps), "step"),
        "waves": words.counted(len(drawing.waves), "wave"),
        "graph_open": len(document.steps) <= GRAPH_OPEN,
    }


def _manual_steps(changes: Iterable[ChangeView], names: Names) -> list[tuple[str, str, str]]:
    """Return what has to be done in the web interface: of which object, which attribute, how."""
    return [
        (names.thing(change.address), called(name), todo) for change in changes for name, todo in change.manual.items()
    ]


def _groups(changes: Sequence[ChangeView], entries: Sequence[ChangeEntry]) -> Iterator[ChangeGroup]:
    """Neighbours of one kind, those that are created apart."""
    mine: dict[tuple[bool, str], list[ChangeEntry]] = {}
    for change, entry in zip(changes, entries, strict=True):
        mine.setdefault((change.action == "create", change.kind), []).append(entry)
    for (new, kind), some in mine.items():
        title = screen(kind).many
        yield ChangeGroup(f"New {title}" if new else title[:1].upper() + title[1:], some)


def _lost(changes: Sequence[ChangeView], names: Names, *, risk: bool) -> list[LostThing]:
    """What is taken away, most of it first. `changes` are numbered from 1."""
    numbers = {change.address: number for number, change in enumerate(changes, 1)}
    destroyed = [(numbers[change.address], change) for change in sentences.told_as_lost(changes)]
    destroyed.sort(key=lambda pair: -words.lost(pair[1]))
    return [
        LostThing(
            number,
            sentences.headline(change, names),
            sentences.effects(change, names, reassuring=risk),
            words.risky(change),
        )
        for number, change in destroyed
    ]


def _filters(entries: Sequence[ChangeEntry], *, drift: bool) -> list[tuple[str, str, str, str]]:
    """What can be hidden: each action that occurs, as a tone and a word, with how often."""
    counts = Counter(entry.action for entry in entries)
    return [
        (action, sign.tone, sentences.word_of(action, drift=drift), words.number(counts[action]))
        for action, sign in words.SIGNS.items()
        if counts[action]
    ]


def _entry(number: int, change: ChangeView, names: Names, *, few: bool, drift: bool, risk: bool) -> ChangeEntry:
    """What destroys is never folded, nor is anything of a short plan. Whether anything of it is at `risk` says whether
    a change is told as harmless; else the verdict tells it of all.
    """
    lines = rows(change, names, drift=drift)
    return ChangeEntry(
        number,
        change.address,
        change.action,
        words.SIGNS[change.action].tone,
        sentences.done(change, drift=drift),
        names.thing(change.address),
        sentences.touched(change),
        [] if drift else sentences.consequences(change),
        [] if drift else sentences.losses(change, names, reassuring=risk),
        lines,
        any((row.before and row.after) or (row.lines_before and row.lines_after) for row in lines),
        list(_notes(change)),
        list(_facts(change)),
        words.risky(change),
        any(attribute.origin in ("drift", "both") for attribute in change.attributes),
        few or words.destructive(change),
    )


def _notes(change: ChangeView) -> Iterator[str]:
    """What there is to say besides what changes: what the account says, who uses it, what has to be done manually."""
    if more := sentences.more(change):
        yield more
    for finding in change.findings:
        where = f"{called(finding.attribute)}: " if finding.attribute else ""
        yield f"ActiveCampaign says: {where}{finding.message}{f' ({finding.hint})' if finding.hint else ''}"
    for use in gathered(change.uses):
        yield sentences.use(use)
    for name, todo in change.manual.items():
        yield f"To do manually: {called(name)}: {todo}"


def _facts(change: ChangeView) -> Iterator[tuple[str, str]]:
    """What engineers look for: id, place in the files, whose change it is."""
    if change.id:
        yield "Id", change.id
    if change.place:
        yield "Declared at", words.line_of(change.place)
    if change.moved_from:
        yield "Moved from", change.moved_from
    if change.reason:
        yield "Reason", change.reason
    if change.adopts:
        yield "Adopts", "an object that exists already"
    if change.ignored:
        yield "Left as it is (ignore_changes)", ", ".join(change.ignored)
    for view in change.attributes if change.action not in ("create", "delete", "forget") else ():
        whose: list[str] = [view.origin] if view.origin in ("config", "drift", "both") else []
        if view.origin == "both":
            whose.append(words.last_applied(view))
        if view.place:
            whose.append(words.line_of(view.place))
        if whose:
            yield view.name, ", ".join(whose)

"""Plans as one self-contained HTML page: no network, no inline handlers, readable without JavaScript.

The page's content security policy names the hashes of its own style and script, so that nothing else can run even if
a value from the account were to break out of the text that it stands in.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from reconciler.model.document import AttributeView, ChangeView, PlanDocument
from reconciler.render import charts, words
from reconciler.render.graph import NODE_HEIGHT, NODE_WIDTH, picture
from reconciler.render.outline import ANOTHER, moved, outline, remarks, unseen
from reconciler.render.quoting import clean, literal
from reconciler.render.tree import MISSING, Line, compare

if TYPE_CHECKING:
    from jinja2 import Template

GRAPH_OPEN = 150
"""Steps up to which the graph is unfolded from the start."""

_WIDTH = 120
_PERSON = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_EMPTY = ('""', "null", "[]", "{}")
_FEW = 12
_VERDICTS = {"passed": "add", "tripped": "destroy", "overridden": "change", "warned": "change"}
_TONES = {"+": "add", "-": "destroy", "~": "change", ">": "move", "!": "manual", "#": "forget", " ": "same"}


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute: before and after side by side where both are short, else the lines of their difference."""

    name: str
    before: str
    after: str
    lines: Sequence[Line]
    whose: str
    place: str
    forces: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of the list; `number` is its place, by which the graph finds it."""

    number: int
    address: str
    action: str
    sign: words.Sign
    at_risk: str
    risky: bool
    note: str
    rows: Sequence[Row]
    remarks: Sequence[Line]
    drift: bool
    unfolded: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the summary."""

    text: str
    caption: str
    tone: str


def plan(document: PlanDocument) -> str:
    """Return the plan as an HTML page that ends with a newline."""
    from markupsafe import Markup

    changes = words.visible(document)
    entries = [_entry(number, change, few=len(changes) <= _FEW) for number, change in enumerate(changes, 1)]
    drawing = picture(document.steps)
    style, script = _asset("report.css"), _asset("report.js")
    page = _template().render(
        document=document,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        verdict=words.verdict(document),
        selection=words.selection(document),
        risk=words.risk(document),
        forecast=words.forecast(document.forecast).removeprefix("Forecast: "),
        tiles=_tiles(document, changes),
        entries=entries,
        filters=_filters(entries),
        numbers={entry.address: entry.number for entry in entries},
        verdicts=_VERDICTS,
        linked=words.linked,
        said_yes=words.said_yes,
        named=words.named,
        stopped=words.stopped,
        node_width=NODE_WIDTH,
        node_height=NODE_HEIGHT,
        tones=_TONES,
        blast=charts.blast(changes),
        timeline=charts.timeline(document),
        picture=drawing if drawing.nodes else None,
        steps=words.counted(len(document.steps), "step"),
        waves=words.counted(len(drawing.waves), "wave"),
        graph_open=len(document.steps) <= GRAPH_OPEN,
        width=charts.WIDTH,
    )
    return page.rstrip("\n") + "\n"


def _filters(entries: Sequence[Entry]) -> list[tuple[str, words.Sign, str]]:
    """What can be hidden: each action that occurs, with how often."""
    counts = Counter(entry.action for entry in entries)
    return [(action, sign, words.number(counts[action])) for action, sign in words.SIGNS.items() if counts[action]]


@cache
def _asset(name: str) -> str:
    return resources.files("reconciler.render").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    return environment.from_string(_asset("report.html"))


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _tiles(document: PlanDocument, changes: Sequence[ChangeView]) -> list[Tile]:
    """The figures at the top: Terraform's three always, the others where there are some."""
    counts, cost = document.summary, document.forecast
    tiles = [
        Tile(words.number(counts.add), "to add", "add"),
        Tile(words.number(counts.change), "to change", "change"),
        Tile(words.number(counts.destroy), "to destroy", "destroy"),
    ]
    extras = (
        (counts.adopt, "to adopt", "adopt"),
        (counts.forget, "to forget", "forget"),
        (counts.move, "to move", "move"),
        (counts.manual, "manually", "manual"),
        (len(document.skipped), "not planned", "destroy"),
    )
    tiles += [Tile(words.number(count), caption, tone) for count, caption, tone in extras if count]
    tiles.append(Tile(words.number(counts.unchanged), "unchanged", "same"))
    if any(change.impacts for change in changes):
        bound = "≤ " if counts.at_most else ""
        tiles.append(Tile(bound + words.number(counts.records_at_risk), "records at risk", "destroy"))
    if cost.apply_requests:
        tiles.append(Tile(words.number(cost.apply_requests), "requests to apply", "same"))
        if cost.rate:
            tiles.append(Tile(words.duration(cost.seconds), f"at {cost.rate:g} requests/s", "same"))
    return tiles


def _entry(number: int, change: ChangeView, *, few: bool) -> Entry:
    """What destroys is never folded, nor is anything of a short plan."""
    view = outline(change, width=_WIDTH)
    return Entry(
        number,
        change.address,
        change.action,
        view.sign,
        words.impacts(change),
        words.risky(change),
        view.note.removeprefix("# "),
        _rows(change),
        remarks(change),
        any(attribute.origin in ("drift", "both") for attribute in change.attributes),
        (few or words.destructive(change)) and bool(change.attributes or remarks(change)),
    )


def _rows(change: ChangeView) -> list[Row]:
    """What changes; of an object that goes and says nothing about that, what it is now, without people's addresses."""
    if change.attributes or change.action != "delete":
        return [_row(change, attribute) for attribute in change.attributes]
    gone = {name: _PERSON.sub("(address)", literal(value)) for name, value in change.found.items()}
    return [Row(name, was, "", (), "", "", False) for name, was in gone.items() if was not in _EMPTY]


def _row(change: ChangeView, view: AttributeView) -> Row:
    before = MISSING if change.action == "create" else view.before
    after = MISSING if change.action in ("delete", "forget") else view.after
    was, now = ("" if value is MISSING else literal(value, sensitive=view.sensitive) for value in (before, after))
    nested = any(isinstance(value, dict | list) or "\n" in str(value) for value in (before, after))
    lines = compare(view.name, before, after, width=_WIDTH)[1:] if nested and not view.sensitive else []
    whose: str = view.origin if view.origin in ("config", "drift", "both") else ""
    if view.origin == "both":
        whose += f", {words.last_applied(view)}"
    place = words.line_of(view.place) if view.place else ""
    if unseen(view):
        now, lines = ANOTHER, []
    if words_of_move := moved(view):
        was, now, lines = "", "", [Line(">", 0, words_of_move)]
    return Row(view.name, was, now, lines, whose, place, view.forces_replacement)

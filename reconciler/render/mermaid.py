"""What depends on what among the changes, as mermaid text, which code hosts draw themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.model.address import kind_of
from reconciler.model.document import ChangeView
from reconciler.render import words
from reconciler.render.literals import clean

MOST_NODES = 40
"""Objects that are drawn one by one; more than that are drawn by kind."""

_MOST_EDGES = 400
_STYLES = {
    "add": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "change": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "destroy": "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "other": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
}
_TONES = {"create": "add", "update": "change", "delete": "destroy", "replace": "destroy"}


def graph(changes: Sequence[ChangeView]) -> str:
    """Return a `graph LR` with an arrow from each object to what needs it; empty when nothing depends on anything."""
    names = {change.address for change in changes}
    edges = [(needed, change.address) for change in changes for needed in change.depends_on if needed in names]
    if not edges:
        return ""
    if len(changes) <= MOST_NODES:
        nodes = {
            change.address: (f"{words.SIGNS[change.action].symbol} {change.address}", _tone([change]))
            for change in changes
        }
        return _drawn(nodes, edges)
    kinds: dict[str, list[ChangeView]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    between = dict.fromkeys((kind_of(needed), kind_of(by)) for needed, by in edges)
    nodes = {kind: (f"{kind}: {_counts(members)}", _tone(members)) for kind, members in kinds.items()}
    return _drawn(nodes, [(needed, by) for needed, by in between if needed != by and needed in nodes and by in nodes])


def _counts(changes: Iterable[ChangeView]) -> str:
    found: dict[str, int] = {}
    for change in changes:
        symbol = words.SIGNS[change.action].symbol
        found[symbol] = found.get(symbol, 0) + 1
    return ", ".join(f"{symbol} {words.number(count)}" for symbol, count in found.items())


def _tone(changes: Iterable[ChangeView]) -> str:
    tones = {_TONES.get(change.action, "other") for change in changes}
    return next(tone for tone in ("destroy", "change", "add", "other") if tone in tones)


def _drawn(nodes: dict[str, tuple[str, str]], edges: Sequence[tuple[str, str]]) -> str:
    numbers = {name: f"n{index}" for index, name in enumerate(nodes)}
    lines = ["graph LR"]
    lines += [f'  {numbers[name]}["{_label(label)}"]:::{tone}' for name, (label, tone) in nodes.items()]
    lines += [f"  {numbers[needed]} --> {numbers[by]}" for needed, by in edges[:_MOST_EDGES]]
    used = dict.fromkeys(tone for _, tone in nodes.values())
    return "\n".join([*lines, *(f"  classDef {tone} {_STYLES[tone]}" for tone in used)])


def _label(text: str) -> str:
    """Escape what mermaid would read as its own or as HTML."""
    for character in '#&"<>`\\':
        text = text.replace(character, f"#{ord(character)};")
    return clean(text)

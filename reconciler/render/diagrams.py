"""What depends on what, as text for other programs (mermaid, DOT) and as a picture of its own (SVG)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.model.address import kind_of
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.records import record
from reconciler.render import words
from reconciler.render.graph import NODE_HEIGHT, NODE_WIDTH, GraphItem, drawn, short
from reconciler.render.harmless import harmless
from reconciler.render.quoting import clean

_STYLES = {
    "add": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "change": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "destroy": "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "other": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
}
MOST_ARROWS, MOST_CHARACTERS = 500, 50_000
"""What mermaid draws where the page that it is on allows no more (`maxEdges`, `maxTextSize`)."""
_TONES = {"create": "add", "update": "change", "delete": "destroy", "replace": "destroy"}


@record
class Diagram:
    """Nodes by name with label and tone (`add`, `change`, `destroy`, `other`), and the edges (needed, who needs it)."""

    nodes: Mapping[str, tuple[str, str]]
    edges: Sequence[tuple[str, str]]


def of_configuration(needs: Mapping[str, Iterable[str]]) -> Diagram:
    """Return the diagram of what each address needs; what stands nowhere else is left out."""
    return Diagram(
        {address: (address, "other") for address in needs},
        [(needed, address) for address, wants in needs.items() for needed in sorted(wants) if needed in needs],
    )


def of_changes(changes: Sequence[ChangeView]) -> Diagram:
    """Return the diagram of a plan's changes."""
    names = {change.address for change in changes}
    return Diagram(
        {
            change.address: (f"{words.SIGNS[change.action].symbol} {change.address}", tone([change]))
            for change in changes
        },
        [(needed, change.address) for change in changes for needed in change.depends_on if needed in names],
    )


def of_plan(document: PlanDocument) -> Diagram:
    """Return the diagram of what a plan changes."""
    return of_changes(words.visible(document))


def by_kind(changes: Sequence[ChangeView]) -> Diagram:
    """Return the diagram of a plan's changes with one node for each kind."""
    kinds: dict[str, list[ChangeView]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    between = dict.fromkeys((kind_of(needed), kind_of(by)) for needed, by in of_changes(changes).edges)
    return Diagram(
        {kind: (f"{kind}: {_counts(members)}", tone(members)) for kind, members in kinds.items()},
        [(needed, by) for needed, by in between if needed != by],
    )


def tone(changes: Iterable[ChangeView]) -> str:
    """Return the tone of the gravest of some changes."""
    tones = {_TONES.get(change.action, "other") for change in changes}
    return next(kind for kind in ("destroy", "change", "add", "other") if kind in tones)


def _counts(changes: Iterable[ChangeView]) -> str:
    counted: dict[str, int] = {}
    for change in changes:
        symbol = words.SIGNS[change.action].symbol
        counted[symbol] = counted.get(symbol, 0) + 1
    return ", ".join(f"{symbol} {words.number(count)}" for symbol, count in counted.items())


# --- views ---------------------------------------------------------------------------------------------------------


def mermaid(diagram: Diagram) -> str:
    """Return a diagram as mermaid's `graph LR`, with an arrow from each node to what needs it."""
    numbers = {name: f"n{index}" for index, name in enumerate(diagram.nodes)}
    lines = ["graph LR"]
    lines += [
        f'  {numbers[name]}["{harmless(label, "mermaid")}"]:::{tone}' for name, (label, tone) in diagram.nodes.items()
    ]
    lines += [f"  {numbers[needed]} --> {numbers[by]}" for needed, by in diagram.edges]
    used = dict.fromkeys(tone for _, tone in diagram.nodes.values())
    return "\n".join([*lines, *(f"  classDef {tone} {_STYLES[tone]}" for tone in used)])


def too_large_for_mermaid(diagram: Diagram) -> bool:
    """Return whether a page that leaves mermaid as it comes draws an error in place of the diagram."""
    return len(diagram.edges) > MOST_ARROWS or len(mermaid(diagram)) > MOST_CHARACTERS


def dot(diagram: Diagram) -> str:
    """Return a diagram in DOT, the language of Graphviz."""
    lines = ["digraph {", "  rankdir=LR", '  node [shape=box, style="rounded,filled", fontname=monospace]']
    for name, (label, tone) in diagram.nodes.items():
        style = dict(part.split(":") for part in _STYLES[tone].split(","))
        lines.append(
            f"  {_quoted(name)} [label={_quoted(label)}, fillcolor={_quoted(style['fill'])},"
            f" color={_quoted(style['stroke'])}]"
        )
    lines += [f"  {_quoted(needed)} -> {_quoted(by)}" for needed, by in diagram.edges]
    return "\n".join([*lines, "}"])


def svg(diagram: Diagram) -> str:
    """Return a diagram as a picture: one SVG file with its own colours, for light and dark pages."""
    from importlib import resources

    from jinja2 import Environment, StrictUndefined

    numbers = {name: number for number, name in enumerate(in_order(diagram.nodes, diagram.edges), 1)}
    needed: dict[str, list[int]] = {}
    for before, after in diagram.edges:
        needed.setdefault(after, []).append(numbers[before])
    items = [
        GraphItem(number, name, short(label), label, tone, needed.get(name, ()))
        for name, number in numbers.items()
        for label, tone in [diagram.nodes[name]]
    ]
    source = resources.files("reconciler.render").joinpath("templates", "graph.svg").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, finalize=lambda value: clean(str(value))
    )
    return environment.from_string(source).render(
        picture=drawn(items, apart=True), node_width=NODE_WIDTH, node_height=NODE_HEIGHT
    )


VIEWS: Mapping[str, Callable[[Diagram], str]] = {"mermaid": mermaid, "dot": dot, "svg": svg}


def in_order(names: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names, each behind what it needs. Of things that need each other in a circle, one comes first."""
    needed: dict[str, list[str]] = {}
    for before, after in edges:
        needed.setdefault(after, []).append(before)
    placed: dict[str, None] = {}
    for name in names:
        stack = [(name, iter(needed.get(name, ())))]
        open_names = {name}
        while stack:
            here, more = stack[-1]
            following = next((name for name in more if name not in placed and name not in open_names), None)
            if following is None:
                stack.pop()
                placed[here] = None
            else:
                open_names.add(following)
                stack.append((following, iter(needed.get(following, ()))))
    return list(placed)


def _quoted(text: str) -> str:
    return harmless(text, "dot")

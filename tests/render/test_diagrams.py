"""What depends on what, as text for other programs and as a picture: the same nodes and lines in every view."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from reconciler.render.diagrams import Diagram, dot, mermaid, of_configuration, of_plan, svg, too_large_for_mermaid
from tests.render import documents
from tests.world import World

NEEDS = {
    "tag.a": set[str](),
    "list.l": {"user_group.g"},
    "field.f": {"list.l", "field_group.g"},
    "field_group.g": set(),
}
SVG = "{http://www.w3.org/2000/svg}"


def test_what_is_declared_elsewhere_is_no_node() -> None:
    """An edge stands for two addresses of the configuration; built-in objects and look-ups are not among them."""
    diagram = of_configuration(NEEDS)
    assert list(diagram.nodes) == list(NEEDS)
    assert set(diagram.edges) == {("list.l", "field.f"), ("field_group.g", "field.f")}


def test_every_view_has_every_node_and_line() -> None:
    """A plan in three languages: as many nodes as changes, as many lines as dependencies."""
    diagram = of_plan(documents.many(40))
    assert diagram.edges
    nodes, lines = len(diagram.nodes), len(diagram.edges)
    text = mermaid(diagram)
    assert (len(re.findall(r"^  n\d+\[", text, re.M)), text.count(" --> ")) == (nodes, lines)
    text = dot(diagram)
    assert (len(re.findall(r"^  \".*\[label=", text, re.M)), text.count(" -> ")) == (nodes, lines)
    picture = ElementTree.fromstring(svg(diagram))
    assert len(list(picture.iter(f"{SVG}g"))) == nodes
    assert len(list(picture.iterfind(f"{SVG}path"))) == lines
    assert {title.text for title in picture.iter(f"{SVG}title")} == {label for label, _ in diagram.nodes.values()}


@pytest.mark.parametrize(
    "name", ['a"b', "a\\", "a]-->b", "<script>", "a\nb", "a&amp;b", "\x1b[31m", "]]>", "\u2028", "👩‍👩‍👧", ""]
)
def test_foreign_text_stays_text(name: str) -> None:
    """Names come from files and plans: they end neither a label nor a line, and XML stays XML."""
    diagram = Diagram({name: (name, "add"), "b": ("b", "other")}, [(name, "b")])
    lines = mermaid(diagram).splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r'  n0\["(?:[^"<>`\\%$]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4})+"\]:::add', lines[1])
    assert re.fullmatch(
        r'  "(?:[^"\\]|\\.)*" \[label="(?:[^"\\]|\\.)*", fillcolor="#\w+", color="#\w+"\]', dot(diagram).splitlines()[3]
    )
    picture = ElementTree.fromstring(svg(diagram))
    assert len(list(picture.iter(f"{SVG}text"))) == 2


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('%%{init: {"theme": "dark"}}%%', "#37;#37;{init: {#34;theme#34;: #34;dark#34;}}#37;#37;"),
        ("$$x^2$$", "#36;#36;x^2#36;#36;"),
        ("fab:fa-github", "fab#58;fa-github"),
        ("`**x**`", "#96;**x**#96;"),
        ("#quot; &lt;", "#35;quot; #38;lt;"),
        ("", " "),
    ],
)
def test_a_label_of_mermaid_is_its_text(name: str, label: str) -> None:
    """What mermaid 11 takes for its own inside of quotes too: directives, formulas, icons, Markdown and entities; and a
    label that is empty ends the diagram. Other text is written as it is.
    """
    assert mermaid(Diagram({"tag.a": (name, "add")}, [])).splitlines()[1] == f'  n0["{label}"]:::add'


@pytest.mark.parametrize(
    ("nodes", "arrows", "large"), [(40, 500, False), (40, 501, True), (1_200, 0, False), (1_400, 0, True)]
)
def test_what_mermaid_does_not_draw_is_known(nodes: int, arrows: int, large: bool) -> None:
    """More than 500 arrows and more than 50,000 characters are an error where a page does not allow them."""
    names = [f"tag.{number:016}" for number in range(nodes)]
    edges = [(names[at // nodes], names[at % nodes]) for at in range(arrows)]
    assert too_large_for_mermaid(Diagram({name: (name, "add") for name in names}, edges)) == large


def test_a_configuration_too_large_for_mermaid_gets_a_hint(world: World) -> None:
    """The text is written as it was asked for, and a line beside it names the forms that draw it."""
    world.write("tags:\n" + "".join(f"  t{number}: {{name: T{number}}}\n" for number in range(2_000)))
    drawn = world.cli("graph")
    assert (drawn.code, "--format svg=FILE" in drawn.err, "svg" in drawn.out) == (0, True, False)
    assert "--format svg=FILE" not in world.cli("graph", "--format", "dot").err


def test_a_circle_is_drawn() -> None:
    """Objects of a plan can refer to each other both ways; the picture has every line all the same."""
    diagram = Diagram({name: (name, "other") for name in "abc"}, [("a", "b"), ("b", "c"), ("c", "a")])
    assert len(list(ElementTree.fromstring(svg(diagram)).iterfind(f"{SVG}path"))) == 3


def test_the_command_draws_files_and_plans(world: World) -> None:
    """Without an argument the configuration, with one the saved plan; nothing is asked of the account."""
    world.write(
        "fields: {tier: {title: Tier, type: text, group: shop, lists: all}}\n"
        "field_groups: {shop: {label: Shop, object: contact}}\n"
    )
    drawn = world.cli("graph")
    assert drawn.code == 0
    assert '"field_group.shop"' in drawn.out
    assert world.cli("plan", "--out", str(world.folder / "p.json")).code == 0
    world.forget()
    assert '"+ field_group.shop"' in world.cli("graph", str(world.folder / "p.json")).out
    assert "digraph {" in world.cli("graph", "--format", "dot").out
    written = world.cli("graph", "--format", "svg=g.svg")
    assert (written.code, written.out) == (0, "")
    assert (world.folder / "g.svg").read_text("utf-8").startswith("<svg ")
    assert world.requests() == []
    assert world.cli("graph", "gone.json").code == 6

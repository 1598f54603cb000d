"""What depends on what, as text for other programs and as a picture: the same nodes and lines in every view."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from reconciler.render.diagrams import Diagram, dot, mermaid, of_configuration, of_plan, svg
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


@pytest.mark.parametrize("name", ['a"b', "a\\", "a]-->b", "<script>", "a\nb", "a&amp;b", "\x1b[31m", "]]>"])
def test_foreign_text_stays_text(name: str) -> None:
    """Names come from files and plans: they end neither a label nor a line, and XML stays XML."""
    diagram = Diagram({name: (name, "add"), "b": ("b", "other")}, [(name, "b")])
    lines = mermaid(diagram).splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r'  n0\["[^"<>`\\]*(\\x[0-9a-f]{2}[^"<>`\\]*)*"\]:::add', lines[1])
    assert re.fullmatch(
        r'  "(?:[^"\\]|\\.)*" \[label="(?:[^"\\]|\\.)*", fillcolor="#\w+", color="#\w+"\]', dot(diagram).splitlines()[3]
    )
    picture = ElementTree.fromstring(svg(diagram))
    assert len(list(picture.iter(f"{SVG}text"))) == 2


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

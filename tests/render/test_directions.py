"""Names that are read from right to left turn nothing around them, in any sentence of ours."""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reconciler
from reconciler.model.characters import SHOWN
from reconciler.model.document import AttributeView, ChangeView, GuardView, ImpactView, PlanDocument, RenameView
from reconciler.render import fleet, html, markdown, since, text
from reconciler.render.directions import FIRST, LETTERS, POP, isolated, isolated_html, named
from reconciler.render.harmless import harmless, outgoing
from reconciler.render.naming import Names, set_apart
from reconciler.render.sentences import headline
from reconciler.render.terms import SCREENS

NAMES = ("שלום", "قائمة, أخرى", "VIP שלום (חדש) 3", "שלום VIP")
PARTS = st.lists(
    st.one_of(
        st.sampled_from([*NAMES, *map(named, NAMES), '"', " -> ", "“", "”", " 4 contacts", ", ", "deleted", "&", "\n"]),
        st.text(max_size=3),
    ),
    max_size=9,
).map("".join)


def turning(shown: str) -> bool:
    """Whether a text holds a letter that is read from right to left, as Unicode has it."""
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in shown)


def outside(shown: str) -> str:
    """Return what of a text stands in no isolate; that each is closed in its line is asserted."""
    rest, depth = [], 0
    for letter in shown:
        assert letter != "\n" or not depth, shown
        depth += (letter == FIRST) - (letter == POP)
        assert depth >= 0, shown
        rest += [] if depth else [letter]
    assert not depth, shown
    return "".join(rest)


class Outside(HTMLParser):
    """Collects what of a page stands in no `bdi`; in titles and in texts of pictures, in no isolate."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rest: list[str] = []
        self.names: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go in."""
        assert tag != "bdi" or "bdi" not in self.open
        if tag not in ("meta", "input", "path", "rect", "marker"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Go out."""
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """A text."""
        inner = self.open[-1] if self.open else ""
        assert "\ufdd0" not in data
        if "bdi" in self.open:
            assert inner == "bdi"
            self.names.append(data)
        elif inner not in ("style", "script"):
            self.rest.append(outside(data))


def told(kind: str, name: str) -> PlanDocument:
    """Return a plan in which everything is named so: what goes, changes and comes, and why it is refused."""
    found = {"title": name, "name": name, "label": name, "options": [{"value": name}]}
    impacts = [
        ImpactView(count=4, noun=f"contacts have chosen `{name}`"),
        ImpactView(count=3, noun="lists lose the group", objects=[f"{kind}.a"]),
    ]
    sides = [AttributeView(name="title", before=name, after=f"{name} 2"), AttributeView(name="note", after=[name])]
    changes = [
        ChangeView(address=f"{kind}.{action}", kind=kind, action=action, found=found, impacts=impacts, attributes=sides)
        for action in ("delete", "replace", "update", "adopt", "forget", "manual", "create")
    ]
    guard = GuardView(name="max_deletes", verdict="tripped", message=f'"{name}" goes', addresses=[f"{kind}.delete"])
    return PlanDocument(
        environment="prod",
        changes=changes,
        guards=[guard, guard.model_copy(update={"name": "suspected_rename", "addresses": [f"{kind}.delete"] * 2})],
        warnings=[f'automation "{name}" uses {name}'],
        renames=[RenameView(source=f"{kind}.delete", target=f"{kind}.create", likeness=0.9)],
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_a_report_is_isolated_as_a_whole(name: str) -> None:
    """Of every kind, in HTML and in Markdown: nothing that is read from right to left stands free in a sentence."""
    for kind in list(SCREENS)[NAMES.index(name) :: len(NAMES)]:
        document = told(kind, name)
        page = Outside(html.plan(document))
        assert not turning("".join(page.rest)), [part for part in page.rest if turning(part)]
        comment = markdown.plan(document)
        assert not turning(outside(comment)), [line for line in comment.splitlines() if turning(outside(line))]
        change = document.changes[0]
        if kind != "user":
            assert name in page.names
            assert f"The {SCREENS[kind].one} {set_apart(named(name))} is deleted." == headline(
                change, Names.of(document)
            )
            assert f"{FIRST}{name}{POP}" in comment
        assert "\ufdd0" not in outgoing(text.plan(document), "text")


def test_other_reports_isolate_names_too() -> None:
    """What is different, and cells of the fleet's report."""
    document = told("tag", NAMES[0])
    found = since.compared(document, PlanDocument(), "p.json")
    assert not turning(outside(since.markdown(found)))
    assert not turning("".join(Outside(since.html(found)).rest))
    assert not turning(outside(fleet.cell(f'"{NAMES[1]}", {NAMES[3]}')))


@given(PARTS)
def test_isolates_are_closed_and_nothing_is_lost(parts: str) -> None:
    """In texts and in pages; of texts without such letters nothing changes."""
    for line in parts.split("\n"):
        plain = re.sub("[\ufdd0\ufdd1\u2066-\u2069\u202a-\u202e]", "", line)
        bare = re.sub("[\u2066-\u2069\u202a-\u202e]", "", line)
        shown = isolated(bare)
        assert not turning(outside(shown))
        assert re.sub(f"[{FIRST}{POP}]", "", shown) == plain
        unassigned = any(unicodedata.category(letter) == "Cn" for letter in bare)  # those of such a block turn, too
        assert turning(bare) or unassigned or shown == plain
        assert not turning(outside(harmless(bare, "prose")))
        assert not turning(outside(harmless(bare, "code")))
        assert not turning("".join(Outside(isolated_html(f"<p>{bare.replace('<', '')}</p>")).rest))


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('"שלום" -> "עולם"', f'{FIRST}"שלום"{POP} -> {FIRST}"עולם"{POP}'),
        (f"tag {named('VIP שלום 3')} 4 contacts", f"tag {FIRST}VIP שלום 3{POP} 4 contacts"),
        ("שלום עולם, אחר", f"{FIRST}שלום עולם{POP}, {FIRST}אחר{POP}"),
        ('"VIP" -> "Kunde"', '"VIP" -> "Kunde"'),
    ],
)
def test_what_a_name_is(line: str, shown: str) -> None:
    """What was put in as one, what stands in quotes, a run of words; and never one of other scripts."""
    assert isolated(line) == shown


def test_every_letter_that_is_read_from_right_to_left_is_known() -> None:
    """All of this Python's Unicode."""
    known = re.compile(f"[{LETTERS}]")
    seen = re.compile(f"[{SHOWN}]")
    letters = [chr(code) for code in range(sys.maxunicode + 1) if turning(chr(code)) and seen.match(chr(code))]
    assert len(letters) > 2_000
    assert [letter for letter in letters if not known.match(letter)] == []


def _filling() -> Iterator[str]:
    root = Path(reconciler.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("get_template", "from_string"):
                yield path.relative_to(root).as_posix()


def test_pages_are_filled_in_one_place() -> None:
    """Where names are isolated; what a project writes for its own diagrams is no page."""
    assert set(_filling()) == {"render/pages.py", "render/diagrams.py"}

"""Two texts that differ never look the same, and what is shown as one is never cut."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.model.characters import clusters
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.render import markdown, sides, text
from reconciler.render.naming import Names
from tests.render.documents import old

PIECES = (
    "a", "B", " ", "  ", "\t", "\u00a0", "\u2003", "\u3000", "\u200b", "é", "e\u0301", "ö", "o\u0308", "1", "12,431",
    "שלום", "مرحبا",
    "👩‍👩‍👧", "👩‍👩‍👦", "🇩🇪", "🇫🇷", "👍🏽", "👍", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "<b>", "&amp;", "%X%", "|", "`", "\\xa0",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
LINES = st.lists(TEXTS, min_size=1, max_size=3).map("\n".join)
NO_NAMES = Names(())


def look(shown: str) -> str:
    """Return what a person sees: any blank is a blank, an accent is one however it is written."""
    return re.sub(r"[^\S\n]", " ", unicodedata.normalize("NFC", shown))


def change(before: object, after: object) -> ChangeView:
    """An update of one attribute."""
    return ChangeView(address="tag.a", kind="tag", action="update", attributes=[old("name", before, after)])


@given(TEXTS, TEXTS)
@example("a b", "a\u00a0b")
@example("é", "e\u0301")
@example("👩‍👩‍👧 x", "👩‍👩‍👦 x")
def test_two_sides_that_differ_look_different(before: str, after: str) -> None:
    """Side by side, with what is the same whole; no picture, flag or accent is parted from what it belongs to."""
    assume(before != after)
    [row] = sides.rows(change(before, after), NO_NAMES)
    shown = ["".join(piece.text for piece in side) for side in (row.before, row.after)]
    assert look(shown[0]) != look(shown[1])
    for side in (row.before, row.after):
        whole = "".join(piece.text for piece in side)
        assert [one for piece in side for one in clusters(piece.text)] == clusters(whole)
    assert any(piece.marked for piece in (*row.before, *row.after))


@given(LINES, LINES)
@example("a\nb c", "a\nb\u00a0c")
def test_two_texts_that_differ_look_different_in_lines(before: str, after: str) -> None:
    """On the terminal and in a comment: what goes and what comes is not the same line twice."""
    assume(before != after and before and after)
    document = PlanDocument(changes=[change(before, after)])
    for shown in (text.plan(document, width=400), markdown.plan(document)):
        gone = re.findall(r"(?m)^(?:\s*)- (.*)$", shown.partition("name")[2])
        come = re.findall(r"(?m)^(?:\s*)\+ (.*)$", shown.partition("name")[2])
        assert [look(one) for one in gone] != [look(one) for one in come] or not gone
        if found := re.search(r"name\s+= (.*?) -> (.*?)(?:  #.*)?$", shown, re.MULTILINE):
            assert look(found[1]) != look(found[2])


@pytest.mark.parametrize(
    ("before", "after"), [(["a b"], ["a\u00a0b"]), (["é"], ["e\u0301"]), ([{"v": "é"}], [{"v": "e\u0301"}])]
)
def test_entries_of_a_list_look_different(before: list[object], after: list[object]) -> None:
    """Options and names in lists too."""
    [row] = sides.rows(change(before, after), NO_NAMES)
    looks = [look(item.text) for item in row.items]
    assert len(set(looks)) == len(looks) == 2
    printed = text.plan(PlanDocument(changes=[change(before, after)]))
    lines = [look(line[8:]) for line in printed.splitlines() if re.match(r"\s+[-+~] ", line)][1:]
    assert len({re.sub("^[-+~ ]+", "", line) for line in lines}) == len(lines)


@pytest.mark.parametrize("colour", ["red", "FF00", "12345678", "#12345g", "rgb(1,2,3)", "", '"/><script>', "#ff0000;x"])
def test_only_a_colour_is_painted(colour: str) -> None:
    """Six hexadecimal digits; anything else is a text."""
    one = ChangeView(address="tag.a", kind="tag", action="update", attributes=[old("color", "32B0FC", colour)])
    [row] = sides.rows(one, NO_NAMES)
    assert (row.was_colour, row.colour) == ("32B0FC", "")

"""Differences between values as lines."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.tree import MISSING, Line, compare


def shown(before: Any, after: Any, *, width: int = 80) -> list[str]:
    """The lines of a comparison, indented and with their notes."""
    return [_flat(line) for line in compare("it", before, after, width=width)]


def _flat(line: Line) -> str:
    return f"{'  ' * line.depth}{line.mark} {line.text}{line.note}"


def test_scalars_are_compared_on_one_line() -> None:
    """Old and new value with an arrow; null that comes or goes is an addition or a removal."""
    assert shown(1, 2) == ["~ it = 1 -> 2"]
    assert shown("1", 1) == ['~ it = "1" -> 1']
    assert shown(None, "x") == ['+ it = "x"']
    assert shown("x", None) == ['- it = "x" -> null']
    assert shown(MISSING, None) == ["+ it = null"]
    assert shown(False, True) == ["~ it = false -> true"]


def test_references_are_shown_as_addresses_and_never_as_maps() -> None:
    """Declared, remote and looked-up references each have their own short form, secrets their text."""
    assert shown(None, {"$ref": "list.news"}) == ["+ it = list.news"]
    assert shown({"$id": "7", "kind": "list"}, {"$ref": "list.news"}) == ["~ it = list id 7 -> list.news"]
    assert shown(None, {"$lookup": {"kind": "user_group", "name": "Admin"}}) == ["+ it = {name: Admin}"]
    assert shown(None, {"$secret": "k=${secret.K}"}) == ['+ it = "k=${secret.K}"']


def test_maps_are_trees_of_what_changed() -> None:
    """Only changed members are shown, in the order of the new value; the rest is counted."""
    before = {"a": 1, "b": {"x": 1, "y": 2}, "gone": "g"}
    after = {"a": 1, "b": {"x": 1, "y": 3}, "new": True}
    assert shown(before, after) == [
        "~ it:",
        "  ~ b:",
        "    ~ y = 2 -> 3",
        "      # 1 unchanged",
        "  + new  = true",
        '  - gone = "g"',
        "    # 1 unchanged",
    ]


def test_an_item_that_moves_is_a_move_and_no_removal() -> None:
    """The fewest items are called moved, with both places counted from 1."""
    assert shown(["a", "b", "c", "d"], ["d", "a", "b", "c"]) == [
        "~ it:",
        '  > "d" moved from place 4 to 1',
        "    # 3 unchanged",
    ]


def test_items_that_come_and_go_do_not_make_others_move() -> None:
    """A removal before an item shifts its place, which is not a move."""
    assert shown(["a", "b", "c"], ["b", "c", "z"]) == ["~ it:", '  - "a"', '  + "z"', "    # 2 unchanged"]


def test_an_item_keeps_its_identity_when_its_contents_change() -> None:
    """Options are recognised by their value, whether written as a text or as a map."""
    before = ["a", {"value": "b", "label": "B"}]
    after = [{"value": "b", "label": "Bee"}, {"value": "a", "label": "A"}]
    assert shown(before, after) == [
        "~ it:",
        '  > "b" moved from place 2 to 1',
        '  ~ "b":',
        '    ~ label = "B" -> "Bee"',
        "      # 1 unchanged",
        '  ~ "a" -> {value: "a", label: "A"}',
    ]


def test_a_shorter_way_to_write_the_same_is_no_change() -> None:
    """An option that is declared as a text equals one that the account spells out; left out is like empty."""
    before = [{"value": "a", "label": "a", "default": False}, {"value": "b", "label": "B", "default": False}]
    assert shown(before, ["a", {"value": "b", "label": "B"}, "c"]) == ["~ it:", '  + "c"', "    # 2 unchanged"]
    assert shown(True, 1) == ["~ it = true -> 1"]
    assert shown({"a": True}, {"a": 1}) == ["~ it:", "  ~ a = true -> 1"]


def test_values_that_mean_the_same_are_shown_whole() -> None:
    """Where the document says that an attribute changes and nothing can be told apart, both sides are shown."""
    assert shown(["a"], [{"value": "a"}]) == ['~ it = ["a"] -> [{value: "a"}]']


def test_twins_in_a_list_are_counted() -> None:
    """A second copy of an item is an addition."""
    assert shown(["a"], ["a", "a"]) == ["~ it:", '  + "a"', "    # 1 unchanged"]


def test_long_texts_are_compared_line_by_line() -> None:
    """Changed lines with one line of context, and blanks at the end of a line in sight."""
    before = "\n".join(f"line {number}" for number in range(9))
    after = before.replace("line 4", "line four ")
    assert shown(before, after) == [
        "~ it:",
        "    # 3 lines unchanged",
        "    line 3",
        "  - line 4",
        '  + "line four "',
        "    line 5",
        "    # 3 lines unchanged",
    ]


def test_a_new_text_of_several_lines_is_shown_line_by_line() -> None:
    """Nothing is cut."""
    assert shown(None, "a\nb\n") == ["+ it:", "  + a", "  + b"]


def test_what_does_not_fit_is_put_on_two_lines() -> None:
    """Old and new value below each other where they do not fit side by side."""
    assert shown("x" * 40, "y" * 40) == ["~ it:", f'  - "{"x" * 40}"', f'  + "{"y" * 40}"']


def test_texts_that_look_the_same_are_told_apart() -> None:
    """A composed and a decomposed accent are escaped, so that the plan does not show a change of nothing."""
    assert shown("é", "e\u0301") == ['~ it = "\\xe9" -> "e\\u0301"']


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abvalue"), inner, max_size=3),
    max_leaves=8,
)


@given(before=VALUES, after=VALUES, width=st.integers(40, 120))
def test_any_two_values_can_be_compared(before: Any, after: Any, width: int) -> None:
    """Every pair gives lines with known marks and no control characters; the first line carries the name."""
    lines = compare("it", before, after, width=width)
    assert lines[0].text.startswith("it")
    assert all(line.mark in "+-~>!# " for line in lines)
    assert all(line.text.isprintable() or "\xa0" in line.text or not line.text.isascii() for line in lines)


@given(items=st.lists(st.integers(0, 20), unique=True, min_size=2, max_size=8), data=st.data())
def test_a_shuffled_list_shows_only_moves(items: list[int], data: st.DataObject) -> None:
    """A permutation has no additions and removals: moves and unchanged items make it up, one of them stays."""
    after = data.draw(st.permutations(items).filter(lambda other: other != items))
    lines = compare("it", items, after)[1:]
    moves = [line for line in lines if line.mark == ">"]
    unchanged = sum(int(line.note.split()[1]) for line in lines if line.note)
    assert {line.mark for line in lines} <= {">", " "}
    assert len(moves) + unchanged == len(items)
    assert 0 < len(moves) < len(items)

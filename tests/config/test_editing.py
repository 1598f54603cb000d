r"""Edits of YAML files in `edits.txt`: what is before, the edits, and the lines of the file that they touch.

A case is `#### name`, the file, `#### edits` with one JSON list a line (path, value; a path alone removes), and
`#### diff`. `UPDATE_GOLDEN=1 pytest tests/config` writes the diffs. `\c` stands for no line end at the end of a file.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.reading.loading import plain_data
from reconciler.config.writing.editing import Drop, Edit, Put, edited
from reconciler.config.writing.emitting import document
from reconciler.model.errors import ReconcilerError

FILE = Path(__file__).parent / "edits.txt"


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, file, edits and expected diff of every case."""
    parts = re.split(r"^#### (.*)\n", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = list(zip(parts[::2], parts[1::2], strict=True))
    while found:
        (name, text), (_, edits), *found = found
        diff = found.pop(0)[1] if found and found[0][0] == "diff" else ""
        yield name, text, edits, diff


def edit_of(line: str) -> Edit:
    """Read one edit."""
    path, *value = json.loads(line)
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
    return Put(steps, value[0]) if value else Drop(steps)


def outcome(text: str, edits: str) -> str:
    """Return the lines that the edits touch, or why they cannot be made."""
    before = text.removesuffix("\n").removesuffix("\\c") if text.endswith("\\c\n") else text
    try:
        after = edited(before, [edit_of(line) for line in edits.splitlines()], "a.yaml")
    except ReconcilerError as error:
        return f"! {error.message}\n! {error.hint}\n"
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return "".join(f"{line}\n" for line in list(lines)[2:] if not line.startswith("@@"))


def test_edits_touch_only_the_lines_concerned() -> None:
    """Comments, order, quotes and layout of everything else stay byte for byte."""
    found = [(name, text, edits, diff, outcome(text, edits)) for name, text, edits, diff in cases()]
    if os.environ.get("UPDATE_GOLDEN"):
        blocks = [
            f"#### {name}\n{text}#### edits\n{edits}#### diff\n{actual}" for name, text, edits, _, actual in found
        ]
        FILE.write_text("".join(blocks), "utf-8")
    wrong = [f"{name}:\n{actual}" for name, _, _, diff, actual in found if actual != diff]
    assert len(found) >= 60
    assert not wrong or os.environ.get("UPDATE_GOLDEN"), "\n".join(wrong)


TEXTS = st.text(st.sampled_from("ab: #-'\"\n${}[],é😀%"), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=6,
)
TREES = st.dictionaries(
    st.sampled_from(["tags", "lists"]), st.dictionaries(st.sampled_from("klmn"), VALUES, min_size=1), min_size=1
)


@given(TREES, st.sampled_from(["tags", "lists", "x"]), st.sampled_from("klmz"), VALUES)
def test_any_value_can_be_put_anywhere(tree: dict[str, Any], section: str, key: str, value: Any) -> None:
    """What is read back is what was asked for, and comments elsewhere survive."""
    text = "# first\n" + document(tree) + "# last\n"
    after = edited(text, [Put((section, key), value)])
    expected = {**tree, section: {**tree.get(section, {}), key: value}}
    assert plain_data(after, "a.yaml") == expected
    assert after.startswith("# first\n")
    assert "# last" in after


@pytest.mark.parametrize("path", [("tags",), ("tags", "vip"), ("nothing", "here")])
def test_removing_what_is_not_there_changes_nothing(path: tuple[str, ...]) -> None:
    """An edit without effect leaves the very same text."""
    text = "lists: {a: {name: x}}   # kept\n"
    assert edited(text, [Drop(path)]) == text

"""Canonical form: cases in `formats.txt`, and what holds of any file.

A case is `#### name`, the file, `#### after` and the file after; `UPDATE_GOLDEN=1 pytest tests/config` writes that.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.config import formatted, plain_data
from reconciler.config.writing.emitting import document
from reconciler.resources import load_kinds

FILE = Path(__file__).parent / "formats.txt"
EXAMPLES = Path(__file__).parents[2] / "examples"


def form(text: str, name: str = "config/x.yaml") -> str:
    """Return a text in canonical form."""
    return formatted(text, name, load_kinds(), project="project" in name)


def test_files_are_formatted_as_approved() -> None:
    """Order, indentation, blank lines; every comment stays with what it is about."""
    parts = re.split(r"^#### (.*)\n", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = list(zip(parts[::2], parts[1::2], strict=True))
    names = [(name, text) for name, text in found if name != "after"]
    afters = [text for name, text in found if name == "after"]
    actual = [form(text, name) for name, text in names]
    if os.environ.get("UPDATE_GOLDEN"):
        blocks = [f"#### {name}\n{text}#### after\n{after}" for (name, text), after in zip(names, actual, strict=True)]
        FILE.write_text("".join(blocks), "utf-8")
        return
    assert actual == afters
    assert [form(after, name) for (name, _), after in zip(names, actual, strict=True)] == actual


def test_the_examples_are_in_canonical_form() -> None:
    """What we show is what `fmt` makes of it."""
    wrong = [
        str(path.relative_to(EXAMPLES))
        for path in sorted(EXAMPLES.glob("*/config/*.yaml"))
        if form(path.read_text("utf-8")) != path.read_text("utf-8")
    ]
    assert wrong == []


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | st.text(st.sampled_from("ab: #-'\"\n${}[],é😀%"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "type", "x"]), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["tags", "lists", "variables", "moved"]), st.dictionaries(st.text("ab"), VALUES))
)
def test_the_canonical_form_means_the_same_and_is_its_own(tree: dict[str, Any]) -> None:
    """Formatting changes no meaning, loses no comment, and has nothing left to do the second time."""
    lines = document(tree).splitlines()
    assume(not any(line.endswith(("|", "|-", "|+", "|2", "|2-", "|2+")) for line in lines))  # its lines are no keys
    text = "".join(f"{line}\n" + ("# about the next\n" if line.endswith(":") and ":" in line else "") for line in lines)
    after = form(text)
    assert plain_data(after, "a") == plain_data(text, "a")
    assert after.count("# about the next") == text.count("# about the next")
    assert form(after) == after

"""JSON is YAML, as every JSON writer makes it: characters beyond the first plane come as two escapes (RFC 8259)."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.reading.loading import plain_data
from reconciler.config.reading.nodes import Map, Source
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems
from reconciler.config.writing.emitting import document

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ue000\ue001\ue002")


@given(
    data=st.dictionaries(st.text(LETTERS, max_size=40).filter(lambda key: key != "<<"), st.text(LETTERS), min_size=1)
)
def test_json_means_what_it_says(data: dict[str, str]) -> None:
    """Whatever `json.dumps` writes, with or without escapes, is read as the same data (YAML's keys are short ones)."""
    for ascii_only in (True, False):
        text = json.dumps(data, ensure_ascii=ascii_only)
        if ascii_only or text.isprintable():
            assert plain_data(text, "a.json") == data


def test_two_escapes_are_one_character_in_double_quotes_only() -> None:
    """Elsewhere a backslash is a backslash, also one that is escaped itself."""
    text = '{"a": "\\ud83c\\udf89!", "b": "\\\\ud83c\\\\udf89", "c": \'\\ud83c\\udf89\', "d": \\ud83c\\udf89}'
    assert plain_data(text, "a.yaml") == {
        "a": "🎉!",
        "b": "\\ud83c\\udf89",
        "c": "\\ud83c\\udf89",
        "d": "\\ud83c\\udf89",
    }


def test_places_are_those_of_the_file() -> None:
    """A key that stands behind such a character on its line is found where an editor shows it."""
    text = '{"a": "\\ud83c\\udf89", "b": "\\ud83c\\udf89", "c": 1}'
    (root,) = parse(Source("a.yaml", text), Problems()) or []
    assert isinstance(root, Map)
    assert [text[entry.key.column :][:3] for entry in root.entries.values()] == ['"a"', '"b"', '"c"']


def test_what_is_written_can_be_seen() -> None:
    """No character that nobody sees stands in a written file as it is, and every one is read back."""
    unseen = {
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Co", "Zl", "Zp")
    }
    unseen |= {chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Zs"} - {" "}
    unseen -= {"\n", "\ue000", "\ue001", "\ue002"}
    written = document({"x": {"key": "a" + "".join(sorted(unseen)) + "b", "tab": "a\tb", "lines": "a\u200b\nb\n"}})
    assert not unseen & set(written)
    read: Any = plain_data(written, "a.yaml")
    assert set(read["x"]["key"]) == unseen | {"a", "b"}
    assert read["x"]["lines"] == "a\u200b\nb\n"

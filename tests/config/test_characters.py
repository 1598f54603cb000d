"""What cannot be seen stands in no file that is written, and every text is read back as it was."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest

from reconciler.config import plain_data
from reconciler.config.writing.emitting import document
from reconciler.model.characters import BLANKS, IGNORABLE, JOINED, SHOWN
from reconciler.render.harmless import harmless

UNSEEN = re.compile(f"[{IGNORABLE}{BLANKS}]")
EMOJI = ("\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\xa9\ufe0f", "\u2708\ufe0e")


def test_what_is_shown_is_not_ignorable() -> None:
    """For every character: two classes of one page, and what Unicode says of it."""
    shown, ignorable = re.compile(f"[{SHOWN}]"), re.compile(f"[{IGNORABLE}]")
    for code in range(sys.maxunicode + 1):
        one = chr(code)
        if shown.match(one):
            assert not ignorable.match(one), hex(code)
            assert unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Co"), hex(code)


def test_no_file_holds_what_cannot_be_seen() -> None:
    """Each of these characters inside, first and last in a text, as a key, and in a text of several lines."""
    codes = [code for code in range(sys.maxunicode + 1) if UNSEEN.match(chr(code)) and not 0xD800 <= code <= 0xDFFF]
    for start in range(0, len(codes), 500):
        some = "".join(f"a{chr(code)}" for code in codes[start : start + 500])
        content = {"tags": {"x": {"name": some, "lines": f"one\n{some}\ntwo", some[:99]: [some]}}}
        text = document(content)
        assert not UNSEEN.search(text.replace("\n", ""))
        assert plain_data(text, "a.yaml") == content


@pytest.mark.parametrize("emoji", EMOJI)
def test_a_picture_of_several_characters_is_kept(emoji: str) -> None:
    """Escaped in a file, whole on a screen."""
    content = {"tags": {"x": {"name": f"I {emoji} you"}}}
    text = document(content)
    assert not UNSEEN.search(text.replace("\n", ""))
    assert plain_data(text, "a.yaml") == content
    assert harmless(f"I {emoji} you") == f"I {emoji} you"
    assert re.search(JOINED, emoji)


def test_a_selector_behind_a_letter_is_shown_as_what_it_is() -> None:
    """It would hide that two names differ."""
    assert harmless("VIP\ufe0f") == "VIP\\ufe0f"
    assert harmless("VIP\U000e0100") == "VIP\\U000e0100"

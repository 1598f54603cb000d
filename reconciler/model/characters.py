"""Which characters can be seen, and which belong together: what every reader and writer of foreign texts agrees on."""

from __future__ import annotations

import functools
import re

SHOWN = (
    r"\x20-\x7e\xa1-\xac\xae-\u034e\u0350-\u05ff\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f\u0892-\u08e1"
    r"\u08e3-\u115e\u1161-\u167f\u1681-\u17b3\u17b6-\u180a\u1810-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u27ff"
    r"\u2801-\u2fff\u3001-\u3163\u3165-\ud7ff\uf900-\ufdff\ufe10-\ufefe\uff00-\uff9f\uffa1-\uffef\ufffc-\ufffd"
    r"\U00010000-\U000110bc\U000110be-\U000110cc\U000110ce-\U0001342f\U00013440-\U0001bc9f\U0001bca4-\U0001d172"
    r"\U0001d17b-\U000dffff\U000e1000-\U000effff"
)
"""What can be seen, as the inside of a class of a regular expression: without control and format characters, blanks of
other widths, fillers, selectors of variants and private use. Nothing of it is ignorable.
"""
BLANKS = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
"""Blanks of other widths: seen as blanks, and of use in many languages."""
IGNORABLE = (
    r"\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
"""What Unicode lets every comparison of names pass over (Default_Ignorable_Code_Point: soft hyphen, joiners, marks of
direction, selectors of variants, fillers), control characters, and marks of annotations.
"""
_PICTURE = (
    r"\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    r"\U0001f000-\U0001faff"
)
JOINED = (
    rf"(?<=[{_PICTURE}\ufe0f])\u200d(?=[{_PICTURE}])"
    rf"|(?<=[{_PICTURE}0-9#*])[\ufe0e\ufe0f]"
    r"|\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
)
"""What cannot be seen and makes a picture of what is before it: joiners between emoji, the choice between picture and
sign, and the letters of a flag. On a screen it stays; in a file it is escaped like all that cannot be seen.
"""
_CLUSTER = (
    rf"(?:\U0001f3f4[\U000e0020-\U000e007f]+|[{_PICTURE}](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[{_PICTURE}])*|.)"
    r"[\u0300-\u036f\ufe0e\ufe0f]*"
)


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of this program over all of Unicode: each takes as long to compile as a module to load, and most
    texts are ASCII.
    """
    return re.compile(pattern, re.DOTALL)


def clusters(text: str) -> list[str]:
    """Split a text into what is shown as one: a character with its accents, a joined emoji."""
    return compiled(_CLUSTER).findall(text)


def escapes_surrogates(text: str) -> bool:
    """Return whether a half of a character may be escaped in a JSON text: most have no escapes, as one look tells."""
    return "\\" in text and ("\\ud" in text or "\\uD" in text)

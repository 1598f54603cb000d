"""What a plain YAML scalar means: YAML 1.2's core schema, less its surprises. Everything it does not know is text.

YAML 1.1, as most loaders read it, turns `no` into false, `0123` into 83, `12:30` into 750 and `2024-01-01` into a date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
AMBIGUOUS = frozenset({"yes", "no", "on", "off", "y", "n"})
"""Booleans to YAML 1.1, texts to YAML 1.2 (compared without case): who writes one means either."""

_WORDS: Mapping[str, bool | None] = {**dict.fromkeys(NULLS), **BOOLEANS}
_NUMERIC = frozenset("0123456789+-")
"""What a number begins with."""
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,39})\.[0-9]{1,40}")


def meaning(text: str) -> bool | int | float | str | None:
    """Return what a plain scalar means: None, bool, int, float, or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def is_ambiguous(text: str) -> bool:
    """Return whether a plain scalar is a boolean to some readers and text to others."""
    return len(text) <= 3 and text.lower() in AMBIGUOUS

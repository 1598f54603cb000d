"""E-mail addresses in texts: whatever is for all readers is without those of people."""

from __future__ import annotations

import re
from collections.abc import Callable

_AT = re.compile(r"[@\uff20\ufe6b]|%40|&#0*64;|&#x0*40;|&commat;", re.IGNORECASE)
"""How an `@` is written: as itself or wide, in URLs, and in HTML."""
_LETTER = r"[^\W_]"
_ADDRESS = re.compile(
    rf"""(?:"[^"\n@]{{1,64}}"|(?<![\w.%+'-])[\w.%+'-]*[^\s@/\\(\[{{<"',;:])(?:{_AT.pattern})"""
    rf"(?:{_LETTER}|-)+(?:[.\u3002\uff0e](?:{_LETTER}|-)+)+",
    re.IGNORECASE,
)
"""An address in any letters, also one that is quoted before its `@`. It begins where letters do, so that a long text is
read once.
"""


def without_addresses(text: str, stand_in: Callable[[str], str]) -> str:
    """Return a text with something else in place of each e-mail address; `stand_in` gets it with a plain `@`."""
    if not _AT.search(text):
        return text
    return _ADDRESS.sub(lambda match: stand_in(_AT.sub("@", match.group())), text)


def emails_in(text: str) -> list[str]:
    """Return the e-mail addresses in a text as they are written there."""
    return [match.group() for match in _ADDRESS.finditer(text)] if _AT.search(text) else []

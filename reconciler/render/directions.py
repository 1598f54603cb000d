"""Names that are read from right to left, inside our sentences: each is isolated, so that it turns nothing around it.

Without that, Unicode's algorithm lets such a name take what stands beside it along: `"A" -> "B"` of two Hebrew values
is shown as B, arrow, A, and `A 4 contacts` with the number on the other side. What is a name is known where it is put
into a sentence (`named`); elsewhere it is what stands in quotes, or a run of such words. Other names get nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from reconciler.model.characters import compiled

FIRST, POP = "\u2068", "\u2069"
"""FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, for texts without elements."""
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Noncharacters, which Unicode keeps for use inside a program: around a name until it is known where it goes."""
_MARKS = f"{_OPEN}|{_CLOSE}"
LETTERS = r"\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff"
"""The blocks of the scripts that are written from right to left, as the inside of a class."""
_ANY = f"[{LETTERS}{_OPEN}{_CLOSE}]"
_RUN = rf"[{LETTERS}](?:[{LETTERS}\u0300-\u036f '’-]*[{LETTERS}])?"
_PARTS = r"{0}[^{0}{1}]*{1}|{2}(?:(?!{2})[^\n<{0}{1}])*{2}|“[^”\n<{0}{1}]*”|{3}|[{0}{1}]"
_QUOTED, _QUOTED_IN_HTML = (_PARTS.format(_OPEN, _CLOSE, quote, _RUN) for quote in ('"', "&#34;"))
_PIECES = r"<(?P<raw>style|script)\b.*?</(?P=raw)>|<(?P<tag>[a-zA-Z]*)[^>]*>"
_TEXTS_ONLY = frozenset({"title", "text"})
"""Elements, of a page or of its pictures, in which no element may stand."""


def named(name: str) -> str:
    """Return a name as it is put into a sentence: marked where anything in it is read from right to left."""
    bare = re.sub(_MARKS, "", name) if _OPEN in name or _CLOSE in name else name
    return f"{_OPEN}{bare}{_CLOSE}" if not bare.isascii() and compiled(f"[{LETTERS}]").search(bare) else bare


def unmarked(text: str) -> str:
    """Return a text without the marks of names."""
    return re.sub(_MARKS, "", text)


def isolated(text: str) -> str:
    """Return a text in which characters isolate names, as Markdown and titles of pages need it."""
    return _isolated(text, _QUOTED, lambda name: f"{FIRST}{name}{POP}")


def named_span(text: str, span: str) -> str:
    """Return what a text became in Markdown, isolated as a whole where anything in it is read from right to left."""
    marked = named(text) != re.sub(_MARKS, "", text)
    return f"{FIRST}{unmarked(span)}{POP}" if marked else unmarked(span)


def isolated_lines(text: str) -> str:
    """Return the lines of a block as `isolated` returns a sentence."""
    return "\n".join(map(isolated, text.split("\n")))


def isolated_html(page: str) -> str:
    """Return a page in which elements isolate names, but in attributes and in titles, which hold no elements."""
    if page.isascii() or not compiled(_ANY).search(page):
        return page
    parts: list[str] = []
    last, inside = 0, ""
    for piece in compiled(_PIECES).finditer(page):
        parts.append(_text(page[last : piece.start()], inside))
        whole = piece[0]
        parts.append(whole.replace(_OPEN, FIRST).replace(_CLOSE, POP))
        last, inside = piece.end(), piece["tag"] or ""
    return "".join([*parts, _text(page[last:], "")])


def _text(text: str, inside: str) -> str:
    if inside in _TEXTS_ONLY:
        return _isolated(text, _QUOTED_IN_HTML, lambda name: f"{FIRST}{name}{POP}")
    return _isolated(text, _QUOTED_IN_HTML, lambda name: f"<bdi>{name}</bdi>")


def _isolated(text: str, pattern: str, around: Callable[[str], str]) -> str:
    if text.isascii() or not compiled(_ANY).search(text):
        return text

    def replaced(match: re.Match[str]) -> str:
        plain = unmarked(match[0])
        return around(plain) if compiled(f"[{LETTERS}]").search(plain) else plain

    return compiled(pattern).sub(replaced, text)

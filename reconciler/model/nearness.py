"""Names that people take for one and the account for two: by case, Unicode form, outer blanks, HTML entities, and by
what the server derives from them. One place for all kinds; nothing is ever recognised or renamed by it.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping

from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.values import Value

ENTITIES = 3
"""How many layers of HTML entities are undone (`&amp;amp;` has two)."""


def plain(text: str) -> str:
    """Return the text without what near twins differ in."""
    for _ in range(ENTITIES):
        text, before = html.unescape(text), text
        if text == before:
            break
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def near_keys(kind: Kind, attrs: Mapping[str, Value]) -> dict[NaturalKey, NaturalKey]:
    """Return the natural keys of an object, and of what the server derives for it, in the form that near twins share;
    each with the key as it is.
    """
    found: dict[NaturalKey, NaturalKey] = {}
    for one in (attrs, *({**attrs, **derived} for derived in kind.derived(attrs))):
        for key in kind.natural_keys(one):
            found.setdefault(tuple(_plain(item) for item in key), key)
    return found


def _plain(item: Hashable) -> Hashable:
    return plain(item) if isinstance(item, str) else item


def apart(mine: NaturalKey, other: NaturalKey) -> str:
    """Return in words what two keys differ in that are near each other; "" where they are the same."""
    pairs = [
        (one, two)
        for one, two in zip(mine, other, strict=False)
        if isinstance(one, str) and isinstance(two, str) and one != two
    ]
    return " and ".join(dict.fromkeys(word for one, two in pairs for word in _words(one, two)))


def _words(one: str, two: str) -> Iterable[str]:
    """Say which of the differences has to be undone so that the texts become the same."""
    for word, left in (
        ("HTML entities", (_blanks, _form, str.casefold)),
        ("outer blanks", (html.unescape, _form, str.casefold)),
        ("Unicode form", (html.unescape, _blanks, str.casefold)),
        ("case", (html.unescape, _form, _blanks)),
    ):
        if _after(one, left) != _after(two, left):
            yield word


_blanks = str.strip


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _after(text: str, rules: Iterable[Callable[[str], str]]) -> str:
    for rule in rules:
        text = rule(text)
    return text

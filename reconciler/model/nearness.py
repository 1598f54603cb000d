"""Names that people take for one and the account for two: by case, Unicode form, blanks, HTML entities, what cannot be
seen, and by what the server derives from them. One place for all kinds; nothing is ever recognised or renamed by it.

The form that near twins share is Unicode's for names (NFKC_Casefold), without HTML entities and with single blanks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from reconciler.model.characters import IGNORABLE
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.values import Value

ENTITIES = 3
"""How many layers of HTML entities are undone (`&amp;amp;` has two)."""


IGNORED = f"[{IGNORABLE}]"


def plain(text: str) -> str:
    """Return the text without what near twins differ in."""
    if text.isascii() and text.isprintable() and "&" not in text:  # most names: the same, sooner
        return " ".join(text.lower().split())
    return _after(text, RULES.values())


def near_keys(kind: Kind, attrs: Mapping[str, Value]) -> dict[NaturalKey, NaturalKey]:
    """Return what an object is known as, and what it is with what the server derives for it, in the form that near
    twins share; each with the key as it is.
    """
    keys: dict[NaturalKey, NaturalKey] = {}
    for shown in (attrs, *[{**attrs, **derived} for derived in kind.derived(attrs)]):
        for key in kind.known_as(shown):
            label, *parts = key
            near = [plain(item) if isinstance(item, str) else item for item in parts]
            keys.setdefault((label, *near), key)
    return keys


def apart(mine: NaturalKey, other: NaturalKey) -> str:
    """Return in words what two keys differ in that are near each other; "" where they are the same."""
    pairs = [
        (first, two)
        for first, two in zip(mine, other, strict=False)
        if isinstance(first, str) and isinstance(two, str) and first != two
    ]
    return " and ".join(dict.fromkeys(word for first, two in pairs for word in _words(first, two)))


def _words(first: str, two: str) -> Iterable[str]:
    """Say which of the differences have to be undone so that the texts become the same; several may undo one."""
    named = False
    for word, rule in RULES.items():
        left = [other for other in RULES.values() if other is not rule]
        if _after(first, left) != _after(two, left):
            named = True
            alike = rule is _form and _after(first, [_canonical, *left]) == _after(two, [_canonical, *left])
            yield "Unicode form" if alike else word
    if not named:
        yield "blanks"


def _entities(text: str) -> str:
    import html  # names that differ in entities are rare

    for _ in range(ENTITIES):
        text, before = html.unescape(text), text
        if text == before:
            break
    return text


def _seen(text: str) -> str:
    return re.sub(IGNORED, "", text)


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _form(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _case(text: str) -> str:
    return text.casefold()


def _inner(text: str) -> str:
    return re.sub(r"(?<=\S)\s+(?=\S)", " ", text)


RULES: Mapping[str, Callable[[str], str]] = {
    "HTML entities": _entities,
    "characters that cannot be seen": _seen,
    "Unicode compatibility form": _form,
    "case": _case,
    "outer blanks": str.strip,
    "inner blanks": _inner,
}


def _after(text: str, rules: Iterable[Callable[[str], str]]) -> str:
    """Return the text once these rules are applied; with that of forms among them, also to what the others leave."""
    rules = list(rules)
    for rule in rules:
        text = rule(text)
    return _form(text) if _form in rules else text

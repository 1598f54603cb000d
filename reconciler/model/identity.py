"""Ids in the program's own files: they obey the grammar of their collection (section 1.4), or the file is damaged.

Who reads a file hands the grammars of the kinds to the validation (`context`); what the program itself makes is not
looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationInfo

from reconciler.model.http import is_id, shown
from reconciler.model.values import SCALARS

Grammar = Literal["number", "word", "text"]
"""Digits; a UUID, or letters, digits, `-` and `_` that somebody chose; or a text, as the names of events are."""
Fits = Callable[[str, str], bool]
"""Tells whether a kind may have an id."""
_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
LONGEST_WORD = 64


def obeys(identity: object, grammar: Grammar) -> bool:
    """Return whether an id is one of its grammar."""
    if grammar != "word":
        return is_id(identity, digits=grammar == "number")
    return is_id(identity) and len(str(identity)) <= LONGEST_WORD and _WORDS.issuperset(str(identity))


def check(info: ValidationInfo, ids: Iterable[tuple[str, str]], *values: Any) -> None:
    """Raise ValueError for the first of these (kind, id), and of those inside encoded values, that is no id of its
    kind. Where no grammars were handed over, nothing is looked at.
    """
    fits: Fits | None = (info.context or {}).get("fits")
    if fits is None:
        return
    for kind, identity in (*ids, *(pair for value in values for pair in _inside(value))):
        if not fits(kind, identity):
            raise ValueError(f"{shown(identity)} is not an id of a {shown(kind)}")


def _inside(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (kind, id) of every live reference in an encoded value."""
    if isinstance(value, Mapping):
        if "$id" in value:
            yield str(value.get("kind")), str(value["$id"])
        for part in value.values():
            if part.__class__ not in SCALARS:
                yield from _inside(part)
    elif isinstance(value, list):
        for part in value:
            if part.__class__ not in SCALARS:
                yield from _inside(part)

"""Ids in the program's own files: they obey the grammar of their collection (section 1.4), or the file is damaged.

Who reads a file hands the grammars of the kinds to the validation (`context`); what the program itself makes is not
looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal, Protocol

from pydantic import ValidationInfo

from reconciler.model.conforming import is_form
from reconciler.model.grammar import a
from reconciler.model.http import is_id, shown
from reconciler.model.values import SCALARS

Grammar = Literal["number", "word", "text"]
"""Digits; a UUID, or letters, digits, `-` and `_` that a user chose; or a text, as the names of events are."""


class Fits(Protocol):
    """Tells what a kind may have."""

    def __call__(self, kind: str, identity: str) -> bool:
        """Return whether a kind may have an id."""
        ...

    def holds(self, kind: str, name: str, value: Any) -> bool:
        """Return whether an attribute of a kind may have an encoded value; what no kind knows may have any."""
        ...


_WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
LONGEST_WORD = 64


def obeys(identity: object, grammar: Grammar) -> bool:
    """Return whether an id is one of its grammar."""
    if grammar != "word":
        return is_id(identity, digits=grammar == "number")
    return is_id(identity) and len(str(identity)) <= LONGEST_WORD and _WORDS.issuperset(str(identity))


def check(info: ValidationInfo, ids: Iterable[tuple[str, str]], *values: Any) -> None:
    """Raise ValueError for the first of these (kind, id), and of those inside encoded values, that is not an id of its
    kind. Where no grammars were handed over, nothing is looked at.
    """
    fits: Fits | None = (info.context or {}).get("fits")
    if fits is None:
        return
    for kind, identity in (*ids, *(pair for value in values for pair in _inside(value))):
        if not fits(kind, identity):
            raise ValueError(f"{shown(identity)} is not an id of {a(shown(kind))}")


def check_values(info: ValidationInfo, kind: str, attrs: Mapping[str, Any], key: Sequence[Any] = ()) -> None:
    """Raise ValueError for the first of these attributes of an object of a kind, or parts of its natural key, that has
    a value of another type. Where nothing was handed over, nothing is looked at.
    """
    fits: Fits | None = (info.context or {}).get("fits")
    if fits is None:
        return
    for name, value in attrs.items():
        if not fits.holds(kind, name, value):
            raise ValueError(f"`{name}` of {a(shown(kind))} is of another type: {shown(value)}")
    if key and not _is_key(fits, kind, key):
        raise ValueError(f"{a(shown(kind))} has no natural key like {shown(list(key))}")


def _is_key(fits: Fits, kind: str, key: Sequence[Any]) -> bool:
    """Return whether this can be a natural key: a label, and parts of which one at least is something. A label that
    names attributes (`name`, `title+type`) says of what type they are. Accounts leave parts of it empty that no file
    may.
    """
    label, *parts = key
    if not isinstance(label, str) or not label or all(part in (None, "") for part in parts):
        return False
    names = label.rstrip("~").split("+")
    if len(names) == 1 and parts[0] is None:
        return False
    return all(
        part is None
        or (is_form(part) if isinstance(part, dict) else isinstance(part, str) and fits.holds(kind, name, part))
        for name, part in zip_longest(names, parts, fillvalue="")
    )


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

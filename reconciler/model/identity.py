"""Ids in the program's own files: they obey the grammar of their collection (section 1.4), or the file is damaged.

Who reads a file hands the grammars of the kinds to the validation (`context`); what the program itself makes is not
looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, Literal, Protocol

from pydantic import ValidationInfo

from reconciler.model.conforming import is_form
from reconciler.model.grammar import a
from reconciler.model.http import is_id, shown
from reconciler.model.values import SCALARS, is_flat

Grammar = Literal["number", "word", "text"]
"""Digits; a UUID, or letters, digits, `-` and `_` that a user chose; or a text, as the names of events are."""


class KnownKind(Protocol):
    """What is known of a kind."""

    def fits(self, identity: str) -> bool:
        """Return whether it may have an id."""
        ...

    def holds(self, name: str, value: Any) -> bool:
        """Return whether an attribute may have an encoded value."""
        ...


Fits = Callable[[str], KnownKind | None]
"""Returns what is known of a kind; None for one of another version, which may have anything that is an id."""


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
    for kind, identity in chain(ids, *map(_inside, values)):
        known = fits(kind)
        if not (is_id(identity) if known is None else known.fits(identity)):
            raise ValueError(f"{shown(identity)} is not an id of {a(shown(kind))}")


def check_values(info: ValidationInfo, kind: str, attrs: Mapping[str, Any], key: Sequence[Any] = ()) -> None:
    """Raise ValueError for the first of these attributes of an object of a kind, or parts of its natural key, that has
    a value of another type. Where nothing was handed over, nothing is looked at.
    """
    fits: Fits | None = (info.context or {}).get("fits")
    if fits is None:
        return
    known = fits(kind)
    for name, value in attrs.items():
        if known is not None and not known.holds(name, value):
            raise ValueError(f"`{name}` of {a(shown(kind))} is of another type: {shown(value)}")
    if key and not _is_key(known, key):
        raise ValueError(f"{a(shown(kind))} has no natural key like {shown(list(key))}")


def _is_key(known: KnownKind | None, key: Sequence[Any]) -> bool:
    """Return whether this can be a natural key: a label, and parts of which one at least is something. A label that
    names attributes (`name`, `title+type`) says of what type they are. Accounts leave parts of it empty that no file
    may.
    """
    label, *parts = key
    if not isinstance(label, str) or not label or not any(parts):
        return False
    names = label.rstrip("~").split("+")
    if len(names) == 1 and parts[0] is None:
        return False
    for name, part in zip_longest(names, parts, fillvalue=""):
        if isinstance(part, dict):
            fitting = is_form(part)
        else:
            fitting = part is None or (isinstance(part, str) and (known is None or not name or known.holds(name, part)))
        if not fitting:
            return False
    return True


def _inside(value: Any) -> Sequence[tuple[str, str]]:
    """Return (kind, id) of every live reference in an encoded value."""
    is_map = isinstance(value, (dict, Mapping))
    own = [(str(value.get("kind")), str(value["$id"]))] if is_map and "$id" in value else []
    parts = value.values() if is_map else value if isinstance(value, list) else ()
    if is_flat(parts):
        return own
    return own + [pair for part in parts if part.__class__ not in SCALARS for pair in _inside(part)]

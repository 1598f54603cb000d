"""Codecs: how an attribute's value is said in a declaration, sent to the API, read from it and compared. One class for
each shape of attribute.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from reconciler.model.coerce import LARGEST, folded, ident, listed, number, text, truthy
from reconciler.model.records import record
from reconciler.model.redaction import abridged
from reconciler.model.values import (
    Json,
    Reference,
    RemoteId,
    Value,
    is_empty_or_off,
    items_of,
    links_of,
    map_of,
    sendable,
    texts_of,
)

Ids = Callable[[Reference], str]
"""Answers the remote id of a reference, as text; raises KeyError when it has none."""
Shape = Literal["text", "flag", "number", "list", "map", "ref", "refs", "commas", "other"]
SHOWN = 60
"""Characters of a value in a message, at most."""


@record
class Codec(ABC):
    """One attribute's values; `name` is for messages."""

    name: str

    @abstractmethod
    def encode(self, value: Value, ids: Ids) -> Json:
        """Return what to send for a value in normal form. Of None, what clears the attribute: merge-PUT keeps what is
        left out, so something has to be sent (row 44 of section 7).
        """

    @abstractmethod
    def decode(self, raw: Json) -> Value:
        """Return the normal form of what the API returned (section 1.4 of the API page). Raises ValueError for what is
        of no type that this attribute can have: never read as empty.
        """

    def normal(self, value: Value) -> Value:
        """Return the form in which two values are compared (section 8.1 of the API page)."""
        return None if value is None or value == "" else value

    def differing(self, stored: Json, sent: Json) -> Iterator[str]:
        """Yield where what the account holds and what a write would send differ in what they mean."""
        if isinstance(stored, dict) and isinstance(sent, dict):
            yield from differences(stored, sent)
        elif isinstance(stored, dict | list) or self._meaning(stored) != self._meaning(sent):
            yield brief(stored)

    def _meaning(self, raw: Json) -> object:
        return _plain(raw)

    def _scalar(self, raw: Json) -> Json:
        if isinstance(raw, Mapping | list):
            raise ValueError(f"`{self.name}` is {brief(raw)}")
        return raw

    def _identity(self, raw: Json) -> str:
        """Read an id: text or number (section 1.4), never a flag or a part of a number."""
        if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
            raise ValueError(f"`{self.name}` is {str(raw).lower()}, which is not an id")
        return ident(int(raw) if isinstance(raw, float) else self._scalar(raw))

    def _listed(self, raw: Json) -> list[Json]:
        items = listed(raw)
        if items is None:
            raise ValueError(f"`{self.name}` is not a list")
        return [self._scalar(item) for item in items]


class FlagCodec(Codec):
    """True or false, in any of the API's spellings."""

    __slots__ = ()

    def encode(self, value: Value, ids: Ids) -> Json:
        return int(bool(value))

    def decode(self, raw: Json) -> Value:
        return truthy(self._scalar(raw))

    def _meaning(self, raw: Json) -> object:
        spelled = _plain(raw)
        return {"": "0", "false": "0", "no": "0", "true": "1", "yes": "1"}.get(spelled.lower(), spelled)


class NumberCodec(Codec):
    """An integer, which may arrive as text."""

    __slots__ = ()

    def encode(self, value: Value, ids: Ids) -> Json:
        return "" if value is None else sendable(value)

    def decode(self, raw: Json) -> Value:
        value = number(self._scalar(raw))
        if (value is None and raw not in (None, "")) or (value is not None and abs(value) >= LARGEST):
            raise ValueError(f"`{self.name}` is not a number")
        return value

    def _meaning(self, raw: Json) -> object:
        digits = _plain(raw)
        try:
            return float(digits) if digits else ""
        except ValueError:
            return digits


@record
class TextCodec(Codec):
    """A text. `codes` are those that the API spells otherwise (declared -> sent), `spelled` is how it wants them
    spelled, and `folds` compares them without case.
    """

    codes: Mapping[str, str | int] | None = None
    spelled: Callable[[str], str | None] | None = None
    folds: bool = False

    def encode(self, value: Value, ids: Ids) -> Json:
        if self.codes is not None:
            return self.codes.get(value, value) if isinstance(value, str) else sendable(value)
        if self.spelled is not None and isinstance(value, str):
            return self.spelled(value)
        return value if isinstance(value, str) else "" if value is None else sendable(value)

    def decode(self, raw: Json) -> Value:
        if raw is None or raw == "":
            return None
        if self.codes is not None:
            code = text(self._scalar(raw))
            return next((mine for mine, theirs in self.codes.items() if str(theirs) == code), code)
        if raw.__class__ is str:
            return raw
        return None if raw is False else text(self._scalar(raw))

    def normal(self, value: Value) -> Value:
        if value is None or value == "":
            return None
        return folded(value) if self.folds else value

    def _meaning(self, raw: Json) -> object:
        meaning = "a flag that is on" if raw is True and self.codes is None else _plain(raw)
        if self.spelled is not None:
            meaning = str(self.spelled(meaning) or "")
        return folded(meaning) if self.folds else meaning


@record
class LinkCodec(Codec):
    """A reference to an object of a kind; `none` is the API's sentinel for no reference."""

    kind: str
    none: str

    def encode(self, value: Value, ids: Ids) -> Json:
        return self.none if value is None else ids(links_of([value])[0])

    def decode(self, raw: Json) -> Value:
        return None if raw in (None, "", 0, "0", self.none) else RemoteId(self.kind, self._identity(raw))

    def _meaning(self, raw: Json) -> object:
        identity = _plain(raw)
        return "" if identity in ("0", self.none) else identity


class _Set(Codec):
    """A list compared as a set: a relation that is there twice is one."""

    __slots__ = ()

    def normal(self, value: Value) -> Value:
        return sorted(dict.fromkeys(items_of(value)), key=str)

    def differing(self, stored: Json, sent: Json) -> Iterator[str]:
        if isinstance(stored, dict):
            if isinstance(sent, dict):
                yield from differences(stored, sent)
            else:
                yield brief(stored)
            return
        items, back = Counter(self._items(stored)), Counter(self._items(sent))
        if items != back:
            yield from map(brief, (items - back) or (back - items))

    def _items(self, raw: Json) -> list[str]:
        parts = listed(raw)
        items = [_plain(part) for part in (_plain(raw).split(",") if parts is None else parts)]
        return [item.strip() for item in items if not self._nothing(item.strip())]

    def _nothing(self, item: str) -> bool:
        return item == ""


@record
class LinksCodec(_Set):
    """References to objects of a kind, as a list or, with `commas`, as one text."""

    kind: str
    none: str
    commas: bool = False

    def encode(self, value: Value, ids: Ids) -> Json:
        linked = [ids(item) for item in links_of(value)]
        return ",".join(linked) if self.commas else linked

    def decode(self, raw: Json) -> Value:
        many = (
            ident(raw).split(",") if isinstance(raw, str) and raw else [raw] if isinstance(raw, int) and raw else None
        )
        items = [self._identity(item).strip() for item in (self._listed(raw or None) if many is None else many)]
        return [RemoteId(self.kind, item) for item in items if not self._nothing(item)]

    def _nothing(self, item: str) -> bool:
        return item in ("", self.none)


class CommasCodec(_Set):
    """Texts that the API keeps as one with commas."""

    __slots__ = ()

    def encode(self, value: Value, ids: Ids) -> Json:
        return ",".join(texts_of(value))

    def decode(self, raw: Json) -> Value:
        parts = str(raw).split(",") if isinstance(raw, str | int) else self._listed(raw or None)
        return [part.strip() for part in map(str, parts) if part.strip()] if raw else []


@record
class TextsCodec(Codec):
    """A list of texts, compared in order or, with `unordered`, as a set."""

    unordered: bool = False

    def encode(self, value: Value, ids: Ids) -> Json:
        return [sendable(item) for item in items_of(value)]

    def decode(self, raw: Json) -> Value:
        return [str(item) for item in self._listed(raw)]

    def normal(self, value: Value) -> Value:
        if value is None or value == "":
            return []
        return sorted(dict.fromkeys(items_of(value)), key=str) if self.unordered else value

    def differing(self, stored: Json, sent: Json) -> Iterator[str]:
        if isinstance(stored, dict) and isinstance(sent, dict):
            yield from differences(stored, sent)
            return
        kept, other = listed(stored), listed(sent)
        if kept is None or other is None:
            yield brief(stored)
        elif self.unordered:
            yield from differences(sorted(kept, key=_plain), sorted(other, key=_plain))
        else:
            yield from differences(kept, other)


class DocumentCodec(Codec):
    """What the kind reads and writes in the API's own form."""

    __slots__ = ()

    def encode(self, value: Value, ids: Ids) -> Json:
        return sendable(value)

    def decode(self, raw: Json) -> Value:
        return None if raw == "" else raw

    def differing(self, stored: Json, sent: Json) -> Iterator[str]:
        yield from differences(stored, sent)


@record
class MapCodec(DocumentCodec):
    """A map. With `keyed`, of sub-objects that are compared one by one, by keys that are alike with `-` or `_` where it
    `folds` them.
    """

    keyed: bool = False
    folds: bool = False

    def decode(self, raw: Json) -> Value:
        if raw is None or raw == "":
            return None
        if not isinstance(raw, Mapping):
            if raw != []:
                raise ValueError(f"`{self.name}` is not a map")
            return {}
        return raw

    def normal(self, value: Value) -> Value:
        if value is None or value == "":
            return {} if self.keyed else None
        return {self.entry(key): item for key, item in map_of(value).items()} if self.keyed else value

    def entry(self, key: str) -> str:
        """Return the form in which the key of an entry is compared."""
        return key.replace("_", "-") if self.folds else key


def brief(value: Value) -> str:
    """Return a value of the account for a message."""
    if isinstance(value, dict | list):
        return f"a {'map' if isinstance(value, dict) else 'list'} of another form"
    return f"`{abridged(str(value), SHOWN)}`"


def differences(stored: Json, sent: Json, path: str = "") -> Iterator[str]:
    """Yield the places at which two documents differ."""
    if isinstance(stored, dict) and isinstance(sent, dict):
        for key in dict.fromkeys((*stored, *sent)):
            yield from differences(stored.get(key), sent.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(stored, list) and isinstance(sent, list) and len(stored) == len(sent):
        for place, (mine, other) in enumerate(zip(stored, sent, strict=True)):
            yield from differences(mine, other, f"{path}[{place}]")
    elif not _means_alike(stored, sent):
        yield path or brief(stored)


def _means_alike(stored: Json, sent: Json) -> bool:
    """Return whether two values mean the same that are not both maps, or lists of one length."""
    if isinstance(stored, dict | list) or isinstance(sent, dict | list):
        return not stored and not sent
    return _plain(stored) == _plain(sent) or (is_empty_or_off(stored) and is_empty_or_off(sent))


def _plain(raw: Json) -> str:
    if isinstance(raw, dict | list):
        return repr(raw)
    if isinstance(raw, bool):
        return str(int(raw))
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return "" if raw is None else str(raw)

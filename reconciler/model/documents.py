"""Reading the program's own JSON files: whatever stands in them is a document or a ValueError."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from reconciler.model.characters import escapes_surrogates

MOST = 2**53
"""Beyond it a number is none that this program counted to, and none that every reader of JSON keeps."""
Count = Annotated[int, Field(ge=0, le=MOST)]
Model = TypeVar("Model", bound=BaseModel)


_GIVEN: set[str] = set()
_SHARED = 30


def _fixed(*_: Any, **__: Any) -> Any:
    raise TypeError("all parts of documents share what is empty in them: make another one")


class _NoMembers(dict[Any, Any]):
    __slots__ = ()
    __setitem__ = __ior__ = update = setdefault = _fixed


class _NoItems(list[Any]):
    __slots__ = ()
    __setitem__ = __iadd__ = __imul__ = append = extend = insert = _fixed


_EMPTY: Mapping[type, Any] = {dict: _NoMembers(), list: _NoItems()}


class Lean(BaseModel):
    """A part of a document, of which there may be many thousand. What all of them have is kept once: which members were
    given and which are the default (never asked for), the empty lists and maps, which cannot be changed, and the names.
    """

    model_config = ConfigDict(defer_build=True)
    _named: ClassVar[dict[str, Any]] = {}

    def model_post_init(self, context: Any, /) -> None:
        """Take up the room that the values need: pydantic makes a map with the names for each part."""
        members = self.__dict__
        named = self._named.copy()
        if len(named) != len(members):
            named = self._with_names(members)
        named.update(members)
        for name, value in members.items():
            if not value and value.__class__ in _EMPTY:
                named[name] = _EMPTY[value.__class__]
        object.__setattr__(self, "__dict__", named)
        object.__setattr__(self, "__pydantic_fields_set__", _GIVEN)

    @classmethod
    def _with_names(cls, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return a map with the names of these members; when they are all, others of the class are copies of it."""
        alike = object.__new__(cls)
        for name in members:
            object.__setattr__(alike, name, None)
        named = alike.__dict__  # of one set of names for the class (PEP 412), which takes up to 30; a copy has no gaps
        named = {**named} if len(named) > _SHARED else named
        if len(named) == len(cls.model_fields):
            cls._named = named
        return named.copy()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some members replaced, which takes no more room."""
        copy = super().model_copy(update=update, deep=deep)
        copy.model_post_init(None)
        return copy


def read_json(content: bytes | str) -> Any:
    """Return the document. Raises ValueError for what is none: truncated, nested without end, with numbers that are
    none or halves of characters, or with a member twice, of which only one would count.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    parsed = _parsed(text, _each_once)
    if escapes_surrogates(text):
        json.dumps(parsed, ensure_ascii=False).encode()  # halves of pairs have no bytes: a ValueError
    return parsed


def outermost(content: bytes | str) -> Mapping[str, Any]:
    """Return the members of a document, None in place of maps inside, so that nothing large is made of it; without any
    where it is not a map. Raises ValueError for all that `read_json` does.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    if escapes_surrogates(text):
        whole = read_json(text)
        return whole if isinstance(whole, dict) else {}
    last: list[tuple[str, Any]] = []

    def closed(members: list[tuple[str, Any]]) -> None:
        nonlocal last
        last = members
        if len(members) > 1:
            _each_once(members)

    return dict(last) if _parsed(text, closed) is None else {}


def _parsed(text: str, make: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    """Return the document, with what is made of the members of each map, the outermost one last."""
    try:
        return json.loads(text, parse_constant=_none, parse_int=_whole, parse_float=_finite, object_pairs_hook=make)
    except RecursionError as error:
        raise ValueError("it is nested without end") from error


def read_document(model: type[Model], content: bytes | str, fits: Any = None) -> Model:
    """Return the document of this model. A value of another type is none that becomes one: `true` is not a number, and
    "1" neither. `fits` are the grammars and types of the kinds. Raises ValueError, also that of pydantic.
    """
    outermost(content)
    return as_document(model, content, fits)


def as_document(model: type[Model], content: bytes | str, fits: Any = None) -> Model:
    """Return the document of this model, as `read_document`, of a content that was read before."""
    return model.model_validate_json(content, strict=True, context={"fits": fits})


def is_readable(version: str, known: str) -> bool:
    """Return whether a program that knows a format (`1.2`) reads a document of that version: the major one is the same,
    for what a minor one adds may be left out.
    """
    return version.partition(".")[0] == known.partition(".")[0]


def written(document: BaseModel) -> bytes:
    """Return a document as it is written: JSON, indented, with a line end. No text of it is made in between."""
    return TypeAdapter(document.__class__).dump_json(document, indent=2) + b"\n"


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(members)
    if len(unique) < len(members):
        raise ValueError("a member stands there twice")
    return unique


def _none(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


def _whole(digits: str) -> int:
    if len(digits) > 19:
        raise ValueError("a number has more digits than any that is written here")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    return value if math.isfinite(value) else _none("a number without end")

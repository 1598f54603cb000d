"""Whether a value in one of the program's own files has the type that its attribute has, by the spec.

Values are encoded (`values.encode`), and masked or hashed where they are sensitive. What a later version may have added
(members of maps, choices) fits; what no version writes does not.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from reconciler.model.values import Lookup, Ref

Conforming = Callable[[Any], bool]

MASKED = "(sensitive)"
"""Stands for a value that is not shown."""
STANDS_FOR_A_TEXT = ({"$secret"}, {"$sensitive"})
PLAIN: Mapping[str, Any] = {"number": int | None, "text": str | None, "flag": bool | None, "ref": Ref | Lookup | None}
"""What an attribute of a shape holds that no file declares, and no spec has."""
REFERENCES = ({"$ref"}, {"$lookup"}, {"$id", "kind"})


def is_form(value: Mapping[str, Any]) -> bool:
    """Return whether an encoded value stands for a reference, or for a text that is not shown."""
    return set(value) in (*REFERENCES, *STANDS_FOR_A_TEXT)


def conforming(annotation: Any) -> Conforming:
    """Return what tells whether an encoded value can be one of this annotation of a spec. It is asked of each value;
    what the annotation says is worked out once.
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return conforming(args[0])
    if origin in (typing.Union, types.UnionType):
        members = [conforming(member) for member in args]
        return lambda value: any(member(value) for member in members)
    stands, inner = annotation not in (bool, int, float, type(None)), _plain(annotation, origin, args)
    return lambda value: stands if isinstance(value, dict) and is_form(value) else inner(value)


def _plain(annotation: Any, origin: Any, args: tuple[Any, ...]) -> Conforming:
    """Return the same for values that stand for nothing else."""
    if annotation in (Ref, Lookup):
        return lambda value: False
    if origin in (list, dict):
        return _items(origin, conforming(args[-1]))
    if origin is Literal:
        kinds = {type(choice) for choice in args}
        return lambda value: any(_is(kind, value) for kind in kinds)
    if not isinstance(annotation, type):
        return lambda value: True
    return _Members(annotation).conform if issubclass(annotation, BaseModel) else partial(_is, annotation)


def _items(container: type, conforms: Conforming) -> Conforming:
    """Return what tells whether a value is such a list or map, and all that it holds conforms."""

    def conform(value: Any) -> bool:
        items = value.values() if isinstance(value, dict) else value
        return isinstance(value, container) and all(conforms(item) for item in items)

    return conform


class _Members:
    """The members of a model, by name and alias. A model may hold itself: they are looked at when there is a value."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    @cached_property
    def known(self) -> Mapping[str, tuple[Conforming, bool]]:
        """What each may be, and whether it has to be there."""
        return {
            alias: (conforming(info.annotation), info.is_required())
            for name, info in self._model.model_fields.items()
            for alias in (name, info.alias or name)
        }

    @cached_property
    def required(self) -> Sequence[tuple[str, str]]:
        """Name and alias of those that have to be there."""
        return [(name, info.alias or name) for name, info in self._model.model_fields.items() if info.is_required()]

    def conform(self, value: Any) -> bool:
        """Return whether a value is a map of such members."""
        if not isinstance(value, dict) or not all(alias in value or name in value for name, alias in self.required):
            return False
        return all(
            (part is None and not self.known[name][1]) or self.known[name][0](part)
            for name, part in value.items()
            if name in self.known
        )


def _is(kind: type, value: Any) -> bool:
    """Return whether a value is a JSON value of this type: true is not a number."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if kind in (str, bool, type(None)) else True

"""Whether a value in one of the program's own files has the type that its attribute has, by the spec.

Values are encoded (`values.encode`), and masked or hashed where they are sensitive. What a later version may have added
(members of maps, choices) fits; what no version writes does not.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from reconciler.model.values import Lookup, Ref

MASKED = "(sensitive)"
"""Stands for a value that is not shown."""
STANDS_FOR_A_TEXT = ({"$secret"}, {"$sensitive"})
PLAIN: Mapping[str, Any] = {"number": int | None, "text": str | None, "flag": bool | None, "ref": Ref | Lookup | None}
"""What an attribute of a shape holds that no file declares, and no spec has."""
REFERENCES = ({"$ref"}, {"$lookup"}, {"$id", "kind"})


def is_form(value: Mapping[str, Any]) -> bool:
    """Return whether an encoded value stands for a reference, or for a text that is not shown."""
    return set(value) in (*REFERENCES, *STANDS_FOR_A_TEXT)


def conforms(annotation: Any, value: Any) -> bool:
    """Return whether an encoded value can be one of this annotation of a spec."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return conforms(args[0], value)
    if origin in (typing.Union, types.UnionType):
        return any(conforms(member, value) for member in args)
    if isinstance(value, dict) and is_form(value):
        return annotation not in (bool, int, float, type(None))
    if annotation in (Ref, Lookup):
        return False
    if origin in (list, dict):
        return _items_conform(origin, args[-1], value)
    if origin is Literal:
        return any(_is(type(choice), value) for choice in args)
    if not isinstance(annotation, type):
        return True
    return _members_conform(annotation, value) if issubclass(annotation, BaseModel) else _is(annotation, value)


def _items_conform(container: type, annotation: Any, value: Any) -> bool:
    """Return whether a value is such a list or map, and all that it holds conforms."""
    items = value.values() if isinstance(value, dict) else value
    return isinstance(value, container) and all(conforms(annotation, item) for item in items)


def _members_conform(model: type[BaseModel], value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    fields = model.model_fields
    known = {alias: info for name, info in fields.items() for alias in (name, info.alias or name)}
    if not all(info.alias in value or name in value for name, info in fields.items() if info.is_required()):
        return False
    return all(
        (part is None and not known[name].is_required()) or conforms(known[name].annotation, part)
        for name, part in value.items()
        if name in known
    )


def _is(kind: type, value: Any) -> bool:
    """Return whether a value is a JSON value of this type: true is not a number."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if kind in (str, bool, type(None)) else True

"""Whether a value in one of the program's own files has the type that its attribute has: the spec tells.

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
"""Stands for a value that nobody may see."""
STANDS_FOR_A_TEXT = ({"$secret"}, {"$sensitive"})
PLAIN: Mapping[str, Any] = {"number": int | None, "text": str | None, "flag": bool | None, "ref": Ref | Lookup | None}
"""What an attribute of a shape holds that no file declares, and no spec has."""
REFERENCES = ({"$ref"}, {"$lookup"}, {"$id", "kind"})


def is_form(value: Mapping[str, Any]) -> bool:
    """Tell whether an encoded value stands for a reference, or for a text that nobody may see."""
    return set(value) in (*REFERENCES, *STANDS_FOR_A_TEXT)


def conforms(annotation: Any, value: Any) -> bool:
    """Tell whether an encoded value can be one of this annotation of a spec."""
    origin = get_origin(annotation)
    if origin is typing.Annotated:
        return conforms(get_args(annotation)[0], value)
    if origin in (typing.Union, types.UnionType):
        return any(conforms(one, value) for one in get_args(annotation))
    if isinstance(value, dict) and is_form(value):
        return annotation not in (bool, int, float, type(None))
    if annotation in (Ref, Lookup):
        return False
    if origin is list:
        return isinstance(value, list) and all(conforms(get_args(annotation)[0], one) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(conforms(get_args(annotation)[1], one) for one in value.values())
    if origin is Literal:
        return any(_is(type(one), value) for one in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return isinstance(value, dict) and _members_conform(annotation, value)
    return _is(annotation, value) if isinstance(annotation, type) else True


def _members_conform(model: type[BaseModel], value: Mapping[str, Any]) -> bool:
    known = {alias: one for name, one in model.model_fields.items() for alias in (name, one.alias or name)}
    if not all(
        known[name].alias in value or name in value for name, one in model.model_fields.items() if one.is_required()
    ):
        return False
    return all(
        (part is None and not known[name].is_required()) or conforms(known[name].annotation, part)
        for name, part in value.items()
        if name in known
    )


def _is(kind: type, value: Any) -> bool:
    """Tell whether a value is a JSON value of this type: true is no number."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind) if kind in (str, bool, type(None)) else True

"""What can be declared, as tables and JSON Schemas: generated from the kinds, so that it cannot go stale."""

from __future__ import annotations

import json
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from reconciler.config import config_schema, project_schema
from reconciler.model.document import PlanDocument
from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import KEY, Attribute, CreateOnly, Default, Ensure, Immutable, Nested, RefTo
from reconciler.model.state import State
from reconciler.model.values import Lookup, Ref, Value
from reconciler.resources import load_kinds


def kind_rows(kinds: Kinds) -> list[dict[str, Any]]:
    """Return one row for each kind."""
    return [
        {
            "address": name,
            "kind": name,
            "id": None,
            "section": kind.section or f"{kind.nested}s.*.{name}s",
            "api": kind.path,
            "operations": operations(kind),
        }
        for name, kind in kinds.items()
    ]


def operations(kind: Kind) -> str:
    """Return what can be done to objects of a kind."""
    if not kind.managed:
        return "look-up"
    return ", ".join(["create"] * kind.creatable + ["update"] + ["delete"] * kind.deletable)


def attribute_rows(kind: Kind) -> list[dict[str, Any]]:
    """Return one row for each attribute of a kind."""
    return [
        {
            "attribute": f"{attribute.name}{' (required)' if attribute.required else ''}",
            "api": attribute.api or "(own calls)",
            "type": _type(kind, attribute),
            "changes": changes(attribute),
            "description": attribute.description + _default(attribute),
        }
        for attribute in kind.attributes.values()
    ]


def type_of(annotation: Any, reference: RefTo | None = None) -> str:
    """Return what an annotation allows, in the words of a reader: `text`, `a | b`, `list of texts or maps`."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated and get_args(members[0]) == (Ref, Lookup):
        return f"reference to {reference.kind}" if reference else "reference"
    if origin is Annotated:
        return type_of(members[0], reference)
    if origin is Literal:
        return " | ".join(str(member) for member in members)
    if origin in (Union, UnionType):
        shown = [type_of(member, reference) for member in members if member is not type(None)]
        return " or ".join(dict.fromkeys(shown))
    if origin is list:
        inner = [_plural(type_of(member, reference)) for member in _alternatives(members[0])]
        return f"list of {' or '.join(dict.fromkeys(inner))}"
    if origin is dict:
        return "map by name"
    return PLAIN.get(annotation, "map")


PLAIN: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "integer",
    float: "number",
    Any: "anything",
    Value: "anything",
}


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _plural(name: str) -> str:
    first, _, rest = name.partition(" ")
    return f"{first}s {rest}".rstrip() if first in ("text", "map", "reference", "integer", "number") else name


def _type(kind: Kind, attribute: Attribute) -> str:
    info = kind.spec.model_fields.get(attribute.name)
    if info is None:  # follows from the place in the file
        return "integer" if attribute.shape == "number" else "reference"
    if attribute.has(Nested):
        return f"map of {attribute.mark(Nested).kind}s by key"
    return type_of(info.annotation, attribute.mark(RefTo))


def changes(attribute: Attribute) -> str:
    """Return how a change of the attribute is made."""
    if attribute.has(Immutable):
        return "replaces the object"
    return "by hand" if attribute.has(CreateOnly) else "in place"


def _default(attribute: Attribute) -> str:
    default, floor = attribute.mark(Default), attribute.mark(Ensure)
    if default is not None:
        return " Default: the key." if default.value == KEY else f" Default: {default.value}."
    return " Set even when left out." if floor is not None else ""


def schemas() -> dict[str, str]:
    """Return the JSON Schemas of everything that is read or written, by name, as text."""
    kinds = load_kinds()
    documents: dict[str, dict[str, Any]] = {
        "config": config_schema(kinds),
        "project": project_schema(),
        "plan": {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanDocument.model_json_schema()},
        "state": {"$schema": "https://json-schema.org/draft/2020-12/schema", **State.model_json_schema()},
    }
    return {
        name: json.dumps(document, indent=2, sort_keys=False, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }

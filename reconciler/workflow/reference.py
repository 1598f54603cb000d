"""What can be declared, as tables and JSON Schemas: generated from the kinds, so that it cannot go stale."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from reconciler.config import config_schema, project_schema
from reconciler.config.schema import DIALECT
from reconciler.model import capability
from reconciler.model.baseline import LockFile
from reconciler.model.capability import Support
from reconciler.model.document import PlanDocument
from reconciler.model.findings import FactsFile, ProbeReport
from reconciler.model.fleet import FleetFile, FleetReport
from reconciler.model.kind import Kind, Kinds
from reconciler.model.scenario import ScenarioFile
from reconciler.model.since import Differences
from reconciler.model.spec import KEY, Attribute, Default, Ensure, Nested, RefTo
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
    if not kind.abilities.managed:
        return "look-up"
    offered = capability.operations(kind)
    words = [_offered(name, getattr(offered, name)) for name in ("create", "update", "delete")]
    return ", ".join([*filter(None, words), *([offered.note] if offered.note else [])])


def _offered(name: str, support: Support) -> str:
    if support is Support.NONE:
        return ""
    return name if support is Support.DOCUMENTED else f"{name} ({support})"


def attribute_rows(kind: Kind) -> list[dict[str, Any]]:
    """Return one row for each attribute of a kind, with what the API offers for each operation."""
    offered = {capability.attribute: capability for capability in capability.capabilities(kind)}
    return [
        {
            "attribute": f"{attribute.name}{' (required)' if attribute.required else ''}",
            "api": attribute.api or "(own calls)",
            "type": _type(kind, attribute),
            "changes": changes(kind, attribute),
            "create": str(offered[attribute.name].create),
            "update": str(offered[attribute.name].update),
            "read": str(offered[attribute.name].read),
            "note": offered[attribute.name].note,
            "description": attribute.description + _default(attribute),
        }
        for attribute in kind.attributes.values()
    ]


def type_of(annotation: Any, reference: RefTo | None = None) -> str:
    """Return what an annotation allows, in the words of a reader: `text`, `a | b`, `list of texts or maps`."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated and get_args(members[0]) == (Ref, Lookup):
        return f"reference to {' or '.join(reference.every)}" if reference else "reference"
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
    specs = kind.variants.values() or (kind.spec,)
    info = next((spec.model_fields[attribute.name] for spec in specs if attribute.name in spec.model_fields), None)
    if info is None:  # follows from the place in the file
        return "integer" if attribute.shape == "number" else "reference"
    if (nested := attribute.mark(Nested)) is not None:
        return f"map of {nested.kind}s by key"
    return type_of(info.annotation, attribute.mark(RefTo))


def changes(kind: Kind, attribute: Attribute) -> str:
    """Return how a change of the attribute is made."""
    support = next(
        capability.update for capability in capability.capabilities(kind) if capability.attribute == attribute.name
    )
    if support in (Support.DOCUMENTED, Support.OBSERVED):
        return "in place"
    return "-" if support is Support.NONE else str(support)


def _default(attribute: Attribute) -> str:
    default, floor = attribute.mark(Default), attribute.mark(Ensure)
    if default is not None:
        return " Default: the key." if default.value == KEY else f" Default: {default.value}."
    return " Set even when left out." if floor is not None else ""


SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "config": lambda: config_schema(load_kinds()),
    "project": project_schema,
    "plan": lambda: {"$schema": DIALECT, **PlanDocument.model_json_schema()},
    "since": lambda: {"$schema": DIALECT, **Differences.model_json_schema()},
    "state": lambda: {"$schema": DIALECT, **State.model_json_schema()},
    "probe": lambda: {"$schema": DIALECT, **ProbeReport.model_json_schema()},
    "facts": lambda: {"$schema": DIALECT, **FactsFile.model_json_schema()},
    "fleet": lambda: {"$schema": DIALECT, **FleetFile.model_json_schema()},
    "test": lambda: {"$schema": DIALECT, **ScenarioFile.model_json_schema()},
    "fleet-report": lambda: {"$schema": DIALECT, **FleetReport.model_json_schema()},
    "lock": lambda: {"$schema": DIALECT, **LockFile.model_json_schema()},
}
"""How the JSON Schema of everything that is read or written is made, by name."""


@functools.cache  # one text for each of these names; they follow from the code alone
def schema_text(name: str) -> str:
    """Return one of `SCHEMAS` as text. Raises KeyError for another name."""
    return json.dumps(SCHEMAS[name](), indent=2, sort_keys=False, ensure_ascii=False) + "\n"

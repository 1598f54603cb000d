"""What can be declared, as tables and JSON Schemas: generated from the kinds, so that it cannot go stale."""

from __future__ import annotations

import json
from typing import Any

from reconciler.config import config_schema, project_schema
from reconciler.model.document import PlanDocument
from reconciler.model.kind import Kind, Kinds
from reconciler.model.spec import Attribute, CreateOnly, Default, Ensure, Immutable, RefTo
from reconciler.model.state import State
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
            "type": _type(attribute),
            "changes": changes(attribute),
            "description": attribute.description + _default(attribute),
        }
        for attribute in kind.attributes.values()
    ]


def _type(attribute: Attribute) -> str:
    reference = attribute.mark(RefTo)
    if reference is not None:
        return f"reference to {reference.kind}" if attribute.shape == "ref" else f"references to {reference.kind}"
    names = {
        "text": "text",
        "flag": "true or false",
        "number": "integer",
        "list": "list of texts",
        "commas": "list of texts",
        "map": "map",
        "other": "text or list",
    }
    return " | ".join(attribute.choices) if attribute.choices else names[attribute.shape]


def changes(attribute: Attribute) -> str:
    """Return how a change of the attribute is made."""
    if attribute.has(Immutable):
        return "replaces the object"
    return "by hand" if attribute.has(CreateOnly) else "in place"


def _default(attribute: Attribute) -> str:
    default, floor = attribute.mark(Default), attribute.mark(Ensure)
    if default is not None:
        return " Default: the key." if str(default.value).startswith("\ue002") else f" Default: {default.value}."
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

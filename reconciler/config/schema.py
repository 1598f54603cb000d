"""JSON Schemas of resource files and of the project file, for editors and checkers; made from the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from reconciler.config.reading.blocks import ImportBlock, MovedBlock, RemovedBlock
from reconciler.config.reading.repeating import FOR_EACH
from reconciler.config.reading.resources import LIFECYCLE, ON_DESTROY, OWNER
from reconciler.config.reading.sections import RULES
from reconciler.config.reading.variables import Declaration
from reconciler.model.kind import Kind, Kinds
from reconciler.model.project import Include, Project, Rule
from reconciler.model.spec import KEY, Default, Lifecycle, Nested, Spec, attributes

SchemaJson = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILLED_IN = "interpolation"
_FILLED_IN: SchemaJson = {
    "type": "string",
    "pattern": r"^\$\{(var|env)\.[A-Za-z_][A-Za-z0-9_]*\}$",
    "description": "A value that is filled in, e.g. ${var.x}.",
}
_BLOCKS: Mapping[str, type[BaseModel]] = {
    "moved": MovedBlock,
    "removed": RemovedBlock,
    "imports": ImportBlock,
    "include": Include,
    "rules": Rule,
}
_EACH: SchemaJson = {
    "description": "Declare one for each of these; `${each.key}` and `${each.value}` stand for it inside.",
    "anyOf": [
        {"type": "array", "items": {"type": ["string", "integer"]}},
        {"type": "object"},
        {"$ref": "#/$defs/interpolation"},
    ],
}
_FILLED = r"\$\{each\.(key|value(\.[A-Za-z0-9_-]+)?)\}"
_KEY = rf"^([A-Za-z0-9_]|{_FILLED})([A-Za-z0-9_-]|{_FILLED})*$"
_ANY_NAME: SchemaJson = {"^x-": {}}
_OWNER: SchemaJson = {
    "description": "Who is in charge of it, a team rather than a person: shown in the handbook, sent nowhere.",
    "type": ["string", "null"],
}


def config_schema(kinds: Kinds) -> SchemaJson:
    """Return the JSON Schema (2020-12) of a resource file."""
    definitions: dict[str, SchemaJson] = {FILLED_IN: _FILLED_IN}
    properties: dict[str, SchemaJson] = {}
    for name, kind in kinds.items():
        if not kind.abilities.managed:
            continue
        if kind.variants:
            properties[kind.section] = _variants(kind, definitions)
            continue
        definitions[name] = _resource(kind, kind.spec, name, definitions)
        if kind.section:
            description = f"{kind.title or name} resources by key. {(kind.spec.__doc__ or '').strip()}".strip()
            properties[kind.section] = {"description": description, **_by_key(name)}
    definitions["variable"] = _model(Declaration, "variable", definitions, filled=False)
    properties["variables"] = {"description": "Variables by name, used as ${var.name}.", **_by_key("variable")}
    for name, model in _BLOCKS.items():
        # Rules in packs have parameters.
        definitions[name] = _model(model, name, definitions, filled=name == RULES)
        properties[name] = {
            "description": (model.__doc__ or "").strip(),
            "type": ["array", "null"],
            "items": {"$ref": f"#/$defs/{name}"},
        }
    return {
        "$schema": DIALECT,
        "title": "Resources of an ActiveCampaign account",
        "type": ["object", "null"],
        "properties": properties,
        "patternProperties": _ANY_NAME,
        "additionalProperties": False,
        "$defs": definitions,
    }


def project_schema() -> SchemaJson:
    """Return the JSON Schema (2020-12) of the project file."""
    definitions: dict[str, SchemaJson] = {}
    project = _model(Project, "project", definitions, filled=False)
    head = {"$schema": DIALECT, "title": "Project of the ActiveCampaign reconciler"}
    return {**head, **project, "patternProperties": _ANY_NAME, "$defs": definitions}


def _by_key(name: str) -> SchemaJson:
    """Return the schema of a map from keys to what a definition describes; `null` stands for an empty one."""
    item = {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}
    return {"type": ["object", "null"], "propertyNames": {"pattern": _KEY}, "additionalProperties": item}


def _variants(kind: Kind, definitions: dict[str, SchemaJson]) -> SchemaJson:
    """Return the schema of a section whose keys are given, each with a spec of its own."""
    properties = {}
    for key, spec in kind.variants.items():
        name = f"{kind.name}.{key}"
        definitions[name] = _resource(kind, spec, name, definitions)
        properties[key] = {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}
    description = f"{kind.title or kind.name} resources by key. {(kind.spec.__doc__ or '').strip()}".strip()
    head = {"description": description, "type": ["object", "null"]}
    return {**head, "properties": properties, "additionalProperties": False}


def _resource(kind: Kind, spec: type[Spec], prefix: str, definitions: dict[str, SchemaJson]) -> SchemaJson:
    """Return the schema of a kind's resources, with `lifecycle` and the maps of nested kinds."""
    schema = _model(spec, prefix, definitions, filled=True)
    properties = schema.setdefault("properties", {})
    for name, attribute in attributes(spec).items():
        nested, default = attribute.mark(Nested), attribute.mark(Default)
        if name not in properties:
            continue
        if nested is not None:
            properties[name] = {"description": attribute.description, **_by_key(nested.kind)}
        if default is not None:
            properties[name].pop("default", None)
            if default.value == KEY:
                properties[name]["description"] = f"{attribute.description} Default: the key."
            else:
                properties[name]["default"] = default.value
    lifecycle = _model(Lifecycle, "lifecycle", definitions, filled=True)
    parts = lifecycle["properties"]
    known = kind.attributes if spec is kind.spec else attributes(spec)
    names = [name for name in known if name != LIFECYCLE]
    parts["ignore_changes"] = {
        "description": parts["ignore_changes"]["description"],
        "type": "array",
        "items": {"enum": names},
    }
    parts["on_destroy"] = {
        "description": parts["on_destroy"]["description"],
        "type": "object",
        "properties": {name: {"type": "string"} for name in ON_DESTROY},
        "additionalProperties": False,
    }
    properties[FOR_EACH] = _EACH
    properties[OWNER] = _OWNER
    properties[LIFECYCLE] = {"anyOf": [lifecycle, {"type": "null"}]}
    return schema


def _model(model: type[BaseModel], prefix: str, definitions: dict[str, SchemaJson], *, filled: bool) -> SchemaJson:
    """Return a model's schema; models inside it become definitions of their own under the prefix."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}", by_alias=True)
    # Nested resources have definitions of their own; what only they use is left over here.
    inner = schema.pop("$defs", {})
    cleaned: SchemaJson = _clean(schema, filled=filled)
    wanted = sorted(_referred(cleaned))
    while wanted:
        name = wanted.pop(0)
        short = name.removeprefix(f"{prefix}.")
        if name not in definitions and short in inner:
            definitions[name] = _clean(inner[short], filled=filled)
            wanted += sorted(_referred(definitions[name]))
    return cleaned


def _referred(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {str(schema["$ref"]).removeprefix("#/$defs/")} if "$ref" in schema else set()
        return own.union(*(_referred(part) for part in schema.values()))
    return set().union(*(_referred(part) for part in schema)) if isinstance(schema, list) else set()


def _clean(schema: SchemaJson, *, filled: bool) -> SchemaJson:
    """Return a model's schema without pydantic's titles and null defaults; with `filled`, `${var.x}` may stand for any
    value.
    """
    cleaned = {name: value for name, value in schema.items() if name not in ("title", "properties")}
    if "properties" in schema:
        cleaned["properties"] = {name: _property(part, filled=filled) for name, part in schema["properties"].items()}
    return cleaned


def _property(schema: SchemaJson, *, filled: bool) -> SchemaJson:
    head = {name: schema[name] for name in ("description", "default") if schema.get(name) is not None}
    rest = {name: value for name, value in schema.items() if name not in ("title", "description", "default")}
    if not filled or (rest.get("type") == "string" and len(rest) == 1) or not rest:
        return {**head, **rest}
    options = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    return {**head, "anyOf": [*options, {"$ref": f"#/$defs/{FILLED_IN}"}]}

"""Derive the facts that request checks need from the vendor's OpenAPI file: paths, methods, query and property names.

Usage: `python -m scripts.openapi_facts OPENAPI.json > tests/contract/facts.json`. No prose of the vendor is copied.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

# None: any value. A map: an object with these properties. A list of one shape: an array of such.
Shape: TypeAlias = "dict[str, Shape] | list[Shape] | None"
# {path template with `{id}` for every parameter: {method: {"query": [names], "body": shape}}}
Facts: TypeAlias = "dict[str, dict[str, dict[str, Any]]]"

METHODS = ("get", "post", "put", "patch", "delete")
# Families of paths (first segment) with configuration, with what it refers to, and with every write that there is: what
# the product does not cover is told by name (`not_covered.py`). The rest is reading of mail and shop data.
FAMILIES = frozenset(
    """
    accountContacts accountCustomFieldData accountCustomFieldMeta accounts addresses addressGroups addressLists
    automations brandings calendars campaign campaigns configs connections contact contactAutomations contactDeals
    contactLists contactTags contacts customObjects dealCustomFieldData
    dealCustomFieldMeta dealGroups dealRoles dealStages dealTasks dealTasktypes deals ecomCustomers ecomOrders
    eventTracking eventTrackingEvents fieldOption fieldRels fieldValues fields form forms groupDefinitions
    groupLimits groupMembers groups import listGroups lists localevent messages notes personalizations prism
    savedResponses scores
    siteTracking tags taskNotifications taskOutccomes taskOutcomes tasktypeOutcomeRels templates users webhook webhooks
    """.split()
)


def template(path: str) -> str:
    """Return a path with every parameter named `id`: the file names the same parameter differently per method."""
    return re.sub(r"\{[^}]*\}", "{id}", path)


def merge(left: Shape, right: Shape) -> Shape:
    """Return what both shapes allow. An array wins over an object: one schema declares an array as its element."""
    if isinstance(left, list) or isinstance(right, list):
        inner_left = left[0] if isinstance(left, list) else left
        inner_right = right[0] if isinstance(right, list) else right
        return [merge(inner_left, inner_right)]
    if left is None or right is None:
        return left if right is None else right
    return {name: merge(left.get(name), right.get(name)) for name in sorted({*left, *right})}


def shape_of_schema(schema: Mapping[str, Any]) -> Shape:
    """Return the property names that a JSON schema declares."""
    if properties := schema.get("properties"):
        return {name: shape_of_schema(inner) for name, inner in sorted(properties.items())}
    inner = shape_of_schema(schema["items"]) if schema.get("items") else None
    return [inner] if inner is not None else None


def shape_of_example(value: Any) -> Shape:
    """Return the property names that an example uses."""
    if isinstance(value, dict):
        return {name: shape_of_example(inner) for name, inner in sorted(value.items())} or None
    if isinstance(value, list):
        inner: Shape = None
        for element in value:
            inner = merge(inner, shape_of_example(element))
        return [inner] if inner is not None else None
    return None


def wrapped(schema: Shape, example: Shape) -> Shape:
    """Put a schema that forgot its wrapper key (`/fieldOption/bulk`, `/taskOutcomes`) into the one of its example."""
    if not isinstance(schema, dict) or not isinstance(example, dict) or len(example) != 1:
        return schema
    [(wrapper, inner)] = example.items()
    if wrapper in schema or any(value is not None for value in schema.values()):
        return schema
    return {wrapper: [schema] if isinstance(inner, list) else schema}


def body_shape(operation: Mapping[str, Any]) -> Shape:
    """Return what an operation's request body may hold, from its schema and its request examples; None: no body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples: Shape = None
    for example in content.get("examples", {}).values():
        examples = merge(examples, shape_of_example(example.get("value")))
    return merge(wrapped(shape_of_schema(content.get("schema", {})), examples), examples)


def facts_from_openapi(document: Mapping[str, Any]) -> Facts:
    """Return the facts of all operations in `FAMILIES`."""
    facts: Facts = {}
    for path, operations in document["paths"].items():
        if path.split("/")[1] not in FAMILIES:
            continue
        for method in METHODS:
            if operation := operations.get(method):
                names = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
                # The file gives GET and DELETE /groupMembers/{id} a body by mistake.
                body = None if method in ("get", "delete") else body_shape(operation)
                entry = {"query": sorted(names), "body": body}
                facts.setdefault(template(path), {})[method.upper()] = entry
    return facts


def render(facts: Facts) -> str:
    """Return the facts as stable JSON, one line per operation, so that changes of the vendor's file read as diffs."""
    lines: list[str] = []
    for path in sorted(facts):
        entries = (f"{json.dumps(m)}: {json.dumps(facts[path][m], sort_keys=True)}" for m in sorted(facts[path]))
        lines.append(f"{json.dumps(path)}: {{\n  " + ",\n  ".join(entries) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Iterable[str]) -> int:
    """Print the facts of the OpenAPI file named by the only argument."""
    [file] = arguments
    sys.stdout.write(render(facts_from_openapi(json.loads(Path(file).read_text(encoding="utf-8")))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The whole documented API held against what the kinds send: what is missing is on a short list, with the reason."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

from scripts.not_covered import LEFT
from scripts.openapi_facts import Facts, facts_from_openapi
from tests.contract.checker import FACTS_FILE, OPENAPI_FILE
from tests.kinds.samples import all_requests

Sent = dict[str, set[str]]


@functools.cache
def _raw() -> Facts:
    """The vendor's own file where it lies beside the project, else the facts derived from it; without corrections."""
    if OPENAPI_FILE.exists():
        return facts_from_openapi(json.loads(OPENAPI_FILE.read_text("utf-8")))
    facts: Facts = json.loads(FACTS_FILE.read_text("utf-8"))
    return facts


def _names(shape: object, prefix: str = "", *, sent: bool = False) -> Iterator[str]:
    """Yield the paths of properties in a body: `schema.fields.type`; of what is `sent`, not those that are null though
    every attribute has a value: a constant says nothing of what is declared.
    """
    if isinstance(shape, dict):
        for name, inner in shape.items():
            if inner is None and sent:
                continue
            yield prefix + name
            yield from _names(inner, f"{prefix}{name}.", sent=sent)
    elif isinstance(shape, list):
        for inner in shape:
            yield from _names(inner, prefix, sent=sent)


def _sent(facts: Facts) -> Sent:
    """Return what the kinds send: "METHOD /template" -> names of properties."""
    found: Sent = {}
    for _, request in all_requests():
        steps = request.path.split("/")
        fits = [one for one in facts if len(one.split("/")) == len(steps) and _fits(one.split("/"), steps)]
        template = min(fits, key=lambda one: one.count("{id}"), default=request.path)
        found.setdefault(f"{request.method} {template}", set()).update(_names(request.body, sent=True))
    return found


def _fits(template: list[str], steps: list[str]) -> bool:
    return all(mine in ("{id}", theirs) for mine, theirs in zip(template, steps, strict=True))


def _documented() -> dict[str, set[str]]:
    """Return the documented writes with the names of their properties."""
    return {
        f"{method} {path}": set(_names(operation["body"]))
        for path, operations in _raw().items()
        for method, operation in operations.items()
        if method != "GET"
    }


def test_every_documented_write_is_made_or_explained() -> None:
    """Each configuration endpoint of the OpenAPI file is used by a kind, or the list says why not, and nothing else."""
    sent = _sent(_raw())
    missing = {operation for operation in _documented() if operation not in sent}
    explained = {operation for left in LEFT if not left.properties for operation in left.operations}
    assert missing - explained == set()
    assert explained - missing == set(), "explained, though it is covered or not documented"


def test_every_documented_property_is_sent_or_explained() -> None:
    """Each writable property of an endpoint that a kind uses is sent for some attribute, or the list says why not."""
    sent = _sent(_raw())
    missing = {
        f"{operation} {name}"
        for operation, names in _documented().items()
        if operation in sent
        for name in names - sent[operation]
    }
    explained = {f"{operation} {name}" for left in LEFT for operation in left.operations for name in left.properties}
    assert missing - explained == set()
    assert explained - missing == set(), "explained, though it is sent or not documented"


def test_the_list_gives_a_reason_for_everything() -> None:
    """No entry without a sentence, none twice."""
    assert all(left.why.endswith((".", ").")) and left.group for left in LEFT)
    whole = [operation for left in LEFT if not left.properties for operation in left.operations]
    assert len(whole) == len(set(whole))

"""Values of attributes in normal form: JSON scalars, lists and maps, and three forms of reference.

A reference is declared (`Ref`), looked up among unmanaged live objects (`Lookup`), or a live id (`RemoteId`).
`encode`/`decode` turn them into JSON for documents: `{"$ref": "list.newsletter"}`, `{"$lookup": ...}`, `{"$id":
"7", "kind": "list"}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast, overload


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A reference to a declared resource."""

    kind: str
    key: str

    @property
    def address(self) -> str:
        """The address that it names."""
        return f"{self.kind}.{self.key}"

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True, order=True)
class Lookup:
    """A reference to a live object that is not declared: `{name: Admin}`, `{id: "3"}`, a user's e-mail."""

    kind: str
    by: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind}[{self.by}={self.value}]"


@dataclass(frozen=True, slots=True, order=True)
class RemoteId:
    """A reference as the account holds it: the numeric or UUID id of a live object, as text."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} id {self.id}"


Reference = Ref | Lookup | RemoteId
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""What the API, documents and files hold."""
Value: TypeAlias = "bool | int | float | str | Ref | Lookup | RemoteId | Sequence[Value] | Mapping[str, Value] | None"
"""An attribute's value. At run time lists and maps are `list` and `dict`."""


@overload
def items_of(value: Json) -> Sequence[Json]: ...
@overload
def items_of(value: Value) -> Sequence[Value]: ...
def items_of(value: Value) -> Sequence[Value]:
    """Return the items of a list; none where there is nothing. Raises TypeError for what is not a list."""
    if isinstance(value, list | tuple):
        return value
    if value:
        raise TypeError(f"a {type(value).__name__} is not a list")
    return ()


@overload
def map_of(value: Json) -> Mapping[str, Json]: ...
@overload
def map_of(value: Value) -> Mapping[str, Value]: ...
def map_of(value: Value) -> Mapping[str, Value]:
    """Return a map; an empty one where there is nothing. Raises TypeError for what is not a map."""
    if isinstance(value, Mapping):
        return value
    if value:
        raise TypeError(f"a {type(value).__name__} is not a map")
    return {}


@overload
def maps_of(value: Json) -> Sequence[Mapping[str, Json]]: ...
@overload
def maps_of(value: Value) -> Sequence[Mapping[str, Value]]: ...
def maps_of(value: Value) -> Sequence[Mapping[str, Value]]:
    """Return the items of a list of maps. Raises TypeError for what is none."""
    return [map_of(item) for item in items_of(value)]


def texts_of(value: Value) -> list[str]:
    """Return the items of a list of texts. Raises TypeError for what is none."""
    texts = []
    for item in items_of(value):
        if not isinstance(item, str):
            raise TypeError(f"a {type(item).__name__} is not a text")
        texts.append(item)
    return texts


def link_of(value: Value) -> Reference:
    """Return a reference. Raises TypeError for what is none."""
    if not isinstance(value, Ref | Lookup | RemoteId):
        raise TypeError(f"a {type(value).__name__} is not a reference")
    return value


def links_of(value: Value) -> list[Reference]:
    """Return the items of a list of references. Raises TypeError for what is none."""
    return [link_of(item) for item in items_of(value)]


def sendable(value: Value) -> Json:
    """Return a value that holds no references as what the API takes."""
    return cast(Json, value)


SCALARS = frozenset({str, int, bool, float, type(None)})
"""Types of values with nothing inside: most of them, so loops over values pass them by."""


def is_empty(value: object) -> bool:
    """Return whether a value says nothing: null, or a text, list or map with nothing in it; 0 and false say more."""
    return value is None or (not value and isinstance(value, (str, list, tuple, Mapping)))


def is_empty_or_off(value: object) -> bool:
    """Return whether a value says nothing or is a flag that is off. A number is neither: 0 is a place, and a scale."""
    return value is False or is_empty(value)


def identical(mine: object, other: object) -> bool:
    """Return whether two values are the same by type, too, at any depth: 0 is not false, and 1 is neither true nor 1.0.
    Maps are the same in any order of their keys.
    """
    if isinstance(mine, Mapping) and isinstance(other, Mapping):
        return mine.keys() == other.keys() and all(identical(value, other[key]) for key, value in mine.items())
    if isinstance(mine, list) and isinstance(other, list):
        return len(mine) == len(other) and all(map(identical, mine, other))
    return type(mine) is type(other) and mine == other


SECRET_OPEN, SECRET_CLOSE = "\ue000", "\ue001"
_SECRET = f"{SECRET_OPEN}([A-Za-z_][A-Za-z0-9_]*){SECRET_CLOSE}"
_WRITTEN = r"\$\{secret\.([A-Za-z_][A-Za-z0-9_]*)\}"

SENSITIVE = "$sensitive"
"""Key of a salted hash that stands for a value which no document holds."""


def is_hashed(encoded: Value) -> bool:
    """Return whether a salted hash stands for this part of a document."""
    return isinstance(encoded, dict) and set(encoded) == {SENSITIVE}


def secret_marker(name: str) -> str:
    """Return the text that stands for `${secret.name}` inside a value until it is sent."""
    return f"{SECRET_OPEN}{name}{SECRET_CLOSE}"


def has_secret(text: str) -> bool:
    """Return whether `text` contains an unresolved secret."""
    return SECRET_OPEN in text


def carries_secret(value: Value) -> bool:
    """Return whether any text inside a value contains an unresolved secret."""
    return any(isinstance(leaf, str) and has_secret(leaf) for leaf in walk(value))


def secrets_of(value: Value) -> Iterator[str]:
    """Yield the names of the secrets in a value, encoded or not."""
    for leaf in walk(value):
        if isinstance(leaf, str) and (SECRET_OPEN in leaf or "${" in leaf):
            yield from re.findall(_SECRET, leaf)
            yield from re.findall(_WRITTEN, leaf)


def reveal(text: str, secret: Callable[[str], str]) -> str:
    """Return `text` with each secret replaced by what `secret(name)` answers."""
    return re.sub(_SECRET, lambda match: secret(match.group(1)), text)


def show_secrets(text: str) -> str:
    """Return `text` with each secret written as the user wrote it: `${secret.NAME}`."""
    return re.sub(_SECRET, lambda match: f"${{secret.{match.group(1)}}}", text)


def hide_secrets(text: str) -> str:
    """The inverse of `show_secrets`, for texts that come from a document."""
    return re.sub(_WRITTEN, lambda match: secret_marker(match.group(1)), text)


def walk(value: Value) -> Iterator[Value]:
    """Yield every leaf of a value."""
    if isinstance(value, dict):
        inside: Iterable[Value] = value.values()
    elif isinstance(value, list):
        inside = value
    else:
        yield value
        return
    for item in inside:
        if item.__class__ in SCALARS:
            yield item
        else:
            yield from walk(item)


def is_flat(items: Iterable[Value]) -> bool:
    """Return whether these are scalars, all of them: so it is of most objects, and nothing is looked for inside."""
    return SCALARS.issuperset(map(type, items))


def references(value: Value) -> Sequence[Reference]:
    """Return every reference in a value."""
    if value.__class__ in SCALARS:
        return ()
    if isinstance(value, dict):
        inside: Iterable[Value] = value.values()
    elif isinstance(value, (Ref, Lookup, RemoteId)):
        return (value,)
    else:
        inside = value if isinstance(value, list) else value.values() if isinstance(value, Mapping) else ()
    if is_flat(inside):
        return ()
    return [reference for item in inside if item.__class__ not in SCALARS for reference in references(item)]


def inserted(present: Sequence[Value], more: Iterable[Value], order: Sequence[Value]) -> list[Value]:
    """Return a list with more in it: each after the nearest one before it in `order` that is there, else first."""
    result = list(present)
    for value in sorted(more, key=order.index):
        before = [other for other in order[: order.index(value)] if other in result]
        result.insert(result.index(before[-1]) + 1 if before else 0, value)
    return result


def transform(value: Value, leaf: Callable[[Value], Value]) -> Value:
    """Return a copy of `value` with each leaf replaced by `leaf(it)`."""
    if isinstance(value, dict):
        return {key: transform(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [transform(item, leaf) for item in value]
    return leaf(value)


def transform_all(attrs: Mapping[str, Value], leaf: Callable[[Value], Value]) -> dict[str, Value]:
    """Return a copy of attributes with each leaf of each replaced by `leaf(it)`."""
    return {name: transform(value, leaf) for name, value in attrs.items()}


def _encode_leaf(leaf: Value) -> Value:
    if isinstance(leaf, Ref):
        return {"$ref": leaf.address}
    if isinstance(leaf, Lookup):
        return {"$lookup": {"kind": leaf.kind, leaf.by: leaf.value}}
    if isinstance(leaf, RemoteId):
        return {"$id": leaf.id, "kind": leaf.kind}
    if isinstance(leaf, str) and SECRET_OPEN in leaf:
        return {"$secret": show_secrets(leaf)}
    return leaf


def encode(value: Value) -> Value:
    """Return the JSON form of a value."""
    return transform(value, _encode_leaf)


def decode(value: Value) -> Value:
    """Return the value of a JSON form made by `encode`. Raises ValueError for a form that it makes of nothing."""
    if isinstance(value, dict):
        if set(value) == {"$ref"}:
            kind, _, key = _text(value["$ref"]).partition(".")
            return Ref(kind, key)
        if set(value) == {"$secret"}:
            return hide_secrets(_text(value["$secret"]))
        if "$id" in value:
            return RemoteId(_text(value.get("kind")), _text(value["$id"]))
        if set(value) == {"$lookup"}:
            inner = dict(value["$lookup"]) if isinstance(value["$lookup"], dict) else {}
            kind = _text(inner.pop("kind", None))
            if len(inner) != 1:
                raise ValueError("a look-up has one name to look up by")
            ((by, text),) = inner.items()
            return Lookup(kind, by, _text(text))
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise ValueError("a reference is made of texts")
    return value

"""Ids of one account inside texts of its objects: which there are, and another account's for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from reconciler.deriving.exported import Exported
from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.values import Value

_Where = tuple[re.Pattern[str], Mapping[str, str]]
"""What finds ids in texts, and the kind of each name that stands before one."""


def mentioning(exported: Iterable[Exported], kinds: Kinds) -> dict[str, list[str]]:
    """Return the addresses whose texts hold ids of exported objects, with the addresses that they mean."""
    return {
        address: [meant for addresses in by_name.values() for meant in addresses]
        for address, by_name in mentions(exported, kinds).items()
    }


def mentions(
    exported: Iterable[Exported], kinds: Kinds, lives: Mapping[str, Iterable[Live]] | None = None
) -> dict[str, dict[str, list[str]]]:
    """Return the addresses whose texts hold ids of exported objects: by attribute, the addresses that they mean.

    Given all live objects, those that are not exported too: `list id 7`.
    """
    exported = list(exported)
    names = {(kind, live.id): f"{kind} id {live.id}" for kind, ones in (lives or {}).items() for live in ones}
    names |= {(entry.resource.kind, entry.live.id): entry.resource.address for entry in exported}
    where = _mentions(kinds)
    named: dict[str, dict[str, list[str]]] = {}
    for entry in exported:
        for name, value in entry.resource.attrs.items():
            meant = _Meant(names)
            _translated({name: value}, where, meant)
            if meant.addresses:
                named.setdefault(entry.resource.address, {})[name] = list(dict.fromkeys(meant.addresses))
    return named


class _Meant:
    """Replaces nothing, and notes which addresses the ids stand for."""

    def __init__(self, names: Mapping[tuple[str, str], str]) -> None:
        self._names = names
        self.addresses: list[str] = []

    def __call__(self, kind: str, identity: str) -> str:
        address = self._names.get((kind, identity))
        if address is not None:
            self.addresses.append(address)
        return identity


def translated(
    resources: Iterable[Resource], kinds: Kinds, source: Mapping[tuple[str, str], str], target: Mapping[str, str]
) -> dict[str, Resource]:
    """Return resources, by address, with ids inside their texts replaced: (kind, id) of the source -> address -> id of
    the target.

    An id is one where its place says so: `list=7`, `listid=7`, `field[7]` in a URL, a form or a link.
    """
    where = _mentions(kinds)

    def other(kind: str, identity: str) -> str:
        return target.get(source.get((kind, identity), ""), identity)

    return {
        resource.address: resource._replace(attrs=_translated(resource.attrs, where, other)) for resource in resources
    }


def _translated(attrs: Mapping[str, Value], where: _Where, other: Callable[[str, str], str]) -> dict[str, Value]:
    pattern, owners = where

    def leaf(value: Value) -> Value:
        if not isinstance(value, str) or not any(letter.isdigit() for letter in value):
            return value
        return pattern.sub(lambda match: _swap(match, owners, other), value)

    return {name: values.transform(value, leaf) for name, value in attrs.items()}


def _swap(match: re.Match[str], owners: Mapping[str, str], other: Callable[[str, str], str]) -> str:
    kind = owners[match.group("name").lower()]
    return f"{match.group('head')}{other(kind, match.group('id'))}{match.group('tail')}"


def _mentions(kinds: Kinds) -> _Where:
    """Return what finds ids in texts: the names that kinds say they go by, as a parameter or as an index."""
    owners = {
        word: kind.name for kind in kinds.values() for word in (*kind.identity.id_parameters.links, f"{kind.name}_id")
    }
    names = "|".join(sorted(map(re.escape, owners), key=lambda owner: (-len(owner), owner)))
    parameter = rf"(?P<head>(?<![A-Za-z0-9_])(?P<name>{names})(?:\[\])?(?:=|%3D))(?P<id>[0-9]+)(?P<tail>(?![0-9]))"
    return re.compile(parameter, re.IGNORECASE), owners
